"""A folder that may not be read is told like one that is away, and the others are ingested."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from programs import CORTEX

NO_PRIVILEGE = ("setpriv", "--bounding-set=-dac_override,-dac_read_search", "--inh-caps=-dac_override,-dac_read_search")


@pytest.fixture
def closed(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "closed"
    folder.mkdir()
    (folder / "secret.txt").write_text("a secret")
    folder.chmod(0)
    yield folder
    folder.chmod(0o700)


def test_the_others_are_ingested(closed: Path, texts: Path, environment: dict[str, str], tmp_path: Path) -> None:
    as_root = os.geteuid() == 0
    if as_root and shutil.which("setpriv") is None:
        pytest.skip("root may read everything, and there is no setpriv to give that up")
    done = subprocess.run(
        [*(NO_PRIVILEGE if as_root else ()), *CORTEX, "ingest", str(closed), str(texts), "--json"],
        capture_output=True, env=environment, cwd=tmp_path, timeout=100, check=False,
    )  # fmt: skip
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 4, done.stderr
    assert lines[-1]["assets"]["completed"] == 2
    (failure,) = (line for line in lines if line["message_type"] == "failure")
    assert (failure["path"], failure["code"]) == (str(closed), "SOURCE_UNREACHABLE")
