"""Names that are no UTF-8 go through every sink that touches files."""

from __future__ import annotations

import os
import shutil

import msgspec
import pytest

from cortex.operators.sinks.copying import Copy
from cortex.operators.sinks.moving import Move
from cortex.operators.sinks.sidecar import Sidecar
from cortex.testing import run_operator

NAME = b"caf\xe9 \n.jpg"


@pytest.fixture
def folder(real_image, tmp_path) -> bytes:
    folder = os.fsencode(tmp_path / "files")
    os.mkdir(folder)
    shutil.copy2(real_image, os.path.join(folder, NAME))
    return folder


@pytest.mark.parametrize(
    ("node", "made"),
    [
        (lambda to: Copy(to=to, template="{kind}/{name}"), b"image/" + NAME),
        (lambda to: Move(to=to, template="{kind}/{name}", confirm=True), b"image/" + NAME),
        (lambda to: Sidecar(to=to, values={"title": "m.title"}), NAME + b".xmp"),
    ],
)
def test_the_name_stays_and_what_is_told_is_text(folder, tmp_path, node, made):
    (tmp_path / "target").mkdir()
    found = run_operator(node(str(tmp_path / "target")), os.path.join(folder, NAME), upstream={"m": {"title": "a"}})
    assert os.path.exists(os.path.join(os.fsencode(tmp_path), b"target", made))
    assert msgspec.json.decode(msgspec.json.encode(found.outputs)) == found.outputs
    assert [effect.encode() for effect in found.effects]
