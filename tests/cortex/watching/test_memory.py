import os
from pathlib import Path

from cortex.watching.memory import Memory

ONE, OTHER = b"1" * 32, b"2" * 32


def test_a_file_is_remembered_as_it_was_once_the_round_was_carried_out(tmp_path: Path) -> None:
    path, memory = tmp_path / "file", Memory()
    path.write_text("some")
    key, status = bytes(path), path.stat()
    memory.begin()
    assert not memory.has(ONE, key, status)
    memory.hand_on(key, status)
    memory.begin()
    assert not memory.has(ONE, key, status), "that round broke off"
    memory.hand_on(key, status)
    memory.keep(())
    assert memory.has(ONE, key, status)
    assert not memory.has(ONE, key + b"2", status)
    os.utime(path, (5, 5))
    assert not memory.has(ONE, key, path.stat())


def test_other_pipelines_have_not_seen_it(tmp_path: Path) -> None:
    memory, status = Memory(), tmp_path.stat()
    memory.hand_on(b"/a", status)
    memory.keep(())
    assert not memory.has(ONE, b"/a", status)
    memory.hand_on(b"/a", status)
    memory.keep(())
    assert memory.has(ONE, b"/a", status)
    assert not memory.has(OTHER, b"/a", status)
    assert not memory.has(ONE, b"/a", status), "it went through the other ones meanwhile, maybe"


def test_what_is_to_be_tried_again_is_not_remembered(tmp_path: Path) -> None:
    memory, status = Memory(), tmp_path.stat()
    assert not memory.has(ONE, b"/a", status)
    for path in (b"/a", b"/\xff"):
        memory.hand_on(path, status)
    memory.keep({"/\ufffd"})
    assert [memory.has(ONE, path, status) for path in (b"/a", b"/\xff")] == [True, False]
