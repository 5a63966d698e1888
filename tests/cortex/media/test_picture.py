"""Pictures as they come out of `Media`: upright, RGB, in sRGB."""

from __future__ import annotations

import io
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pillow_heif
import pytest
from PIL import Image, ImageCms, ImageOps
from realmedia import VARIANTS, RealMedia

from cortex.media import Media
from cortex.media.wants import Wants
from loom.errors import LoomError

Opened = Callable[..., Media]
Written = Callable[[bytes], Path]


def _difference(one: Image.Image, other: Image.Image) -> float:
    """Mean difference of two pictures of the same size, 0 to 255."""
    assert (one.size, one.mode) == (other.size, other.mode)
    return float(np.abs(np.asarray(one).astype(int) - np.asarray(other).astype(int)).mean())


def _saved(image: Image.Image, form: str, **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, form, **options)
    return out.getvalue()


def _code(work: Callable[[], object]) -> str:
    with pytest.raises(LoomError) as caught:
        work()
    return caught.value.code


@pytest.mark.parametrize("name", VARIANTS)
def test_every_variant_shows_the_cat(opened: Opened, media: RealMedia, name: str) -> None:
    shown = opened(media.variant(name)).image(150)
    cat = media.picture("chelsea").resize((150, 100), Image.Resampling.LANCZOS)
    if name in ("png-16", "jpeg-grey"):
        cat = cat.convert("L").convert("RGB")
    if name == "png-alpha":
        mask = Image.linear_gradient("L").rotate(-90).resize((150, 100))
        cat = Image.composite(cat, Image.new("RGB", cat.size, "white"), mask)
    if name == "tiff-pages" or name.endswith("animated"):
        cat = media.picture("chelsea").rotate(0).resize((150, 100), Image.Resampling.LANCZOS)
    assert shown.size == (150, 100)
    assert _difference(shown, cat) < 7


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("side", [64, None])
def test_photos_are_upright(opened: Opened, media: RealMedia, orientation: int, side: int | None) -> None:
    path = media.photo(size=(400, 200), orientation=orientation)
    shown = opened(path)
    assert (shown.probe().width, shown.probe().height, shown.probe().orientation) == (400, 200, orientation)
    wanted = media.picture("coffee", (400, 200))
    if side:
        wanted = wanted.resize((64, 32), Image.Resampling.LANCZOS)
    assert _difference(shown.image(side), wanted) < 4


@pytest.mark.parametrize("form", ["TIFF", "PNG", "WEBP", "AVIF"])
@pytest.mark.parametrize("orientation", [3, 6])
def test_orientation_in_other_formats(
    opened: Opened, written: Written, media: RealMedia, form: str, orientation: int
) -> None:
    upright = media.picture("chelsea", (200, 120))
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = upright.transpose({3: Image.Transpose.ROTATE_180, 6: Image.Transpose.ROTATE_90}[orientation])
    shown = opened(written(_saved(stored, form, exif=exif)))
    assert (shown.probe().width, shown.probe().height) == (200, 120)
    assert _difference(shown.image(), upright) < 6


def test_the_quality_of_a_reduced_jpeg(opened: Opened, media: RealMedia) -> None:
    """Within a hair of decoding everything and resampling it."""
    path = media.photo("retina", size=(1411, 1411))
    with Image.open(path) as image:
        wanted = image.resize((256, 256), Image.Resampling.LANCZOS)
    assert _difference(opened(path).image(256), wanted) < 1


def test_nothing_is_enlarged(opened: Opened, media: RealMedia) -> None:
    assert opened(media.variant("png-palette")).image(4000).size == (451, 300)


@pytest.mark.parametrize("size", [(1, 65500), (65500, 1), (1, 1), (3, 2)])
def test_odd_shapes(opened: Opened, written: Written, size: tuple[int, int]) -> None:
    shown = opened(written(_saved(Image.new("RGB", size, (200, 30, 30)), "JPEG"))).image(64)
    assert max(shown.size) == min(max(size), 64)
    assert min(shown.size) >= 1
    assert shown.getpixel((0, 0))[0] > 180  # type: ignore[index]


