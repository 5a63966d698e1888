from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID, uuid4

import pytest

from cortex.engine.asking import AskingOnly, asked_anew
from loom.errors import LoomError
from loom.graph.specs import OperatorSpec
from loom.verbs import PAGE, CopyAt, Match

GROUP = uuid4()


class Shelf:
    """Answers with what it was asked."""

    def copies(self, asset: bytes) -> list[CopyAt]:
        return [CopyAt("here", asset, 1)]

    def similar(self, kind: str, value: bytes, distance: int, limit: int = PAGE) -> list[Match]:
        return [Match(value, distance, limit)]

    def propose(self, kind: str, members: Sequence[tuple[bytes, int]]) -> UUID | None:
        return GROUP


class Operators:
    def spec(self, operator: str) -> OperatorSpec | None:
        capabilities = frozenset({"anew", "database"} if operator == "asks" else {"database"})
        return None if operator == "unknown" else OperatorSpec(id=operator, version="1", capabilities=capabilities)


def test_a_dry_run_asks_and_tells_nothing() -> None:
    library = AskingOnly(Shelf())
    assert library.copies(b"a") == [CopyAt("here", b"a", 1)]
    assert library.similar("kind", b"v", 3, 5) == [Match(b"v", 3, 5)]
    with pytest.raises(LoomError) as refused:
        library.propose("similar", [(b"a", 0)])
    assert refused.value.code == "OPERATOR_FAILED"


def test_what_hangs_on_what_else_there_is_is_asked_anew(make_step: Callable[..., Any]) -> None:
    steps = [make_step(index, f"n{index}", operator=name) for index, name in enumerate(("asks", "hash", "unknown"))]
    for recompute, anew in ((set(), [True, False, False]), ({"n1"}, [True, True, False]), ({"*"}, [True] * 3)):
        assert [asked_anew(recompute, Operators())(step) for step in steps] == anew
