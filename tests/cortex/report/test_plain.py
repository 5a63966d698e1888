import json

import pytest

from cortex.engine.summary import nothing_done
from cortex.engine.telling import Failure, Status, failure_at
from cortex.report.lines import LineReporter
from cortex.report.plain import PlainReporter, describe, describe_failure, printable

STATUS = Status(10.0, 50, 100, 1000, 4000, 0, 1, ("/a.jpg",), files_per_s=5.0, seconds_left=16.7)


def test_a_line_says_how_far_it_is() -> None:
    assert describe(STATUS) == "50 of 100 files, 1000 bytes, 5.0 files/s, 1 failed, 17 s left"
    assert describe(STATUS._replace(seconds_left=0.01)).endswith("failed, 1 s left")
    assert describe(STATUS._replace(seconds_left=200.0)).endswith("failed, 3 min 20 s left")
    assert describe(STATUS._replace(seconds_left=None)).endswith("1 failed")
    assert describe(STATUS._replace(files_per_s=1234.5)).startswith("50 of 100 files, 1000 bytes, 1,234 files/s")
    assert describe(STATUS._replace(files_per_s=None, bytes_done=0, failed=0)) == "50 of 100 files, 17 s left"
    assert describe(STATUS._replace(stopping=True)).endswith("1 failed, stopping: what is in hand is finished first")
    assert describe(Status(0.1, 0, None, 0, None, 0, 0, ())) == ""
    paused = describe(STATUS._replace(seconds_left=None, paused="paused by disk: \x1bfull"))
    assert paused.endswith("1 failed, paused by disk: \\x1bfull")


def test_names_do_a_terminal_no_harm() -> None:
    assert printable("a\x1b[31m\nb") == "a\\x1b[31m\\x0ab"
    failure = Failure(None, "/x\n.jpg", "thumbnail", "FILE_DAMAGED", "cut off")
    assert "\n" not in describe_failure(failure)


def test_what_was_done_is_told_after_the_error_that_ended_it(capsys: pytest.CaptureFixture[str]) -> None:
    done = {**nothing_done(), "pipeline": "ingest", "bytes": 2048}
    for quiet in (False, True):
        reporter = PlainReporter(quiet=quiet)
        reporter.error("USAGE", "never begun", 2)
        assert capsys.readouterr().out == ""
        reporter.broken(done)
        reporter.error("DISK_FULL", "no room", 1)
        told = capsys.readouterr()
        assert told.err == "DISK_FULL: no room\n"
        assert told.out.startswith("Run of pipeline ingest could not be done: 0 files seen, 2.0 KB read") is not quiet


def test_json_lines_have_a_message_type(capsys: pytest.CaptureFixture[str]) -> None:
    reporter = LineReporter()
    reporter.status(STATUS)
    reporter.failure(failure_at(b"/caf\xe9.jpg", "u", "n", "FILE_EMPTY", "m"))
    reporter.error("LOOM_UNREACHABLE", "gone", 5)
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert (lines[0]["seconds_left"], lines[0]["fraction"], lines[0]["paused"]) == (16.7, None, None)
    assert [line["message_type"] for line in lines] == ["status", "failure", "error", "summary"], "a summary comes last"
    assert (lines[1]["path"], lines[1]["path_b64"]) == ("/caf\ufffd.jpg", "L2NhZukuanBn")
    assert lines[2]["exit_code"] == 5
    assert (lines[1]["handled"], lines[3]["state"]) == (False, "FAILED")
