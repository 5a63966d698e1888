from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from PIL import ExifTags, Image
from pydantic import ValidationError
from realmedia import VARIANTS, RealMedia

from cortex.media import Media
from cortex.operators.pictures.image_edit import ImageEdit
from cortex.operators.pictures.png16 import png_of
from cortex.testing import OperatorRun, run_operator
from loom.errors import LoomError
from loom.model import State


def _edited(path: Path, **options: Any) -> Image.Image:
    return _shown(run_operator(ImageEdit(**options), path))


def _shown(run: OperatorRun) -> Image.Image:
    artifact = run.artifact("edited")
    image = Image.open(io.BytesIO(artifact.data))
    image.load()
    assert Image.MIME[image.format or ""] == artifact.media_type == run.outputs["media_type"]
    assert (*image.size, len(artifact.data)) == tuple(run.outputs[key] for key in ("width", "height", "bytes"))
    return image


def _away(one: Image.Image, other: Image.Image) -> float:
    assert one.size == other.size
    pair = (np.asarray(image.convert("RGB")).astype(int) for image in (one, other))
    return float(np.abs(next(pair) - next(pair)).mean())


@pytest.mark.parametrize("turn", range(1, 9))
def test_photos_are_turned_upright(media: RealMedia, turn: int) -> None:
    image = _edited(media.photo(size=(600, 400), orientation=turn, quality=95), format="png")
    assert _away(image, media.picture("coffee", (600, 400))) < 4
    assert dict(image.getexif()) == {}


def test_the_whole_picture_in_another_format(media: RealMedia) -> None:
    image = _edited(media.images["chelsea"], format="png")
    assert _away(image, media.picture("chelsea")) == 0


@pytest.mark.parametrize("name", VARIANTS)
@pytest.mark.parametrize("form", ["jpeg", "webp"])
def test_every_format_is_read(media: RealMedia, name: str, form: str) -> None:
    image = _edited(media.variant(name), format=form, width=200)
    assert image.width == 200
    is_grey = name in ("png-16", "jpeg-grey") and form == "jpeg"
    assert image.mode == ("RGBA" if name == "png-alpha" and form == "webp" else "L" if is_grey else "RGB")
    wanted = media.picture("chelsea", image.size)
    if name == "png-alpha":
        return
    assert _away(image.convert("L"), wanted.convert("L")) < 7
    if name not in ("png-16", "jpeg-grey"):
        assert _away(image, wanted) < 12


@pytest.mark.parametrize("form", ["jpeg", "png", "webp", "avif", "tiff"])
def test_every_format_is_written(media: RealMedia, form: str) -> None:
    image = _edited(media.photo(), format=form, width=300, quality=90)
    assert image.size == (300, 200)
    assert _away(image, media.picture("coffee", (300, 200))) < 4


def test_a_crop_in_pixels_and_in_percent(media: RealMedia) -> None:
    source = media.images["coffee"]
    whole = media.picture("coffee")
    pixels = _edited(source, crop={"left": 60, "top": 40, "width": 300, "height": 200}, format="png")
    assert _away(pixels, whole.crop((60, 40, 360, 240))) == 0
    percent = _edited(source, crop={"left": 10, "top": 10, "width": 50, "height": 50, "unit": "percent"}, format="png")
    assert percent.tobytes() == pixels.tobytes()
    edge = _edited(source, crop={"left": 590, "top": 0, "width": 300, "height": 9999}, format="png")
    assert _away(edge, whole.crop((590, 0, 600, 400))) == 0


def test_a_crop_of_a_turned_photo_is_of_what_is_seen(media: RealMedia) -> None:
    box = {"left": 100, "top": 50, "width": 200, "height": 300}
    turned = _edited(media.photo(size=(600, 400), orientation=6, quality=95), crop=box, format="png")
    assert _away(turned, media.picture("coffee", (600, 400)).crop((100, 50, 300, 350))) < 4


def test_a_crop_outside_of_the_picture(media: RealMedia) -> None:
    with pytest.raises(LoomError, match="600 x 400") as caught:
        _edited(media.images["coffee"], crop={"left": 600, "width": 5, "height": 5})
    assert caught.value.code == "OPERATOR_FAILED"


@pytest.mark.parametrize(("focus", "left"), [((0.5, 0.5), 100), ((0, 0.3), 0), ((1, 1), 200), ((0.4, 0.5), 40)])
def test_a_shape_around_a_point(media: RealMedia, focus: tuple[float, float], left: int) -> None:
    image = _edited(media.images["coffee"], aspect="1:1", focus=list(focus), format="png")
    assert _away(image, media.picture("coffee").crop((left, 0, left + 400, 400))) == 0


