"""What comes out of the packets of one stream."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import av
from av.container import InputContainer
from av.stream import Stream


def decoded(
    source: InputContainer, stream: Stream, *, most_errors: int, most_packets: int = sys.maxsize
) -> Iterator[Any]:
    """Frames from where `source` stands; damaged packets are passed over, a limited number of them."""
    errors = 0
    packets = source.demux(stream)
    for _ in range(most_packets):
        try:
            packet = next(packets, None)
            if packet is None:
                return
            frames = packet.decode()
        except EOFError:
            return
        except av.FFmpegError:
            errors += 1
            if errors > most_errors:
                return
            continue
        yield from frames
