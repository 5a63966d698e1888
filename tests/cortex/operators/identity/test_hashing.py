from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Any

import pytest
from blake3 import blake3

from cortex.media import Media
from cortex.media.wants import together
from cortex.node import MediaNode, NodeContext
from cortex.operators.identity.hashing import Blake3, Md5, Sha256, Sha512
from cortex.testing import run_operator

NODES: list[tuple[MediaNode[Any], str, Any]] = [
    (Sha256(), "sha256", hashlib.sha256),
    (Sha512(), "sha512", hashlib.sha512),
    (Md5(), "md5", hashlib.md5),
    (Blake3(), "blake3", blake3),
]


@pytest.mark.parametrize(("node", "key", "make"), NODES)
@pytest.mark.parametrize("size", [0, 1, 300_000])
def test_digests(tmp_path: Path, node: MediaNode[Any], key: str, make: Any, size: int) -> None:
    path = tmp_path / "file"
    path.write_bytes(os.urandom(size))
    assert node.operator == f"hash.{key}"
    assert run_operator(node, path).outputs == {key: make(path.read_bytes()).hexdigest()}


def test_a_published_digest(tmp_path: Path) -> None:
    path = tmp_path / "abc"
    path.write_bytes(b"abc")
    digest = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert run_operator(Sha256(), path).outputs["sha256"] == digest


def test_all_digests_of_a_plan_come_from_one_read(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"content")
    with Media.open_path(os.fsencode(path), together(node.wants() for node, _, _ in NODES)) as media:
        media.identify(all_streams=True)
        os.truncate(path, 0)
        for node, key, make in NODES:
            context = NodeContext(node.id, {})
            node.compute(context, media)
            assert context.outputs == {key: make(b"content").hexdigest()}