@pytest.mark.parametrize(
    ("options", "size"),
    [
        ({"width": 300}, (300, 200)),
        ({"height": 100}, (150, 100)),
        ({"width": 300, "height": 100}, (150, 100)),
        ({"width": 300, "height": 300, "fit": "fill"}, (300, 300)),
        ({"width": 300, "height": 300, "fit": "pad"}, (300, 300)),
        ({"width": 300, "height": 300, "fit": "exact"}, (300, 300)),
        ({"width": 900}, (600, 400)),
        ({"width": 900, "enlarge": True}, (900, 600)),
        ({"width": 900, "height": 900, "fit": "fill"}, (400, 400)),
        ({"width": 900, "height": 900, "fit": "fill", "enlarge": True}, (900, 900)),
        ({"width": 900, "height": 900, "fit": "pad"}, (900, 900)),
        ({"width": 900, "height": 100, "fit": "exact"}, (900, 100)),
        ({"aspect": "4:1", "width": 100}, (100, 25)),
        ({"crop": {"width": 1, "height": 400}, "height": 10}, (1, 10)),
    ],
)
def test_sizes(media: RealMedia, options: dict[str, Any], size: tuple[int, int]) -> None:
    assert _edited(media.images["coffee"], **options).size == size


def test_padding_has_the_background(media: RealMedia) -> None:
    options: dict[str, Any] = {"width": 300, "height": 300, "fit": "pad", "format": "png"}
    image = _edited(media.images["coffee"], background="#102030", **options)
    assert (image.getpixel((150, 10)), image.getpixel((150, 295))) == ((16, 32, 48), (16, 32, 48))
    assert _away(image.crop((0, 50, 300, 250)), media.picture("coffee", (300, 200))) < 3
    clear = _edited(media.images["coffee"], background="transparent", **options)
    assert clear.getchannel("A").getextrema() == (0, 255)
    assert clear.getpixel((150, 10))[3] == 0  # type: ignore[index]


@pytest.mark.parametrize("form", ["png", "webp", "avif", "tiff"])
def test_transparency_is_kept(media: RealMedia, form: str) -> None:
    image = _edited(media.variant("png-alpha"), format=form, quality=95)
    with Image.open(media.variant("png-alpha")) as source:
        wanted = source.copy()
    assert _away(image.getchannel("A").convert("RGB"), wanted.getchannel("A").convert("RGB")) < 1
    seen = np.asarray(wanted)[..., 3] > 60
    away = np.abs(np.asarray(image).astype(int) - np.asarray(wanted))[seen].mean()
    assert away < (2 if form in ("png", "tiff") else 5), "the white below is taken away again"


def test_transparency_is_laid_on_the_background(media: RealMedia) -> None:
    image = _edited(media.variant("png-alpha"), background="#00ff00", quality=95)
    with Image.open(media.variant("png-alpha")) as source:
        ground = Image.new("RGBA", source.size, "#00ff00")
        ground.alpha_composite(source)
    assert _away(image, ground) < 5


def test_metadata_is_stripped_or_kept(media: RealMedia) -> None:
    photo = media.photo(orientation=6)
    bare = _edited(photo)
    assert dict(bare.getexif()) == {}
    assert not {"icc_profile", "xmp", "exif"} & set(bare.info)
    with Image.open(photo) as original:
        make = original.getexif()[ExifTags.Base.Make]
    for form in ("jpeg", "png", "webp", "avif", "tiff"):
        run = run_operator(ImageEdit(metadata="keep", width=300, format=form), photo)
        kept = _shown(run)
        exif = kept.getexif()
        assert exif.get(ExifTags.Base.Orientation, 1) == 1, form
        assert exif[ExifTags.Base.Make] == make
        detail = exif.get_ifd(ExifTags.IFD.Exif)
        assert detail[ExifTags.Base.DateTimeOriginal].startswith("2024:05:17")
        assert (detail[ExifTags.Base.ExifImageWidth], detail[ExifTags.Base.ExifImageHeight]) == kept.size
        assert exif.get_ifd(ExifTags.IFD.GPSInfo)[2][0] == 48
        assert b"acsp" in kept.info["icc_profile"]
        assert b"Rating" in run.artifact("edited").data, form


def test_the_same_picture_gives_the_same_file(media: RealMedia) -> None:
    node = ImageEdit(width=300, metadata="keep")
    runs = [run_operator(node, media.photo()) for _ in range(2)]
    assert runs[0].artifact("edited") == runs[1].artifact("edited")


def test_no_more_is_decoded_than_is_wanted(media: RealMedia, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int | None] = []
    image = Media.image
    monkeypatch.setattr(Media, "image", lambda self, side=None: (asked.append(side), image(self, side))[1])
    photo = media.photo(size=(1200, 800))
    _edited(photo, width=300)
    _edited(photo, width=100, height=100, fit="fill")
    _edited(photo, crop={"width": 600, "height": 400}, width=300)
    _edited(photo, crop={"width": 600, "height": 400})
    assert [side for side in asked[::2] if side is not None] == pytest.approx([300, 150, 600, 1200], abs=1)


