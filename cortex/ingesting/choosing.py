"""Which pipelines an ingest uses."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cortex.engine.scheme import Chosen, Scheme, narrowed
from cortex.operators.sources.local import FilesystemSource
from cortex.paging import everything
from cortex.request import Request
from loom.errors import LoomError
from loom.graph.definition import read_document

if TYPE_CHECKING:
    from loom.verbs import Loom

FILES = frozenset({".yaml", ".yml", ".json", ".toml"})


def choose(request: Request, loom: Loom | None, default: Callable[[], dict[str, Any]] | None) -> list[Chosen]:
    """The definitions to use; `default` gives one where none was ever stored. Raises `NOT_FOUND`, `PIPELINE_DISABLED`,
    `DEFINITION_INVALID`."""
    name = request.pipeline
    if name is not None and Path(name).suffix in FILES:
        return [_enabled(Chosen(read_document(Path(name)), 0, matched=False))]
    if default is not None and (definition := default())["name"] == (name or definition["name"]):
        return [Chosen(definition, 0, matched=False)]
    if loom is None:
        raise LoomError("USAGE", "without Loom there are no stored pipelines: give --pipeline a file")
    if name is not None:
        stored = loom.pipeline(name, request.version)
        return [_enabled(Chosen(stored.definition, stored.version, matched=False))]
    pipelines = [p for p in everything(loom.pipelines) if p.enabled]
    if not pipelines:
        raise LoomError("NOT_FOUND", "no pipeline is stored and enabled; `cortex pipeline push FILE` stores one")
    ranked = sorted(pipelines, key=lambda p: (-p.priority, p.name))
    return [Chosen(p.definition, p.version, matched=True) for p in ranked]


def _enabled(chosen: Chosen) -> Chosen:
    if chosen.definition.get("enabled", True) is False:
        raise LoomError("PIPELINE_DISABLED", f"the pipeline {chosen.definition.get('name')!r} is disabled")
    return chosen


def competing(scheme: Scheme, note: Callable[[str], None]) -> Scheme:
    """The pipelines that take their files from the paths that are given, or, where none does, from the same place as
    the best one. Others that competed with them are left out, each with a `note`."""
    sources = [lane.plan.source for lane in scheme.lanes]
    leading = next((one for one in sources if one.operator == FilesystemSource.operator), sources[0])
    kept: list[int] = []
    for index, source in enumerate(sources):
        same = source.operator == leading.operator
        if same and (source.operator == FilesystemSource.operator or source.config == leading.config):
            kept.append(index)
            continue
        name = scheme.lanes[index].plan.pipeline
        note(f"The pipeline {name!r} takes its files from another place and is left out; use it with --pipeline {name}")
    return scheme if len(kept) == len(sources) else narrowed(scheme, kept)
