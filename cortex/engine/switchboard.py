"""All lines on which the supervisor waits at once: to its workers, to their server, and for a call to wake up."""

from __future__ import annotations

import selectors
import socket
from contextlib import suppress
from typing import NamedTuple

from cortex.engine.crew import Hand


class Calls(NamedTuple):
    """Who called: workers that said something or hung up, and whether there is news of their server."""

    hands: list[Hand]
    news: bool


class Switchboard:
    """Not thread-safe but for `wake`."""

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()
        self._wake_r, self._wake_w = socket.socketpair()
        self._wake_r.setblocking(False)
        self._wake_w.setblocking(False)
        self._selector.register(self._wake_r, selectors.EVENT_READ)
        self._interests: dict[Hand, int] = {}
        self._control: socket.socket | None = None

    def wake(self) -> None:
        """Ends `wait`, also from another thread or a signal handler."""
        with suppress(OSError):
            self._wake_w.send(b"\0")

    def watch(self, hand: Hand) -> None:
        """Waits for what a worker says, and while something waits to be sent to it, until it can be."""
        interest = selectors.EVENT_READ | (selectors.EVENT_WRITE if hand.line.has_more_to_send else 0)
        known = self._interests.get(hand)
        if known is None:
            self._selector.register(hand.line, interest, hand)
        elif known != interest:
            self._selector.modify(hand.line, interest, hand)
        self._interests[hand] = interest

    def unwatch(self, hand: Hand) -> None:
        if self._interests.pop(hand, None) is not None:
            self._selector.unregister(hand.line)

    def watch_control(self, control: socket.socket | None) -> None:
        """Waits for news on this socket instead of the one before."""
        if control is self._control:
            return
        if self._control is not None:
            self._selector.unregister(self._control)
        if control is not None:
            self._selector.register(control, selectors.EVENT_READ)
        self._control = control

    def wait(self, timeout: float) -> Calls:
        """Waits up to `timeout` seconds; sends what can be sent meanwhile."""
        hands: list[Hand] = []
        news = False
        for key, events in self._selector.select(timeout):
            if isinstance(key.data, Hand):
                if events & selectors.EVENT_WRITE:
                    key.data.line.flush()
                    self.watch(key.data)
                if events & selectors.EVENT_READ:
                    hands.append(key.data)
            elif key.fileobj is self._wake_r:
                with suppress(BlockingIOError):
                    self._wake_r.recv(4096)
            else:
                news = True
        return Calls(hands, news)

    def close(self) -> None:
        self._selector.close()
        self._wake_r.close()
        self._wake_w.close()