def test_colours_of_a_wide_profile_are_brought_to_srgb(opened: Opened, written: Written) -> None:
    """The same numbers in a profile with swapped primaries are other colours."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    swapped = bytearray(profile)
    swapped[swapped.index(b"rXYZ") : swapped.index(b"rXYZ") + 4] = b"tmp_"
    swapped[swapped.index(b"bXYZ") : swapped.index(b"bXYZ") + 4] = b"rXYZ"
    swapped[swapped.index(b"tmp_") : swapped.index(b"tmp_") + 4] = b"bXYZ"
    other = bytes(swapped).replace("sRGB".encode("utf-16-be"), "swap".encode("utf-16-be"))
    image = Image.new("RGB", (8, 8), (250, 5, 5))
    plain = opened(written(_saved(image, "PNG", icc_profile=profile))).image()
    turned = opened(written(_saved(image, "PNG", icc_profile=other))).image()
    assert plain.getpixel((0, 0)) == (250, 5, 5)
    red, _, blue = turned.getpixel((0, 0))  # type: ignore[misc]
    assert blue > 200 > 60 > red


@pytest.mark.parametrize("profile", [b"nonsense", b"\0" * 200])
def test_a_damaged_profile_is_left_out_of_account(opened: Opened, written: Written, profile: bytes) -> None:
    image = Image.new("RGB", (8, 8), (250, 5, 5))
    assert opened(written(_saved(image, "PNG", icc_profile=profile))).image().getpixel((0, 0)) == (250, 5, 5)


def test_a_profile_of_another_colour_space_is_left_out_of_account(opened: Opened, written: Written) -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    grey = Image.new("L", (8, 8), 77)
    assert opened(written(_saved(grey, "PNG", icc_profile=profile))).image().getpixel((0, 0)) == (77, 77, 77)


def test_cmyk_with_and_without_adobes_inversion(opened: Opened, written: Written) -> None:
    data = _saved(Image.new("CMYK", (16, 16), (0, 255, 255, 0)), "JPEG", quality=100)
    assert b"Adobe" in data
    red = opened(written(data)).image().getpixel((0, 0))
    assert red[0] > 240 > 20 > red[1]  # type: ignore[index]
    at = data.index(b"\xff\xee")
    plain = data[:at] + data[at + 2 + int.from_bytes(data[at + 2 : at + 4], "big") :]
    black = opened(written(plain)).image().getpixel((0, 0))
    assert max(black) < 10  # type: ignore[arg-type, type-var]


@pytest.mark.parametrize(
    ("image", "colour"),
    [
        (Image.new("1", (4, 4), 1), (255, 255, 255)),
        (Image.new("LA", (4, 4), (10, 0)), (255, 255, 255)),
        (Image.new("RGBA", (4, 4), (0, 0, 0, 128)), (127, 127, 127)),
        (Image.new("I;16", (4, 4), 0x8000), (128, 128, 128)),
    ],
)
def test_modes_of_png(opened: Opened, written: Written, image: Image.Image, colour: tuple[int, int, int]) -> None:
    assert opened(written(_saved(image, "PNG"))).image().getpixel((0, 0)) == colour


@pytest.mark.parametrize(
    ("values", "brightest"),
    [
        (np.array([[0.0, 0.5]], np.float32), 127),
        (np.array([[-5.0, 5.0]], np.float32), 255),
        (np.array([[0.0, 65535.0]], np.float32), 255),
        (np.array([[np.nan, 1.0]], np.float32), 255),
        (np.array([[0, 70000]], np.int32), 255),
        (np.array([[7, 7]], np.int32), 7),
    ],
)
def test_numbers_of_tiff(opened: Opened, written: Written, values: np.ndarray, brightest: int) -> None:
    shown = opened(written(_saved(Image.fromarray(values), "TIFF"))).image()
    assert max(channel for _, channel in shown.getextrema()) == brightest  # type: ignore[misc]


def test_palette_with_a_transparent_colour(opened: Opened, written: Written) -> None:
    image = Image.new("P", (4, 4), 1)
    image.putpalette([255, 0, 0, 0, 0, 255])
    assert opened(written(_saved(image, "PNG", transparency=1))).image().getpixel((0, 0)) == (255, 255, 255)
    assert opened(written(_saved(image, "PNG"))).image().getpixel((0, 0)) == (0, 0, 255)


def _png_header(width: int, height: int) -> bytes:
    header = width.to_bytes(4, "big") + height.to_bytes(4, "big") + b"\x08\2\0\0\0"
    chunk = b"IHDR" + header
    pixels = b"IDAT" + zlib.compress(bytes(1000))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        len(c[4:]).to_bytes(4, "big") + c + zlib.crc32(c).to_bytes(4, "big") for c in (chunk, pixels, b"IEND")
    )


@pytest.mark.parametrize("side", [16_000, 100_000, 2**31 - 1])
def test_bombs_are_refused_from_the_header_which_can_be_read(opened: Opened, written: Written, side: int) -> None:
    media = opened(written(_png_header(side, side)))
    assert (media.probe().width, media.probe().height) == (side, side)
    assert _code(lambda: media.image(64)) == "FILE_TOO_LARGE"


@pytest.mark.parametrize("progressive", [False, True])
def test_what_counts_is_how_much_is_decoded(opened: Opened, media: RealMedia, progressive: bool) -> None:
    """A JPEG of 1200 x 800 is decoded at an eighth of that for 64 pixels, but whole when it is progressive."""
    shown = opened(media.photo(progressive=progressive), max_pixels=150 * 100)
    assert (shown.probe().width, shown.probe().height) == (1200, 800)
    if progressive:
        assert _code(lambda: shown.image(64)) == "FILE_TOO_LARGE"
    else:
        assert shown.image(64).size == (64, 43)
    assert _code(lambda: shown.image(200)) == "FILE_TOO_LARGE"
    assert _code(shown.image) == "FILE_TOO_LARGE"


def test_what_is_not_reduced_while_decoding_counts_whole(opened: Opened, media: RealMedia) -> None:
    assert _code(lambda: opened(media.variant("webp"), max_pixels=451 * 300 - 1).image(64)) == "FILE_TOO_LARGE"
    assert opened(media.variant("webp"), max_pixels=451 * 300).image(64).size == (64, 43)


@pytest.mark.parametrize("side", [64, 300, 400, None])
def test_heic_with_several_pictures(opened: Opened, media: RealMedia, tmp_path: Path, side: int | None) -> None:
    pictures = pillow_heif.from_pillow(media.picture("coffee", (400, 300)))
    pictures.add_from_pillow(media.picture("chelsea", (400, 300)))
    pictures.save(tmp_path / "burst", quality=80)
    shown = opened(tmp_path / "burst")
    wanted = media.picture("coffee", (400, 300))
    if side is not None:
        wanted = wanted.resize((side, side * 3 // 4), Image.Resampling.LANCZOS)
    assert shown.probe().frames == 2
    assert _difference(shown.image(side), wanted) < 5


def test_heic_is_turned_once_and_says_what_it_holds(opened: Opened, media: RealMedia, tmp_path: Path) -> None:
    upright = media.picture("chelsea", (200, 120))
    exif = Image.Exif()
    exif[0x0112] = 6
    heic = pillow_heif.from_pillow(upright.transpose(Image.Transpose.ROTATE_90))
    heic.save(tmp_path / "turned", quality=80, exif=exif.tobytes())
    shown = opened(tmp_path / "turned")
    assert (shown.probe().width, shown.probe().height, shown.probe().orientation) == (200, 120, 6)
    assert _difference(shown.image(), upright) < 6


@pytest.mark.parametrize("name", [name for name in VARIANTS if name not in ("tiff-pages",)])
def test_half_a_picture_is_truncated_or_damaged(opened: Opened, written: Written, media: RealMedia, name: str) -> None:
    """Animations whose first frame is whole may still be shown."""
    data = media.variant(name).read_bytes()
    shown = opened(written(data[: len(data) // 2]))
    if name in ("gif-animated",):
        assert shown.image(64).size == (64, 43)
    else:
        assert _code(lambda: shown.image(64)) in ("FILE_TRUNCATED", "FILE_DAMAGED")


@pytest.mark.parametrize("name", ["jpeg-progressive", "png-alpha", "jpeg-cmyk", "bmp", "gif"])
def test_a_cut_picture_says_that_it_is_cut(opened: Opened, written: Written, media: RealMedia, name: str) -> None:
    data = media.variant(name).read_bytes()
    assert _code(opened(written(data[: int(len(data) * 0.7)])).image) == "FILE_TRUNCATED"


def test_formats_without_a_decoder(opened: Opened, written: Written) -> None:
    svg = opened(written(b"<svg xmlns='http://www.w3.org/2000/svg'/>"))
    assert _code(svg.image) == "FORMAT_UNSUPPORTED"
    assert _code(opened(written(b"\xff\x0a\xfa\x7f" + bytes(100))).probe) == "FORMAT_UNSUPPORTED"


def test_a_layout_that_pillow_does_not_know_is_not_called_damage(opened: Opened, media: RealMedia) -> None:
    assert _code(opened(media.images["multipage_rgb"]).image) == "FORMAT_UNSUPPORTED"


def test_a_lying_ending_changes_nothing(opened: Opened, media: RealMedia, tmp_path: Path) -> None:
    path = tmp_path / "photo.mp4"
    path.write_bytes(media.variant("webp").read_bytes())
    shown = opened(path)
    assert (shown.mime, shown.image(64).size) == ("image/webp", (64, 43))


def test_postscript_is_never_handed_to_an_interpreter(opened: Opened, written: Written) -> None:
    """Pillow would start Ghostscript for it."""
    eps = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n%%EndComments\nshowpage\n"
    assert _code(opened(written(eps)).image) == "FORMAT_UNSUPPORTED"


def test_frames_and_metadata_blocks_are_in_the_probe(opened: Opened, media: RealMedia) -> None:
    assert opened(media.variant("gif-animated")).probe().frames == 4
    assert opened(media.variant("tiff-pages")).probe().frames == 4
    probe = opened(media.photo()).probe()
    assert (probe.format, probe.mode, probe.frames) == ("jpeg", "RGB", 1)
    assert probe.exif["Exif"][0x8827] == 200
    assert probe.xmp is not None
    assert probe.iptc is not None
    assert probe.icc is not None


def test_png_is_not_decoded_for_its_header(opened: Opened, written: Written, media: RealMedia) -> None:
    """EXIF may stand behind the pixels; even there it is found without them."""
    data = media.variant("png-alpha").read_bytes()
    exif = Image.Exif()
    exif[0x0112] = 3
    block = b"eXIf" + exif.tobytes().removeprefix(b"Exif\0\0")
    chunk = (len(block) - 4).to_bytes(4, "big") + block + zlib.crc32(block).to_bytes(4, "big")
    at = data.rindex(b"IDAT") + 20
    broken = data[:at] + b"\0" * 50 + data[at + 50 : -12] + chunk + data[-12:]
    assert opened(written(broken)).probe().orientation == 3


def test_exif_transposition_agrees_with_pillow(opened: Opened, media: RealMedia) -> None:
    path = media.photo(size=(400, 200), orientation=5)
    with Image.open(path) as image:
        wanted = ImageOps.exif_transpose(image)
    assert _difference(opened(path).image(), wanted) == 0


def test_how_opaque_a_picture_is(opened: Opened, media: RealMedia, tmp_path: Path) -> None:
    alpha = opened(media.variant("png-alpha"))
    whole, small = alpha.opacity(), alpha.opacity(100)
    assert whole is not None
    assert small is not None
    assert (whole.mode, whole.size, small.size) == ("L", alpha.image().size, alpha.image(100).size)
    assert (small.getpixel((1, 30)), small.getpixel((98, 30))) == (pytest.approx(255, abs=6), pytest.approx(0, abs=6))
    shot = media.picture("coffee", (60, 40))
    turned = Image.new("L", (60, 40), 255)
    turned.paste(0, (0, 0, 10, 10))
    shot.putalpha(turned)
    exif = Image.Exif()
    exif[0x0112] = 6
    shot.save(path := tmp_path / "turned.png", exif=exif)
    opacity = opened(path).opacity()
    assert opacity is not None
    assert (opacity.size, opacity.getpixel((39, 0)), opacity.getpixel((0, 0))) == ((40, 60), 0, 255)
    shot.putalpha(255)
    shot.save(path := tmp_path / "opaque.png")
    for opaque in (path, media.photo(), media.film("h264"), media.sound("flac")):
        assert opened(opaque).opacity(64) is None


def test_what_others_want_and_cannot_have_costs_nobody_else_the_picture(opened: Opened, media: RealMedia) -> None:
    wants = Wants(image_side=1 << 20)
    photo = opened(media.photo(size=(1200, 800)), wants, max_pixels=500_000)
    assert photo.image(256).size == (256, 171)
    for side in (1 << 20, None):
        with pytest.raises(LoomError) as caught:
            photo.image(side)
        assert caught.value.code == "FILE_TOO_LARGE"
