"""The page in a headless Chromium (the system packages chromium and chromium-driver), over a real server.

    python benchmarks/page.py [SECTION...] [--rounds N] [--json FILE]

live        5,000 events a second, seen in the views Run and Now: frames a second, and the counts when the run ends
grid        a run of 1,000,000 assets: its grid far down, and frames a second while one scrolls through it
"""

from __future__ import annotations

import shutil
import statistics
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from typing import Any, NamedTuple

import pageserver
from figures import Figure, report
from measure import fresh
from pageserver import EVENTS_PER_ASSET, NODES, Loom
from selenium import webdriver
from selenium.webdriver.chrome.service import Service

RATE = 5_000
SECONDS = 10
ROWS = 1_000_000
_LOOK_S = 0.05
_WAIT_S = 60
_FRAME_MS = 1000 / 30
"""Goal: a frame at least so often."""

_FLAGS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--window-size=1440,960")
_COUNT_FRAMES = """
window.frames = [];
const count = (now) => { window.frames.push(now); window.counting = requestAnimationFrame(count); };
requestAnimationFrame(count);
"""
_SCROLL = """
const rows = document.querySelector(".grid .rows"), room = rows.scrollHeight - rows.clientHeight;
const [by, done] = [arguments[0], arguments[arguments.length - 1]], from = performance.now(), frames = [];
const start = rows.scrollTop;
const step = (now) => {
  frames.push(now);
  rows.scrollTop = by === null ? room * Math.min(1, (now - from) / 4000) : start + by * frames.length;
  if (now - from < 4000) requestAnimationFrame(step); else done(frames);
};
requestAnimationFrame(step);
"""
_COUNTS = "return [...document.querySelectorAll(`[data-node='${arguments[0]}'] .count`)].map((one) => one.textContent)"
_FILLED = "return !document.querySelector('.grid-row.loading') && document.querySelectorAll('.grid-row').length > 5"


class Page:
    """The page, signed in."""

    def __init__(self, driver: Any, url: str) -> None:
        self._driver = driver
        self._url = url

    def open(self, path: str) -> None:
        self._driver.get(self._url + path)

    def run(self, script: str, *arguments: object) -> Any:
        return self._driver.execute_script(script, *arguments)

    def scroll(self, by: float | None) -> tuple[list[float], float]:
        """For four seconds: so many pixels a frame, or (None) through all rows; when frames were drawn, and how long
        the page was at work for each (ms)."""
        before = self._worked_ms()
        found: list[float] = self._driver.execute_async_script(_SCROLL, by)
        return found, (self._worked_ms() - before) / len(found)

    def _worked_ms(self) -> float:
        """CPU of the page's main thread so far."""
        self._driver.execute_cdp_cmd("Performance.enable", {"timeDomain": "threadTicks"})
        metrics = self._driver.execute_cdp_cmd("Performance.getMetrics", {})["metrics"]
        return float(next(one["value"] for one in metrics if one["name"] == "TaskDuration") * 1000)

    def text(self) -> str:
        return str(self.run("return document.body.innerText"))

    def counts(self, node: str) -> list[int]:
        return [int(one.replace(",", "") or 0) for one in self.run(_COUNTS, node)]

    def until(self, condition: Callable[[], object]) -> float:
        """Seconds until it holds."""
        began = time.monotonic()
        while not condition():
            if time.monotonic() - began > _WAIT_S:
                raise RuntimeError(f"waited in vain; the page says:\n{self.text()[:2000]}")
            time.sleep(_LOOK_S)
        return time.monotonic() - began


@contextmanager
def opened(loom: Loom) -> Iterator[Page]:
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium") or "chromium"
    for flag in (*_FLAGS, f"--user-data-dir={fresh('chromium')}"):
        options.add_argument(flag)
    driver = webdriver.Chrome(options, Service(shutil.which("chromedriver") or "chromedriver"))
    try:
        page = Page(driver, loom.url)
        page.open(f"/#code={loom.token}")
        page.until(lambda: "Live" in page.text())
        yield page
    finally:
        driver.quit()


