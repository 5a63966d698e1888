"""Process pipelines as they tell of themselves, on the page."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest
from browser import PHONE, Browser
from msgspec.structs import replace
from processreports import process_pipeline, stream
from programs import Server
from selenium.webdriver.common.keys import Keys

from loom.client import LoomClient
from loom.processes import ProcessPipeline, ProcessTask

_ASKED = (
    "return performance.getEntriesByType('resource').filter((one) => one.name.includes('process-pipelines')).length"
)
_SILENT = """
const [told, earlier, later] = arguments;
return import("/page/views/process.js").then((m) => {
  const one = new m.Process(told);
  document.getElementById("main").replaceChildren(one.element);
  const known = (heard, written, silent = false) => {
    const [first, ...others] = told.streams;
    one.know({...told, heard, silent, streams: [{...first, written}, ...others]});
    const row = one.element.querySelector("[data-stream=frames]");
    return [one.element.querySelector(".state").textContent, row.cells[5].textContent, row.cells[6].textContent];
  };
  const again = "2026-11-21T09:30:09Z";
  return [known(earlier, 100), known(earlier, 100), known(later, 160), known(later, 160, true), known(again, 3)];
});
"""
_HIDDEN = """
const real = window.setInterval;
let tick = null;
window.setInterval = (act) => ((tick = act), 0);
return import("/page/router.js").then((m) => {
  let asked = 0;
  new m.Scope().every(1000, () => (asked += 1));
  window.setInterval = real;
  const told = [true, false].map((hidden) => {
    Object.defineProperty(document, "hidden", { value: hidden, configurable: true });
    tick();
    return asked;
  });
  delete document.hidden;
  return told;
});
"""
_LINK = "nav a[href='/processes']"


@pytest.fixture
def told(server: Server) -> Iterator[LoomClient]:
    """Of whom is known what a test says, and nothing when it is over."""
    with LoomClient(server.url, server.token) as client:
        yield client
        for one in client.process_pipelines():
            client.forget_process_pipeline(one.run)


def _with_frames(pipeline: ProcessPipeline, written: int, pressure: float) -> ProcessPipeline:
    frames, *others = pipeline.streams
    more = replace(frames, written=written, bytes_written=written * 921_600, pressure=pressure)
    return replace(pipeline, streams=[more, *others])


def _row(page: Browser, kind: str, name: str) -> str:
    return " ".join(page.text(f"[data-{kind}={name}]").split())


def _shown(page: Browser) -> Any:
    return page.run("return [...document.querySelectorAll('article h2')].map((one) => one.textContent)")


def test_the_navigation_leads_there_while_there_is_one(page: Browser, told: LoomClient) -> None:
    page.open("/operators")
    page.one("details")
    page.until(lambda: page.run(_ASKED))
    assert [link.is_displayed() for link in page.all(_LINK)] == [False]
    pipeline = process_pipeline(uuid4())
    told.report_process_pipeline(pipeline)
    page.one("nav a[href='/system']").click()
    page.until(lambda: page.one(_LINK).is_displayed())
    page.one(_LINK).send_keys(Keys.ENTER)
    page.one("h1", "Processes")
    assert _shown(page) == ["webcam"]
    assert page.driver.title == "Processes · Loom"
    told.forget_process_pipeline(pipeline.run)
    page.one(".empty", "No process pipeline is known.")
    assert page.one(_LINK).is_displayed(), "one is there"


@pytest.mark.slow
def test_the_navigation_finds_out_by_itself(page: Browser, told: LoomClient) -> None:
    page.open("/operators")
    page.one("details")
    pipeline = process_pipeline(uuid4())
    told.report_process_pipeline(pipeline)
    page.until(lambda: page.one(_LINK).is_displayed())
    told.forget_process_pipeline(pipeline.run)
    page.until(lambda: not page.one(_LINK).is_displayed())


def test_tasks_and_streams_stand_in_a_graph_and_in_tables(page: Browser, told: LoomClient) -> None:
    told.report_process_pipeline(process_pipeline(uuid4()))
    page.open("/processes")
    page.one(".state.running", "Running")
    page.one(".under", "on here · process 10 · started")
    assert {one.text for one in page.all(".node .name")} == {"camera", "frames", "detector", "boxes", "sink"}
    assert page.text("[data-node='task camera'] .flow") == "CPU 13 % · 34 MB"
    assert page.text("[data-node='stream frames']").split("\n")[:2] == ["frames", "38 %"]
    assert len(page.all(".edge")) == 4
    assert _row(page, "stream", "frames") == (
        "frames camera detector 3 behind, 7 skipped, not waited for 480 × 640 × 3 uint8 8 slots, 7 MB 38 % 120 – 4"
    )
    assert _row(page, "stream", "boxes").startswith("boxes (ended) detector sink 0 behind 4 <f4 8 slots, 128 bytes 0 %")
    assert _row(page, "task", "camera") == "camera Running 11 13 % 34 MB 0"
    assert _row(page, "task", "detector") == "detector Starting – – – 0"
    assert [one.text for one in page.all(".chips li")] == ["pause: 2 pending"]
    meter = "document.querySelector('meter[aria-label=\"Pressure of frames\"]').value"
    assert page.run(f"return {meter}") == 37.5


def test_it_moves_with_what_is_told_and_nothing_else_does(page: Browser, told: LoomClient) -> None:
    pipeline = process_pipeline(uuid4())
    told.report_process_pipeline(pipeline)
    page.open("/processes")
    page.one("[data-stream=frames]", "120")
    page.run("document.querySelector('.drawing').focus(); document.querySelector('[data-stream]').dataset.same = 'row'")
    written = 120

    def has_a_rate() -> bool:
        nonlocal written
        written += 1000
        told.report_process_pipeline(_with_frames(pipeline, written, 95.0))
        return "/s" in page.text("[data-stream=frames] td:nth-of-type(6)")

    page.until(has_a_rate)
    page.until(lambda: f"95 % {written:,}" in _row(page, "stream", "frames"))
    assert page.one("[data-node='stream frames']").get_attribute("data-mood") == "pressed"
    assert page.one("[data-stream=frames]").get_attribute("data-same") == "row"
    assert page.run("return document.activeElement.className") == "drawing"


def test_what_failed_is_told_with_its_traceback(page: Browser, told: LoomClient) -> None:
    pipeline = process_pipeline(uuid4())
    told.report_process_pipeline(pipeline)
    page.open("/processes")
    page.one(".state.running", "Running")
    traceback = 'Traceback (most recent call last):\n  File "detect.py", line 3, in detect\nValueError: no <b>box</b>'
    camera, detector, sink = pipeline.tasks
    tasks = [camera, replace(detector, state="FAILED", error=traceback), replace(sink, error="OSError: gone")]
    failed = replace(pipeline, state="FAILED", tasks=tasks, error=f"The task 'detector' failed.\n{traceback}")
    told.report_process_pipeline(failed)
    page.one(".head .state.failed", "Failed")
    page.one("#say", "webcam: Failed.")
    texts = [one.text for one in page.all("[aria-label='What went wrong'] pre")]
    assert texts == [traceback, "OSError: gone"]
    assert [one.text for one in page.all("[aria-label='What went wrong'] summary")] == [
        "detector failed", "sink failed, and was started again"
    ]  # fmt: skip
    page.one("[data-task=detector] .state.failed", "Failed")
    page.one(".under", "last heard of just now")


def test_of_several_one_is_chosen_in_the_address(page: Browser, told: LoomClient) -> None:
    runs = [UUID(int=number) for number in (1, 2, 3)]
    for run, name, state in zip(runs, ("first", "second", "third"), ("RUNNING", "RUNNING", "ENDED"), strict=True):
        started = process_pipeline(run).started + run.int
        told.report_process_pipeline(process_pipeline(run, name=name, state=state, started=started))
    page.open("/processes")
    page.one("[aria-label='Process pipelines'] a", "third")
    assert _shown(page) == ["second"], "the newest that runs"
    page.one("[aria-label='Process pipelines'] a", "first").send_keys(Keys.ENTER)
    page.until(lambda: page.path == f"/processes?run={runs[0]}")
    page.until(lambda: _shown(page) == ["first"])
    told.report_process_pipeline(process_pipeline(runs[0], name="first", tasks=[], streams=[]))
    page.until(lambda: not page.all(".node"))
    assert _shown(page) == ["first"]
    told.forget_process_pipeline(runs[0])
    page.one(".empty", "Nothing is known of this process pipeline any more.")
    page.press("See which there are")
    page.until(lambda: _shown(page) == ["second"])


def test_rates_go_by_the_reports_and_one_that_is_silent_has_none(page: Browser, told: LoomClient) -> None:
    run = uuid4()
    told.report_process_pipeline(process_pipeline(run))
    page.open("/operators")
    page.one("details")
    shape = msgspec.to_builtins(told.process_pipeline(run))
    known = page.run(_SILENT, shape, "2026-11-21T09:30:00.000Z", "2026-11-21T09:30:02.000Z")
    assert known == [
        ["Running", "100", "–"],
        ["Running", "100", "–"],
        ["Running", "160", "30/s"],
        ["Not heard of", "160", "–"],
        ["Running", "3", "–"],
    ]


def test_names_of_any_length_fit_a_phone(page: Browser, told: LoomClient) -> None:
    name = "a name of 300 letters " + "<b>x</b>" * 35
    task = ProcessTask(name=name, state="FAILED", error="x" * 300, writes=[name])
    streams = [stream(name, name, name, dtype="[('a', '<f4'), ('b', '<i8')]" * 4)]
    told.report_process_pipeline(process_pipeline(uuid4(), name=name, tasks=[task], streams=streams))
    told.report_process_pipeline(process_pipeline(uuid4(), started=0))
    page.sized(PHONE)
    page.open("/processes")
    page.one("h2", name)
    assert page.run("return document.documentElement.scrollWidth") <= PHONE[0]


def test_nobody_is_asked_while_nobody_looks(page: Browser) -> None:
    page.open("/operators")
    page.one("details")
    assert page.run(_HIDDEN) == [0, 1]
