import base64

import pytest

from cortex.engine.telling import failure_at, in_words, shown
from loom.model import Depth, Pause


@pytest.mark.parametrize("name", ["words.txt", "café.txt", "line\nbreak"])
def test_a_name_in_utf_8_is_told_as_it_is(name: str) -> None:
    assert shown(name.encode()) == name
    assert failure_at(name.encode(), None, None, "FILE_EMPTY", "empty").path_b64 is None


def test_another_name_can_still_be_found() -> None:
    failure = failure_at(b"/m/caf\xe9", "uuid", "node", "FILE_EMPTY", "empty")
    assert failure.path == "/m/caf\ufffd"
    assert base64.b64decode(failure.path_b64 or "") == b"/m/caf\xe9"


def test_a_pause_says_whose_it_is_and_why() -> None:
    pause = Pause(owner="disk", reason="only 3 MB are free", depth=Depth.NEW, since=0)
    assert in_words(pause) == "paused by disk: only 3 MB are free"
