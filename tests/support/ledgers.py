"""Things to say to a Loom: definitions of toy operators, runs, reports of assets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID, uuid4

from blake3 import blake3

from loom.graph.announced import Announced
from loom.graph.specs import OperatorSpec
from loom.model import (
    ArtifactRef,
    AssetCounts,
    AssetReport,
    Branch,
    FileStat,
    FoundAt,
    Kind,
    NodeCounts,
    Origin,
    Outcome,
    RunClosing,
    RunOpening,
    RunState,
    State,
    StepRef,
    StoredResult,
    Worker,
)
from loom.packing import pack_outcomes
from loom.verbs import Loom, NewArtifact

HOST = "here"
WORKER = Worker(name="worker", versions={"cortex": "1", "pillow": "12"})

OPERATORS = [
    OperatorSpec(id="source.files", version="1", inputs=(), capabilities=frozenset({"source"})),
    OperatorSpec(id="hash.sha256", version="1"),
    OperatorSpec(
        id="toy.size", version="1", config_schema={"type": "object", "properties": {"size": {"type": "integer"}}}
    ),
]


class SilentBus:
    """Remembers what it was handed."""

    def __init__(self) -> None:
        self.published: list[Any] = []

    def publish(self, run, events) -> None:
        self.published.append((run, tuple(events)))

    def progress(self, run, progress) -> None:
        self.published.append((run, progress))

    def live(self) -> list[Any]:
        return []


def toy_operators() -> Announced:
    return Announced(OPERATORS)


def definition(name: str = "photos", **more: Any) -> dict[str, Any]:
    """files → sha256 → small; `size` sets the option of the last."""
    size = more.pop("size", 1)
    nodes = [
        {"id": "files", "operator": "source.files"},
        {"id": "sha256", "operator": "hash.sha256"},
        {"id": "small", "operator": "toy.size", "config": {"size": size}},
    ]
    edges = [{"from": {"node": a}, "to": {"node": b}} for a, b in (("files", "sha256"), ("sha256", "small"))]
    return {"schema_version": 1, "name": name, **more, "graph": {"nodes": nodes, "edges": edges}}


def digest(text: str) -> bytes:
    return blake3(text.encode()).digest()


STEPS = (
    StepRef("sha256", "hash.sha256", "1", digest("step sha256")),
    StepRef("small", "toy.size", "1", digest("step small")),
)
PLAN = digest("plan")


def opening(pipeline: str = "photos", version: int = 1, **more: Any) -> RunOpening:
    given: dict[str, Any] = {"uuid": uuid4(), "plan": PLAN, "steps": STEPS, "worker": WORKER, "host": HOST,
                             "started": 1_000_000, "paths": (b"/data",)} | more  # fmt: skip
    return RunOpening(pipeline=pipeline, version=version, **given)


def closing(run: UUID, state: RunState = RunState.COMPLETED) -> RunClosing:
    nodes = {"sha256": NodeCounts(computed=3), "small": NodeCounts(failed=1)}
    return RunClosing(uuid=run, state=state, finished=2_000_000, assets=AssetCounts(seen=3), nodes=nodes, bytes_read=7)


def found(path: bytes, *, size: int = 10, mtime_ns: int = 10**18, inode: int = 5, trusted: bool = True) -> FoundAt:
    directory, _, name = path.rpartition(b"/")
    return FoundAt(directory or b"/", name, FileStat(size, mtime_ns, inode, 1), trusted)


def done(step: int, outputs: bytes = b"{}", **more: Any) -> StoredResult:
    return StoredResult(STEPS[step].signature, State.COMPLETED, Branch.PASS, outputs, duration_us=1500, **more)


def failed(step: int, code: str = "FILE_DAMAGED", message: str = "broken") -> StoredResult:
    return StoredResult(STEPS[step].signature, State.FAILED, None, b"{}", (), code, message, 10)


COMPUTED = Outcome(State.COMPLETED, None, Origin.COMPUTED, Branch.PASS, 1500)
BROKEN = Outcome(State.FAILED, None, Origin.COMPUTED, None, 10)


def report(
    content: str,
    *places: FoundAt,
    results: Sequence[StoredResult] = (),
    outcomes: Sequence[Outcome] | None = None,
    settled: bool = False,
    **more: Any,
) -> AssetReport:
    """One asset, known by its content."""
    broken = sum(o.state is State.FAILED or o.verdict is Branch.ERROR for o in outcomes or ())
    given: dict[str, Any] = {"size": 10, "mime": "image/jpeg", "kind": Kind.IMAGE} | more
    return AssetReport(
        blake3=digest(content), found=places, results=tuple(results),
        outcomes=None if outcomes is None else pack_outcomes(outcomes), failed=broken, settled=settled, **given,
    )  # fmt: skip


def artifact(data: bytes, name: str = "thumbnail") -> tuple[NewArtifact, ArtifactRef]:
    key = blake3(data).digest()
    return NewArtifact(key, "image/webp", data), ArtifactRef(name, key, "image/webp", len(data))


def begin(loom: Loom, **more: Any) -> UUID:
    """A run of the pipeline `photos`, which is stored first."""
    version = loom.save_pipeline(definition()).version
    made = opening(version=version, **more)
    loom.open_run(made)
    return made.uuid