class Seen(NamedTuple):
    """How smoothly a view was drawn: in milliseconds, a frame on average, and the 99th of a hundred."""

    mean: float
    p99: float

    @classmethod
    def of(cls, frames: list[float]) -> Seen:
        gaps = sorted(b - a for a, b in pairwise(frames))
        return cls(statistics.fmean(gaps), gaps[int(len(gaps) * 0.99)])

    def figures(self, what: str) -> list[Figure]:
        return [
            Figure(f"{what}: a frame every", self.mean, "ms", _FRAME_MS),
            Figure(f"{what}: 99 of 100 frames within", self.p99, "ms"),
        ]


def _watch(loom: Loom, page: Page, view: str) -> tuple[Seen, list[Figure]]:
    run, assets = str(uuid.uuid4()), RATE * SECONDS // EVENTS_PER_ASSET
    pageserver.begin(loom, run)
    page.open(view.format(run=run))
    page.until(lambda: "flood" in page.text() and "Live" in page.text())
    took: list[float] = []
    flood = threading.Thread(target=lambda: took.append(pageserver.tell(loom, run, assets, RATE)))
    page.run(_COUNT_FRAMES)
    flood.start()
    flood.join()
    seen = Seen.of(page.run("cancelAnimationFrame(window.counting); return window.frames"))
    pageserver.finish(loom, run, assets)
    figures = [Figure(f"{view.split('/')[1] or 'now'}: events", assets * EVENTS_PER_ASSET / took[0], "/s")]
    if "{run}" in view:
        late = page.until(lambda: "Finished" in page.text())
        stored = loom.get(f"/runs/{run}")["nodes"]
        wrong = sum(page.counts(node)[0] != stored[node]["computed"] for node in NODES)
        figures.append(Figure("runs: the end is seen after", late, "s"))
        figures.append(Figure("runs: nodes whose count is not the database's", wrong, "", 0))
    return seen, figures


def live(rounds: int) -> list[Figure]:
    figures = []
    with pageserver.serving(fresh("page")) as loom, opened(loom) as page:
        for name, view in (("Run", "/runs/{run}"), ("Now", "/")):
            seen, found = _watch(loom, page, view)
            figures += [*seen.figures(name), *found]
    return figures


def grid(rounds: int) -> list[Figure]:
    folder, run = fresh("page"), str(uuid.uuid4())
    with pageserver.serving(folder) as loom:
        pageserver.begin(loom, run)
        pageserver.finish(loom, run, ROWS)
    pageserver.fill(folder, ROWS)
    figures = []
    with pageserver.serving(folder) as loom, opened(loom) as page:
        for offset in (0, ROWS * 9 // 10):
            figures.append(Figure(f"200 rows from row {offset:,}", _ask_time(loom, run, offset) * 1e3, "ms"))
        page.open(f"/runs/{run}")
        figures.append(
            Figure("the view and its first rows are there after", page.until(lambda: page.run(_FILLED)), "s")
        )
        for name, by in (("three rows a frame", 108), ("all rows in 4 s", None)):
            frames, worked = page.scroll(by)
            figures += Seen.of(frames).figures(name)
            figures.append(Figure(f"{name}: CPU of the page a frame", worked, "ms"))
            figures.append(Figure(f"{name}: rows are there after", page.until(lambda: page.run(_FILLED)), "s"))
    return figures


def _ask_time(loom: Loom, run: str, offset: int) -> float:
    took = []
    for _ in range(7):
        began = time.perf_counter()
        answer = loom.get(f"/runs/{run}/grid?offset={offset}&limit=200")
        took.append(time.perf_counter() - began)
        if len(answer["rows"]) != 200:
            raise RuntimeError(f"{len(answer['rows'])} rows")
    return statistics.median(took)


if __name__ == "__main__":
    report(__doc__, {"live": live, "grid": grid})
