from __future__ import annotations

import os
import subprocess
from pathlib import Path

from programs import until

from cortex.shm.liveness import lives, myself, since


def test_i_live() -> None:
    pid, started = myself()
    assert pid == os.getpid()
    assert lives(pid, started)


def test_another_with_my_number_is_not_me() -> None:
    pid, started = myself()
    assert not lives(pid, started + 1)
    assert not lives(pid, 0)


def test_nobody_has_the_number_nought() -> None:
    assert since(0) == 0
    assert not lives(0, 0)


def test_who_was_killed_lives_no_more_even_while_nobody_has_waited_for_it() -> None:
    with subprocess.Popen(["sleep", "60"]) as process:
        started = since(process.pid)
        assert lives(process.pid, started)
        process.kill()
        until(lambda: not lives(process.pid, started))
        assert Path(f"/proc/{process.pid}").exists()
    assert since(process.pid) == 0


def test_the_name_of_a_program_does_not_matter(tmp_path: Path) -> None:
    program = tmp_path / "a) Z 1 (b"
    program.write_text("#!/bin/sh\nread line\n")
    program.chmod(0o755)
    with subprocess.Popen([program], stdin=subprocess.PIPE) as process:
        until(lambda: "a) Z 1 (b" in Path(f"/proc/{process.pid}/stat").read_text())
        assert since(process.pid) >= since(os.getpid())
        assert lives(process.pid, since(process.pid))
        process.communicate()
