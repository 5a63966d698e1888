"""A node computed once for each item of a list, and what it gives gathered into one result."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from cortex.derived import looking
from cortex.node import MediaNode, NodeContext, output_keys
from cortex.outputs import LargeArtifact, ProducedArtifact, check
from loom.graph.ports import VERDICTS
from loom.model import Branch


class FanOut:
    """Goes over the items that came in; those that are None are not there, but keep their numbers. The first that
    fails ends it; called again, it goes on from there."""

    def __init__(self) -> None:
        self._done: dict[int, NodeContext] = {}
        self._next = 0
        self._most = 0

    @property
    def at(self) -> str:
        """Which item is at work, as the beginning of a sentence; empty when all are done."""
        return f"item {self._next + 1} of {self._most}: " if self._next < self._most else ""

    def compute(self, node: MediaNode[Any], media: Any, make_context: Callable[..., NodeContext]) -> NodeContext:
        """What all items gave together. Derived files that are not of a kind for the node give nothing. Raises what
        `compute` of the node raises, and `OUTPUT_INVALID` for a list of values that is larger than one output may
        be."""
        whole = make_context()
        items = whole.items or ()
        self._most = len(items)
        while self._next < len(items):
            index = self._next
            if items[index] is not None:
                one = make_context(item=items[index], index=index, report_progress=_share(whole, index, len(items)))
                with looking(node, one, media) as seen:
                    if seen is media or node.is_processable(seen):
                        node.compute(one, seen)
                        self._done[index] = one
                whole.progress((index + 1) / len(items))
            self._next += 1
        _gather(node, whole, self._done, len(items))
        return whole


def _share(whole: NodeContext, index: int, count: int) -> Callable[[float], None]:
    return lambda fraction: whole.progress((index + fraction) / count)


def _gather(node: MediaNode[Any], whole: NodeContext, done: Mapping[int, NodeContext], count: int) -> None:
    """Everything in its place in the whole list, None where there was no item."""
    for key in output_keys(type(node)):
        _put(whole, key.name, [done[at].outputs.get(key.name) if at in done else None for at in range(count)])
    width = len(str(max(count - 1, 0)))
    for index, one in done.items():
        for name, data, media_type in one.artifacts:
            whole.artifacts.append(ProducedArtifact(f"{name}-{index:0{width}}", data, media_type))
        for name, parts, media_type in one.large_artifacts:
            whole.large_artifacts.append(LargeArtifact(f"{name}-{index:0{width}}", parts, media_type))
    verdicts = {index: one.result_verdict for index, one in done.items()}
    if node.buckets is not None or Branch.FAIL in verdicts.values():
        _put(whole, VERDICTS, [None if at not in verdicts else str(verdicts[at]) for at in range(count)])
    if Branch.PASS in verdicts.values():
        return
    if done:
        whole.verdict(Branch.FAIL, next(iter(done.values())).verdict_reason)
    elif node.verdicts:
        whole.verdict(Branch.FAIL, "there are no items")


def _put(whole: NodeContext, key: str, values: list[Any]) -> None:
    check(key, values)
    whole.outputs[key] = values
