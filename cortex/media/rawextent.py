"""How far a raw file reaches by its own word: decoders of sensor's data fill in what is missing without telling."""

from __future__ import annotations

from cortex.media.raw import directories_of
from cortex.media.rawtypes import CR2, RW2, RWL
from cortex.media.tiff import Directory

_NOWHERE = 0xFFFFFFFF
"""Where RW2 says that its strips begin, since other readers would take them for pixels."""
HEAD = 1024 * 1024
TRUE_TO_THEIR_WORD = frozenset({CR2, RW2, RWL, "image/x-adobe-dng", "image/x-nikon-nef", "image/x-sony-arw"})
"""Media types whose directories tell it rightly."""
_PLACES = ((0x111, 0x117), (0x144, 0x145), (0x118, 0x117))
"""Tags of where strips and tiles begin, and how long they are; Panasonic has an offset of its own."""


def end_of(head: bytes) -> int:
    """The end of the farthest strip or tile that the directories of a TIFF-based file name, in bytes; 0 for others."""
    if head[:2] not in (b"II", b"MM"):
        return 0
    return max((_end(entries) for entries in directories_of(head)), default=0)


def _end(entries: Directory) -> int:
    ends = [0]
    for start, length in _PLACES:
        starts, lengths = entries.get(start, ()), entries.get(length, ())
        if len(starts) == len(lengths):
            ends += [at + count for at, count in zip(starts, lengths, strict=True) if at != _NOWHERE]
    return max(ends)
