from __future__ import annotations

import io
import itertools
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from mediakit.recordings import FilmFormat, write_film
from PIL import Image
from pydantic import ValidationError
from realmedia import RealMedia

from cortex.catalogue import load
from cortex.contract import normalise
from cortex.media import Media
from cortex.media.wants import together
from cortex.node import NodeContext
from cortex.operators.films.scenes import Scenes
from cortex.operators.pictures.thumbnail_crops import around
from cortex.operators.pictures.thumbnails import Thumbnail
from cortex.testing import OperatorRun, run_operator
from loom.errors import LoomError
from loom.graph.compiler import compile_definition
from loom.model import State


def _shown(run: OperatorRun) -> Image.Image:
    artifact = run.artifact("thumbnail")
    image = Image.open(io.BytesIO(artifact.data))
    assert Image.MIME[image.format or ""] == artifact.media_type == run.outputs["media_type"]
    assert image.size == (run.outputs["width"], run.outputs["height"])
    assert image.mode == "RGB"
    return image


@pytest.mark.parametrize("form", ["webp", "jpeg"])
def test_a_photo(media: RealMedia, form: str) -> None:
    run = run_operator(Thumbnail(size=256, format=form), media.photo(size=(600, 400), orientation=6))
    image = _shown(run)
    wanted = media.picture("coffee", (256, 171))
    assert run.outputs["source"] == "image"
    assert np.abs(np.asarray(image).astype(int) - np.asarray(wanted).astype(int)).mean() < 6


def test_quality_decides_the_size(media: RealMedia) -> None:
    sizes = [len(run_operator(Thumbnail(quality=q), media.photo()).artifacts[0].data) for q in (20, 80, 95)]
    assert sizes == sorted(sizes)
    assert sizes[0] < sizes[2] / 2


def test_a_contact_sheet(tmp_path: Path) -> None:
    """Cells in reading order, black between them."""
    frames = [Image.new("RGB", (64, 32), (20 + n * 40,) * 3) for n in range(6)]
    film = write_film(tmp_path / "film.mp4", frames, FilmFormat(fps=1, gop=1))
    run = run_operator(Thumbnail(size=100, cols=3, rows=2), film)
    sheet = np.asarray(_shown(run).convert("L")).astype(int)
    assert run.outputs["source"] == "contact-sheet"
    assert run.outputs["width"] == 100
    cells = [sheet[8 + row * 18, 16 + col * 34] for row in range(2) for col in range(3)]
    assert cells == pytest.approx([20, 60, 100, 140, 180, 220], abs=12)
    assert sheet[8, 32:34].max() < 40


@pytest.mark.parametrize(("cols", "rows"), [(1, 1), (2, 5), (10, 10), (5, 1)])
@pytest.mark.parametrize("name", ["h264", "h264-turned"])
def test_sheets_of_any_shape_keep_the_size(media: RealMedia, name: str, cols: int, rows: int) -> None:
    run = run_operator(Thumbnail(size=160, cols=cols, rows=rows), media.film(name))
    assert 140 <= max(_shown(run).size) <= 160


@pytest.mark.parametrize("size", [16, 17, 30, 57])
@pytest.mark.parametrize(("cols", "rows"), [(10, 1), (1, 10), (10, 10)])
def test_cells_that_do_not_fit_are_left_out(media: RealMedia, size: int, cols: int, rows: int) -> None:
    run = run_operator(Thumbnail(size=size, cols=cols, rows=rows), media.film("h264"))
    assert size // 2 <= max(_shown(run).size) <= size


def test_a_smaller_sheet_for_few_frames(tmp_path: Path) -> None:
    film = write_film(tmp_path / "film.mp4", [Image.new("RGB", (64, 32))], FilmFormat(fps=1))
    assert _shown(run_operator(Thumbnail(size=64), film)).size == (64, 32)


def test_sound_with_a_cover(media: RealMedia) -> None:
    run = run_operator(Thumbnail(size=128), media.sound("flac"))
    assert (run.outputs["source"], _shown(run).size) == ("cover", (128, 128))


