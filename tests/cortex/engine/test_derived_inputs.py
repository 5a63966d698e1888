"""Nodes that look at derived files of others, in whole ingests."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from ingests import HOST, carry_out, loom_in
from PIL import Image

PRESSES = [
    {"id": "square", "operator": "image.edit", "config": {"aspect": "1:1", "width": 96, "format": "png"}},
    {"id": "mark", "operator": "media.watermark", "config": {"text": "proof", "format": "webp"}},
    {"id": "small", "operator": "media.thumbnail", "config": {"size": 64, "format": "jpeg"}},
]


@pytest.fixture
def photo(real_image: Path, tmp_path: Path) -> Path:
    path = tmp_path / "files" / "photo.jpg"
    path.parent.mkdir()
    shutil.copy2(real_image, path)
    (tmp_path / "out").mkdir()
    return path


def definition(out: Path, template: str) -> dict[str, Any]:
    copy = {"id": "copy", "operator": "sink.copy", "config": {"to": str(out), "template": template}}
    ends = [("files", "square", "in"), ("square", "mark", "file"), ("mark", "small", "file")]
    ends += [("mark", "copy", "file")]
    edges = [{"from": {"node": a}, "to": {"node": b, "port": port}} for a, b, port in ends]
    nodes = [{"id": "files", "operator": "source.filesystem"}, *PRESSES, copy]
    return {"schema_version": 1, "name": "presses", "graph": {"nodes": nodes, "edges": edges}}


def sizes(out: Path) -> dict[str, tuple[int, int]]:
    found = {}
    for path in out.iterdir():
        with Image.open(path) as picture:
            found[path.name] = picture.size
    return found


def test_what_one_node_makes_the_next_works_on(photo: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    with loom_in(tmp_path / "data") as loom:
        would = carry_out(loom, photo.parent, definition(out, "{stem}-{file}{suffix}"), dry_run=True)
        effect = f"copy watermarked of {photo} to {out}/photo-watermarked.webp"
        assert (would.summary["would_write"]["effects"], sizes(out)) == ([effect], {})
        first = carry_out(loom, photo.parent, definition(out, "{stem}-{file}{suffix}"))
        assert first.nodes("copy") == {"computed": 1}
        assert sizes(out) == {"photo-watermarked.webp": (96, 96)}
        asset = loom.asset_by_path(HOST, bytes(photo)).uuid
        small = next(one for one in loom.asset_results(asset) if one.node == "small")
        assert (small.outputs["width"], small.outputs["height"]) == (64, 64)
        again = carry_out(loom, photo.parent, definition(out, "again-{name}"))
        assert (again.nodes("mark"), again.nodes("copy")) == ({"remote": 1}, {"computed": 1})
        assert sizes(out)["again-photo.webp"] == (96, 96)