def test_what_would_be_too_large(media: RealMedia, tmp_path: Path) -> None:
    Image.new("L", (16_500, 40)).save(path := tmp_path / "wide.png")
    with pytest.raises(LoomError, match="16500") as caught:
        _edited(path, format="webp")
    assert caught.value.code == "FILE_TOO_LARGE"
    assert _edited(path, format="jpeg").size == (16_500, 40)
    Image.new("L", (20, 4000)).save(path)
    with pytest.raises(LoomError, match="3276800") as caught:
        _edited(path, width=16_384, enlarge=True)
    assert caught.value.code == "FILE_TOO_LARGE"


def test_broken_files(broken_files: list[Path]) -> None:
    codes = set()
    for path in broken_files:
        try:
            assert run_operator(ImageEdit(), path).state in (State.SKIPPED, State.COMPLETED)
        except LoomError as error:
            codes.add(error.code)
    assert codes
    assert codes <= {"FILE_TRUNCATED", "FILE_DAMAGED"}


def test_what_is_no_picture_is_skipped(media: RealMedia) -> None:
    for path in (media.film("h264"), media.sound("flac"), media.paper("pdf")):
        assert run_operator(ImageEdit(), path).state is State.SKIPPED


@pytest.mark.parametrize(
    "options",
    [
        {"width": 0}, {"height": 20_000}, {"fit": "fill", "width": 10}, {"fit": "pad"}, {"format": "gif"},
        {"quality": 101}, {"aspect": "0:1"}, {"aspect": "wide"}, {"focus": [0.5]}, {"focus": [0.5, 2]},
        {"crop": {"width": 5}}, {"crop": {"width": 0, "height": 5}}, {"crop": {"width": 1, "height": 1, "unit": "cm"}},
        {"background": "red"}, {"metadata": "some"}, {"fit": "exact", "width": 16_000, "height": 16_000},
    ],
)  # fmt: skip
def test_options_that_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        ImageEdit(**options)


