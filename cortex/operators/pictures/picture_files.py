"""Derived pictures as files: encoded, with transparency and what the original says of itself where that is wanted."""

from __future__ import annotations

import io
import re
import struct
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from loom.errors import LoomError

if TYPE_CHECKING:
    from PIL.Image import Exif, Image

    from cortex.media.probe import Probe

Format = Literal["jpeg", "png", "webp", "avif", "tiff"]

_LARGEST = {"jpeg": 65_500, "png": 2**31 - 1, "webp": 16_383, "avif": 65_535, "tiff": 2**31 - 1}
_OPAQUE, _LOSSLESS = frozenset({"jpeg"}), frozenset({"png", "tiff"})
_GREY = frozenset({"jpeg", "png", "tiff"})
_OPTIONS: dict[str, dict[str, Any]] = {
    "jpeg": {},
    "png": {"compress_level": 6},
    "webp": {"method": 2},
    "avif": {"speed": 8, "max_threads": 1},
    "tiff": {"compression": "tiff_adobe_deflate"},
}
_KEPT = (0x10E, 0x10F, 0x110, 0x11A, 0x11B, 0x128, 0x131, 0x132, 0x13B, 0x4746, 0x8298)
_DIRECTORIES = {"Exif": 0x8769, "GPS": 0x8825}
_ORIENTATION, _MAKER_NOTE, _INTEROP = 0x0112, 0x927C, 0xA005
_WIDTH, _HEIGHT = 0xA002, 0xA003
_XMP = 700
_TURNED_XMP = re.compile(rb"(tiff:Orientation(?:\s*=\s*[\"']|>))[2-8]")


class Encoding(NamedTuple):
    """How a picture becomes a file. `quality` is that of the encoder, 1 to 100; PNG and TIFF lose nothing whatever it
    is. With `about`, the header of the original, the file keeps EXIF and XMP and says that it is sRGB. `icc`: it has
    colours of this profile instead."""

    form: Format
    quality: int = 85
    about: Probe | None = None
    icc: bytes | None = None

    @property
    def media_type(self) -> str:
        return f"image/{self.form}"

    @property
    def keeps_opacity(self) -> bool:
        return self.form not in _OPAQUE

    @property
    def keeps_grey(self) -> bool:
        """Whether a grey picture need not become one of colours."""
        return self.form in _GREY

    @property
    def is_lossless(self) -> bool:
        """Also: whether it can have 16 bits a channel."""
        return self.form in _LOSSLESS


def encoded(picture: Image, how: Encoding) -> bytes:
    """The bytes of a file; RGBA and LA give a transparent one. Raises FILE_TOO_LARGE beyond what the format can
    hold."""
    most = _LARGEST[how.form]
    if max(picture.size) > most:
        raise LoomError(
            "FILE_TOO_LARGE", f"a picture of {picture.width} x {picture.height} pixels has no room in {how.form}"
        )
    buffer = io.BytesIO()
    more = dict(_OPTIONS[how.form]) if how.form in _LOSSLESS else {"quality": how.quality, **_OPTIONS[how.form]}
    if how.about is not None:
        more |= _about(how.about, picture.size, how.form)
    if how.icc is not None or picture.mode in ("L", "LA"):
        more["icc_profile"] = how.icc
    picture.info = {}  # what the original's decoder left there would be written, its profile among it
    picture.save(buffer, how.form.upper(), **more)
    return buffer.getvalue()


def with_opacity(picture: Image, opacity: Image) -> Image:
    """RGBA, of a picture that was put on white (`Media.image`) and how opaque it is (`Media.opacity`): the white is
    taken away again."""
    import numpy as np
    from PIL import Image

    alpha = np.asarray(opacity, np.float32)[..., None]
    shown = np.asarray(picture, np.float32)
    colours = 255 - (255 - shown) * (255 / np.maximum(alpha, 1))
    return Image.fromarray(np.concatenate([np.clip(np.rint(colours), 0, 255), alpha], axis=2).astype(np.uint8), "RGBA")


def _about(probe: Probe, size: tuple[int, int], form: Format) -> dict[str, Any]:
    """What `Image.save` is told of EXIF, XMP and colour."""
    more: dict[str, Any] = {"icc_profile": srgb_profile()}
    exif, xmp = exif_of(probe, size), xmp_of(probe)
    if form == "tiff":
        return more | {"exif": _tags(exif, xmp), "compression": "raw"}  # its compressor has no room for EXIF
    if exif is not None:
        more["exif"] = exif
    return more if xmp is None else more | _xmp(xmp, form)


@cache
def srgb_profile() -> bytes:
    """The profile, not dated with the day on which it is made: the same picture is to give the same file."""
    from PIL import ImageCms

    made = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return made[:24] + struct.pack(">6H", 2000, 1, 1, 0, 0, 0) + made[36:]


def _xmp(packet: bytes, form: Format) -> dict[str, Any]:
    if form == "png":
        from PIL.PngImagePlugin import PngInfo

        chunks = PngInfo()
        chunks.add_itxt("XML:com.adobe.xmp", packet.decode("utf-8", "replace"))
        return {"pnginfo": chunks}
    if form == "jpeg" and len(packet) > 65_000:  # one segment of the file; nobody reads extended XMP of a derived one
        return {}
    return {"xmp": packet}


def _tags(exif: bytes | None, xmp: bytes | None) -> Exif:
    """Both as tags of a TIFF file."""
    from PIL import Image

    tags = Image.Exif()
    if exif is not None:
        tags.load(exif)
    if xmp is not None:
        tags[_XMP] = xmp
    return tags


def xmp_of(probe: Probe) -> bytes | None:
    """The packet of an upright picture."""
    return None if probe.xmp is None else _TURNED_XMP.sub(rb"\g<1>1", probe.xmp)


def exif_of(probe: Probe, size: tuple[int, int]) -> bytes | None:
    """The block of an upright picture of `size`; what cannot be written again, and maker notes, which know places in
    the original, are left out."""
    from PIL import Image

    values: Mapping[Any, Any] = probe.exif
    exif = Image.Exif()
    for tag in _KEPT:
        if tag in values:
            exif[tag] = values[tag]
    for name, pointer in _DIRECTORIES.items():
        known = {tag: value for tag, value in values.get(name, {}).items() if tag not in (_MAKER_NOTE, _INTEROP)}
        if name == "Exif" and known:
            known |= {_WIDTH: size[0], _HEIGHT: size[1]}
        if known:
            exif[pointer] = known
    if not len(exif):
        return None
    exif[_ORIENTATION] = 1
    try:
        return exif.tobytes()
    except Exception:  # values of forms that EXIF does not have, out of damaged files
        return None
