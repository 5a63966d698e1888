"""The sensor's data of a raw file turned into pixels by LibRaw, within bounded memory, and pixels into files."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

from cortex.media.rawextent import HEAD, TRUE_TO_THEIR_WORD, end_of
from cortex.operators.pictures.picture_files import Encoding, srgb_profile
from cortex.operators.pictures.picture_files import encoded as picture_file
from cortex.operators.pictures.tiff16 import tiff_of
from loom.errors import LoomError

if TYPE_CHECKING:
    import numpy as np
    import rawpy

    from cortex.media import Media

    Pixels = np.ndarray[Any, np.dtype[Any]]

MOST_BYTES = 900 * 1024 * 1024
"""What the work may take: less than a worker may (`cortex.engine.limits`), which holds other things as well."""
_LAST_ROWS = 8
_SRGB_CURVE = (2.4, 12.92)
_LIBRAWS_PIXEL = 8
"""Bytes: four numbers of 16 bits while it works."""
_SPARE = 64 * 1024 * 1024
"""What the interpolation of colours takes besides."""


class Way(NamedTuple):
    """How to develop. `bits` of a channel of the result: 8 or 16."""

    half: bool
    white_balance: str
    brighten: bool
    bits: int


def developed(media: Media, way: Way) -> Pixels:
    """Height x width x 3 in sRGB, upright, uint8 or uint16. Raises FILE_TOO_LARGE, FORMAT_UNSUPPORTED, FILE_DAMAGED,
    FILE_TRUNCATED, MEMORY_EXCEEDED."""
    import rawpy

    if media.size > MOST_BYTES // 2:
        raise LoomError("FILE_TOO_LARGE", f"a raw file of {media.size} bytes is not taken into memory")
    _check_end(media)
    with _faults_told(), media.open() as file, rawpy.imread(file) as raw:
        _check_room(raw.sizes, way, media.size)
        raw.unpack()
        _check_data(raw)
        pixels: Pixels = raw.postprocess(
            half_size=way.half,
            use_camera_wb=way.white_balance == "camera",
            use_auto_wb=way.white_balance == "auto",
            no_auto_bright=not way.brighten,
            output_color=rawpy.ColorSpace.sRGB,
            gamma=_SRGB_CURVE,
            output_bps=way.bits,
        )
    return pixels


def encoded(pixels: Pixels, form: str, quality: int) -> bytes:
    """A file with the profile of sRGB. Raises FILE_TOO_LARGE beyond what the format can hold."""
    if form == "tiff":
        return tiff_of(pixels, srgb_profile())
    from PIL import Image

    return picture_file(Image.fromarray(pixels), Encoding("webp" if form == "webp" else "jpeg", quality))


def _check_room(sizes: rawpy.ImageSizes, way: Way, taken: int) -> None:
    """Before the data are unpacked: what LibRaw takes for them, for four colours of each pixel, and for the result."""
    sensor = sizes.raw_width * sizes.raw_height
    shown = sizes.iwidth * sizes.iheight // (4 if way.half else 1)
    needed = taken + 2 * sensor + shown * (_LIBRAWS_PIXEL + 3 * way.bits // 8) + _SPARE
    if needed > MOST_BYTES:
        raise LoomError(
            "FILE_TOO_LARGE",
            f"to develop {sizes.iwidth} x {sizes.iheight} pixels would take {needed >> 20} MiB, more than a worker may",
        )


def _check_end(media: Media) -> None:
    if media.mime not in TRUE_TO_THEIR_WORD:
        return
    with media.open() as file:
        end = end_of(file.read(HEAD))
    if end > media.size:
        raise LoomError("FILE_TRUNCATED", f"the sensor's data should end at byte {end}, the file has {media.size}")


def _check_data(raw: rawpy.RawPy) -> None:
    """Rows that are missing are zero, as no sensor's are."""
    data = raw.raw_image
    if not data[-_LAST_ROWS:].any():
        raise LoomError("FILE_TRUNCATED", "the sensor's data end before the picture does")


@contextmanager
def _faults_told() -> Iterator[None]:
    """What LibRaw complains of, as codes."""
    import rawpy

    try:
        yield
    except (rawpy.LibRawUnsufficientMemoryError, MemoryError) as error:
        raise LoomError("MEMORY_EXCEEDED", "there is not enough memory to develop the raw file") from error
    except rawpy.LibRawTooBigError as error:
        raise LoomError("FILE_TOO_LARGE", "the raw file is larger than LibRaw takes") from error
    except (rawpy.LibRawFileUnsupportedError, rawpy.NotSupportedError, rawpy.LibRawNotImplementedError) as error:
        raise LoomError("FORMAT_UNSUPPORTED", "LibRaw cannot read the sensor's data of this file") from error
    except rawpy.LibRawIOError as error:
        raise LoomError("FILE_TRUNCATED", "the raw file ends before its data do") from error
    except rawpy.LibRawError as error:
        raise LoomError("FILE_DAMAGED", f"the sensor's data are damaged: {error}") from error
