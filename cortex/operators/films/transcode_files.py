"""Joining encoded pictures and sound into a file."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from heapq import merge
from typing import Any

import av

from cortex.media.isobox import Box, boxes
from cortex.media.spill import Written, scratch
from cortex.operators.films.transcode_tracks import Track
from loom.parts import Parts

_TOLD_EVERY = 1000
_TABLES = (b"moov", b"trak", b"mdia", b"minf", b"stbl")


def joined(tracks: list[Track], container: str, progress: Callable[[float], None]) -> bytes | Parts:
    """The tracks as one file of that format, of MP4 with the index at its start, so that it can be played while it is
    fetched. `progress` is told now and then that it goes on."""
    file = Written(scratch())
    with av.open(file, "w", format=container, options={"fflags": "+bitexact"}) as out:
        streams = [out.add_stream_from_template(track.stream) for track in tracks]
        packets = merge(*(_packets(track, at) for at, track in enumerate(tracks)))
        for count, (_, number, packet) in enumerate(packets):
            packet.stream = streams[number]
            out.mux(packet)
            if not count % _TOLD_EVERY:
                progress(1.0)
    return index_first(file) if container == "mp4" else file.taken((0, file.size))


def _packets(track: Track, number: int) -> Iterator[tuple[float, int, Any]]:
    """With their times; those of a track are in order, and no two tracks have the same number."""
    last = 0.0
    for packet in track.packets():
        if packet.dts is not None:
            last = float(packet.dts * packet.time_base)
        yield last, number, packet


def index_first(file: Written) -> bytes | Parts:
    """An MP4 file (ISO/IEC 14496-12) with the box `moov` before the media; the places of the media, which stand in
    `stco` and `co64`, are moved accordingly. One in which they have no room then stays as it is."""
    outer = list(boxes(file.read_at, 0, file.size))
    moov = next(box for box in outer if box.type == b"moov")
    media = next(box for box in outer if box.type == b"mdat")
    begin = media.start - (16 if file.read_at(media.start - 16, 4) == b"\0\0\0\1" else 8)
    before = moov.start - 8
    index = bytearray(file.read_at(before, moov.end - before))
    try:
        for table in _tables(index):
            _move(index, table, len(index))
    except struct.error:
        return file.taken((0, file.size))
    return file.taken((0, begin), bytes(index), (begin, before - begin), (moov.end, file.size - moov.end))


def _tables(index: bytearray) -> Iterator[Box]:
    """The boxes that hold places in the file."""

    def below(start: int, end: int, names: tuple[bytes, ...]) -> Iterator[Box]:
        for box in boxes(lambda offset, count: bytes(index[offset : offset + count]), start, end):
            if names and box.type == names[0]:
                yield from below(box.start, box.end, names[1:])
            elif not names and box.type in (b"stco", b"co64"):
                yield box

    return below(0, len(index), _TABLES)


def _move(index: bytearray, table: Box, by: int) -> None:
    count = int.from_bytes(index[table.start + 4 : table.start + 8], "big")
    form = f">{count}{'I' if table.type == b'stco' else 'Q'}"
    places = struct.unpack_from(form, index, table.start + 8)
    struct.pack_into(form, index, table.start + 8, *(place + by for place in places))
