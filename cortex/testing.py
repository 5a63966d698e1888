"""Runs one operator on one file, without a database, workers or a pipeline: for tests of operators."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

from cortex.contract import nodes_of
from cortex.derived import DerivedFile, looking
from cortex.fanning import FanOut
from cortex.media import Media
from cortex.node import MediaNode, NodeContext, ProducedArtifact, keys_of
from loom.graph.ports import takes_asset, takes_files
from loom.model import Action, Branch, Reason, State
from loom.verbs import Library


class OperatorRun(NamedTuple):
    """What running an operator gave. `reason` says why it was SKIPPED, else why it gave the verdict FAIL, if it said
    so. `effects` lists what was done outside, or in a dry run would have been; `collections` likewise; `actions` are
    what was done to files."""

    outputs: dict[str, Any]
    artifacts: tuple[ProducedArtifact, ...]
    verdict: Branch | None
    reason: str | None
    effects: tuple[str, ...]
    state: State
    collections: tuple[str, ...] = ()
    actions: tuple[Action, ...] = ()

    def artifact(self, name: str) -> ProducedArtifact:
        """The artifact of that name; raises `KeyError`."""
        for artifact in self.artifacts:
            if artifact.name == name:
                return artifact
        raise KeyError(name)


def derived(data: bytes, media_type: str, name: str = "file") -> DerivedFile:
    """A derived file as it comes in at a node's input for them."""
    return DerivedFile(name, media_type, len(data), lambda: data)


def run_operator(
    node: MediaNode[Any],
    path: str | os.PathLike[str] | bytes,
    *,
    upstream: Mapping[str, Mapping[str, Any]] | None = None,
    upstream_artifacts: Mapping[str, Mapping[str, tuple[bytes, str]]] | None = None,
    item: Any = None,
    items: Sequence[Any] | None = None,
    dry_run: bool = False,
    library: Library | None = None,
) -> OperatorRun:
    """Walks one file through one operator: enabled, known, processable, compute. `upstream` gives the outputs of nodes,
    by node id; the others that it reads count as skipped. `upstream_artifacts` gives the derived files of nodes by
    their names, as bytes and media type. `item` is what comes in at its input for values or derived files (`derived`
    makes one), `items` a list of such: it is computed once for each, unless its input takes the whole list. `library`
    answers an operator with the capability `database`. What `compute` raises is raised here: `LoomError` for a bad
    file, anything else for a defect."""
    if not node.is_enabled():
        return _skipped(Reason.DISABLED)
    items = [item] if item is not None else items
    artifacts = upstream_artifacts or {}
    upstream = {**{name: {} for name in artifacts}, **(upstream or {})}
    if any(needed not in upstream for needed in nodes_of(node.needs)) or _lacks_value(node, items):
        return _skipped(Reason.MISSING_INPUT)

    read = node.named_nodes() or nodes_of(node.reads or ())
    outside = _Outside(dry_run, artifacts)
    make_context = partial(
        NodeContext,
        node.id,
        {**dict.fromkeys(read), **upstream},
        dry_run=dry_run,
        perform=outside.perform if {"effect", "database"} & set(node.capabilities) else None,
        collect=outside.collections.append if "effect" in node.capabilities else None,
        record=outside.actions.append,
        keys=keys_of(type(node)),
        library=library,
        derived=outside.derived,
        items=items,
        item=item,
    )
    context = make_context()
    node.open()
    try:
        with Media.open_path(os.fsencode(path), node.wants()) as media:
            if item is None and items is not None and _takes_one(node):
                if not _takes_files(node) and not node.is_processable(media):
                    return _skipped(Reason.NOT_PROCESSABLE)
                context = FanOut().compute(node, media, make_context)
            elif (skipped := _computed(node, context, media)) is not None:
                return skipped
    finally:
        node.close()
    return outside.came_of(context)


def _computed(node: MediaNode[Any], context: NodeContext, media: Media) -> OperatorRun | None:
    """Runs `compute`; what came of it where that was not to be."""
    with looking(node, context, media) as seen:
        known = node.exists_result(context, seen)
        if known is not None:
            outputs, verdict = known.checked(keys_of(type(node)))
            return _skipped(Reason.STORED)._replace(outputs=dict(outputs), verdict=verdict)
        if not node.is_processable(seen):
            return _skipped(Reason.NOT_PROCESSABLE)
        node.compute(context, seen)
    return None


class _Outside:
    """What is done outside, and what comes from there."""

    def __init__(self, dry_run: bool, artifacts: Mapping[str, Mapping[str, tuple[bytes, str]]]) -> None:
        self.effects: list[str] = []
        self.collections: list[str] = []
        self.actions: list[Action] = []
        self._dry_run = dry_run
        self._artifacts = artifacts

    def perform(self, description: str, do: Callable[[], object]) -> None:
        self.effects.append(description)
        if not self._dry_run:
            do()

    def derived(self, node: str, name: str) -> ProducedArtifact | None:
        found = self._artifacts.get(node, {}).get(name)
        return None if found is None else ProducedArtifact(name, *found)

    def came_of(self, context: NodeContext) -> OperatorRun:
        """With what its node gave and did."""
        return OperatorRun(
            context.outputs,
            (
                *context.artifacts,
                *(ProducedArtifact(n, parts.read(), kind) for n, parts, kind in context.large_artifacts),
            ),
            context.result_verdict,
            context.verdict_reason,
            tuple(self.effects),
            State.COMPLETED,
            tuple(self.collections),
            tuple(self.actions),
        )


def _takes_files(node: MediaNode[Any]) -> bool:
    return any(takes_files(port) for port in node.inputs)


def _takes_one(node: MediaNode[Any]) -> bool:
    return any(not takes_asset(port) and port.cardinality == "one" for port in node.inputs)


def _lacks_value(node: MediaNode[Any], items: Sequence[Any] | None) -> bool:
    return items is None and any(not takes_asset(port) and port.required for port in node.inputs)


def _skipped(reason: Reason) -> OperatorRun:
    return OperatorRun({}, (), None, reason.value, (), State.SKIPPED)