def test_sound_without_a_cover(media: RealMedia) -> None:
    run = run_operator(Thumbnail(size=128), media.sound("wav"))
    drawn = np.asarray(_shown(run).convert("L")).astype(int)
    assert (run.outputs["source"], drawn.shape) == ("waveform", (32, 128))
    reach = (drawn > 90).sum(axis=0)
    assert reach.max() > 3 * max(reach.min(), 1)


def test_a_damaged_cover_is_replaced_by_the_waveform(media: RealMedia, tmp_path: Path) -> None:
    data = bytearray(media.sound("flac").read_bytes())
    start = data.index(b"\xff\xd8\xff")
    data[start : start + 600] = bytes(600)
    path = tmp_path / "sound"
    path.write_bytes(data)
    assert run_operator(Thumbnail(size=64), path).outputs["source"] == "waveform"


def test_drawings_and_other_kinds_are_skipped(media: RealMedia, tmp_path: Path) -> None:
    drawing = tmp_path / "drawing.svg"
    drawing.write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
    for path in (drawing, media.paper("txt"), media.paper("pdf")):
        assert run_operator(Thumbnail(), path).state is State.SKIPPED


def test_a_damaged_picture_fails(media: RealMedia, tmp_path: Path) -> None:
    path = tmp_path / "photo.jpg"
    path.write_bytes(media.photo().read_bytes()[:50_000])
    with pytest.raises(LoomError) as caught:
        run_operator(Thumbnail(), path)
    assert caught.value.code == "FILE_TRUNCATED"


