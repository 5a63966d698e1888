import threading
import time

import httpx
import pytest
from ledgers import definition
from websockets.sync.client import connect

from loom.service import LocalLoom


@pytest.fixture
def held(loom, monkeypatch):
    """Every save waits for `go` with its transaction open."""
    there, go, ended = threading.Event(), threading.Event(), []
    save = LocalLoom.save_pipeline

    def waiting(self, *given, **more):
        there.set()
        assert go.wait(20)
        saved = save(self, *given, **more)
        ended.append(saved.name)
        return saved

    monkeypatch.setattr(LocalLoom, "save_pipeline", waiting)
    return there, go, ended


def later(seconds, call):
    timer = threading.Timer(seconds, call)
    timer.start()
    return timer


def test_who_is_still_served_is_told_to_come_again_and_the_work_ends_first(server, http, held, caplog):
    there, go, ended = held
    answers = []
    asking = threading.Thread(target=lambda: answers.append(http.post("/pipelines", json=definition(), timeout=20)))
    asking.start()
    assert there.wait(10)
    later(4.5, go.set)
    server.stop()
    assert ended == ["photos"], "the thread has written before the server is gone, and its database with it"
    asking.join()
    (answer,) = answers
    assert (answer.status_code, answer.headers["content-type"]) == (503, "application/problem+json")
    assert (answer.json()["code"], answer.json()["retryable"]) == ("LOOM_UNREACHABLE", True)
    assert "Traceback" not in caplog.text


def test_what_ends_in_time_is_answered(server, http, held):
    there, go, ended = held
    answers = []
    asking = threading.Thread(target=lambda: answers.append(http.post("/pipelines", json=definition(), timeout=20)))
    asking.start()
    assert there.wait(10)
    later(0.5, go.set)
    began = time.monotonic()
    server.stop()
    assert time.monotonic() - began < 3
    asking.join()
    assert (answers[0].status_code, ended) == (201, ["photos"])


def test_a_refused_listener_is_no_defect(server, caplog):
    with pytest.raises(Exception, match="401"):
        connect(f"ws://{server.address}/api/v1/pipelines/events/ws", proxy=None)
    assert httpx.get(f"{server.url}/healthz").status_code == 200
    server.stop()
    assert caplog.text == ""
