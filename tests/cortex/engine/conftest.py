"""Plans of toy operators, and facts of a file to walk them with."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from cortex.node import MediaNode, NodeContext, NodeOptions, OutputKey
from loom.errors import LoomError
from loom.graph.plan import AssetFilter, Inbound, Plan, Source, Step
from loom.model import Branch, Kind


class Facts(NamedTuple):
    kind: Kind
    mime: str
    size: int


class ToyOptions(NodeOptions):
    """`reads`: the node whose output `done` is told as `seen`; `raises`: the code with which it fails."""

    verdict: str = "PASS"
    raises: str | None = None
    reads: str | None = None


class Toy(MediaNode[ToyOptions]):
    operator = "test.toy"
    DONE = OutputKey("done", str)
    SEEN = OutputKey[Any]("seen", object)
    calls = 0

    def compute(self, ctx: NodeContext, media: Any) -> None:
        self.calls += 1
        if self.options.raises is not None:
            raise LoomError(self.options.raises)
        if self.options.reads is not None:
            ctx.output(self.SEEN, ctx.upstream_output(self.options.reads, "done"))
        ctx.output(self.DONE, "toy")
        ctx.verdict(Branch(self.options.verdict))


@pytest.fixture
def toy() -> type[Toy]:
    return Toy


@pytest.fixture
def facts() -> Facts:
    return Facts(Kind.IMAGE, "image/png", 1000)


@pytest.fixture
def make_step() -> Callable[..., Step]:
    """Makes a step from its index, its node and its inbound edges."""

    def make(index: int, node: str, *inbound: tuple[int, Branch | None], **more: Any) -> Step:
        fields: dict[str, Any] = {
            "operator": "test.toy", "operator_version": "1", "config": {}, "signature": node.encode().ljust(32, b"."),
            "reads": {}, "needs": (), "kinds": frozenset(), "enabled": True, "filter": None, "timeout_s": None,
            "retries": 0, "verdicts": None, "sandboxed": True, "effect": False,
        }  # fmt: skip
        edges = tuple(Inbound(*edge) for edge in inbound or [(-1, None)])
        return Step(index=index, node=node, inbound=edges, **(fields | more))

    return make


@pytest.fixture
def make_plan() -> Callable[..., Plan]:
    """Makes a plan from its steps."""

    def make(*steps: Step) -> Plan:
        source = Source(node="files", operator="source.filesystem", config={})
        return Plan(pipeline="toys", dry_run=False, match=AssetFilter(), source=source, steps=steps, digest=b"p" * 32)

    return make
