"""What process pipelines do now, in the text format of Prometheus."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from loom.api.exposition import head
from loom.processes import ProcessPipelineShape, ProcessReader, ProcessStream, ProcessTask

_MIB = 1024 * 1024
_ESCAPES = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n"})
_Value = float | None


class _Figure(NamedTuple):
    name: str
    kind: str
    text: str


_STREAM = "loom_process_stream_"
_READER = "loom_process_reader_"
_TASK = "loom_process_task_"
FIGURES = (
    _Figure(f"{_STREAM}frames_total", "counter", "Frames written to a stream."),
    _Figure(f"{_STREAM}bytes_total", "counter", "Bytes written to a stream."),
    _Figure(f"{_STREAM}pressure_percent", "gauge", "How full the ring of a stream is."),
    _Figure(f"{_STREAM}full_waits_total", "counter", "How often the writer of a stream found it full."),
    _Figure(f"{_READER}behind_frames", "gauge", "Frames that a reader has not read yet."),
    _Figure(f"{_READER}skipped_total", "counter", "Frames that a reader has skipped."),
    _Figure(f"{_TASK}cpu_percent", "gauge", "Processor time of a task, in percent of one core."),
    _Figure(f"{_TASK}memory_bytes", "gauge", "Resident memory of a task."),
    _Figure(f"{_TASK}restarts_total", "counter", "How often a task was started again."),
    _Figure(f"{_TASK}up", "gauge", "1 for a task that runs or waits."),
)


def process_lines(pipelines: Sequence[ProcessPipelineShape]) -> Iterator[str]:
    """Of those that run and are heard of; none where there are none."""
    samples: dict[str, list[str]] = {figure.name: [] for figure in FIGURES}
    for pipeline in pipelines:
        if pipeline.state == "RUNNING" and not pipeline.silent:
            for name, labels, value in _samples(pipeline):
                if value is not None:
                    samples[name].append(f"{name}{{{labels}}} {value}")
    for figure in FIGURES:
        if samples[figure.name]:
            yield from head(*figure)
            yield from samples[figure.name]


def _samples(pipeline: ProcessPipelineShape) -> Iterator[tuple[str, str, _Value]]:
    """Names, labels and values. The run stands among the labels: two pipelines may have one name."""
    known = {"pipeline": pipeline.name, "run": f"{pipeline.run}"}
    for stream in pipeline.streams:
        labels = {**known, "stream": stream.name}
        yield from _labelled(_STREAM, labels, _of_stream(stream))
        for reader in stream.readers:
            yield from _labelled(_READER, {**labels, "task": reader.task}, _of_reader(reader))
    for task in pipeline.tasks:
        yield from _labelled(_TASK, {**known, "task": task.name}, _of_task(task))


def _labelled(prefix: str, labels: dict[str, str], values: dict[str, _Value]) -> Iterator[tuple[str, str, _Value]]:
    text = ",".join(f'{label}="{value.translate(_ESCAPES)}"' for label, value in labels.items())
    for name, value in values.items():
        yield prefix + name, text, value


def _of_stream(stream: ProcessStream) -> dict[str, _Value]:
    return {
        "frames_total": stream.written,
        "bytes_total": stream.bytes_written,
        "pressure_percent": stream.pressure,
        "full_waits_total": stream.full_waits,
    }


def _of_reader(reader: ProcessReader) -> dict[str, _Value]:
    return {"behind_frames": reader.behind, "skipped_total": reader.skipped}


def _of_task(task: ProcessTask) -> dict[str, _Value]:
    return {
        "cpu_percent": task.cpu_percent,
        "memory_bytes": None if task.memory_mib is None else round(task.memory_mib * _MIB),
        "restarts_total": task.restarts,
        "up": int(task.state in ("RUNNING", "WAITING")),
    }
