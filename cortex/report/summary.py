"""The summary of an ingest in words."""

from __future__ import annotations

from typing import Any


def in_words(summary: dict[str, Any]) -> list[str]:
    """The summary as lines for a person."""
    assets = summary["assets"]
    title = "Dry run" if summary["dry_run"] else "Run"
    seconds = summary["seconds"]
    lines = [
        f"{title} of pipeline {summary['pipeline']} {summary['state']}: {_count(assets['seen'], 'file')} seen,"
        f" {human_bytes(summary['bytes'])} read in {human_seconds(seconds)}",
        "  " + ", ".join(f"{assets[name]} {words}" for name, words in _ASSETS if assets[name] or name in _ALWAYS),
    ]
    if summary["unreachable"]:
        lines.append(f"  {_count(len(summary['unreachable']), 'source')} could not be read")
    lines.extend(_table(summary["nodes"], seen=assets["seen"], failed=assets["failed_before"]))
    would = summary["would_write"]
    if would is not None:
        lines.append(
            f"Nothing was written. A real run would write {_count(would['results'], 'result')},"
            f" {_count(would['locations'], 'location')}, {_count(would['artifacts'], 'derived file')}"
            f" ({human_bytes(would['bytes'])})"
        )
        lines.extend(f"  would {effect}" for effect in would["effects"])
    return lines


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
_COLUMNS = ("computed", "cached", "remote", "skipped", "failed")


def _table(nodes: dict[str, dict[str, int]], *, seen: int, failed: int) -> list[str]:
    if not any(any(counts.values()) for counts in nodes.values()):
        if not seen:
            return ["  no file was found"]
        again = "; what failed before is tried again by `cortex failures --retry`" if failed else ""
        return [f"  nothing was computed: every file is as Loom knows it{again}"]
    width = max(len(node) for node in nodes)
    head = f"  {'node':<{width}}" + "".join(f"{column:>10}" for column in _COLUMNS)
    rows = (f"  {node:<{width}}" + "".join(f"{c[column]:>10}" for column in _COLUMNS) for node, c in nodes.items())
    return [head, *rows]


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
