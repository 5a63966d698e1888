"""Operators of a third party: one does what its files say, good or bad, one delivers, two know beforehand; and a way
to install them."""

from __future__ import annotations

import ctypes
import os
import socket
import sys
from pathlib import Path
from typing import Any

from distributions import offer

from cortex import MediaNode, NodeContext, NodeOptions, OutputKey, Result
from cortex.media import Media
from loom.errors import LoomError

OPERATOR = "strange.deed"
DELIVERY = "strange.delivery"
KNOWN = "strange.known"
KNOWN_BESIDE = "strange.known-beside"


class DeedOptions(NodeOptions):
    gate: str = ""
    target: str = ""


class Deed(MediaNode[DeedOptions]):
    """Does what the first word of a text says; other texts are only measured."""

    operator = OPERATOR
    version = "1"
    kinds = frozenset({"text"})
    reads = ()
    LENGTH = OutputKey("length", int)

    def exists_result(self, ctx: NodeContext, media: Media) -> Result | None:
        return Result({"length": 7}) if media.text().startswith("known") else None

    def compute(self, ctx: NodeContext, media: Media) -> None:
        text = media.text()
        ctx.log.info("spoken")
        deed = getattr(self, "do_" + text.split()[0], None)
        if deed is not None:
            deed()
        if text.startswith("judge"):
            ctx.verdict("guilty")  # type: ignore[arg-type]
        ctx.output(self.LENGTH, len(text))

    def do_wait(self) -> None:
        """Waits until whoever opens the gate, a pipe, for writing closes it; without a gate, not at all."""
        if os.path.exists(self.options.gate):
            with open(self.options.gate, "rb") as gate:
                gate.read()

    def do_segfault(self) -> None:
        ctypes.string_at(0)

    def do_loop(self) -> None:
        while True:
            pass

    def do_eat(self) -> None:
        eaten: list[Any] = []
        while True:
            eaten.append(b"x" * 2**24)

    def do_raise(self) -> None:
        raise ValueError("a strange error")

    def do_exit(self) -> None:
        sys.exit(3)

    def do_write(self) -> None:
        Path(self.options.target).write_text("was here")

    def do_connect(self) -> None:
        socket.create_connection(("127.0.0.1", 9), timeout=1)


class Delivery(MediaNode[DeedOptions]):
    """Has an effect, for `000.txt` only once the file `gate` is there."""

    operator = DELIVERY
    reads = ()
    capabilities = frozenset({"effect"})

    def compute(self, ctx: NodeContext, media: Media) -> None:
        if media.path.endswith("000.txt") and not os.path.exists(self.options.gate):
            raise LoomError("TRY_AGAIN")


class Known(MediaNode[NodeOptions]):
    """Never computes: it knows that its sum is one more than the sums of all before it."""

    operator = KNOWN
    SUM = OutputKey("sum", int)

    def exists_result(self, ctx: NodeContext, media: Media) -> Result | None:
        return Result({"sum": 1 + sum(outputs["sum"] for outputs in ctx.upstream_nodes().values() if outputs)})

    def compute(self, ctx: NodeContext, media: Media) -> None:
        raise LoomError("OPERATOR_FAILED", "there was nothing to compute")


class KnownBeside(Known):
    """The same beside the sandbox."""

    operator = KNOWN_BESIDE
    capabilities = frozenset({"effect"})


def install(site: Path) -> str:
    """Makes a distribution that offers the operators in the folder `site`; returns the PYTHONPATH that has it."""
    return offer(site, "strange", Deed, Delivery, Known, KnownBeside)


def definition(*, name: str = "deeds", **node: Any) -> dict[str, Any]:
    """files → sha256 → deed; `node` are more fields of the last."""
    nodes = [
        {"id": "files", "operator": "source.filesystem"},
        {"id": "sha256", "operator": "hash.sha256"},
        {"id": "deed", "operator": OPERATOR, **node},
    ]
    edges = [{"from": {"node": a}, "to": {"node": b}} for a, b in (("files", "sha256"), ("sha256", "deed"))]
    return {"schema_version": 1, "name": name, "graph": {"nodes": nodes, "edges": edges}}
