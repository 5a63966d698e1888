from uuid import UUID

import pytest

from loom.errors import CODES, LoomError, is_retryable
from loom.model import asset_uuid


def test_an_assets_uuid_is_a_version_8_made_of_its_hash() -> None:
    uuid = asset_uuid(bytes(range(32)))
    assert uuid == UUID("00010203-0405-8607-8809-0a0b0c0d0e0f")
    assert (uuid.version, uuid.variant) == (8, "specified in RFC 4122")


@pytest.mark.parametrize("code", CODES)
def test_every_code_says_something_and_has_a_place(code: str) -> None:
    row = CODES[code]
    assert row.sentence.endswith(".")
    assert 400 <= row.http < 600
    assert row.exit in {1, 2, 4, 5, 6}
    error = LoomError(code)
    assert (error.message, error.retryable, error.exit_code) == (row.sentence, row.retryable, row.exit)


def test_an_unknown_code_is_not_tried_again() -> None:
    assert not is_retryable("SOME_LATER_CODE")
