"""A node computed once for each item of a list, and what it gives gathered into one result."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from cortex.node import MediaNode, NodeContext, ProducedArtifact, output_keys
from cortex.outputs import check
from loom.model import Branch


class FanOut:
    """Goes over the items that came in. The first that fails ends it; called again, it goes on from there."""

    def __init__(self) -> None:
        self._done: list[NodeContext] = []
        self._most = 0

    @property
    def at(self) -> str:
        """Which item is at work, as the beginning of a sentence; empty when all are done."""
        return f"item {len(self._done) + 1} of {self._most}: " if len(self._done) < self._most else ""

    def compute(self, node: MediaNode[Any], media: Any, make_context: Callable[..., NodeContext]) -> NodeContext:
        """What all items gave together. Raises what `compute` of the node raises, and `OUTPUT_INVALID` for a list of
        values that is larger than one output may be."""
        whole = make_context()
        items = whole.items or ()
        self._most = len(items)
        for index in range(len(self._done), len(items)):
            one = make_context(item=items[index], index=index, report_progress=_share(whole, index, len(items)))
            node.compute(one, media)
            self._done.append(one)
            whole.progress((index + 1) / len(items))
        _gather(node, whole, self._done)
        return whole


def _share(whole: NodeContext, index: int, count: int) -> Callable[[float], None]:
    return lambda fraction: whole.progress((index + fraction) / count)


def _gather(node: MediaNode[Any], whole: NodeContext, done: Sequence[NodeContext]) -> None:
    for key in output_keys(type(node)):
        values = [one.outputs.get(key.name) for one in done]
        check(key.name, values)
        whole.outputs[key.name] = values
    width = len(str(max(len(done) - 1, 0)))
    for index, one in enumerate(done):
        for name, data, media_type in one.artifacts:
            whole.artifacts.append(ProducedArtifact(f"{name}-{index:0{width}}", data, media_type))
    if any(one.result_verdict is Branch.PASS for one in done):
        return
    if done:
        whole.verdict(Branch.FAIL, done[0].verdict_reason)
    elif node.verdicts:
        whole.verdict(Branch.FAIL, "there are no items")
