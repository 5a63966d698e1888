from __future__ import annotations

import os
import resource
import tempfile
from collections.abc import Iterator

import pytest
from sandboxes import in_child

from cortex.media.spill import Pile, Scratch, Written
from loom.errors import LoomError
from loom.verbs import Descriptor, Parts


@pytest.fixture
def file() -> Iterator[Descriptor]:
    with tempfile.TemporaryFile() as opened:
        yield Descriptor(os.dup(opened.fileno()))


def test_a_pile_is_read_as_it_was_made_wherever_it_lies(file: Descriptor) -> None:
    small, large = Pile(Scratch(None)), Pile(Scratch(file, in_memory=1_500_000))
    added = [bytes([number]) * 300_000 for number in range(12)]
    for pile in (small, large):
        for piece in added:
            pile.add(piece)
        assert b"".join(pile.blocks()) == b"".join(added)
        assert all(len(block) % 300_000 == 0 for block in pile.blocks())
    assert os.fstat(file.fileno()).st_size == 2_400_000, "the rest has room in memory"


@pytest.mark.parametrize("in_memory", [1_000_000, 1000, 10])
def test_what_is_written_may_be_changed_and_put_in_another_order(file: Descriptor, in_memory: int) -> None:
    scratch = Scratch(file, in_memory)
    scratch.add(b"others'")
    written = Written(scratch)
    written.write(b"HEAD----")
    for number in range(300):
        written.write(bytes([number % 256]) * 10)
    written.seek(4)
    written.write(b"1234")
    written.seek(0, os.SEEK_END)
    written.write(b"TAIL")
    assert (written.size, written.tell(), written.read_at(0, 8)) == (3012, 3012, b"HEAD1234")
    made = written.taken((3008, 4), b"new", (0, 8), (8, 3000), (5, 0))
    data = made.read() if isinstance(made, Parts) else made
    assert data == b"TAILnewHEAD1234" + b"".join(bytes([number % 256]) * 10 for number in range(300))
    assert isinstance(made, Parts) is (in_memory < 3012)


def test_without_a_file_only_what_has_room_in_memory_is_made() -> None:
    written = Written(Scratch(None, in_memory=100))
    written.write(bytes(100))
    with pytest.raises(LoomError) as caught:
        written.write(b"x")
    assert caught.value.code == "FILE_TOO_LARGE"


def test_beyond_what_the_system_allows_it_is_too_large(file: Descriptor) -> None:
    def work() -> bool:
        resource.setrlimit(resource.RLIMIT_FSIZE, (5000, 5000))
        written = Written(Scratch(file, in_memory=100))
        written.write(bytes(4000))
        try:
            written.write(bytes(4000))
        except LoomError as error:
            return error.code == "FILE_TOO_LARGE"
        return False

    assert in_child(work) == 0


def test_parts_of_a_file_that_became_shorter_are_not_taken_for_whole(file: Descriptor) -> None:
    parts = Scratch(file).parts((Scratch(file).add(b"some bytes"),))
    assert (parts.size, parts.read()) == (10, b"some bytes")
    os.ftruncate(file.fileno(), 4)
    with pytest.raises(LoomError) as caught:
        parts.read()
    assert caught.value.code == "READ_FAILED"
