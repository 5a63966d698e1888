"""Requests made up from the API's own description, fitting ones and others: none is answered with a defect of ours."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from typing import Any
from uuid import uuid4

import httpx
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from ledgers import (
    BROKEN,
    COMPUTED,
    HOST,
    OPERATORS,
    WORKER,
    artifact,
    begin,
    closing,
    definition,
    digest,
    done,
    failed,
    found,
    opening,
    report,
)
from processreports import process_pipeline
from schemathesis import GenerationMode

from loom.api.server import RunningServer
from loom.client import LoomClient
from loom.errors import LoomError
from loom.model import Kind, Resources
from loom.service import LocalLoom
from loom.sources import Marker, Source, SourceOptions
from loom.steering import AssetQuery, Depth, Pause, RunRequest, Selection

pytestmark = pytest.mark.slow
EXAMPLES = 15
"""Requests to each address, of each kind."""

CHANGES = 50
"""Of each thing that is said."""

JUNK = (
    None, True, 0, -1, 1, 2**31, 2**63, 2**64, -(2**63) - 1, 10**400, 1.5, 1e308, "", "x", "\0", "é\U0001f680",
    "\ud800", "x" * 70_000, "../..", "/", "*", "00" * 32, "zz", "AAAA", "====", "2026-02-30T00:00:00Z",
    "9999-12-31T23:59:59Z", "0001-01-01T00:00:00+14:00", "00000000-0000-0000-0000-000000000000", [], {}, [[]], [None],
    {"": None}, {"x": {}},
)  # fmt: skip

Ask = Callable[[Any], Any]


@pytest.fixture
def known(loom: LocalLoom) -> dict[str, list[Any]]:
    """What there is to ask about, by the names that addresses have for it."""
    new, ref = artifact(b"tiny picture")
    loom.put_artifacts([new])
    run = begin(loom)
    place = found(b"/data/a")
    loom.report(run, [
        report("a", place, results=[done(0), done(1, artifacts=(ref,))], outcomes=[COMPUTED, COMPUTED]),
        report("b", results=[failed(0)], outcomes=[BROKEN, COMPUTED]),
    ])  # fmt: skip
    dry = loom.request_run(RunRequest(uuid=opening().uuid, pipeline="photos", version=0, queued=0, paths=(b"/d",)))
    asset = loom.assets().items[0]
    loom.save_source(Source(name="photos", host=HOST, path=b"/data"))
    loom.set_limit("photos", 2)
    return {
        "uuid": [str(run), str(dry.uuid), str(asset.uuid)],
        "run": [str(run)],
        "asset": [str(asset.uuid)],
        "name": ["photos"],
        "pipeline": ["photos"],
        "operator": ["hash.sha256"],
        "node": ["sha256", "small"],
        "version": [1],
        "algorithm": ["sha256", "blake3"],
        "digest": [ref.digest.hex(), asset.blake3],
        "if-none-match": ["*", '"x"'],
        "range": ["bytes=0-3", "bytes=-1", "bytes=5-"],
        "kind": ["image"],
        "path": ["/data"],
    }


def _with_known(case: Any, known: dict[str, list[Any]], choose: random.Random) -> None:
    """Puts what there is in the place of some of what was made up."""
    for part in (case.path_parameters, case.query, case.headers):
        for name in part or ():
            if name.lower() in known and choose.random() < 0.6:
                part[name] = str(choose.choice(known[name.lower()]))


def _defects(operation: Any, mode: GenerationMode, ask: Ask, known: dict[str, list[Any]]) -> list[str]:
    """What requests of one kind to one address were answered with that is a defect."""
    told: list[str] = []

    @settings(max_examples=EXAMPLES, phases=[Phase.generate], suppress_health_check=list(HealthCheck), database=None)
    @given(case=operation.as_strategy(mode), seed=st.integers(0, 2**32))
    def every(case: Any, seed: int) -> None:
        _with_known(case, known, random.Random(seed))
        answer = ask(case)
        if answer.status_code >= 500 or (answer.status_code == 401 and not case.path.endswith("/session")):
            sent = (case.method, case.formatted_path, case.query, case.body)
            told.append(f"{answer.status_code} {answer.text[:300]} to {sent}"[:2000])

    with suppress(Unsatisfiable):  # where nothing can be wrong, nothing wrong is asked
        every()
    return told


def _without_security(document: dict[str, Any]) -> dict[str, Any]:
    """Else many requests would be made without the token; the tests of the guard see to these."""
    del document["components"]["securitySchemes"]
    for methods in document["paths"].values():
        for operation in methods.values():
            operation.pop("security", None)
    document.pop("security", None)
    return document


@pytest.mark.timeout(180)
@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
def test_no_request_meets_a_defect(
    server: RunningServer, token: str, known: dict[str, list[Any]], mode: GenerationMode
) -> None:
    document = _without_security(httpx.get(f"{server.url}/openapi.json").json())
    operations = [one.ok() for one in schemathesis.openapi.from_dict(document).get_all_operations()]
    assert len(operations) == sum(len(methods) for methods in document["paths"].values())
    operations.sort(key=lambda operation: operation.method == "delete")
    headers = {"Authorization": f"Bearer {token}", "Origin": server.url}
    with requests.Session() as session:
        session.trust_env = False
        ask = partial(schemathesis.Case.call, base_url=server.url, session=session, headers=headers, timeout=20)
        defects = [told for operation in operations for told in _defects(operation, mode, ask, known)]
    assert defects == []


def _speak(client: LoomClient) -> None:
    """Says one of everything that a worker or a person says with a body."""
    name = client.save_pipeline(definition("spoken")).name
    client.announce(WORKER, HOST, OPERATORS, Resources(cpus=2, memory=2**30, gpus=0))
    wish = {"pipeline": name, "version": 0, "queued": 0, "globs": ("/d/*",), "recompute": frozenset({"small"})}
    query = AssetQuery(kind=Kind.IMAGE, q="x")
    asked = RunRequest(uuid=uuid4(), paths=(b"/d", b"/\xff"), query=query, assets=(uuid4(),), host=HOST, **wish)
    client.request_run(asked)
    client.claim_run(WORKER.name, HOST)
    client.orders(WORKER.name, [asked.uuid, uuid4()])
    client.pause_run(asked.uuid, Pause(owner="user", reason="tea", depth=Depth.NODE, since=5))
    client.resume_run(asked.uuid, "user")
    client.release_run(asked.uuid, WORKER.name, LoomError("DISK_FULL", "no room"))
    run = opening(name)
    client.open_run(run)
    new, ref = artifact(b"picture")
    client.put_artifacts([new])
    client.report(run.uuid, [
        report("a", found(b"/data/\xff", inode=2**64 - 1), results=[done(0), done(1, artifacts=(ref,))],
               outcomes=[COMPUTED, COMPUTED], settled=True, collections=("good",), settles=digest("plan")),
        report("b", found(b"/data/b"), results=[failed(0)], outcomes=[BROKEN, COMPUTED]),
    ])  # fmt: skip
    client.lookup([digest("a")], [step.signature for step in run.steps], [run.uuid])
    client.known_files(HOST, [b"/data"], run.plan)
    client.known_directories(HOST, b"/data")
    client.known_sizes([10])
    asset = client.asset_by_path(HOST, b"/data/b").uuid
    client.mark_missing(HOST, [(b"/data", b"b")])
    client.mark_unreachable(HOST, b"/data", 1)
    client.mark_present(HOST, [(b"/data", b"b")], 1)
    client.known_places(HOST, [(b"/data", b"b")])
    client.failed_places(Selection(run=run.uuid, node="sha256", code="FILE_DAMAGED", since=1, until=2**50))
    client.set_aside(Selection(asset=asset, aside=True))
    client.retry(Selection(run=run.uuid))
    client.forget(Selection(code="FILE_DAMAGED"))
    client.finish_run(closing(run.uuid))
    marker = Marker(kind="filesystem", id="u-1", inside=b"DCIM")
    options = SourceOptions(pipeline=name, include=("*.jpg",))
    client.save_source(Source(name="card", host=HOST, path=b"/data", options=options, marker=marker))
    client.move_source("card", b"/moved")
    client.source_seen("card", reachable=True)
    client.set_limit("network", 4)
    client.copies(digest("a"))
    client.similar("image.phash", b"eight of", 8, 10)
    client.propose("similar", [(digest("a"), 0), (digest("b"), 3)])
    client.sort_faces(digest("a"), "m", [[1.0, 0.0], None, "AAAA"], 0.5)
    client.report_process_pipeline(process_pipeline(uuid4()))


def _places(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where something stands in a JSON value."""
    yield at
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in inner:
        yield from _places(part, (*at, key))


