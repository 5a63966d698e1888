"""Process pipelines over HTTP, and their figures for Prometheus."""

from __future__ import annotations

import re
from collections.abc import Callable
from uuid import UUID

import httpx
import msgspec
import pytest
from processreports import process_pipeline, stream

from loom.api.processfigures import FIGURES, process_lines
from loom.api.server import RunningServer
from loom.processes import ProcessPipeline, ProcessPipelineShape, ProcessTask
from loom.service import LocalLoom
from loom.service.knownprocesses import KnownProcesses
from loom.verbs.processes import SILENT_AFTER_S
from loom.wire.processes import process_pipeline_to_wire

RUN, OTHER = UUID(int=1), UUID(int=2)
Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


def samples_of(text: str) -> Samples:
    """The samples of a text as the format of Prometheus has them. Fails for what is none, for a figure whose samples do
    not stand together below their type, and for two of the same labels."""
    found: Samples = {}
    typed: list[str] = []
    for line in text.removesuffix("\n").split("\n"):
        if line.startswith("# TYPE "):
            typed.append(line.split(" ")[2])
        elif not line.startswith("# HELP "):
            sample = re.fullmatch(r'([a-z_]+)(?:\{((?:[a-z]+="(?:[^"\\\n]|\\["\\n])*",?)*)\})? ([0-9.e+-]+)', line)
            assert sample is not None, line
            labels = re.findall(r'([a-z]+)="((?:[^"\\]|\\.)*)"', sample[2] or "")
            plain = {
                (name, re.sub(r"\\(.)", lambda one: {"n": "\n"}.get(one[1], one[1]), value)) for name, value in labels
            }
            assert sample[1].startswith(typed[-1])
            key = sample[1], frozenset(plain)
            assert key not in found
            found[key] = float(sample[3])
    assert len(typed) == len(set(typed))
    return found


def told(run: UUID, **more: object) -> ProcessPipelineShape:
    loom = KnownProcesses()
    loom.hear(process_pipeline(run, **more), 0)
    return loom.shape(run)


@pytest.fixture
def put(http: httpx.Client) -> Callable[..., httpx.Response]:
    def send(pipeline: ProcessPipeline, **changes: object) -> httpx.Response:
        body = msgspec.json.decode(process_pipeline_to_wire(pipeline)) | changes
        return http.put(f"/process-pipelines/{pipeline.run}", json=body)

    return send


def test_it_is_put_looked_at_and_deleted(http: httpx.Client, put: Callable[..., httpx.Response]) -> None:
    for run in (RUN, OTHER):
        assert put(process_pipeline(run), unheard_of="by this server").status_code == 204
    page = http.get("/process-pipelines", params={"limit": 1}).json()
    one = http.get(f"/process-pipelines/{RUN}").json()
    assert page == {"items": [one], "next": "1"}
    assert (one["run"], one["started"], one["silent"]) == (str(RUN), "2026-11-21T09:30:00.123Z", False)
    assert put(process_pipeline(RUN), **one).status_code == 204, "what is had may be put"
    for _ in range(2):
        assert http.delete(f"/process-pipelines/{RUN}").status_code == 204
    gone = http.get(f"/process-pipelines/{RUN}")
    assert (gone.status_code, gone.json()["code"]) == (404, "NOT_FOUND")


@pytest.mark.parametrize(
    "wrong", [{"started": "2026-11-21T09:30:00"}, {"started": "0001-01-01T00:00:00Z"}, {"tasks": [{}]}, {"name": 5},
              {"pid": 10**400}, {"streams": "none"}]
)  # fmt: skip
def test_what_it_cannot_say_is_refused(
    http: httpx.Client, put: Callable[..., httpx.Response], wrong: dict[str, object]
) -> None:
    refused = put(process_pipeline(RUN), **wrong)
    assert (refused.status_code, refused.json()["code"]) == (422, "REQUEST_INVALID")
    assert http.get("/process-pipelines").json() == {"items": [], "next": None}


def test_a_report_is_bounded(put: Callable[..., httpx.Response]) -> None:
    tasks = [ProcessTask(name=f"{n}", state="FAILED", error="x" * 20_000) for n in range(60)]
    assert put(process_pipeline(RUN, tasks=tasks, streams=[])).status_code == 413


def test_figures_are_those_that_were_said() -> None:
    samples = samples_of("\n".join(process_lines([told(RUN)])))
    known = {("pipeline", "webcam"), ("run", str(RUN))}

    def at(name: str, **labels: str) -> float | None:
        return samples.get((f"loom_process_{name}", frozenset({*known, *labels.items()})))

    frames = [at(f"stream_{name}", stream="frames") for name in ("frames_total", "bytes_total", "pressure_percent")]
    assert frames == [120, 120 * 921_600, 37.5]
    assert at("stream_full_waits_total", stream="frames") == 4
    assert at("reader_behind_frames", stream="frames", task="detector") == 3
    assert at("reader_skipped_total", stream="frames", task="detector") == 7
    assert (at("task_cpu_percent", task="camera"), at("task_memory_bytes", task="camera")) == (12.5, 34 * 2**20)
    assert (at("task_cpu_percent", task="detector"), at("task_memory_bytes", task="detector")) == (None, None)
    assert at("task_restarts_total", task="sink") == 2
    assert [at("task_up", task=task) for task in ("camera", "detector", "sink")] == [1, 0, 1]
    assert {name for name, _ in samples} == {figure.name for figure in FIGURES}


def test_names_of_all_sorts_are_labels() -> None:
    name = 'a "b"\\n \n\\ c,d="e"} 1\r\u2028é🚀'
    task = ProcessTask(name=name, state="RUNNING", writes=[name])
    one = told(RUN, name=name, tasks=[task], streams=[stream(name, name, name, written=2**62)], events=[])
    samples = samples_of("\n".join(process_lines([one])))
    labels = {("pipeline", name), ("run", str(RUN)), ("stream", name)}
    assert samples["loom_process_stream_frames_total", frozenset(labels)] == 2**62
    assert ("loom_process_reader_behind_frames", frozenset({*labels, ("task", name)})) in samples


def test_only_those_that_run_and_are_heard_of_have_figures(
    server: RunningServer, token: str, loom: LocalLoom, put: Callable[..., httpx.Response]
) -> None:
    now = [0.0]
    loom._processes = KnownProcesses(lambda: now[0])

    def shown() -> set[str]:
        text = httpx.get(f"{server.url}/metrics", headers={"Authorization": f"Bearer {token}"}).text
        return {dict(labels)["run"] for name, labels in samples_of(text) if name.startswith("loom_process_")}

    assert shown() == set()
    for run in (RUN, OTHER):
        put(process_pipeline(run))
    assert shown() == {str(RUN), str(OTHER)}, "also of one name"
    put(process_pipeline(OTHER, state="ENDED"))
    assert shown() == {str(RUN)}
    now[0] = SILENT_AFTER_S
    assert shown() == set()
