"""Media types of camera raw files, and what their headers tell."""

from __future__ import annotations

from typing import Any, NamedTuple

RAF, RW2, RWL = "image/x-fuji-raf", "image/x-panasonic-rw2", "image/x-leica-rwl"
CR2, CR3, CRW = "image/x-canon-cr2", "image/x-canon-cr3", "image/x-canon-crw"
MRW, X3F = "image/x-minolta-mrw", "image/x-sigma-x3f"

RAW_MIMES = frozenset(
    {
        RAF,
        CR3,
        RW2,
        CR2,
        CRW,
        MRW,
        X3F,
        RWL,
        "image/x-adobe-dng",
        "image/x-nikon-nef",
        "image/x-sony-arw",
        "image/x-pentax-pef",
        "image/x-samsung-srw",
        "image/x-hasselblad-3fr",
        "image/x-phaseone-iiq",
        "image/x-leaf-mos",
        "image/x-mamiya-mef",
        "image/x-kodak-dcr",
        "image/x-kodak-kdc",
        "image/x-epson-erf",
        "image/x-olympus-orf",
    }
)

Size = tuple[int, int]

_ORIENTATIONS = {90: 6, 180: 3, 270: 8}
"""By how many degrees a picture is turned clockwise to be upright."""


class RawHeader(NamedTuple):
    """`places` are where previews may lie, with their lengths; `size` is that of the whole picture as it lies on the
    sensor, `maker` what the maker's note tells."""

    places: list[tuple[int, int]]
    size: Size | None
    exif: dict[Any, Any]
    maker: dict[str, str]


def shown(width: int, height: int, degrees: int) -> tuple[Size | None, dict[int, int]]:
    """The size of a picture, where it is told, and how it is turned, as EXIF tells it."""
    turned = _ORIENTATIONS.get(degrees % 360)
    return (width, height) if width and height else None, {} if turned is None else {0x112: turned}
