"""Pictures with the metadata that cameras leave in them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from PIL import Image, ImageCms
from PIL.TiffImagePlugin import IFDRational as Ratio

UPRIGHT_TO_STORED = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}
"""How an upright picture must be turned so that a viewer who obeys the EXIF orientation sees it upright again."""

_GPS, _EXIF = 0x8825, 0x8769


@dataclass(frozen=True, kw_only=True)
class Shot:
    """How a photograph was taken. `taken` with a time zone also writes the EXIF offset; `place` is latitude and
    longitude in degrees, `altitude` metres."""

    taken: datetime | None = None
    place: tuple[float, float] | None = None
    altitude: float = 0.0
    orientation: int = 1
    make: str = "Loom"
    model: str = "Sample Camera"
    title: str | None = None


def exif(shot: Shot) -> Image.Exif:
    """The EXIF block of a shot."""
    block = Image.Exif()
    block[0x010F], block[0x0110], block[0x0112] = shot.make, shot.model, shot.orientation
    if shot.title is not None:
        block[0x010E] = shot.title
    details: dict[int, Any] = block.get_ifd(_EXIF)
    details |= {0x829A: Ratio(1, 250), 0x829D: Ratio(28, 10), 0x8827: 200, 0x920A: Ratio(35), 0xA434: "35mm f/2.8"}
    if shot.taken is not None:
        stamp = shot.taken.strftime("%Y:%m:%d %H:%M:%S")
        block[0x0132] = stamp
        details |= {0x9003: stamp, 0x9004: stamp, 0x9291: f"{shot.taken.microsecond // 1000:03d}"}
        if shot.taken.tzinfo is not None:
            offset = shot.taken.strftime("%z")
            details |= {0x9010: f"{offset[:3]}:{offset[3:]}", 0x9011: f"{offset[:3]}:{offset[3:]}"}
    if shot.place is not None:
        latitude, longitude = shot.place
        block.get_ifd(_GPS).update(
            {
                1: "N" if latitude >= 0 else "S",
                2: _sexagesimal(latitude),
                3: "E" if longitude >= 0 else "W",
                4: _sexagesimal(longitude),
                5: b"\1" if shot.altitude < 0 else b"\0",
                6: Ratio(round(abs(shot.altitude) * 10), 10),
            }
        )
    return block


def _sexagesimal(degrees: float) -> tuple[Ratio, Ratio, Ratio]:
    thousandths = round(abs(degrees) * 3_600_000)
    return Ratio(thousandths // 3_600_000), Ratio(thousandths // 60_000 % 60), Ratio(thousandths % 60_000, 1000)


def iptc(*, title: str, keywords: tuple[str, ...] = (), city: str | None = None) -> bytes:
    """An APP13 segment, marker included, with IPTC-IIM records in UTF-8."""
    records = [(1, 90, b"\x1b%G"), (2, 5, title.encode())]
    records += [(2, 25, word.encode()) for word in keywords]
    if city is not None:
        records.append((2, 90, city.encode()))
    data = b"".join(b"\x1c" + bytes((group, number)) + len(v).to_bytes(2) + v for group, number, v in records)
    block = b"8BIM\x04\x04\0\0" + len(data).to_bytes(4) + data + b"\0" * (len(data) % 2)
    body = b"Photoshop 3.0\0" + block
    return b"\xff\xed" + (len(body) + 2).to_bytes(2) + body


def xmp(*, title: str, rating: int = 0) -> bytes:
    """An XMP packet with a title and a rating of 0 to 5."""
    return (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">'
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about=""'
        ' xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/"'
        f' xmp:Rating="{rating}"><dc:title><rdf:Alt><rdf:li xml:lang="x-default">{title}</rdf:li></rdf:Alt>'
        '</dc:title></rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end="w"?>'
    ).encode()


def save_jpeg(
    image: Image.Image,
    path: Path,
    shot: Shot | None = None,
    *,
    quality: int = 90,
    progressive: bool = False,
    xmp: bytes = b"",
    iptc: bytes = b"",
    icc: bytes | None = None,
) -> Path:
    """Writes the upright `image` as a camera held as `shot.orientation` says would."""
    shot = shot or Shot()
    turn = UPRIGHT_TO_STORED.get(shot.orientation)
    stored = image if turn is None else image.transpose(turn)
    more: dict[str, Any] = {"xmp": xmp} if xmp else {}
    if icc is not None:
        more["icc_profile"] = icc
    stored.save(path, "JPEG", quality=quality, progressive=progressive, exif=exif(shot), extra=iptc, **more)
    return path


def srgb_profile() -> bytes:
    """The ICC profile of sRGB, with the date that LittleCMS puts into it taken out."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    profile[24:36] = bytes((7, 208, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0))
    return bytes(profile)
