"""The page while something happens: counts that rise, a server started anew, more events than one can see."""

from __future__ import annotations

import json
import shutil
import threading
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from browser import Browser
from deedoperator import definition, install
from gates import Gate
from programs import CORTEX, Running, Server, age, environment
from websockets.sync.client import connect

pytestmark = pytest.mark.slow
FILES = 60


class Bench:
    """A server, and an ingest of texts that waits in the middle of them."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.folder = place / "texts"
        self.folder.mkdir()
        for number in range(FILES):
            (self.folder / f"{number:02}.txt").write_text(
                f"{'wait' if number == FILES // 2 else 'text'} number {number}\n"
            )
        age(self.folder)
        self.gate = Gate(place / "gate")
        self.file = place / "deeds.json"
        self.file.write_text(json.dumps(definition(config={"gate": str(self.gate.path)})))
        self.env = environment(place, CORTEX_JOBS="1", PYTHONPATH=install(place / "site"))
        self.server = Server(self.env, place)
        self.server.start()
        self.env.update(LOOM_URL=self.server.url, LOOM_TOKEN=self.server.token)
        self.ingest: Running | None = None

    def start(self) -> Running:
        command = (CORTEX, "ingest", self.folder, "--pipeline", "deeds", "--json")
        self.ingest = Running(*command, env=self.env, folder=self.place)
        self.gate.reached()
        return self.ingest


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    bench = Bench(tmp_path)
    Running(CORTEX, "pipeline", "push", bench.file, env=bench.env, folder=tmp_path).wait()
    yield bench
    bench.gate.open()
    if bench.ingest is not None:
        bench.ingest.kill()
    if bench.server.running:
        bench.server.stop()
    shutil.rmtree(bench.folder)


@pytest.fixture
def page(chromium: Browser, bench: Bench) -> Browser:
    chromium.url = bench.server.url
    chromium.driver.delete_all_cookies()
    chromium.open(f"/#code={bench.server.token}")
    chromium.one("h1", "Now")
    chromium.complaints()
    return chromium


def _counts(page: Browser, node: str) -> list[int]:
    return [int(one.text.replace(",", "")) for one in page.all(f"[data-node='{node}'] .count")]


def test_a_run_is_seen_begin_rise_and_end(page: Browser, bench: Bench) -> None:
    page.one(".empty", "Nothing runs now.")
    page.until(lambda: "Live" in page.text(".connection"))
    ingest = bench.start()
    page.one(".card.now h2 a", "deeds").click()
    page.one(".state.running", "Running")
    page.until(lambda: _counts(page, "sha256")[:1] >= [FILES // 2])
    page.until(lambda: page.text("[data-node='deed'] .running") == "▸ 1")
    before = _counts(page, "deed")[0]
    assert before < FILES
    bench.gate.open()
    page.one(".state.completed", "Finished")
    done = ingest.wait().summary
    page.until(lambda: _counts(page, "deed") == [FILES, 0, 0, 0])
    run = bench.server.get(f"/runs/{done['run']}")
    assert run["nodes"]["deed"]["computed"] == FILES
    assert page.text("[data-node='deed'] .running") == ""
    assert [one for one in page.complaints() if "/grid" not in one] == []


def test_the_first_asset_stands_there_on_a_page_that_was_open_before_it(page: Browser, bench: Bench) -> None:
    for path in bench.folder.iterdir():
        if not path.read_text().startswith("wait"):
            path.unlink()
    bench.start()
    page.one(".card.now h2 a", "deeds").click()
    page.one(".grid h2", "No assets yet")
    bench.gate.open()
    page.one(".grid-row a", f"{FILES // 2}.txt")
    page.one(".grid h2", "1 asset")


def test_a_view_survives_a_reload_and_a_server_that_is_started_anew(page: Browser, bench: Bench) -> None:
    ingest = bench.start()
    page.one(".card.now h2 a", "deeds").click()
    page.one("[data-node='deed'] .name")
    address = page.path
    page.until(lambda: page.text("[data-node='deed'] .running") == "▸ 1")
    page.driver.refresh()
    page.until(lambda: _counts(page, "sha256")[:1] >= [FILES // 2])
    page.until(lambda: page.text("[data-node='deed'] .running") == "▸ 1")
    assert page.path == address
    bench.server.stop()
    page.until(lambda: "Connecting again" in page.text(".connection"))
    bench.gate.open()
    bench.server.start()
    page.until(lambda: "Live" in page.text(".connection"), seconds=30)
    assert ingest.wait().code == 0
    page.one(".state.completed", "Finished")
    page.until(lambda: _counts(page, "deed") == [FILES, 0, 0, 0])
    assert page.path == address


def test_five_thousand_events_a_second_stay_smooth_and_end_with_the_right_counts(page: Browser, bench: Bench) -> None:
    run, assets = str(uuid.uuid4()), 9_500
    head = {"run": run, "pipeline": "flood", "dry_run": False}
    opening = {**_OPENING, "uuid": run, "started": "2026-11-21T10:00:00Z"}
    with httpx.Client(base_url=f"{bench.server.url}/api/v1", headers=_bearer(bench), trust_env=False) as api:
        api.post("/runs", json=opening).raise_for_status()
        flood = threading.Thread(target=_publish, args=(bench, head, assets))
        page.open(f"/runs/{run}")
        page.one("[data-node='sha256'] .name")
        page.until(lambda: "Live" in page.text(".connection"))
        page.run(_COUNT_FRAMES)
        flood.start()
        began = time.monotonic()
        page.until(lambda: _counts(page, "sha256")[0] > 1000)
        took = time.monotonic() - began
        frames = page.run("return window.frames_drawn") / took
        assert 2 * assets / took > 4000
        page.until(lambda: _counts(page, "sha256")[0] == assets)
        nodes = {"sha256": {"computed": assets, "failed": 0}}
        closing = {"state": "COMPLETED", "finished": "2026-11-21T10:01:00Z", "assets": {}, "nodes": nodes}
        api.post(f"/runs/{run}/finish", json=closing).raise_for_status()
        _publish_all(bench, [{"type": "run", **head, "time": _NOW, "status": "COMPLETED"}])
    page.one(".state.completed", "Finished")
    assert _counts(page, "sha256") == [assets, 0, 0, 0]
    assert frames >= 30


def test_a_run_is_paused_for_a_reason_and_resumed(page: Browser, bench: Bench) -> None:
    if "/api/v1/runs/{uuid}/pause" not in bench.server.get_root("/openapi.json")["paths"]:
        pytest.skip("this server does not offer to pause a run")
    ingest = bench.start()
    page.one(".card.now h2 a", "deeds")
    page.press("Pause")
    page.one("dialog input[value=node]").click()
    page.one("dialog input[name=reason]").send_keys("the disk is needed")
    page.press("Pause", within="dialog")
    page.one(".why", "Paused by a person: the disk is needed (after this node).")
    page.one(".state.paused", "Paused")
    page.driver.refresh()
    page.one(".why", "the disk is needed")
    bench.gate.open()
    page.press("Resume")
    page.one(".empty", "Nothing runs now.")
    assert ingest.wait().code == 0
    page.one("td .state.completed", "Finished")


_NOW = "2026-11-21T10:00:00.000Z"
_COUNT_FRAMES = """
window.frames_drawn = 0;
const count = () => { window.frames_drawn += 1; requestAnimationFrame(count); };
requestAnimationFrame(count);
"""
_OPENING = {
    "pipeline": "flood",
    "version": 0,
    "plan": "0" * 64,
    "steps": [{"node": "sha256", "operator": "hash.sha256", "operator_version": "1", "signature": "1" * 64}],
    "worker": {"name": "test"},
    "host": "test",
    "definition": {
        "schema_version": 1,
        "name": "flood",
        "graph": {
            "nodes": [{"id": "files", "operator": "source.filesystem"}, {"id": "sha256", "operator": "hash.sha256"}],
            "edges": [{"from": {"node": "files"}, "to": {"node": "sha256"}}],
        },
    },
}


def _bearer(bench: Bench) -> dict[str, str]:
    return {"Authorization": f"Bearer {bench.server.token}"}


def _publish(bench: Bench, head: dict[str, Any], assets: int) -> None:
    """STARTED and COMPLETED for so many assets, 5,000 events a second."""
    address = f"{bench.server.url.replace('http', 'ws')}/api/v1/pipelines/events/ws?type=none"
    with connect(address, additional_headers=_bearer(bench), proxy=None, compression=None) as socket:
        assert '"hello"' in str(socket.recv())
        began = time.monotonic()
        for start in range(0, assets, 125):
            events = [event for number in range(start, min(start + 125, assets)) for event in _pair(head, number)]
            socket.send(json.dumps({"type": "publish", "events": events}))
            assert '"ack"' in str(socket.recv())
            time.sleep(max(0, began + 2 * start / 5000 - time.monotonic()))


def _pair(head: dict[str, Any], number: int) -> Iterator[dict[str, Any]]:
    common = {
        "type": "node",
        **head,
        "time": _NOW,
        "node": "sha256",
        "asset": f"{number:08x}-0000-8000-8000-000000000000",
    }
    yield {**common, "status": "STARTED"}
    yield {**common, "status": "COMPLETED", "origin": "COMPUTED", "verdict": "PASS", "duration_ms": 1.5}


def _publish_all(bench: Bench, events: list[dict[str, Any]]) -> None:
    address = f"{bench.server.url.replace('http', 'ws')}/api/v1/pipelines/events/ws?type=none"
    with connect(address, additional_headers=_bearer(bench), proxy=None, compression=None) as socket:
        socket.send(json.dumps({"type": "publish", "events": events}))
        socket.recv()
        socket.recv()
