import re
import threading
import time
from uuid import UUID

import httpx
from ledgers import definition
from msgspec.structs import replace

from loom.events import Progress, RunEvent, RunHead
from loom.model import AssetCounts, NodeCounts


def test_health_needs_no_token(server):
    for path, word in (("/healthz", "ok"), ("/readyz", "ready")):
        answer = httpx.get(f"{server.url}{path}")
        assert (answer.status_code, answer.json()["status"]) == (200, word)
        assert httpx.head(f"{server.url}{path}").status_code == 200


def test_health_waits_for_no_thread(server, http, loom):
    """Every thread of the server waits for the database, which somebody holds."""
    answers = []
    with loom._database.write():
        saves = [
            threading.Thread(target=lambda n=n: answers.append(http.post("/pipelines", json=definition(f"p{n}"))))
            for n in range(60)
        ]
        for save in saves:
            save.start()
        busy = httpx.Client(base_url=server.url, timeout=1)
        for _ in range(20):
            assert busy.get("/healthz").status_code == 200
            time.sleep(0.02)
        busy.close()
    for save in saves:
        save.join()
    assert {answer.status_code for answer in answers} == {201}


def test_metrics_are_in_the_format_of_prometheus(server, token, http, hub):
    http.get("/runs")
    http.get("/nope")
    hub.publish(RunHead(UUID(int=1), "photos", False), [RunEvent(0, "STARTED")])
    answer = httpx.get(f"{server.url}/metrics", headers={"Authorization": f"Bearer {token}"})
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    lines = answer.text.splitlines()
    assert 'loom_http_requests_total{method="GET",status="404"} 1' in lines
    assert "loom_events_total 1" in lines
    assert "loom_runs_live 1" in lines
    assert 'loom_http_request_seconds_bucket{le="+Inf"} 2' in lines
    sample = re.compile(r'[a-z_]+(\{[a-z]+="[^"]*"(,[a-z]+="[^"]*")*\})? [0-9.e+-]+')
    typed = {line.split()[2] for line in lines if line.startswith("# TYPE")}
    for line in lines:
        if not line.startswith("#"):
            assert sample.fullmatch(line), line
            assert any(line.startswith(name) for name in typed)


def test_what_runs_now_is_told_of_dry_runs_too(http, hub):
    run = RunHead(UUID(int=5), "photos", True)
    assert http.get("/pipelines/runtime/status").json() == {"seq": 0, "listeners": 0, "runs": []}
    hub.publish(run, [RunEvent(1_000_000, "STARTED")])
    progress = Progress(assets=AssetCounts(seen=3), nodes={"a": NodeCounts(computed=2)}, total=9, current=("x\udcff",))
    progress = replace(progress, fraction=0.5, seconds_left=4.2)
    hub.progress(run, progress)
    told = http.get("/pipelines/runtime/status").json()
    (one,) = told["runs"]
    assert (told["seq"], one["run"], one["dry_run"], one["started"]) == (
        1,
        str(run.uuid),
        True,
        "1970-01-01T00:00:01.000Z",
    )
    assert (one["assets"]["seen"], one["nodes"]["a"]["computed"], one["total"], one["current"]) == (3, 2, 9, ["x?"])
    assert (one["fraction"], one["seconds_left"]) == (0.5, 4.2)
    hub.publish(run, [RunEvent(2_000_000, "COMPLETED")])
    assert http.get("/pipelines/runtime/status").json()["runs"] == []
