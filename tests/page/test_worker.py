"""What is asked for on the page and done by a real worker: a pipeline planned and tried out, failures set aside and
tried again."""

from __future__ import annotations

import shutil
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from browser import Browser
from programs import CORTEX, LOOM, Running, Server, age, environment, until

pytestmark = pytest.mark.slow

GOOD = ("coffee.jpg", "coins.jpg", "rocket.jpg")
BROKEN = ("broken.jpg", "cut off.jpg")


class Bench:
    """A server of this test's own over `ingest` of three good pictures and two that end too early, and a worker."""

    def __init__(self, place: Path, library: Path, photos: dict[str, Any]) -> None:
        self.place, self.library = place, library
        self.pictures = place / "pictures"
        self.pictures.mkdir()
        for name in (*GOOD, *BROKEN):
            shutil.copy2(library / name, self.pictures / name)
        age(self.pictures)
        self.env = environment(place, CORTEX_JOBS="1")
        self.server = Server(self.env, place)
        self.server.start()
        self.env.update(LOOM_URL=self.server.url, LOOM_TOKEN=self.server.token)
        bearer = {"Authorization": f"Bearer {self.server.token}"}
        self.http = httpx.Client(base_url=f"{self.server.url}/api/v1", headers=bearer, trust_env=False)
        self.http.post("/pipelines", json=photos).raise_for_status()
        done = Running(CORTEX, "ingest", self.pictures, "--pipeline", "ingest", "--json", env=self.env, folder=place)
        assert done.wait().code == 3, done.err
        self.worker: Running | None = None

    def start_worker(self) -> None:
        self.worker = Running(CORTEX, "worker", env=self.env, folder=self.place)

    def newest_run(self) -> dict[str, Any]:
        return dict(self.server.get("/runs")["items"][0])

    def close(self) -> None:
        self.http.close()
        if self.worker is not None:
            self.worker.signal(signal.SIGTERM)
            self.worker.wait()
        self.server.stop()


@pytest.fixture
def bench(tmp_path: Path, library: Path, project: Path) -> Iterator[Bench]:
    photos = yaml.safe_load((project / "config/pipelines/photos.yaml").read_text())
    bench = Bench(tmp_path, library, photos)
    yield bench
    bench.close()


@pytest.fixture
def page(chromium: Browser, bench: Bench) -> Iterator[Browser]:
    """Signed in with the token, as a person without the link does it."""
    chromium.url = bench.server.url
    chromium.driver.delete_all_cookies()
    chromium.open(f"/#code={bench.server.token}")
    chromium.one("h2, .card, .empty")
    chromium.complaints()
    yield chromium
    assert chromium.complaints() == []


def _flows(page: Browser) -> dict[str, str]:
    """What stands at each node of the graph."""
    return {
        one.get_attribute("data-node") or "": one.find_element("css selector", ".flow").text
        for one in page.all("[data-node]")
    }


def test_the_plan_is_shown_at_the_nodes_and_follows_what_a_run_stores(page: Browser, bench: Bench) -> None:
    page.open("/pipelines/photos")
    page.press("Plan")
    page.one("dialog h2", "What would a run do?")
    page.press("Show it", within="dialog")
    page.one("[aria-label=Plan]", "A run over 5 assets would take about")
    plan = bench.http.get("/pipelines/photos/plan").json()
    expected = {one["node"]: f"{one['stored']} stored · {one['missing'] + one['stale']} to do" for one in plan["nodes"]}
    assert expected["sha256"] == "5 stored · 0 to do"
    assert expected["is-image"] == "0 stored · 5 to do"
    assert _flows(page) == {"files": "", **expected}
    assert [row.text.split()[:4] for row in page.all("[aria-label=Plan] tbody tr")] == [
        [one["node"], *(str(one[name]) for name in ("stored", "missing", "stale"))] for one in plan["nodes"]
    ]
    page.press("Plan")
    page.one("dialog input[name=path]").send_keys(str(bench.pictures / "rocket.jpg"))
    page.press("Show it", within="dialog")
    page.one("[aria-label=Plan]", "A run over 1 asset would take about")
    assert _flows(page)["is-image"] == "0 stored · 1 to do"
    done = Running(
        CORTEX, "ingest", bench.pictures, "--pipeline", "photos", "--json", env=bench.env, folder=bench.place
    )
    assert done.wait().code in (0, 3), done.err
    page.press("Plan")
    page.press("Show it", within="dialog")
    page.one("[aria-label=Plan]", "A run over 5 assets would take about")
    page.until(lambda: _flows(page)["is-image"] == "5 stored · 0 to do")


def test_a_pipeline_is_tried_on_a_few_assets_and_nothing_is_stored(page: Browser, bench: Bench) -> None:
    before = bench.server.get("/assets?limit=500")
    page.open("/pipelines/photos")
    page.press("Try on a few")
    page.one(".toast", "The run waits until a worker takes it.")
    page.one(".state .dry", "dry run")
    page.one(".why", "Waits until a worker takes it.")
    assert bench.newest_run()["request"]["total_assets"] == 5
    bench.start_worker()
    page.one(".state.completed, .state.partial", "Finished")
    run = bench.newest_run()
    assert (run["dry_run"], run["pipeline"], run["assets"]["seen"]) == (True, "photos", 5)
    page.one("[aria-label='What would be written'] h2", "Nothing was written.")
    page.until(lambda: page.all("[data-node='is-image'] .count")[0].text == "5")
    assert run["assets"]["failed"] + run["assets"]["failed_before"] == 2
    assert "Retry what failed" not in page.text(".buttons"), "it has stored nothing that could be tried again"
    page.open(f"/failures?run={run['uuid']}")
    page.one(".empty", "A dry run stores no failures.")
    assert bench.server.get("/assets?limit=500") == before
    assert bench.http.get("/pipelines/photos/plan").json()["nodes"][1]["stored"] == 0


