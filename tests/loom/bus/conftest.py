from collections.abc import Callable
from uuid import UUID

import pytest

from loom.events import NodeEvent, RunHead
from loom.model import Branch, Origin

RUN = RunHead(UUID(int=7), "photos", False)


@pytest.fixture
def run() -> RunHead:
    return RUN


@pytest.fixture
def events() -> Callable[..., list[NodeEvent]]:
    """So many events, told apart by their asset."""

    def make(count: int, *, node: str = "sha256", status: str = "COMPLETED", first: int = 0) -> list[NodeEvent]:
        return [
            NodeEvent(1_000, node, index.to_bytes(32, "big"), status, Origin.COMPUTED, Branch.PASS, 3200)
            for index in range(first, first + count)
        ]

    return make
