import base64

import pytest

from cortex.engine.telling import Status, failure_at, shown

STATUS = Status(10.0, 50, 100, 1000, 4000, 5, 1, ())


@pytest.mark.parametrize(
    ("changes", "fraction"),
    [
        ({}, (45 / 95 + 0.25) / 2),
        ({"bytes_total": 0}, 45 / 95),
        ({"unchanged": 0}, 0.375),
        ({"bytes_unchanged": 2000}, (45 / 95 + 0.5) / 2),
        ({"unchanged": 50, "files_done": 50, "bytes_done": 0}, 0.0),
        ({"unchanged": 100, "files_done": 100, "bytes_unchanged": 4000}, 1.0),
        ({"files_total": None}, None),
        ({"files_total": 0}, None),
        ({"files_done": 300, "bytes_done": 9000}, 1.0),
    ],
)
def test_how_much_is_done(changes: dict, fraction: float | None) -> None:
    assert STATUS._replace(**changes).fraction == fraction


def test_it_never_moves_back_while_files_turn_out_to_need_no_work() -> None:
    """A thousand files of 10 bytes, of which every third needs work and is done as soon as it is seen."""
    before = 0.0
    for seen in range(1, 1001):
        worked = seen // 3
        unchanged = seen - worked
        now = Status(1.0, seen, 1000, 10 * worked, 10_000, unchanged, 0, (), 10 * unchanged).fraction
        assert now is not None
        assert now >= before
        before = now
    assert before == 1.0


def test_time_left_is_told_once_there_is_something_to_tell_it_from() -> None:
    plain = STATUS._replace(unchanged=0)
    assert plain.seconds_left == pytest.approx(10 * 0.625 / 0.375)
    assert STATUS._replace(seconds=0.5).seconds_left is None
    assert STATUS._replace(files_done=5, bytes_done=0).seconds_left is None


@pytest.mark.parametrize("name", ["words.txt", "café.txt", "line\nbreak"])
def test_a_name_in_utf_8_is_told_as_it_is(name: str) -> None:
    assert shown(name.encode()) == name
    assert failure_at(name.encode(), None, None, "FILE_EMPTY", "empty").path_b64 is None


def test_another_name_can_still_be_found() -> None:
    failure = failure_at(b"/m/caf\xe9", "uuid", "node", "FILE_EMPTY", "empty")
    assert failure.path == "/m/caf\ufffd"
    assert base64.b64decode(failure.path_b64 or "") == b"/m/caf\xe9"
