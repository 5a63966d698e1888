"""What was begun with content and given up."""

from __future__ import annotations

import time
from typing import NamedTuple

from loom.events import NodeEvent
from loom.graph.plan import Plan
from loom.model import Origin


class Begun(NamedTuple):
    """Steps that were told to the bus as STARTED for content whose walk was given up, and why it was."""

    steps: set[int]
    why: tuple[str, str]

    def ended(self, plan: Plan, asset: bytes) -> list[NodeEvent]:
        """The events that end them."""
        nodes = [plan.steps[step].node for step in sorted(self.steps)]
        return [
            NodeEvent(time.time_ns() // 1000, node, asset, "FAILED", Origin.COMPUTED, error=self.why) for node in nodes
        ]
