"""Runs one operator on one file, without a database, workers or a pipeline: for tests of operators."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from cortex.media import Media
from cortex.node import MediaNode, NodeContext, ProducedArtifact, keys_of
from loom.model import Branch, Reason, State


class OperatorRun(NamedTuple):
    """What running an operator gave. `reason` says why it was SKIPPED, else why it gave the verdict FAIL, if it said
    so. `effects` lists what was done outside, or in a dry run would have been; `collections` likewise."""

    outputs: dict[str, Any]
    artifacts: tuple[ProducedArtifact, ...]
    verdict: Branch | None
    reason: str | None
    effects: tuple[str, ...]
    state: State
    collections: tuple[str, ...] = ()

    def artifact(self, name: str) -> ProducedArtifact:
        """The artifact of that name; raises `KeyError`."""
        for artifact in self.artifacts:
            if artifact.name == name:
                return artifact
        raise KeyError(name)


def run_operator(
    node: MediaNode[Any],
    path: str | os.PathLike[str] | bytes,
    *,
    upstream: Mapping[str, Mapping[str, Any]] | None = None,
    dry_run: bool = False,
) -> OperatorRun:
    """Walks one file through one operator: enabled, known, processable, compute. `upstream` gives the outputs of nodes,
    by node id; the others that it reads count as skipped. What `compute` raises is raised here: `LoomError` for a bad
    file, anything else for a defect."""
    effects: list[str] = []
    collections: list[str] = []
    if not node.is_enabled():
        return _skipped(Reason.DISABLED)
    if any(needed not in (upstream or {}) for needed in node.needs):
        return _skipped(Reason.MISSING_INPUT)

    def perform(description: str, do: Callable[[], object]) -> None:
        effects.append(description)
        if not dry_run:
            do()

    read = node.named_nodes() or node.reads or ()
    context = NodeContext(
        node.id,
        {**dict.fromkeys(read), **(upstream or {})},
        dry_run=dry_run,
        perform=perform if "effect" in node.capabilities else None,
        collect=collections.append if "effect" in node.capabilities else None,
        keys=keys_of(type(node)),
    )
    node.open()
    try:
        with Media.open_path(os.fsencode(path), node.wants()) as media:
            known = node.exists_result(context, media)
            if known is not None:
                outputs, verdict = known.checked(keys_of(type(node)))
                return _skipped(Reason.STORED)._replace(outputs=dict(outputs), verdict=verdict)
            if not node.is_processable(media):
                return _skipped(Reason.NOT_PROCESSABLE)
            node.compute(context, media)
    finally:
        node.close()
    return OperatorRun(
        context.outputs,
        tuple(context.artifacts),
        context.result_verdict,
        context.verdict_reason,
        tuple(effects),
        State.COMPLETED,
        tuple(collections),
    )


def _skipped(reason: Reason) -> OperatorRun:
    return OperatorRun({}, (), None, reason.value, (), State.SKIPPED)
