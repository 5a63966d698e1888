"""Imports and sets up everything that is otherwise loaded when first needed."""

from __future__ import annotations

import importlib
import io

_MODULES = (
    *(f"encodings.{name}" for name in ("ascii", "cp1252", "idna", "latin_1", "utf_8_sig")),
    *(f"encodings.{name}" for name in ("cp1251", "cp932", "euc_jp", "koi8_r")),
    *(f"encodings.utf_{bits}{order}" for bits in (16, 32) for order in ("", "_be", "_le")),
    "xml.parsers.expat",
    "zlib",
    "numpy",
    "PIL.ImageCms",
    "PIL.ImageDraw",
    "av.subtitles.stream",
    *(f"cortex.media.{name}" for name in ("container", "iptc", "licences", "pdf", "picture", "tags", "text", "xmp")),
)


def preload() -> None:
    """Call it before a worker process gives up its rights: Pillow's plug-ins, Python's codecs and the HEIF decoder
    are else loaded in the middle of the first file that needs them."""
    for name in _MODULES:
        importlib.import_module(name)

    import av
    from PIL import Image, ImageCms

    from cortex.media.picture import register_heif

    Image.init()
    register_heif()
    av.logging.set_level(av.logging.PANIC)
    ImageCms.createProfile("sRGB")
    for name in ("JPEG", "WEBP", "PNG", "TIFF"):
        buffer = io.BytesIO()
        Image.new("RGB", (8, 8)).save(buffer, name)
        Image.open(io.BytesIO(buffer.getvalue()), formats=[name]).load()
