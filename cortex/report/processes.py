"""How process pipelines look on a terminal: their tasks, and how full their rings are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from loom.ending import printable
from loom.processes import ProcessPipeline, ProcessStream, ProcessTask

_BAR = 6
_COLOURS = {"FAILED": "red", "WAITING": "yellow", "ENDED": "dim"}


class Rates:
    """Frames per second of every stream, from what was written between two looks."""

    def __init__(self) -> None:
        self._before: dict[tuple[UUID, str], tuple[float, int]] = {}

    def look(self, pipelines: Sequence[ProcessPipeline], now_s: float) -> Mapping[tuple[UUID, str], float]:
        """None of a stream that is seen for the first time."""
        rates, seen = {}, {}
        for pipeline in pipelines:
            for stream in pipeline.streams:
                key = pipeline.run, stream.name
                seen[key] = now_s, stream.written
                if (before := self._before.get(key)) is not None and now_s > before[0]:
                    rates[key] = (stream.written - before[1]) / (now_s - before[0])
        self._before = seen
        return rates


def picture(pipelines: Sequence[ProcessPipeline], rates: Mapping[tuple[UUID, str], float]) -> RenderableType:
    parts: list[RenderableType] = []
    for pipeline in pipelines:
        head = f"{printable(pipeline.name)}  {pipeline.state.lower()}  process {pipeline.pid}"
        parts += [Text(head, style="bold"), _tasks(pipeline.tasks), _streams(pipeline, rates)]
        if pipeline.events:
            pending = ", ".join(f"{printable(event.name)} {event.pending}" for event in pipeline.events)
            parts.append(Text(f"events pending: {pending}"))
    return Group(*parts)


def _tasks(tasks: Sequence[ProcessTask]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in ("task", "state"):
        table.add_column(name, no_wrap=True)
    for name in ("pid", "cpu %", "MiB", "restarts"):
        table.add_column(name, justify="right", no_wrap=True)
    for task in tasks:
        table.add_row(
            printable(task.name),
            Text(task.state.lower(), style=_COLOURS.get(task.state, "")),
            "" if task.pid is None else str(task.pid),
            "" if task.cpu_percent is None else f"{task.cpu_percent:.0f}",
            "" if task.memory_mib is None else f"{task.memory_mib:.0f}",
            str(task.restarts or ""),
        )
    return table


def _streams(pipeline: ProcessPipeline, rates: Mapping[tuple[UUID, str], float]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in ("stream", "from → to"):
        table.add_column(name, overflow="fold")
    table.add_column("pressure", no_wrap=True)
    for name in ("frames", "per s", "MB/s", "full", "skipped"):
        table.add_column(name, justify="right", no_wrap=True)
    for stream in pipeline.streams:
        rate = rates.get((pipeline.run, stream.name))
        table.add_row(
            printable(stream.name),
            _ends(stream),
            _bar(stream.pressure),
            f"{stream.written:,}",
            "" if rate is None else f"{rate:,.0f}",
            "" if rate is None or not stream.written else f"{rate * stream.bytes_written / stream.written / 1e6:,.1f}",
            f"{stream.full_waits:,}",
            f"{sum(reader.skipped for reader in stream.readers):,}",
        )
    return table


def _ends(stream: ProcessStream) -> str:
    readers = ", ".join(printable(reader.task) for reader in stream.readers) or "nobody"
    return f"{printable(stream.writer)} → {readers}"


def _bar(percent: float) -> Text:
    filled = round(percent / 100 * _BAR)
    style = "red" if percent > 90 else "yellow" if percent > 50 else "green"
    return Text.assemble(("█" * filled, style), ("░" * (_BAR - filled), "dim"), f" {percent:.0f} %")
