"""Pictures whose first bytes leave a doubt, camera raw files above all."""

from __future__ import annotations

import re
from collections.abc import Callable

from cortex.media.tiff import directory, text_value

ReadAt = Callable[[int, int], bytes]

_NEW_SUBFILE, _MAKE, _SUB_DIRECTORIES, _DNG_VERSION, _COMPRESSION = 0xFE, 0x10F, 0x14A, 0xC612, 0x103
_RAW_MAKES = (
    ("nikon", "image/x-nikon-nef"),
    ("sony", "image/x-sony-arw"),
    ("pentax", "image/x-pentax-pef"),
    ("ricoh", "image/x-pentax-pef"),
    ("samsung", "image/x-samsung-srw"),
    ("hasselblad", "image/x-hasselblad-3fr"),
    ("leica", "image/x-leica-rwl"),
    ("phase one", "image/x-phaseone-iiq"),
    ("leaf", "image/x-leaf-mos"),
    ("mamiya", "image/x-mamiya-mef"),
    ("kodak", "image/x-kodak-dcr"),
    ("eastman kodak", "image/x-kodak-kdc"),
    ("seiko epson", "image/x-epson-erf"),
    ("epson", "image/x-epson-erf"),
)
_PENTAX_COMPRESSION = 65535
_PHASE_ONE = (b"IIIICwaR", b"IIIITwaR", b"MMMMRawC", b"MMMMRawT")
_GAP = rb"(?:\s|#[^\n]*\n)+"
_NETPBM = re.compile(
    rb"P(?:[14]%b\d+%b\d+\s|[2356]%b\d+%b\d+%b\d+\s|7\n(?:#[^\n]*\n)*(?:WIDTH|HEIGHT|DEPTH|MAXVAL|TUPLTYPE) )"
    % ((_GAP,) * 5)
)


def tiff(head: bytes, size: int, read_at: ReadAt) -> str:
    """TIFF, or a raw file in TIFF's clothes: its first directory is only a preview and names a maker of cameras."""
    if head[8:10] == b"CR":
        return "image/x-canon-cr2"
    if head[8:16] in _PHASE_ONE:
        return "image/x-phaseone-iiq"
    first = directory(head, int.from_bytes(head[4:8], "little" if head[:1] == b"I" else "big"))
    if not first and len(head) < size:
        return _far_tiff(head, read_at)
    if _DNG_VERSION in first:
        return "image/x-adobe-dng"
    preview = first.get(_NEW_SUBFILE, (0,))[0] == 1 or _SUB_DIRECTORIES in first
    raw = (preview and _MAKE in first) or first.get(_COMPRESSION, (0,))[0] == _PENTAX_COMPRESSION
    if raw:
        make = text_value(head, first, _MAKE).lower()
        return next((mime for name, mime in _RAW_MAKES if make.startswith(name)), "image/tiff")
    return "image/tiff"


def panasonic(head: bytes, size: int, read_at: ReadAt) -> str:
    """Leica's cameras of the same make write the same form."""
    make = text_value(head, directory(head, int.from_bytes(head[4:8], "little")), _MAKE)
    return "image/x-leica-rwl" if make.lower().startswith("leica") else "image/x-panasonic-rw2"


def _far_tiff(head: bytes, read_at: ReadAt) -> str:
    """TIFF whose first directory is not within the head: told by that directory alone."""
    order = "little" if head[:1] == b"I" else "big"
    start = int.from_bytes(head[4:8], order)  # type: ignore[arg-type]
    first = directory(head[:8] + read_at(start, 4096), 8)
    return "image/x-adobe-dng" if _DNG_VERSION in first else "image/tiff"


def bitmap(head: bytes, size: int, read_at: ReadAt) -> str | None:
    header = int.from_bytes(head[14:18], "little")
    return "image/bmp" if header in (12, 16, 40, 52, 56, 64, 108, 124) else None


def icon(head: bytes, size: int, read_at: ReadAt) -> str | None:
    """An icon or cursor: a count, and entries whose reserved byte is zero."""
    count = int.from_bytes(head[4:6], "little")
    if len(head) < 22 or not 0 < count < 256 or head[9] != 0:
        return None
    return "image/vnd.microsoft.icon"


def sgi(head: bytes, size: int, read_at: ReadAt) -> str | None:
    return "image/x-sgi" if head[2:3] in (b"\0", b"\1") and head[3:4] in (b"\1", b"\2") else None


def pcx(head: bytes, size: int, read_at: ReadAt) -> str | None:
    plausible = len(head) >= 128 and head[1] in (0, 2, 3, 4, 5) and head[2] == 1 and head[3] in (1, 2, 4, 8)
    return "image/x-pcx" if plausible else None


def emf(head: bytes, size: int, read_at: ReadAt) -> str | None:
    return "image/emf" if head[40:44] == b" EMF" else None


def netpbm(head: bytes, size: int, read_at: ReadAt) -> str | None:
    """Width and height in digits, and but for bitmaps the highest value; PAM names them."""
    return "image/x-portable-anymap" if _NETPBM.match(head[:1024]) else None


def radiance(head: bytes, size: int, read_at: ReadAt) -> str | None:
    return "image/vnd.radiance" if head[:256].startswith((b"#?RADIANCE\n", b"#?RGBE\n")) else None


def targa(head: bytes, size: int, read_at: ReadAt) -> str | None:
    """Targa has its mark at the very end, if at all; its first bytes must be possible too."""
    if len(head) < 18 or head[1] > 1 or head[2] not in (1, 2, 3, 9, 10, 11):
        return None
    return "image/x-tga" if read_at(max(size - 18, 0), 18).startswith(b"TRUEVISION-XFILE.") else None
