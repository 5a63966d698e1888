from __future__ import annotations

from uuid import uuid4

import msgspec

from loom.api.publishing import Publishing
from loom.bus.frames import AckFrame, RefusalFrame
from loom.bus.hub import Hub
from loom.bus.log import BLOCK
from loom.bus.sequence import MemorySequence
from loom.errors import LoomError


class Busy(MemorySequence):
    """Refuses every second reservation."""

    tries = 0

    def reserve(self, after, count):
        self.tries += 1
        if self.tries % 2 == 0:
            raise LoomError("DATABASE_BUSY")
        return super().reserve(after, count)


def message(*runs, **more):
    events = [
        {"type": "run", "time": "2026-11-21T09:30:00.123Z", "run": str(run), "pipeline": "photos", "status": "STARTED"}
        for run in runs
    ]
    return msgspec.json.encode({"type": "publish", "publisher": str(uuid4()), "id": 1, "events": events, **more})


def test_a_message_of_several_runs_is_published_as_a_whole_or_not_at_all():
    hub = Hub(Busy())
    publishing = Publishing(hub)
    publishing.take(message(uuid4()))
    hub._log._last = hub._log._begin = BLOCK  # one number is left
    two = message(uuid4(), uuid4())
    refused = publishing.take(two)
    assert isinstance(refused, RefusalFrame)
    assert refused.retryable
    assert hub.seq == BLOCK, "nothing of it was published"
    assert publishing.take(two) == AckFrame(seq=BLOCK + 2, id=1)
    assert publishing.take(two) == AckFrame(seq=BLOCK + 2, id=1)
    assert hub.seq == BLOCK + 2