@pytest.mark.parametrize(
    "options",
    [
        {"size": 15}, {"size": 4097}, {"format": "png"}, {"quality": 0}, {"cols": 0}, {"rows": 11}, {"x": 1},
        {"sizes": [8]}, {"sizes": [64] * 9}, {"aspect": "1"}, {"focus": "faces"}, {"focus": [2, 0]}, {"preview": 1},
    ],
)  # fmt: skip
def test_options_that_are_refused(options: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Thumbnail(**options)


def test_several_sizes_of_one_decode(media: RealMedia) -> None:
    photo = media.photo(size=(1200, 800))
    run = run_operator(Thumbnail(size=128, sizes=[1024, 64]), photo)
    sizes = {artifact.name: Image.open(io.BytesIO(artifact.data)).size for artifact in run.artifacts}
    assert sizes == {"thumbnail": (128, 85), "thumbnail-1024": (1024, 683), "thumbnail-64": (64, 43)}
    assert (run.outputs["width"], run.outputs["height"]) == (128, 85)
    large = Image.open(io.BytesIO(run.artifact("thumbnail-1024").data))
    wanted = media.picture("coffee", (1024, 683))
    assert np.abs(np.asarray(large).astype(int) - np.asarray(wanted).astype(int)).mean() < 6


def test_several_sizes_of_films_and_sound(media: RealMedia) -> None:
    for path, source in ((media.film("h264"), "contact-sheet"), (media.sound("wav"), "waveform")):
        run = run_operator(Thumbnail(size=160, sizes=[400]), path)
        small, large = (max(Image.open(io.BytesIO(artifact.data)).size) for artifact in run.artifacts)
        assert run.outputs["source"] == source
        assert 150 <= small <= 160
        assert 380 <= large <= 400


def _told(*boxes: tuple[float, float, float, float]) -> dict[str, dict[str, Any]]:
    return {"faces": {"faces": [{"box": list(box), "score": 0.9} for box in boxes], "count": len(boxes)}}


def test_a_cut_keeps_faces(media: RealMedia) -> None:
    """The astronaut's is at the left of the middle; told to be elsewhere, the cut goes there."""
    path, options = media.images["astronaut"], {"size": 200, "quality": 95, "aspect": "1:3"}
    picture = media.picture("astronaut")
    for left in (0.02, 0.35, 0.8):
        run = run_operator(Thumbnail(focus="faces", **options), path, upstream=_told((left, 0.1, 0.15, 0.2)))
        middle = min(max((left + 0.075) * 512, 512 / 6), 512 - 512 / 6)
        part = picture.crop((round(middle - 512 / 6), 0, round(middle + 512 / 6), 512))
        image = _shown(run)
        wanted = np.asarray(part.resize(image.size)).astype(int)
        assert np.abs(np.asarray(image).astype(int) - wanted).mean() < 6


def test_of_many_faces_a_cut_keeps_all_or_the_large_ones() -> None:
    def middle(*boxes: tuple[float, float, float, float]) -> float:
        found = around([{"box": list(box)} for box in boxes], 0.5, (200, 100))
        assert found is not None
        assert found[1] == pytest.approx(0.5)
        return found[0]

    assert middle((0.30, 0, 0.05, 0.1), (0.40, 0, 0.05, 0.1)) == pytest.approx(0.375), "both, in the middle"
    assert middle((0.0, 0, 0.1, 0.2), (0.8, 0, 0.2, 0.4)) > 0.8, "a quarter of the width has room for one"
    assert middle((0.0, 0, 0.15, 0.3), (0.8, 0, 0.1, 0.2)) == pytest.approx(0.125, abs=0.05)
    assert around([], 1.0, (200, 100)) is None
    assert around([{"no": "box"}, None], 1.0, (200, 100)) is None


def test_without_faces_the_focus_is_what_it_was(media: RealMedia) -> None:
    path = media.images["astronaut"]
    plain = run_operator(Thumbnail(size=90, aspect="1:3", focus="detail"), path).artifact("thumbnail").data
    for upstream in ({}, _told()):
        node = Thumbnail(size=90, aspect="1:3", focus="detail", faces="faces.faces")
        assert run_operator(node, path, upstream=upstream).artifact("thumbnail").data == plain
    assert Thumbnail(aspect="1:1", focus="faces").named_nodes() == ("faces",)
    assert Thumbnail(aspect="1:1").named_nodes() is None


def test_a_missing_node_of_faces_is_said_before_anything_is_done() -> None:
    def problems(*between: dict[str, Any]) -> list[str]:
        thumbnail = {"id": "small", "operator": "media.thumbnail", "config": {"aspect": "1:1", "focus": "faces"}}
        nodes = [{"id": "files", "operator": "source.filesystem"}, *between, thumbnail]
        edges = [{"from": {"node": a["id"]}, "to": {"node": b["id"]}} for a, b in itertools.pairwise(nodes)]
        document = {"schema_version": 1, "name": "small", "graph": {"nodes": nodes, "edges": edges}}
        found = compile_definition(document, load()).diagnostics
        return [f"{one.node}: {one.message}" for one in found if one.level == "error"]

    (problem,) = problems()
    assert problem.startswith("small:")
    assert "'faces'" in problem
    assert not [one for one in problems({"id": "faces", "operator": "vision.faces"}) if one.startswith("small")]


@pytest.mark.parametrize(("aspect", "size"), [("1:1", (100, 100)), ("2:1", (100, 50)), ("1:2", (50, 100))])
def test_a_shape(media: RealMedia, aspect: str, size: tuple[int, int]) -> None:
    image = _shown(run_operator(Thumbnail(size=100, aspect=aspect, quality=95), media.photo(orientation=6)))
    assert image.size == size
    whole = media.picture("coffee", (150, 100))
    wanted = {
        "1:1": whole.crop((25, 0, 125, 100)),
        "2:1": whole.crop((0, 12, 150, 88)).resize((100, 50)),
        "1:2": whole.crop((50, 0, 100, 100)),
    }
    assert np.abs(np.asarray(image).astype(int) - np.asarray(wanted[aspect]).astype(int)).mean() < 6


def test_the_shape_of_a_cover_and_of_a_small_picture(media: RealMedia, tmp_path: Path) -> None:
    assert _shown(run_operator(Thumbnail(size=90, aspect="3:1"), media.sound("flac"))).size == (90, 30)
    media.picture("coffee", (60, 40)).save(path := tmp_path / "small.png")
    assert _shown(run_operator(Thumbnail(size=512, aspect="1:1"), path)).size == (40, 40), "nothing is enlarged"


@pytest.mark.parametrize("place", [0, 130, 300])
def test_a_cut_keeps_detail_or_a_point(media: RealMedia, tmp_path: Path, place: int) -> None:
    picture = Image.new("RGB", (400, 100), (120, 140, 160))
    picture.paste(media.picture("astronaut", (100, 100)), (place, 0))
    picture.save(path := tmp_path / "wide.png")
    for focus in ("detail", [(place + 50) / 400, 0.5]):
        image = _shown(run_operator(Thumbnail(size=100, aspect="1:1", focus=focus, quality=95), path))
        ground = np.abs(np.asarray(image).astype(int) - (120, 140, 160)).max(axis=2) < 6
        assert ground.all(axis=0).sum() <= 5, "some columns at most"


def test_of_equal_parts_the_middle_is_kept(tmp_path: Path) -> None:
    picture = Image.new("RGB", (300, 100), "white")
    picture.paste("black", (148, 48, 152, 52))
    picture.save(path := tmp_path / "plain.png")
    image = _shown(run_operator(Thumbnail(size=100, aspect="1:1", focus="detail"), path))
    assert np.asarray(image.convert("L"))[45:55, 45:55].min() < 60


@pytest.mark.parametrize("name", ["h264", "vp9", "one-key-frame"])
def test_an_animated_preview(media: RealMedia, name: str) -> None:
    run = run_operator(Thumbnail(size=400, preview=True), media.film(name))
    preview = run.artifact("preview")
    image = Image.open(io.BytesIO(preview.data))
    assert (preview.media_type, image.format, image.size) == ("image/webp", "WEBP", (320, 180))
    assert 2 <= run.outputs["preview_frames"] == image.n_frames <= 12  # type: ignore[attr-defined]
    shades = []
    for number in range(run.outputs["preview_frames"]):
        image.seek(number)
        image.load()
        shades.append(np.asarray(image.convert("L")).astype(int))
        assert image.info["duration"] == 500
    assert all(np.abs(one - other).mean() > 0.5 for one, other in zip(shades, shades[1:], strict=False))


def test_there_is_no_preview_of_what_does_not_move(media: RealMedia, tmp_path: Path) -> None:
    film = write_film(tmp_path / "film.mp4", [Image.new("RGB", (64, 32))], FilmFormat(fps=1))
    for path in (film, media.photo(), media.sound("flac")):
        run = run_operator(Thumbnail(size=64, preview=True), path)
        assert [artifact.name for artifact in run.artifacts] == ["thumbnail"]
        assert "preview_frames" not in run.outputs


def test_options_that_came_later_leave_signatures_as_they_were() -> None:
    config, problems = normalise(Thumbnail.options_model, {"size": 512})
    assert config == {"enabled": True, "size": 512, "format": "webp", "quality": 80, "cols": 3, "rows": 3}
    assert not problems
    config, _ = normalise(Thumbnail.options_model, {"sizes": [64], "aspect": "1:1", "focus": "detail", "preview": True})
    assert config["sizes"] == [64]
    assert (config["aspect"], config["focus"], config["preview"]) == ("1:1", "detail", True)


@pytest.mark.parametrize("name", ["bikes", "bigbuckbunny"])
def test_the_sheet_is_the_same_where_others_watch_the_film(media: RealMedia, name: str) -> None:
    node, scenes = Thumbnail(preview=True), Scenes(pictures=0)
    path = media.films[name]
    alone = run_operator(node, path)
    context = NodeContext("thumbnail", {})
    with Media.open_path(os.fsencode(path), together([node.wants(), scenes.wants()])) as film:
        node.compute(context, film)
        assert film.played[0] is not None, "in the same pass"
        assert context.outputs == alone.outputs
        assert tuple(context.artifacts) == alone.artifacts