def _deep(channels: int, size: tuple[int, int] = (60, 40)) -> np.ndarray[Any, Any]:
    """A slope that 8 bits cannot hold, and (2 and 4) an opaque half."""
    width, height = size
    slope = np.linspace(1000, 9000, width * height * min(channels, 3)).reshape(height, width, -1)
    pixels = np.empty((height, width, channels), np.uint16)
    pixels[...] = slope[..., :1] if channels < 3 else np.concatenate([slope, slope[..., :1]], axis=2)[..., :channels]
    if channels in (2, 4):
        pixels[..., -1] = 65_535
        pixels[:, : width // 2, -1] = 0
    return pixels


def _read_deep(data: bytes, kind: str) -> np.ndarray[Any, Any]:
    with av.open(io.BytesIO(data), format=f"{kind}_pipe") as container:
        frame = next(container.decode(video=0))
    assert isinstance(frame, av.VideoFrame)
    if frame.format.name == "ya16be":
        lines = np.frombuffer(frame.planes[0], ">u2").reshape(frame.height, -1)  # type: ignore[call-overload]
        return np.asarray(lines[:, : frame.width * 2].reshape(frame.height, frame.width, 2))
    return np.asarray(frame.to_ndarray().reshape(frame.height, frame.width, -1))


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("form", ["png", "tiff"])
def test_sixteen_bits_stay_sixteen_bits(tmp_path: Path, channels: int, form: str) -> None:
    pixels = _deep(channels)
    (path := tmp_path / "deep.png").write_bytes(png_of(pixels, None, None, None))
    run = run_operator(ImageEdit(format=form, crop={"left": 40, "width": 20, "height": 40}), path)
    data = run.artifact("edited").data
    if form == "tiff" and channels == 2:
        assert np.array_equal(_read_deep(data, form), pixels[:, 40:][..., [0, 0, 0, 1]]), "which more programs read"
        return
    assert np.array_equal(_read_deep(data, form), pixels[:, 40:])
    assert (run.outputs["width"], run.outputs["height"]) == (20, 40)
    (again := tmp_path / f"again.{form}").write_bytes(data)
    small = run_operator(ImageEdit(format="png", width=10), again).artifact("edited").data
    wanted = pixels[:, 40:].astype(float).reshape(20, 2, 10, 2, channels).mean(axis=(1, 3))
    assert np.abs(_read_deep(small, "png")[4:-4, 2:-2] - wanted[4:-4, 2:-2]).max() < 40


def test_deep_pictures_are_turned_and_padded(tmp_path: Path) -> None:
    pixels = _deep(3)
    exif = Image.Exif()
    exif[0x0112] = 6
    (path := tmp_path / "turned.png").write_bytes(png_of(pixels, None, exif.tobytes(), None))
    options: dict[str, Any] = {"format": "png", "fit": "pad", "width": 60, "height": 60, "background": "#ff0000"}
    shown = _read_deep(run_operator(ImageEdit(**options), path).artifact("edited").data, "png")
    assert np.array_equal(shown[:, 10:50], np.rot90(pixels, 3))
    assert (shown[:, :10] == (65_535, 0, 0)).all()
    (grey := tmp_path / "grey.png").write_bytes(png_of(_deep(1), None, None, None))
    for background, channels in (("#808080", 1), ("#ff0000", 3), ("transparent", 2)):
        made = run_operator(ImageEdit(**{**options, "background": background}), grey).artifact("edited").data
        assert _read_deep(made, "png").shape == (60, 60, channels)


def test_deep_pictures_as_other_formats_have_eight_bits(tmp_path: Path) -> None:
    (path := tmp_path / "deep.png").write_bytes(png_of(_deep(3), None, None, None))
    for form in ("jpeg", "webp", "avif"):
        image = _edited(path, format=form, quality=95)
        assert image.mode == "RGB"
        assert np.abs(np.asarray(image).astype(int) - (_deep(3) >> 8)).mean() < 6


@pytest.mark.parametrize(
    ("form", "mode"), [("jpeg", "L"), ("png", "L"), ("tiff", "L"), ("webp", "RGB"), ("avif", "RGB")]
)
def test_grey_stays_grey_where_the_format_has_it(media: RealMedia, form: str, mode: str) -> None:
    path = media.variant("jpeg-grey")
    with Image.open(path) as original:
        assert original.mode == "L"
    image = _edited(path, format=form, metadata="keep", quality=95)
    assert image.mode == mode
    assert _edited(path, format=form, fit="pad", width=500, height=500, background="#404040").mode == mode
    assert _edited(path, format=form, fit="pad", width=500, height=500, background="#ff0000").mode == "RGB"


def test_transparent_grey(tmp_path: Path) -> None:
    Image.new("LA", (40, 20), (90, 100)).save(path := tmp_path / "clear.png")
    assert _edited(path, format="png").mode == "LA"
    assert _edited(path, format="png").getpixel((5, 5)) == pytest.approx((90, 100), abs=1)
    assert _edited(path, format="jpeg").mode == "L"
    assert _edited(path, format="jpeg", background="#ff0000").mode == "RGB"
    assert _edited(path, format="webp").mode == "RGBA"


@pytest.fixture
def swapped(tmp_path: Path) -> bytes:
    """The profile of a space in which red and green have changed places."""
    from PIL import ImageCms

    data = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    at = {bytes(data[i : i + 4]): i for i in range(132, 132 + 12 * data[131], 12)}
    red, green = at[b"rXYZ"], at[b"gXYZ"]
    data[red + 4 : red + 12], data[green + 4 : green + 12] = data[green + 4 : green + 12], data[red + 4 : red + 12]
    return bytes(data).replace("sRGB".encode("utf-16-be"), "Test".encode("utf-16-be"))


@pytest.mark.parametrize("form", ["jpeg", "png", "tiff", "webp", "avif"])
def test_a_profile_is_kept_or_its_colours_converted(tmp_path: Path, swapped: bytes, form: str) -> None:
    Image.new("RGB", (64, 64), (220, 40, 40)).save(path := tmp_path / "other.png", icc_profile=swapped)
    kept = _edited(path, format=form, profile="keep", width=32, quality=95)
    assert kept.info["icc_profile"] == swapped
    assert kept.getpixel((9, 9)) == pytest.approx((220, 40, 40), abs=6)
    converted = _edited(path, format=form, width=32, quality=95)
    assert "icc_profile" not in converted.info
    assert converted.getpixel((9, 9)) == pytest.approx((40, 220, 40), abs=8)


def test_deep_pictures_keep_their_profile_too(tmp_path: Path, swapped: bytes) -> None:
    (path := tmp_path / "deep.png").write_bytes(png_of(_deep(3), swapped, None, None))
    for form in ("png", "tiff"):
        run = run_operator(ImageEdit(format=form, profile="keep"), path)
        assert np.array_equal(_read_deep(run.artifact("edited").data, form), _deep(3))
        assert _shown(run).info["icc_profile"] == swapped
    converted = run_operator(ImageEdit(format="png"), path).artifact("edited").data
    assert converted[24] == 8, "a profile is converted in 8 bits"


def test_a_deep_picture_that_is_cut_short_is_refused(tmp_path: Path) -> None:
    whole = png_of(_deep(3, (300, 200)), None, None, None)
    (path := tmp_path / "short.png").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(LoomError) as caught:
        run_operator(ImageEdit(format="png"), path)
    assert caught.value.code == "FILE_TRUNCATED"