def _changed(value: Any, at: tuple[Any, ...], choose: random.Random) -> Any:
    """A copy in which something else, or nothing, stands at one place."""
    if not at:
        return choose.choice(JUNK)
    copied = copy.deepcopy(value)
    inside = copied
    for key in at[:-1]:
        inside = inside[key]
    if choose.random() < 0.1:
        del inside[at[-1]]
    else:
        inside[at[-1]] = choose.choice(JUNK)
    return copied


@pytest.mark.timeout(180)
def test_nothing_that_is_said_wrongly_at_one_place_meets_a_defect(
    server: RunningServer, token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[tuple[str, str, Any]] = []
    real = httpx.Client.request

    def note(client: httpx.Client, method: str, url: str, **more: Any) -> httpx.Response:
        with suppress(ValueError):
            said.append((method, url, json.loads(more.get("content", b""))))
        return real(client, method, url, **more)

    with LoomClient(server.url, token) as client, monkeypatch.context() as patch:
        patch.setattr(httpx.Client, "request", note)
        _speak(client)
    assert len({url for _, url, _ in said}) > 20
    choose, defects = random.Random(7), []
    with httpx.Client(headers={"Authorization": f"Bearer {token}"}, trust_env=False, timeout=20) as http:
        for method, url, body in said:
            places = list(_places(body))
            for at in choose.choices(places, k=CHANGES):
                content = json.dumps(_changed(body, at, choose))
                answer = http.request(method, url, content=content)
                if answer.status_code >= 500:
                    defects.append(f"{answer.status_code} {answer.text[:200]} to {method} {url} {at} {content[:1000]}")
    assert defects == []
