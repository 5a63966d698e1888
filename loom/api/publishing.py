"""Takes what workers publish: checked as a whole, published once even when it is sent twice."""

from __future__ import annotations

import threading
from collections import OrderedDict
from uuid import UUID

from loom.bus.decoding import batches_of, progress_of, read_publish
from loom.bus.frames import AckFrame, Answer, PublishFrame, RefusalFrame
from loom.bus.hub import Hub
from loom.errors import LoomError

_MOST_PUBLISHERS = 1000


class Publishing:
    """One for all connections: a worker that lost its connection sends its last message again over another one. Safe
    for threads."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._lock = threading.Lock()
        self._last: OrderedDict[UUID, AckFrame] = OrderedDict()

    def take(self, text: str | bytes) -> Answer:
        try:
            message = read_publish(text)
        except LoomError as error:
            return refusal(error)
        try:
            return self._publish(message)
        except LoomError as error:
            return refusal(error, message.id)

    def _publish(self, message: PublishFrame) -> AckFrame:
        if message.publisher is None or message.id is None:
            return self._tell(message)
        with self._lock:
            before = self._last.get(message.publisher)
            if before is not None and before.id is not None and message.id <= before.id:
                return AckFrame(seq=before.seq, id=message.id)
            ack = self._last[message.publisher] = self._tell(message)
            self._last.move_to_end(message.publisher)
            if len(self._last) > _MOST_PUBLISHERS:
                self._last.popitem(last=False)
        return ack

    def _tell(self, message: PublishFrame) -> AckFrame:
        seq = self._hub.publish_all(batches_of(message))
        for run, progress in progress_of(message):
            self._hub.progress(run, progress)
        return AckFrame(seq=seq, id=message.id)


def refusal(error: LoomError, id: int | None = None) -> RefusalFrame:  # noqa: A002
    return RefusalFrame(code=error.code, message=error.message, retryable=error.retryable, id=id)
