from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from ingests import carry_out, definition, loom_in
from pydantic import ValidationError

from cortex.media import xmp
from cortex.operators.metadata.metadata import Metadata
from cortex.operators.sinks.sidecar import Sidecar, is_sealed
from cortex.testing import run_operator
from loom.errors import LoomError
from loom.model import State

VALUES = {"title": "metadata.title", "keywords": ["tag.labels", "metadata.keywords"], "rating": ["metadata.rating"]}


@pytest.fixture
def cup(media, tmp_path) -> Path:
    return Path(shutil.copy2(media.photo(), tmp_path / "cup.jpg"))


def write(path, node=None, *, dry_run=False, **metadata):
    upstream = {"metadata": metadata or {"title": "Cup", "rating": 3}, "tag": {"labels": ["mug"]}}
    return run_operator(node or Sidecar(values=VALUES), path, upstream=upstream, dry_run=dry_run)


@pytest.mark.parametrize("name", ["photo", "music"])
def test_side_files_of_real_files(media, real_audio, tmp_path, name):
    source = media.photo() if name == "photo" else real_audio
    path = Path(shutil.copy2(source, tmp_path / f"{name}{source.suffix}"))
    before = path.read_bytes()
    found = write(path, **run_operator(Metadata(), path).outputs)
    side = Path(f"{path}.xmp")
    assert found.outputs == {"target": str(side), "written": True}
    assert found.effects == (f"write {side}",)
    said = xmp.fields(xmp.parse(side.read_bytes()))
    assert said["keywords"] == (["mug", "cup", "table"] if name == "photo" else ["mug"])
    assert said["title"] == ("coffee" if name == "photo" else "Meadow")
    assert path.read_bytes() == before


def test_broken_files_get_one_too(broken_files):
    for path in broken_files:
        assert write(path).outputs["written"] is True


def test_json(cup):
    node = Sidecar(
        form="json", values={"iso": "metadata.iso", "all": "metadata.raw", "mug": "tag.labels"}, name="{stem}"
    )
    write(cup, node, raw={"exif": {"a": [1]}}, iso=50)
    said = json.loads((cup.parent / "cup.json").read_text())
    assert said["values"] == {"iso": 50, "all": {"exif": {"a": [1]}}, "mug": ["mug"]}
    assert len(said["blake3"]) == 64
    assert write(cup, node, raw={"exif": {"a": [1]}}, iso=50).outputs["written"] is False
    assert write(cup, node, iso=60).outputs["written"] is True


def test_a_dry_run_writes_nothing(cup):
    found = write(cup, dry_run=True)
    assert found.effects == (f"write {cup}.xmp",)
    assert [path.name for path in cup.parent.iterdir()] == ["cup.jpg"]


def test_a_repeat_writes_nothing_and_other_values_replace_it(cup):
    side = Path(f"{cup}.xmp")
    write(cup)
    first = side.stat()
    assert write(cup).outputs["written"] is False
    assert side.stat().st_mtime_ns == first.st_mtime_ns
    assert write(cup, title="Mug").outputs["written"] is True
    assert xmp.fields(xmp.parse(side.read_bytes()))["title"] == "Mug"
    assert sorted(path.name for path in cup.parent.iterdir()) == ["cup.jpg", "cup.jpg.xmp"]


@pytest.mark.parametrize("form", ["xmp", "json"])
@pytest.mark.parametrize("change", ["by hand", "another program's", "empty"])
def test_what_somebody_else_wrote_is_never_touched(cup, form, change):
    values = {"title": "metadata.title"}
    side = Path(f"{cup}.{form}")
    write(cup, Sidecar(form=form, values=values))
    assert is_sealed(side.read_bytes())
    text = {"by hand": side.read_text().replace("Cup", "My cup"), "another program's": "<x:xmpmeta/>", "empty": ""}[
        change
    ]
    side.write_text(text)
    assert write(cup, Sidecar(form=form, values=values), title="Mug").outputs["written"] is False
    with pytest.raises(LoomError, match="somebody else") as error:
        write(cup, Sidecar(form=form, values=values, foreign="fail"), title="Mug")
    assert error.value.code == "EFFECT_FAILED"
    assert side.read_text() == text


def test_a_link_in_its_place_is_not_followed(cup, tmp_path):
    other = tmp_path / "other"
    write(cup)
    Path(f"{cup}.xmp").rename(other)
    Path(f"{cup}.xmp").symlink_to(other)
    with pytest.raises(LoomError) as error:
        write(cup, title="Mug")
    assert error.value.code == "EFFECT_FAILED"
    assert "Cup" in other.read_text()


def test_another_folder(cup, tmp_path):
    node = Sidecar(values=VALUES, to=str(tmp_path / "side"), name="{kind}/{name}")
    with pytest.raises(LoomError, match="cannot be opened"):
        write(cup, node)
    (tmp_path / "side").mkdir()
    assert write(cup, node).outputs["target"] == f"{tmp_path}/side/image/cup.jpg.xmp"


def test_side_files_get_none_themselves(cup):
    write(cup)
    write(cup, Sidecar(form="json", values={"title": "metadata.title"}))
    for form in ("xmp", "json"):
        node = Sidecar(form=form, values={"title": "metadata.title"})
        assert write(Path(f"{cup}.xmp"), node).state is State.SKIPPED
        assert write(Path(f"{cup}.json"), node).state is State.SKIPPED


def test_a_document_in_json_gets_one(media, tmp_path):
    path = Path(shutil.copy2(media.paper("json"), tmp_path / "words.json"))
    assert write(path).outputs["written"] is True


def test_in_runs(media_folder, tmp_path):
    side = {"id": "side", "operator": "sink.sidecar", "config": {"values": {"title": "metadata.title"}}}
    pipeline = definition("sides", {"id": "metadata", "operator": "media.metadata"}, side)
    with loom_in(tmp_path / "loom") as loom:
        dry = carry_out(loom, media_folder, pipeline, dry_run=True)
        assert len(dry.summary["would_write"]["effects"]) == 9
        assert carry_out(loom, media_folder, pipeline).nodes("side") == {"computed": 9}
        assert len(list(media_folder.rglob("*.xmp"))) == 9
        for _ in range(2):
            assert "computed" not in carry_out(loom, media_folder, pipeline).nodes("side")
        assert len(list(media_folder.rglob("*.xmp"))) == 9


@pytest.mark.parametrize(
    "options",
    [{}, {"values": {}}, {"values": {"iso": "metadata.iso"}}, {"values": {"title": []}}, {"values": {"title": "title"}},
     {"values": {"title": "a.b"}, "name": "../x"}, {"values": {"title": "a.b"}, "form": "txt"}],
)  # fmt: skip
def test_wrong_options_are_refused(options):
    with pytest.raises(ValidationError):
        Sidecar(**options)