def test_what_a_run_could_not_read_is_told_and_what_was_forgotten_of_it(page: Browser, bench: Bench) -> None:
    away = bench.place / "not there"
    done = Running(CORTEX, "ingest", bench.pictures, away, "--pipeline", "photos", env=bench.env, folder=bench.place)
    assert done.wait().code == 4, done.err
    run = bench.newest_run()
    assert (run["state"], run["problems"]) == ("PARTIAL", 1)
    page.open(f"/runs/{run['uuid']}")
    page.one("a[href^='/failures']", "1 file or folder was not read").click()
    page.one("[aria-label='What was not read'] .path", str(away))
    page.one("[aria-label='What was not read'] li", "there is no such file or folder")
    page.one("h2", "The file ends before its content does")
    page.open(f"/runs/{run['uuid']}")
    page.one(".grid h2", "5 assets")
    bench.server.stop()
    pruned = Running(
        LOOM, "prune", "--runs-older-than", "0", env={**bench.env, "LOOM_DATA_DIR": str(bench.server.data)},
        folder=bench.place,
    )  # fmt: skip
    assert pruned.wait().code == 0, pruned.err
    bench.server.start()
    page.complaints()
    page.open(f"/runs/{run['uuid']}")
    page.one(".grid h2", "Only the counts of this run are kept")
    page.one("[data-figure=seen]", "5")
    assert "Retry what failed" not in page.text(".buttons")
    page.open(f"/failures?run={run['uuid']}")
    page.one(".empty", "Only the counts of this run are kept")


def test_a_cause_is_set_aside_and_does_not_come_back(page: Browser, bench: Bench) -> None:
    page.open("/failures")
    page.one("h2", "The file ends before its content does")
    page.one(".under", "failures of 1 cause")
    page.press("Set aside")
    page.one(".toast", "2 failures are set aside.")
    page.one(".empty", "Nothing has failed.")
    groups = bench.http.get("/failures", params={"aside": "true"}).json()["items"]
    assert sum(group["aside"] for group in groups) == 2
    page.open(f"/runs/{bench.newest_run()['uuid']}")
    page.one("[data-node=thumbnail] .name")
    page.open(f"/failures?run={bench.newest_run()['uuid']}")
    page.one(".empty", "Not in this run, or it was repaired since.")


def test_what_was_repaired_is_tried_again_by_a_worker_while_one_looks(page: Browser, bench: Bench) -> None:
    first = bench.newest_run()["uuid"]
    for name, source in zip(BROKEN, ("coffee.jpg", "coins.jpg"), strict=True):
        shutil.copy2(bench.library / source, bench.pictures / name)
    page.open(f"/runs/{first}")
    page.press("Retry what failed")
    page.until(lambda: page.path != f"/runs/{first}")
    page.one(".state.queued", "Waiting")
    retried = bench.newest_run()["uuid"]
    assert page.path == f"/runs/{retried}"
    bench.start_worker()
    page.one(".state.completed", "Finished")
    run = bench.newest_run()
    assert (run["uuid"], run["state"], run["assets"]["failed"]) == (retried, "COMPLETED", 0)
    until(lambda: bench.server.get("/failures")["items"] == [])
    page.open("/failures")
    page.one(".empty", "Nothing has failed.")


def test_the_failures_of_one_node_are_tried_again_and_what_is_still_broken_stays(page: Browser, bench: Bench) -> None:
    shutil.copy2(bench.library / "coffee.jpg", bench.pictures / "broken.jpg")
    first = bench.newest_run()["uuid"]
    page.open(f"/runs/{first}?node=thumbnail")
    bench.start_worker()
    page.press("Retry its failures")
    until(lambda: bench.newest_run()["uuid"] != first and bench.newest_run()["state"] == "PARTIAL")
    page.until(lambda: page.path == f"/runs/{bench.newest_run()['uuid']}")
    page.one(".state.partial", "Finished, some failed")
    assert (bench.newest_run()["assets"]["seen"], bench.newest_run()["assets"]["failed"]) == (2, 1)
    page.open("/failures")
    page.one(".under", "1 failure of 1 cause")
    page.one(".cause-body a[href^='/assets/']", "cut off.jpg")
    page.press("Retry these")
    page.one(".toast", "Tried again in 1 new run.")
    until(lambda: bench.newest_run()["state"] == "PARTIAL" and len(bench.server.get("/runs")["items"]) == 3)


def test_one_node_is_run_again_on_an_asset(page: Browser, bench: Bench) -> None:
    items = bench.server.get("/assets?q=coffee.jpg")["items"]
    page.open(f"/assets/{items[0]['uuid']}")
    page.one("[aria-label='Run thumbnail again on this asset']").click()
    page.one(".state.queued", "Waiting")
    bench.start_worker()
    page.one(".state.completed", "Finished")
    run = bench.newest_run()
    computed = {node: counts["computed"] for node, counts in run["nodes"].items()}
    assert (run["assets"]["seen"], computed) == (1, {"sha256": 0, "metadata": 0, "thumbnail": 1})
    page.driver.back()
    page.one(".happenings > li:first-child", "thumbnail")
