from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from mediakit.recordings import FilmFormat, write_film
from PIL import Image
from pydantic import ValidationError
from realmedia import RealMedia

from cortex.operators.thumbnails import Thumbnail
from cortex.testing import OperatorRun, run_operator
from loom.errors import LoomError
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
    "options", [{"size": 15}, {"size": 4097}, {"format": "png"}, {"quality": 0}, {"cols": 0}, {"rows": 11}, {"x": 1}]
)
def test_options_that_are_refused(options: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Thumbnail(**options)
