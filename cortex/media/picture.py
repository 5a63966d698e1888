"""Still pictures by Pillow: the header first, then one decode at the smallest size that serves."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, BinaryIO

from PIL import Image, UnidentifiedImageError

from cortex.media import makernotes, png, raw
from cortex.media.colour import resizable
from cortex.media.exif import directories
from cortex.media.probe import Probe
from cortex.media.rawtypes import RAW_MIMES
from cortex.media.sizes import Box, Decoded, gap
from loom.errors import LoomError

Opener = Callable[[], BinaryIO]

# Pillow's EPS plug-in starts Ghostscript and others read next to nothing, so only these are ever asked.
FORMATS: dict[str, tuple[str, ...]] = {
    "image/jpeg": ("JPEG",),
    "image/png": ("PNG",),
    "image/gif": ("GIF",),
    "image/webp": ("WEBP",),
    "image/tiff": ("TIFF",),
    "image/bmp": ("BMP",),
    "image/heic": ("HEIF",),
    "image/heic-sequence": ("HEIF",),
    "image/heif": ("HEIF",),
    "image/avif": ("AVIF",),
    "image/jp2": ("JPEG2000",),
    "image/x-jp2-codestream": ("JPEG2000",),
    "image/vnd.microsoft.icon": ("ICO", "CUR"),
    "image/icns": ("ICNS",),
    "image/vnd.adobe.photoshop": ("PSD",),
    "image/vnd.ms-dds": ("DDS",),
    "image/qoi": ("QOI",),
    "image/x-portable-anymap": ("PPM",),
    "image/x-sgi": ("SGI",),
    "image/x-pcx": ("PCX",),
    "image/x-tga": ("TGA",),
}
_JPEGS = ("JPEG", "MPO")
_KEPT = 4
"""A picture that no decoder reduces is kept as it is up to so many times the size that is wanted."""
_ORIENTATION = 0x0112
_SWAPPED = (5, 6, 7, 8)
_TURNED_BY_THEIR_DECODER = ("TIFF", "HEIF")
_IPTC_OF_TIFF = 33723
_XMP = 700
_INFO = ("dpi", "loop", "duration", "comment", "progressive", "progression", "compression", "gamma")


class Picture:
    """A picture whose header was read, however large it is. Raises FORMAT_UNSUPPORTED and what Pillow says of damage;
    `decode` also FILE_TOO_LARGE where more than `max_pixels` would have to be decoded."""

    def __init__(self, opener: Opener, mime: str, max_pixels: int) -> None:
        self._raw = raw.preview(opener, mime) if mime in RAW_MIMES else None
        self._opener: Opener = opener if self._raw is None else self._raw.open
        self._mime = mime if self._raw is None else "image/jpeg"
        self._name = mime.partition("/")[2].removeprefix("x-").removeprefix("vnd.")
        self._max_pixels = max_pixels
        self._image: Image.Image | None = None
        if self._raw is not None and self._raw.jpeg is None:
            self._probe = self._header_of_raw(self._raw)
            return
        self._image = self._open()
        self._probe = self._read_header(self._image)

    def _open(self) -> Image.Image:
        formats = FORMATS.get(self._mime)
        if formats is None:
            raise LoomError("FORMAT_UNSUPPORTED", f"no decoder for {self._mime} is installed")
        register_heif(formats)
        return _opened(self._opener(), formats)

    def probe(self) -> Probe:
        return self._probe

    def _read_header(self, image: Image.Image) -> Probe:
        if image.format == "PNG":
            self._add_late_chunks(image)
        # Pillow's own way for PNG decodes the whole picture in search of a late chunk.
        exif = directories(Image.Image.getexif(image))
        maker = makernotes.told((_as_bytes(image.info.get("exif")) or b"").removeprefix(b"Exif\0\0"))
        if self._raw is not None:
            exif, maker = {**exif, **self._raw.exif}, {**maker, **self._raw.maker}
        # pi_heif, which turns the picture, takes the number out of the block.
        orientation = _valid(image.info.get("original_orientation") or exif.get(_ORIENTATION))
        whole = self._raw.size if self._raw is not None else None
        width, height = max(whole or image.size, image.size, key=lambda size: size[0] * size[1])
        if orientation in _SWAPPED and image.format not in _TURNED_BY_THEIR_DECODER:
            width, height = height, width
        return Probe(
            format=self._name if self._raw is not None else (image.format or self._name).lower(),
            width=width,
            height=height,
            orientation=orientation,
            mode=image.mode,
            frames=getattr(image, "n_frames", 1),
            exif=exif,
            maker=maker,
            xmp=_as_bytes(image.info.get("xmp") or image.info.get("XML:com.adobe.xmp") or exif.get(_XMP)),
            iptc=_iptc(image),
            icc=image.info.get("icc_profile"),
            info={key: image.info[key] for key in _INFO if key in image.info},
        )

    def _header_of_raw(self, found: raw.RawPreview) -> Probe:
        """Without a preview to be opened."""
        orientation = _valid(found.exif.get(_ORIENTATION))
        width, height = found.size or (None, None)
        if orientation in _SWAPPED:
            width, height = height, width
        return Probe(
            format=self._name,
            width=width,
            height=height,
            orientation=orientation,
            exif=found.exif,
            maker=found.maker,
            xmp=_as_bytes(found.exif.get(_XMP)),
        )

    def _add_late_chunks(self, image: Image.Image) -> None:
        """EXIF and XMP that stand behind the pixels."""
        if "exif" in image.info and "xmp" in image.info:
            return
        with self._opener() as file:
            for name, content in png.late_metadata(file):
                image.info.setdefault(name, content)

    def decode(self, max_side: int | None) -> Decoded:
        """What pictures up to `max_side` pixels are made of, and larger ones where it has more."""
        # A decode consumes the opened picture; asked again, for a larger one, it is opened again.
        image, self._image = self._image or self._open(), None
        icc = image.info.get("icc_profile")
        if _pixels_to_decode(image, max_side) > self._max_pixels:
            raise LoomError(
                "FILE_TOO_LARGE", f"the picture has {image.width} x {image.height} pixels, too many to decode"
            )
        # Known before and not after the decode of some formats, and after and not before it of TIFF.
        orientation = self._probe.orientation if image.format not in _TURNED_BY_THEIR_DECODER else None
        uninverted = image.mode == "CMYK" and image.format in _JPEGS and "adobe" not in image.info
        whole, box = image.size, _reduced_by_decoder(image, max_side)
        picture = resizable(_loaded(image))
        if uninverted:  # Pillow takes every CMYK JPEG for one of Adobe's, which hold 255 minus the ink
            picture = picture.point(lambda value: 255 - value)
        if box is None:
            whole = picture.size
            if max_side is not None and max(whole) > _KEPT * max_side:
                picture.thumbnail((max_side, max_side), Image.Resampling.LANCZOS, reducing_gap=gap(max_side))
        complete = picture.size == whole
        return Decoded(picture, complete=complete, whole=whole, box=box, icc=icc, orientation=orientation)


def _opened(file: BinaryIO, formats: tuple[str, ...]) -> Image.Image:
    """As Pillow opens it; but where it only says that it cannot, the reason, and where it refuses because of the size
    alone, the picture: its header costs nothing."""
    try:
        return Image.open(file, formats=formats)
    except (UnidentifiedImageError, Image.DecompressionBombError):
        file.seek(0)
        plugin, _ = Image.OPEN[formats[0]]
        return plugin(file, "")


def register_heif(formats: tuple[str, ...] = ("HEIF",)) -> None:
    """Makes Pillow able to open HEIF files."""
    if "HEIF" in formats and "HEIF" not in Image.OPEN:
        import pi_heif

        pi_heif.register_heif_opener(thumbnails=False, decode_threads=1)


def _valid(orientation: Any) -> int | None:
    return orientation if isinstance(orientation, int) and 1 <= orientation <= 8 else None


def _pixels_to_decode(image: Image.Image, max_side: int | None) -> int:
    """Of a JPEG that Pillow can reduce while decoding, those that are left then; a progressive one is held whole in
    memory all the same."""
    by = 1
    if max_side is not None and image.format in _JPEGS and "progressive" not in image.info:
        room = min(side // _at_least(max_side) for side in image.size)
        by = next((divisor for divisor in (8, 4, 2) if divisor <= room), 1)
    return -(-image.width // by) * -(-image.height // by)


def _at_least(max_side: int) -> int:
    """How many pixels the shorter side keeps where a decoder reduces."""
    return int(max_side * gap(max_side))


def _reduced_by_decoder(image: Image.Image, max_side: int | None) -> Box | None:
    """Has a JPEG reduced by 1/2, 1/4 or 1/8 while it is decoded; tells which part of the result has the picture. None
    where that cannot be or has no use."""
    if max_side is None or max(image.size) <= max_side or image.format not in _JPEGS:
        return None
    drafted = image.draft(None, (_at_least(max_side),) * 2)
    return None if drafted is None else drafted[1]


def _loaded(image: Image.Image) -> Image.Image:
    image.load()
    if image.format == "HEIF" and getattr(image, "is_animated", False):
        return image.copy()  # one of several is decoded anew, into the size it has then, whenever it is loaded
    return image


def _as_bytes(value: Any) -> bytes | None:
    return value.encode("utf-8", "replace") if isinstance(value, str) else value if isinstance(value, bytes) else None


def _iptc(image: Image.Image) -> bytes | None:
    resources = image.info.get("photoshop")
    if isinstance(resources, dict):
        return _as_bytes(resources.get(0x0404))
    tags = getattr(image, "tag_v2", None)
    found = tags.get(_IPTC_OF_TIFF) if tags is not None else None
    if isinstance(found, tuple) and all(isinstance(word, int) for word in found):
        return b"".join((word & 0xFFFFFFFF).to_bytes(4, "little") for word in found)
    return _as_bytes(found)
