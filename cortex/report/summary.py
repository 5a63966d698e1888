"""The summary of an ingest in words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


def in_words(summary: dict[str, Any]) -> list[str]:
    """The summary as lines for a person."""
    assets = summary["assets"]
    title = "Dry run" if summary["dry_run"] else "Run"
    seconds = summary["seconds"]
    lines = [
        f"{title} of pipeline {summary['pipeline']} {_STATES[summary['state']]}: {_count(assets['seen'], 'file')} seen,"
        f" {human_bytes(summary['bytes'])} read in {human_seconds(seconds)}",
        "  " + ", ".join(_what_they_were(assets)),
    ]
    if summary["unreachable"]:
        lines.append(f"  {_count(len(summary['unreachable']), 'source')} could not be read")
    if (passed_over := summary["passed_over"]) > 0:
        lines.append(
            "  1 pipe, socket or device was passed over"
            if passed_over == 1
            else f"  {passed_over:,} pipes, sockets and devices were passed over"
        )
    lines.extend(_table(summary["nodes"]) or [f"  {_why_nothing(assets, stopped=summary['state'] in _STOPPED)}"])
    if summary["spent"] is not None:
        lines.append(f"  {_spent(summary['spent'])}")
    would = summary["would_write"]
    if would is not None:
        lines.append(f"Nothing was written. A real run would write {writes_in_words(would)}")
        lines.extend(f"  would {effect}" for effect in would["effects"])
    return lines


def _what_they_were(assets: dict[str, int]) -> Iterator[str]:
    """Files that Loom knew at their places, but had something left to do, are counted under no name of their own; those
    without a pipeline would be among them."""
    for name, words in _ASSETS:
        if assets[name] or name in _ALWAYS:
            yield f"{assets[name]:,} {words}"
        left = assets["seen"] - sum(assets[one] for one in ("new", "unchanged", "moved", "unreadable"))
        if name == "unchanged" and left > 0 and not assets["unmatched"]:
            yield f"{left:,} known with work left"


def _spent(spent: dict[str, Any]) -> str:
    """What language models were asked and have answered."""
    asked, answered = _count(spent["prompt_tokens"], "token"), _count(spent["completion_tokens"], "token")
    price = "" if spent["cost"] is None else f", for {spent['cost']:,.6f}".rstrip("0").rstrip(".")
    return f"models were asked with {asked} and answered with {answered}{price}"


def writes_in_words(would: dict[str, Any]) -> str:
    """The numbers of `would_write`."""
    files = f"{_count(would['artifacts'], 'derived file')} ({human_bytes(would['bytes'])})"
    return f"{_count(would['results'], 'result')}, {_count(would['locations'], 'location')}, {files}"


_ASSETS = (
    ("new", "new"),
    ("unchanged", "unchanged"),
    ("moved", "at a new path"),
    ("failed", "failed"),
    ("failed_before", "failed before"),
    ("unreadable", "unreadable"),
    ("unmatched", "without a pipeline"),
)
_ALWAYS = {"new", "unchanged", "failed"}
_COLUMNS = {
    "computed": "computed",
    "cached": "from cache",
    "remote": "from Loom",
    "skipped": "skipped",
    "failed": "failed",
}
_STATES = {
    "COMPLETED": "completed",
    "PARTIAL": "completed, but some failed",
    "FAILED": "could not be done",
    "CANCELLED": "was stopped",
}


_STOPPED = {"FAILED", "CANCELLED"}
"""What was not looked at by then may be anything."""


def _why_nothing(assets: dict[str, int], *, stopped: bool) -> str:
    """Why no node has anything to tell of."""
    unread, unmatched, unchanged = assets["unreadable"], assets["unmatched"], assets["unchanged"]
    if not (assets["seen"] or unread or stopped):
        return "no file was found"
    why = [f"{_count(unread, 'file')} could not be read"] if unread else []
    if unmatched:
        why.append(f"no pipeline is for {_count(unmatched, 'file')}")
    if unchanged and (why or stopped):
        why.append(
            f"{_count(unchanged, 'file')} {'is as Loom knows it' if unchanged == 1 else 'are as Loom knows them'}"
        )
    elif unchanged:
        why.append("every file is as Loom knows it")
    again = "; what failed before is tried again by `cortex failures --retry`" if assets["failed_before"] else ""
    return f"nothing was computed{': ' if why else ''}{', '.join(why)}{again}"


def _table(nodes: dict[str, dict[str, int]]) -> list[str]:
    """A line a node; none when there is nothing to tell of any."""
    if not any(any(counts.values()) for counts in nodes.values()):
        return []
    columns = [one for one in _COLUMNS if one == "computed" or any(counts[one] for counts in nodes.values())]
    headings = [_COLUMNS[one] for one in columns]
    table = [["node", *headings], *([node, *(f"{counts[one]:,}" for one in columns)] for node, counts in nodes.items())]
    first, *widths = (max(map(len, column)) for column in zip(*table, strict=True))
    return [
        f"  {row[0]:<{first}}" + "".join(f"  {cell:>{width}}" for cell, width in zip(row[1:], widths, strict=True))
        for row in table
    ]


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def human_bytes(size: float) -> str:
    """A size with a 1024-based unit, such as `1.5 MB`."""
    for unit in ("bytes", "KB", "MB", "GB"):
        if size < 1024:
            return f"{size:.0f} {unit}" if unit == "bytes" else f"{size:.1f} {unit}"
        size /= 1024
    return f"{size:.1f} TB"


def human_seconds(seconds: float) -> str:
    """A duration such as `2.4 s`, `3 min 20 s` or `5 h 7 min`."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"
