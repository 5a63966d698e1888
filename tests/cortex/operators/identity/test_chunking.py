from __future__ import annotations

import os
from pathlib import Path

import msgspec
import pytest
from blake3 import blake3
from pydantic import ValidationError

from cortex.operators.identity.chunking import ChunkHash
from cortex.testing import run_operator


def test_a_short_list_is_an_output(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(os.urandom(200_000))
    run = run_operator(ChunkHash(average=4096), path)
    chunks = run.outputs["chunks"]
    assert run.outputs["algorithm"] == "fastcdc-gear32-nc2-v1-4096"
    assert run.outputs["count"] == len(chunks)
    assert run.outputs["average"] == 200_000 // len(chunks)
    data = path.read_bytes()
    assert all(blake3(data[at : at + length]).hexdigest() == digest for at, length, digest in chunks)
    assert not run.artifacts


def test_a_long_list_is_an_artifact(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(os.urandom(6_000_000))
    run = run_operator(ChunkHash(average=4096), path)
    artifact = run.artifact("chunks")
    assert "chunks" not in run.outputs
    assert artifact.media_type == "application/json"
    chunks = msgspec.json.decode(artifact.data)
    assert len(chunks) == run.outputs["count"]
    assert sum(length for _, length, _ in chunks) == 6_000_000


def test_an_empty_file(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"")
    outputs = run_operator(ChunkHash(), path).outputs
    assert (outputs["count"], outputs["average"], outputs["chunks"]) == (0, 0, [])
    assert outputs["digest"] == blake3().hexdigest()


@pytest.mark.parametrize("average", [2048, 5000, 2**25])
def test_averages_that_are_refused(average: int) -> None:
    with pytest.raises(ValidationError):
        ChunkHash(average=average)


def test_two_averages_do_not_share_a_reader() -> None:
    assert set(ChunkHash(average=4096).wants().streams).isdisjoint(ChunkHash(average=8192).wants().streams)
