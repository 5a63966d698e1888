"""What `cortex show` says of an asset that belongs together with others."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from ingests import carry_out, definition, loom_in
from mediakit.pictures import Shot, save_jpeg
from programs import age
from rawfiles import write_dng
from realmedia import RealMedia

from cortex.cli.looking import show


def test_the_others_are_listed(
    media: RealMedia, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "library"
    folder.mkdir()
    picture = media.picture("coffee", (60, 40))
    raw = write_dng(folder / "img.dng", picture)
    save_jpeg(picture, folder / "img.jpg", Shot(make="Meadow", model="Meadow One"))
    age(folder)
    nodes = ({"id": "metadata", "operator": "media.metadata"}, {"id": "together", "operator": "asset.group"})
    with loom_in(tmp_path / "data") as loom:
        carry_out(loom, folder, definition("together", *nodes))
        asset = {place.path: one.uuid for one in loom.assets().items for place in one.locations}
    monkeypatch.setenv("LOOM_DATA_DIR", str(tmp_path / "data"))
    assert show(str(asset[str(raw)])) == 0
    lines = capsys.readouterr().out.splitlines()
    at = lines.index("belongs together  raw, as raw")
    assert lines[at + 1].split() == ["primary", str(asset[str(folder / "img.jpg")]), str(folder / "img.jpg")]
    assert show(str(asset[str(raw)]), json=True) == 0
    (group,) = json.loads(capsys.readouterr().out)["groups"]
    assert [member["role"] for member in group["members"]] == ["primary", "raw"]
