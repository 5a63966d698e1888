from __future__ import annotations

import random

import pytest
from blake3 import blake3

from cortex.operators.identity import fastcdc
from cortex.operators.identity.fastcdc import Chunk, Chunker

GEAR = [int(word) for word in fastcdc._GEAR]


def _plain(data: bytes, average: int) -> list[Chunk]:
    """The algorithm as its definition says, byte after byte."""
    bits = average.bit_length() - 1
    chunks, start = [], 0
    for end in range(1, len(data) + 1):
        window = data[max(end - 32, 0) : end]
        value = sum(GEAR[byte] << age for age, byte in enumerate(reversed(window))) & 0xFFFFFFFF
        length = end - start
        zero = bits + 2 if length <= average else bits - 2
        if (length >= average // 4 and value >> (32 - zero) == 0) or length == average * 8 or end == len(data):
            chunks.append(Chunk(start, length, blake3(data[start:end]).digest()))
            start = end
    return chunks


def _chunks(data: bytes, average: int, *pieces: int) -> list[Chunk]:
    chunker = Chunker(average)
    start = 0
    for piece in (*pieces, len(data)):
        chunker.update(memoryview(data)[start : start + piece])
        start += piece
    return chunker.chunks()


def _noise(size: int, seed: int = 1) -> bytes:
    return random.Random(seed).randbytes(size)


@pytest.mark.parametrize("data", [b"", b"x", _noise(40_000), bytes(40_000), _noise(3000) * 8, b"ab" * 9000])
def test_the_quick_way_gives_what_the_definition_says(data: bytes) -> None:
    assert _chunks(data, 512) == _plain(data, 512)


def test_pieces_make_no_difference() -> None:
    data = _noise(500_000)
    whole = _chunks(data, 4096)
    assert _chunks(data, 4096, 1, 30, 31, 32, 33, 65_536, 100_000, 1) == whole
    assert sum(chunk.length for chunk in whole) == len(data)


def test_lengths() -> None:
    chunks = _chunks(_noise(4_000_000), 16_384)
    lengths = [chunk.length for chunk in chunks]
    assert min(lengths[:-1]) >= 4096
    assert max(lengths) <= 131_072
    assert 0.7 < (sum(lengths) / len(lengths)) / 16_384 < 1.4
    assert {chunk.length for chunk in _chunks(bytes(4_000_000), 16_384)[:-1]} == {131_072}


def test_an_insertion_changes_only_the_chunks_around_it() -> None:
    data = _noise(2_000_000)
    before = {chunk.digest for chunk in _chunks(data, 16_384)}
    after = {chunk.digest for chunk in _chunks(data[:1_000_000] + b"inserted" + data[1_000_000:], 16_384)}
    assert len(after - before) <= 3
    assert len(before & after) > 0.95 * len(before)


def test_the_table_and_the_boundaries_never_change() -> None:
    """A change would make stored chunk lists worthless: it needs another version of the operator."""
    assert blake3(fastcdc._GEAR.astype("<u4").tobytes()).hexdigest()[:16] == "ff71efc020a80ac4"
    chunker = Chunker(4096)
    chunker.update(memoryview(_noise(100_000)))
    assert chunker.digest().hex()[:16] == "a924ee0ba2566d18"
