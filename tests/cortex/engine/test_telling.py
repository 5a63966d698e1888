import base64

import pytest

from cortex.engine.telling import Status, failure_at, shown

STATUS = Status(10.0, 50, 100, 1000, 4000, 5, 1, ())


@pytest.mark.parametrize(
    ("changes", "fraction"),
    [
        ({}, 0.375),
        ({"bytes_total": 0}, 0.5),
        ({"files_total": None}, None),
        ({"files_total": 0}, None),
        ({"files_done": 300, "bytes_done": 9000}, 1.0),
    ],
)
def test_how_much_is_done(changes: dict, fraction: float | None) -> None:
    assert STATUS._replace(**changes).fraction == fraction


def test_time_left_is_told_once_there_is_something_to_tell_it_from() -> None:
    assert STATUS.seconds_left == pytest.approx(10 * 0.625 / 0.375)
    assert STATUS._replace(seconds=0.5).seconds_left is None
    assert STATUS._replace(files_done=0, bytes_done=0).seconds_left is None


@pytest.mark.parametrize("name", ["words.txt", "café.txt", "line\nbreak"])
def test_a_name_in_utf_8_is_told_as_it_is(name: str) -> None:
    assert shown(name.encode()) == name
    assert failure_at(name.encode(), None, None, "FILE_EMPTY", "empty").path_b64 is None


def test_another_name_can_still_be_found() -> None:
    failure = failure_at(b"/m/caf\xe9", "uuid", "node", "FILE_EMPTY", "empty")
    assert failure.path == "/m/caf\ufffd"
    assert base64.b64decode(failure.path_b64 or "") == b"/m/caf\xe9"
