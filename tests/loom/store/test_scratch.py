from __future__ import annotations

import os
import signal

from loom.store.scratch import Scratch, sweep


def test_what_a_killed_process_left_goes_and_what_is_held_stays(tmp_path, start):
    other = start("""
from loom.store.scratch import Scratch
left = Scratch("loom-x-", folder)
(left.path / "big").write_bytes(b"content")
print(left.path); sys.stdin.readline()
""")
    left = other.stdout.readline().strip()
    foreign = tmp_path / "loom-x-of-somebody-else"
    foreign.mkdir()
    with Scratch("loom-x-", tmp_path) as mine:
        assert os.path.exists(left), "it is held"
        os.kill(other.pid, signal.SIGKILL)
        other.wait()
        sweep(tmp_path, "loom-x-")
        assert not os.path.exists(left)
        assert mine.path.is_dir()
    assert list(tmp_path.iterdir()) == [foreign]
