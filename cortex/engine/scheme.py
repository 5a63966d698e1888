"""Which pipelines an ingest uses, compiled into lanes."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from cortex.catalogue import EntryPointCatalogue
from cortex.engine.failures import as_failure
from cortex.engine.records import Lane
from loom.errors import LoomError
from loom.graph.codes import error
from loom.graph.compiler import compile_definition
from loom.graph.diagnostics import DefinitionError
from loom.graph.plan import AssetFilter, Plan, Step


class Chosen(NamedTuple):
    """A definition that an ingest uses; `version` is 0 when it is not stored. `matched`: its `match` decides which
    assets it gets, else it gets all."""

    definition: Mapping[str, Any]
    version: int
    matched: bool


class Scheme(NamedTuple):
    """The lanes of an ingest, best first, and the digest under which files count as settled: it changes with anything
    that could lead an asset elsewhere."""

    lanes: tuple[Lane, ...]
    versions: tuple[int, ...]
    definitions: tuple[Mapping[str, Any], ...]
    settles: bytes


def make_scheme(
    chosen: Iterable[Chosen],
    operators: EntryPointCatalogue,
    *,
    dry_run: bool,
    left_out: Callable[[str, DefinitionError], None] | None = None,
) -> Scheme:
    """Compiles the definitions. One of several that cannot be used is told to `left_out`, and the others are used.
    Raises `DefinitionError` with everything that is wrong with the first bad one when there is no other, or nobody to
    be told."""
    lanes: list[Lane] = []
    used: list[Chosen] = []
    first: DefinitionError | None = None
    for one in chosen:
        definition, _, matched = one
        try:
            plan = compile_plan(definition, operators)
        except DefinitionError as wrong:
            if left_out is None:
                raise
            first = first or wrong
            left_out(definition["name"], wrong)
            continue
        used.append(one)
        if dry_run:
            plan = msgspec.structs.replace(plan, dry_run=True)
        match = plan.match if matched else msgspec.structs.replace(plan.match, kinds=frozenset(), mime=(), path=())
        lanes.append(Lane(match, plan))
    if first is not None and not lanes:
        raise first
    versions = tuple(one.version for one in used)
    return Scheme(tuple(lanes), versions, tuple(one.definition for one in used), _digest(lanes))


def narrowed(scheme: Scheme, kept: Sequence[int]) -> Scheme:
    """The scheme with only these of its lanes."""
    lanes = tuple(scheme.lanes[index] for index in kept)
    versions = tuple(scheme.versions[index] for index in kept)
    return Scheme(lanes, versions, tuple(scheme.definitions[index] for index in kept), _digest(lanes))


def compile_plan(definition: Mapping[str, Any], operators: EntryPointCatalogue) -> Plan:
    """The plan of a definition, with nodes switched off that say so themselves. Raises `DefinitionError`."""
    plan = _compile(definition, operators)
    off = {step.node for step in plan.steps if step.enabled and not _is_enabled(operators, step)}
    return _compile(_without(definition, off), operators) if off else plan


def _is_enabled(operators: EntryPointCatalogue, step: Step) -> bool:
    """Raises `DefinitionError` for a node that cannot tell."""
    try:
        return operators.create(step.operator, step.config, step.node).is_enabled()
    except (LoomError, KeyboardInterrupt):
        raise
    except BaseException as fault:  # also what an operator calls to end its process
        why = f"the node {step.node!r} cannot say whether it is enabled: {as_failure(fault)[1]}"
        raise DefinitionError([error("CONFIG_INVALID", why, node=step.node)]) from fault


def _compile(definition: Mapping[str, Any], operators: EntryPointCatalogue) -> Plan:
    compiled = compile_definition(definition, operators, lacking="error")
    if compiled.plan is None:
        raise DefinitionError(compiled.diagnostics)
    return compiled.plan


def _without(definition: Mapping[str, Any], off: set[str]) -> dict[str, Any]:
    """The definition with these nodes switched off."""
    graph = definition["graph"]
    nodes = [{**node, "enabled": False} if node["id"] in off else node for node in graph["nodes"]]
    return {**definition, "graph": {**graph, "nodes": nodes}}


def _digest(lanes: Sequence[Lane]) -> bytes:
    if len(lanes) == 1 and lanes[0].match == AssetFilter():
        return lanes[0].plan.digest
    digest = hashlib.blake2b(digest_size=32)
    for lane in lanes:
        digest.update(msgspec.json.encode([_plain(lane.match), lane.plan.digest]))
    return digest.digest()


def _plain(match: Any) -> list[Any]:
    return [sorted(match.kinds), match.mime, match.path, match.min_size, match.max_size]
