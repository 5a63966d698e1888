from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageFont
from pydantic import ValidationError
from realmedia import VARIANTS, RealMedia

from cortex.operators.pictures.image_edit import ImageEdit
from cortex.operators.pictures.thumbnails import Thumbnail
from cortex.operators.pictures.watermark import Watermark
from cortex.testing import OperatorRun, derived, run_operator
from loom.errors import LoomError
from loom.model import State


@pytest.fixture
def font(tmp_path: Path) -> Path:
    """The font that comes with Pillow, as a file of one's own."""
    loaded = ImageFont.load_default(20)
    assert isinstance(loaded, ImageFont.FreeTypeFont)
    path = tmp_path / "font.ttf"
    path.write_bytes(loaded.font_bytes)
    return path


def _shown(run: OperatorRun) -> Image.Image:
    artifact = run.artifact("watermarked")
    image = Image.open(io.BytesIO(artifact.data))
    image.load()
    assert Image.MIME[image.format or ""] == artifact.media_type == run.outputs["media_type"]
    assert image.size == (run.outputs["width"], run.outputs["height"])
    return image


def _changed(image: Image.Image, original: Image.Image) -> tuple[int, int, int, int] | None:
    """The box in which they differ."""
    apart = np.abs(np.asarray(image.convert("RGB")).astype(int) - np.asarray(original)).max(axis=2) > 12
    return Image.fromarray(apart).getbbox()


def test_a_text_in_a_corner(media: RealMedia) -> None:
    run = run_operator(Watermark(text="© Loom 2026", opacity=1, format="png"), media.images["coffee"])
    image = _shown(run)
    left, top, width, height = run.outputs["box"]
    assert (left + width, top + height) == (588, 388), "3 % of 400 from the edges"
    assert width == 150, "a quarter of the width"
    changed = _changed(image, media.picture("coffee"))
    assert changed is not None
    assert changed[0] >= left
    assert changed[1] >= top
    assert changed[2] <= 588
    assert changed[3] <= 388
    inside = np.asarray(image)[top : top + height, left : left + width]
    assert (inside.min(axis=2) > 240).mean() > 0.1, "white letters"
    before = np.asarray(media.picture("coffee"))[top : top + height, left : left + width]
    assert (inside.max(axis=2) + 60 < before.max(axis=2)).mean() > 0.02, "with a black outline"


def test_a_dark_text_has_a_white_outline(media: RealMedia) -> None:
    run = run_operator(Watermark(text="dark", color="#000000", opacity=1, format="png"), media.images["coffee"])
    left, top, width, height = run.outputs["box"]
    inside = np.asarray(_shown(run))[top : top + height, left : left + width]
    assert (inside.min(axis=2) > 240).mean() > 0.02


@pytest.mark.parametrize(
    ("position", "place"),
    [("top left", (12, 12)), ("bottom center", (225, 313)), ("middle right", (438, 162)), ("top right", (438, 12))],
)
def test_places(media: RealMedia, logo: Path, position: str, place: tuple[int, int]) -> None:
    node = Watermark(picture=str(logo), position=position, opacity=1, format="png")
    run = run_operator(node, media.images["coffee"])
    assert run.outputs["box"] == [*place, 150, 75]
    changed = _changed(_shown(run), media.picture("coffee"))
    assert changed == pytest.approx((place[0], place[1], place[0] + 150, place[1] + 75), abs=3)


def test_opacity(media: RealMedia, logo: Path) -> None:
    half = run_operator(Watermark(picture=str(logo), opacity=0.5, format="png"), media.images["coffee"])
    left, top, width, height = half.outputs["box"]
    middle = left + width // 2, top + height // 2
    below = media.picture("coffee").getpixel(middle)
    assert isinstance(below, tuple)
    assert _shown(half).getpixel(middle) == pytest.approx(
        [(one + green) / 2 for one, green in zip(below, (0, 255, 0), strict=True)], abs=2
    )


def test_a_mark_never_covers_more_than_there_is_room_for(media: RealMedia, logo: Path) -> None:
    run = run_operator(Watermark(picture=str(logo), width=1, margin=0.1), media.images["coffee"])
    assert run.outputs["box"] == [160, 160, 400, 200], "half of the height"
    tall = run_operator(Watermark(text="a\nb\nc\nd", width=1), media.images["coffee"])
    assert tall.outputs["box"][3] == 200


