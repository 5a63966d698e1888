import pytest

from loom.client.address import Address


@pytest.mark.parametrize(
    ("url", "plain"),
    [
        ("http://127.0.0.1:8092", True),
        ("http://localhost:8092/", True),
        ("https://127.0.0.1:8092", False),
        ("http://example.org", False),
    ],
)
def test_certificates_are_left_unread_only_where_nothing_can_be_encrypted(url: str, plain: bool) -> None:
    assert Address(url, None, None).is_plain is plain
