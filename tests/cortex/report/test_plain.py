import json

import pytest

from cortex.engine.telling import Failure, Status, failure_at
from cortex.report.lines import LineReporter
from cortex.report.plain import describe, describe_failure, printable

STATUS = Status(10.0, 50, 100, 1000, 4000, 0, 1, ("/a.jpg",))


def test_progress_is_weighed_by_files_and_bytes() -> None:
    assert STATUS.fraction == pytest.approx((0.5 + 0.25) / 2)
    assert STATUS.seconds_left == pytest.approx(10 * (1 - 0.375) / 0.375)
    assert STATUS._replace(files_total=None).fraction is None
    assert STATUS._replace(files_total=None).seconds_left is None


def test_a_line_says_how_far_it_is() -> None:
    assert describe(STATUS) == "50 of 100 files, 1000 bytes, 5.0 files/s, 1 failed, 16.7 s left"


def test_names_do_a_terminal_no_harm() -> None:
    assert printable("a\x1b[31m\nb") == "a\\x1b[31m\\x0ab"
    failure = Failure(None, "/x\n.jpg", "thumbnail", "FILE_DAMAGED", "cut off")
    assert "\n" not in describe_failure(failure)


def test_json_lines_have_a_message_type(capsys: pytest.CaptureFixture[str]) -> None:
    reporter = LineReporter()
    reporter.status(STATUS)
    reporter.failure(failure_at(b"/caf\xe9.jpg", "u", "n", "FILE_EMPTY", "m"))
    reporter.error("LOOM_UNREACHABLE", "gone", 5)
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["message_type"] for line in lines] == ["status", "failure", "error", "summary"], "a summary comes last"
    assert (lines[1]["path"], lines[1]["path_b64"]) == ("/caf\ufffd.jpg", "L2NhZukuanBn")
    assert lines[2]["exit_code"] == 5
    assert (lines[1]["handled"], lines[3]["state"]) == (False, "FAILED")