def test_the_size_and_turned_photos(media: RealMedia, logo: Path) -> None:
    run = run_operator(Watermark(picture=str(logo), size=300), media.photo(orientation=8))
    assert _shown(run).size == (300, 200)
    assert run.outputs["box"][2] == 75
    assert not _shown(run).getexif()


@pytest.mark.parametrize("name", VARIANTS)
def test_every_format(media: RealMedia, name: str) -> None:
    run = run_operator(Watermark(text="mark", format="webp"), media.variant(name))
    assert _shown(run).mode == ("RGBA" if name == "png-alpha" else "RGB")


def test_a_mark_on_a_transparent_part_is_seen(tmp_path: Path, logo: Path) -> None:
    Image.new("RGBA", (400, 400), (255, 0, 0, 0)).save(path := tmp_path / "clear.png")
    run = run_operator(Watermark(picture=str(logo), opacity=1, format="png"), path)
    left, top, width, height = run.outputs["box"]
    image = _shown(run)
    assert image.getpixel((left + width // 2, top + height // 2)) == (0, 255, 0, 255)
    assert image.getpixel((5, 5))[3] == 0  # type: ignore[index]


def test_a_photo_as_a_mark_is_turned_upright(media: RealMedia) -> None:
    mark = media.photo(size=(400, 200), orientation=6)
    run = run_operator(Watermark(picture=str(mark), opacity=1), media.images["coffee"])
    assert run.outputs["box"][2:] == [150, 75]


def test_a_font_of_ones_own(media: RealMedia, font: Path) -> None:
    with_it, without = (
        run_operator(Watermark(text="Loom", **more), media.images["coffee"]).outputs["box"]
        for more in ({"font": str(font)}, {})
    )
    assert with_it == pytest.approx(without, abs=3)


def test_what_cannot_be_laid_over(media: RealMedia, tmp_path: Path, font: Path) -> None:
    (tmp_path / "text.png").write_text("no picture")
    wrong: list[dict[str, Any]] = [
        {"picture": str(tmp_path / "none.png")},
        {"picture": str(tmp_path / "text.png")},
        {"text": "Loom", "font": str(tmp_path / "none.ttf")},
        {"text": "Loom", "font": str(tmp_path / "text.png")},
        {"text": "Grüße", "font": str(font)},
    ]
    for options in wrong:
        with pytest.raises(LoomError) as caught:
            run_operator(Watermark(**options), media.images["coffee"])
        assert caught.value.code == "REQUIREMENT_MISSING"


def test_broken_files(broken_files: list[Path]) -> None:
    codes = set()
    for path in broken_files:
        try:
            assert run_operator(Watermark(text="x"), path).state in (State.SKIPPED, State.COMPLETED)
        except LoomError as error:
            codes.add(error.code)
    assert codes
    assert codes <= {"FILE_TRUNCATED", "FILE_DAMAGED"}


def test_what_is_no_picture_is_skipped(media: RealMedia) -> None:
    for path in (media.sound("flac"), media.paper("pdf")):
        assert run_operator(Watermark(text="x"), path).state is State.SKIPPED


@pytest.mark.parametrize(
    "options",
    [
        {}, {"text": "x", "picture": "y"}, {"text": " "}, {"text": ""}, {"text": "x" * 201}, {"text": "Grüße"},
        {"text": "x", "position": "left"}, {"text": "x", "opacity": 0}, {"text": "x", "width": 1.5},
        {"text": "x", "margin": 0.5}, {"text": "x", "color": "red"}, {"text": "x", "format": "gif"},
    ],
)  # fmt: skip
def test_options_that_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Watermark(**options)


def test_other_nodes_pictures_are_marked_cut_and_shown(media: RealMedia, logo: Path) -> None:
    """The asset is a film then, of which the node before made a picture."""
    cut = run_operator(ImageEdit(crop={"width": 200, "height": 100}, format="png"), media.images["coffee"])
    came = derived(cut.artifact("edited").data, "image/png")
    marked = run_operator(Watermark(picture=str(logo), opacity=1, format="png"), media.film("h264"), item=came)
    assert _shown(marked).size == (200, 100)
    small = run_operator(
        Thumbnail(size=50), media.film("h264"), item=derived(marked.artifact("watermarked").data, "image/png")
    )
    assert (small.outputs["width"], small.outputs["height"], small.outputs["source"]) == (50, 25, "image")
    again = run_operator(ImageEdit(width=20), media.film("h264"), item=came)
    assert (again.outputs["width"], again.outputs["height"]) == (20, 10)
