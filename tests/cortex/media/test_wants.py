from __future__ import annotations

import hashlib
from typing import Any

import pytest

from cortex.media.wants import Fed, PictureFeed, SoundFeed, Wants, together


class Notes:
    def update(self, seen: Any) -> None: ...


def test_wants_of_several_are_joined() -> None:
    joined = together(
        [
            Wants(200, streams={"sha256": hashlib.sha256}),
            Wants(pictures={"all": PictureFeed(Notes)}, stills=frozenset({(9, 320)})),
            Wants(100, pictures={"few": PictureFeed(Notes, rate=1)}, sounds={"ear": SoundFeed(Notes)}),
        ]
    )
    assert joined.image_side == 200
    assert [set(part) for part in joined[1:]] == [{"sha256"}, {"all", "few"}, {"ear"}, {(9, 320)}]


def test_a_reader_that_cannot_be_made() -> None:
    def fail() -> Notes:
        raise ZeroDivisionError

    fed = Fed(fail)
    fed.update(b"")
    with pytest.raises(ZeroDivisionError):
        _ = fed.reader
