from __future__ import annotations

from typing import Any

import msgspec
import pytest
from blake3 import blake3

from cortex.engine.handing import MOST_IN_WORKER, DerivedFiles, lighter
from cortex.engine.records import Computed, Walked
from cortex.node import ProducedArtifact
from loom.errors import LoomError
from loom.graph.compiler import compile_definition
from loom.model import ArtifactRef, Branch


class Kept:
    """A place with some files, which says what it was asked for."""

    def __init__(self, *files: bytes) -> None:
        self.files = {blake3(data).digest(): data for data in files}
        self.asked: list[bytes] = []


class Cache(Kept):
    def artifact(self, digest: bytes) -> bytes | None:
        self.asked.append(digest)
        return self.files.get(digest)


class Store(Kept):
    def artifact(self, digest: bytes) -> tuple[str, bytes]:
        self.asked.append(digest)
        if digest not in self.files:
            raise LoomError("NOT_FOUND")
        return "image/jpeg", self.files[digest]


class Away(Store):
    def artifact(self, digest: bytes) -> tuple[str, bytes]:
        raise LoomError("LOOM_UNREACHABLE")


def ref(data: bytes, size: int | None = None) -> ArtifactRef:
    return ArtifactRef("file", blake3(data).digest(), "image/jpeg", len(data) if size is None else size)


def test_the_cache_is_asked_first() -> None:
    store, cache = Store(b"one", b"two"), Cache(b"one")
    derived = DerivedFiles(store, cache)
    assert (derived.read(ref(b"one")), derived.read(ref(b"two"))) == (b"one", b"two")
    assert store.asked == [ref(b"two").digest]


@pytest.mark.parametrize(
    ("derived", "code"),
    [
        (DerivedFiles(Store(), None), "READ_FAILED"),
        (DerivedFiles(None, Cache()), "READ_FAILED"),
        (DerivedFiles(None, None), "READ_FAILED"),
        (DerivedFiles(Away(), None), "LOOM_UNREACHABLE"),
    ],
)
def test_one_that_is_not_to_be_had(derived: DerivedFiles, code: str) -> None:
    with pytest.raises(LoomError) as error:
        derived.read(ref(b"one"))
    assert error.value.code == code
    ((digest, data, why),) = derived.handed((), (ref(b"one"),))
    assert (digest, data, why and why[0]) == (ref(b"one").digest, b"", code)


def test_what_is_too_large_is_not_even_fetched() -> None:
    store = Store(b"one", b"two")
    derived = DerivedFiles(store, None)
    with pytest.raises(LoomError) as error:
        derived.read(ref(b"one"), most=2)
    assert (error.value.code, store.asked) == ("FILE_TOO_LARGE", [])
    first = derived.handed((), (ref(b"one"),))
    both = derived.handed(first, (ref(b"two"),))
    assert [(one.data, one.error) for one in both] == [(b"one", None), (b"two", None)]
    _, _, third = derived.handed(both, (ref(b"three", MOST_IN_WORKER - 5),))
    assert (third.error or ("",))[0] == "FILE_TOO_LARGE", "together they would be"


def test_files_are_kept_for_those_that_read_them(plan: Any) -> None:
    made = [ProducedArtifact("file", b"bytes", "image/jpeg")]
    computed = tuple(
        Computed(step.index, Branch.PASS, b"{}", tuple(made), None, None, 0, 0, False) for step in plan.steps[:2]
    )
    walked = Walked(1, None, None, True, (), computed, next_step=2)
    kept = [bool(one.artifacts) for one in lighter(plan, walked).computed]
    assert kept == [True, False]
    assert not any(one.artifacts for one in lighter(plan, walked._replace(next_step=3)).computed)


@pytest.fixture
def plan() -> Any:
    """`first` and `second`, then one that reads `first`."""
    from cortex.catalogue import load

    ask = {"base_url": "http://localhost", "model": "m", "prompt": "What?", "images": ["first.thumbnail"]}
    nodes = [
        {"id": "files", "operator": "source.filesystem"},
        {"id": "first", "operator": "media.thumbnail"},
        {"id": "second", "operator": "media.thumbnail", "config": {"size": 64}},
        {"id": "ask", "operator": "llm.prompt", "config": ask},
    ]
    ids = [node["id"] for node in nodes]
    edges = [{"from": {"node": a}, "to": {"node": b}} for a, b in zip(ids, ids[1:], strict=False)]
    compiled = compile_definition({"name": "asks", "graph": {"nodes": nodes, "edges": edges}}, load())
    assert compiled.plan is not None, msgspec.json.encode(compiled.diagnostics)
    return compiled.plan
