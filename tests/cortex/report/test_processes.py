"""How process pipelines look on a terminal."""

from __future__ import annotations

import io
from uuid import uuid4

import msgspec
from processreports import process_pipeline, stream
from rich.console import Console

from cortex.report.processes import Rates, picture
from loom.processes import ProcessPipeline


def drawn(pipeline: ProcessPipeline, rates: Rates | None = None, now: float = 0.0) -> list[str]:
    out = io.StringIO()
    known = {} if rates is None else rates.look([pipeline], now)
    Console(file=out, width=100, highlight=False).print(picture([pipeline], known))
    return [" ".join(line.split()) for line in out.getvalue().splitlines()]


def test_tasks_and_streams_of_a_pipeline() -> None:
    lines = drawn(process_pipeline(uuid4()))
    assert lines[0] == "webcam running process 10"
    assert "camera running 11 12 34" in lines
    assert "sink waiting 13 0 2 2" in lines
    assert "frames camera → detector ██░░░░ 38 % 120 4 7" in lines
    assert "boxes detector → sink ░░░░░░ 0 % 0 0 0" in lines
    assert lines[-1] == "events pending: pause 2"


def test_rates_come_from_two_looks() -> None:
    run, rates = uuid4(), Rates()
    before = process_pipeline(run)
    assert rates.look([before], 10.0) == {}
    after = msgspec.structs.replace(
        before, streams=[stream("frames", "camera", "detector", written=180, bytes_written=180 * 921_600)]
    )
    (line,) = (line for line in drawn(after, rates, 12.0) if line.startswith("frames"))
    assert line == "frames camera → detector ░░░░░░ 0 % 180 30 27.6 0 0"


def test_names_cannot_steer_the_terminal() -> None:
    lines = drawn(process_pipeline(uuid4(), name="\x1b[2Jx", streams=[stream("a\nb", "\x1b]0;t\x07")]))
    assert "\x1b" not in "".join(lines)
    assert "x running process 10" in lines[0]
    assert any(line.endswith("→ nobody ░░░░░░ 0 % 0 0 0") for line in lines)
