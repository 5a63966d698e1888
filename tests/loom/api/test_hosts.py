import pytest

from loom.api.hosts import AllowedHosts, Authority, parse_authority, parse_origin


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("localhost", ("localhost", None)),
        ("LOCALHOST.:8092", ("localhost", 8092)),
        ("127.0.0.1:1", ("127.0.0.1", 1)),
        ("[::1]:8092", ("[::1]", 8092)),
        ("[0:0:0:0:0:0:0:1]", ("[::1]", None)),
        ("[FE80::1]", ("[fe80::1]", None)),
        *((bad, None) for bad in (
            "", ".", ":80", "a:", "a:0", "a:65536", "a:1:2", "a:-1", "a:٣", "::1", "[::1", "[::g]", "[1.2.3.4]",
            "a b", "a/b", "user@a", "a\n", "a:80 ", "ä",
        )),
    ],
)  # fmt: skip
def test_authorities(text, expected):
    assert parse_authority(text) == (None if expected is None else Authority(*expected))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("http://localhost", ("http", "localhost", 80)),
        ("HTTPS://Localhost.", ("https", "localhost", 443)),
        ("http://[::1]:8092", ("http", "[::1]", 8092)),
        *((bad, None) for bad in (
            "null", "", "localhost", "http://", "ftp://a", "http://a/", "http://a:b", "http://a:99999", "http:///a",
            "http://u@a", "http://a b", "file://",
        )),
    ],
)  # fmt: skip
def test_origins(text, expected):
    assert parse_origin(text) == expected


def test_allowed_names_are_for_every_port_unless_they_name_one():
    allowed = AllowedHosts(["Localhost", "::1", "loom.example:8443"])
    for text, is_in in (
        ("localhost", True), ("localhost:5", True), ("[::1]:9", True), ("loom.example:8443", True),
        ("loom.example", False), ("loom.example:80", False), ("evil.example", False), ("xlocalhost", False),
    ):  # fmt: skip
        assert (parse_authority(text) in allowed) is is_in, text
    with pytest.raises(ValueError, match="not the name"):
        AllowedHosts(["http://a"])
