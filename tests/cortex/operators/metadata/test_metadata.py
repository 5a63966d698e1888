from __future__ import annotations

import zlib
from pathlib import Path
from typing import Any

import msgspec
import pytest
from PIL import Image
from realmedia import FILMS, PAPERS, PLACE, SOUNDS, TAGS, TAKEN, VARIANTS, WORDS, RealMedia

from cortex.node import output_keys
from cortex.operators.metadata.metadata import Metadata, bounded
from cortex.outputs import MAX_OUTPUT
from cortex.testing import run_operator
from loom.errors import LoomError


def _found(path: Path) -> dict[str, Any]:
    return run_operator(Metadata(), path).outputs


def test_a_photo(media: RealMedia) -> None:
    found = _found(media.photo(size=(600, 400), orientation=6))
    raw = found.pop("raw")
    assert found.pop("size") == media.photo(size=(600, 400), orientation=6).stat().st_size
    assert found.pop("latitude") == pytest.approx(PLACE[0], abs=1e-6)
    assert found.pop("longitude") == pytest.approx(PLACE[1], abs=1e-6)
    assert [told["source"] for told in found.pop("captured_by_all")] == [
        "exif/DateTimeOriginal",
        "exif/DateTimeDigitized",
        "exif/DateTime",
    ]
    assert found == {
        "kind": "image",
        "mime": "image/jpeg",
        "format": "jpeg",
        "width": 600,
        "height": 400,
        "orientation": 6,
        "color_mode": "RGB",
        "frames": 1,
        "captured_at": TAKEN.isoformat(timespec="milliseconds"),
        "time_zone": "+02:00",
        "captured_from": "exif/DateTimeOriginal",
        "camera_make": "Loom",
        "camera_model": "Sample Camera",
        "lens": "35mm f/2.8",
        "exposure_s": 0.004,
        "aperture": 2.8,
        "iso": 200,
        "focal_length_mm": 35.0,
        "altitude_m": 519.4,
        "title": "coffee",
        "description": "coffee",
        "keywords": ["cup", "table"],
        "rating": 4,
        "raw_truncated": False,
    }
    assert raw["exif"]["Model"] == "Sample Camera"
    assert raw["xmp"]["xmp:Rating"] == "4"
    assert raw["iptc"]["City"] == "Munich"


def test_the_zone_is_not_made_up(media: RealMedia) -> None:
    found = _found(media.photo(taken=TAKEN.replace(tzinfo=None), place=None))
    assert found["captured_at"] == "2024-05-17T14:03:21.250"
    assert "time_zone" not in found
    assert "latitude" not in found


@pytest.mark.parametrize("name", VARIANTS)
def test_every_variant_of_a_picture(media: RealMedia, name: str) -> None:
    found = _found(media.variant(name))
    assert (found["width"], found["height"], found["kind"]) == (451, 300, "image")
    assert found["frames"] == (4 if name.endswith(("animated", "pages")) else 1)


@pytest.mark.parametrize("name", FILMS)
def test_every_film(media: RealMedia, name: str) -> None:
    found = _found(media.film(name))
    assert found["duration_s"] == pytest.approx(2, abs=0.1)
    assert found["frame_rate"] == 24.0
    assert {found["width"], found["height"]} == {320, 180}
    assert (found["width"] < found["height"]) == (name == "h264-turned")
    assert ("audio_codec" in found) == FILMS[name][2]
    assert [stream["type"] for stream in found["streams"]] == ["video", "audio"][: len(found["streams"])]
    assert found["bit_rate"] > 1000


@pytest.mark.parametrize("name", SOUNDS)
def test_every_recording(media: RealMedia, name: str) -> None:
    found = _found(media.sound(name))
    assert (found["title"], found["artist"], found["album"]) == (TAGS["title"], TAGS["artist"], TAGS["album"])
    assert (found["track"], found["year"], found["genre"]) == (3, 2008, "Soundtrack")
    assert (found["sample_rate"], found["channels"]) == (48000, 2)
    assert found["raw"]["tags"]["title"] == TAGS["title"]
    assert "width" not in found


@pytest.mark.parametrize("name", PAPERS)
def test_every_paper(media: RealMedia, name: str) -> None:
    found = _found(media.paper(name))
    assert found["size"] == media.paper(name).stat().st_size
    if name in ("txt", "utf16.txt"):
        text = "\n".join(WORDS)
        assert (found["characters"], found["lines"], found["words"]) == (len(text), 2, len(text.split()))
    if name == "latin1.txt":
        assert found["encoding"] == "cp1252"
    if name == "pdf":
        assert (found["pages"], found["encrypted"]) == (1, False)


@pytest.mark.parametrize("data", [b"", b"\xff\x0a" + bytes(50), b"<svg/>", bytes(100), b"MThd\0\0\0\6\0\1\0\1\0\x60"])
def test_what_cannot_be_read_still_has_a_type_and_a_size(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "file"
    path.write_bytes(data)
    found = _found(path)
    assert set(found) == {"kind", "mime", "size"}
    assert found["size"] == len(data)


def test_a_damaged_header_fails(media: RealMedia, tmp_path: Path) -> None:
    path = tmp_path / "photo"
    path.write_bytes(media.photo().read_bytes()[:10])
    with pytest.raises(LoomError):
        _found(path)


def test_odd_metadata_never_fail(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x010F] = "\x01\x02"
    exif[0x0132] = "0000:00:00 00:00:00"
    exif[0x0112] = 99
    exif.get_ifd(0x8825).update(
        {1: "X", 2: (99.0, 0.0, 0.0), 3: "E", 4: (500.0, 0.0, 0.0), 29: "junk", 7: (99.0, 99.0, 99.0)}
    )
    exif.get_ifd(0x8769).update({0x9003: "    :  :     :  :  ", 0x829A: 0.0, 0x8827: 0})
    path = tmp_path / "odd.jpg"
    Image.new("RGB", (8, 8)).save(path, exif=exif, xmp=b"<x:xmpmeta", comment=b"\xff\0\xfe")
    found = _found(path)
    assert set(found) == {
        "kind", "mime", "size", "format", "width", "height", "color_mode", "frames", "raw", "raw_truncated",
    }  # fmt: skip
    assert found["raw"]["exif"]["DateTime"] == "0000:00:00 00:00:00"
    assert found["raw"]["exif"]["Orientation"] == 99


def test_a_damaged_exif_block_costs_only_itself(media: RealMedia, tmp_path: Path) -> None:
    data = bytearray(media.photo().read_bytes())
    start = data.index(b"Exif\0\0") + 6
    data[start + 8 : start + 60] = b"\xff" * 52
    path = tmp_path / "photo"
    path.write_bytes(data)
    found = _found(path)
    assert (found["width"], found["rating"]) == (1200, 4)
    assert "camera_make" not in found


def test_raw_stays_within_the_limit(tmp_path: Path) -> None:
    """Texts of PNG count as nothing, but an endless list of XMP values does."""
    values = "".join(f"<my:p{n}>{'x' * 3000}</my:p{n}>" for n in range(60))
    packet = (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        f'<rdf:Description xmlns:my="http://my.example/">{values}<my:small>kept</my:small></rdf:Description>'
        "</rdf:RDF></x:xmpmeta>"
    ).encode()
    path = tmp_path / "long.webp"
    Image.new("RGB", (8, 8)).save(path, xmp=packet)
    found = _found(path)
    assert found["raw_truncated"]
    assert found["raw"]["xmp"]["http://my.example/:small"] == "kept"
    assert len(msgspec.json.encode(found["raw"])) <= MAX_OUTPUT


def _xmp(inside: str) -> bytes:
    return (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        f'<rdf:Description xmlns:dc="http://purl.org/dc/elements/1.1/">{inside}</rdf:Description></rdf:RDF></x:xmpmeta>'
    ).encode()


def test_long_lists_and_texts_are_cut(tmp_path: Path) -> None:
    words = [f"{n:05d}" + "x" * 40 for n in range(1900)]
    items = "".join(f"<rdf:li>{word}</rdf:li>" for word in words)
    path = tmp_path / "words.webp"
    Image.new("RGB", (8, 8)).save(path, xmp=_xmp(f"<dc:subject><rdf:Bag>{items}</rdf:Bag></dc:subject>"))
    kept = _found(path)["keywords"]
    assert kept == words[: len(kept)]
    assert MAX_OUTPUT - 50 < len(msgspec.json.encode(kept)) <= MAX_OUTPUT
    Image.new("RGB", (8, 8)).save(path, xmp=_xmp(f"<dc:creator><rdf:Seq>{items}</rdf:Seq></dc:creator>"))
    artist = _found(path)["artist"]
    assert len(msgspec.json.encode(artist)) == MAX_OUTPUT
    assert ", ".join(words).startswith(artist)


def test_what_only_xmp_says_of_a_photo(tmp_path: Path) -> None:
    path = tmp_path / "photo.webp"
    inside = (
        '<t:Model xmlns:t="http://ns.adobe.com/tiff/1.0/">Sample Camera</t:Model>'
        '<e:GPSLatitude xmlns:e="http://ns.adobe.com/exif/1.0/">48,8.2333N</e:GPSLatitude>'
        '<e:GPSLongitude xmlns:e="http://ns.adobe.com/exif/1.0/">11,34.5333E</e:GPSLongitude>'
    )
    Image.new("RGB", (8, 8)).save(path, xmp=_xmp(inside))
    found = _found(path)
    assert (found["camera_model"], found["latitude"], found["longitude"]) == ("Sample Camera", 48.1372217, 11.575555)


@pytest.mark.parametrize(
    ("options", "place"),
    [
        ({}, PLACE),
        ({"gps": "round"}, (48.14, -11.58)),
        ({"gps": "round", "gps_decimals": 0}, (48, -12)),
        ({"gps": "drop"}, None),
    ],
)
def test_the_place_is_kept_rounded_or_dropped(
    media: RealMedia, options: dict[str, Any], place: tuple[float, float] | None
) -> None:
    found = run_operator(Metadata(**options), media.photo()).outputs
    there = (found.get("latitude"), found.get("longitude"))
    assert there == ((None, None) if place is None else pytest.approx(place, abs=1e-4))
    telling = [name for group in found["raw"].values() for name in group if "GPS" in name or name == "City"]
    assert bool(telling) == (not options)
    assert ("altitude_m" in found) == (not options)
    assert found["raw"]["exif"]["Model"] == "Sample Camera"


def test_a_zone_is_taken_over_from_who_shows_the_same_time(tmp_path: Path) -> None:
    path = tmp_path / "photo.jpg"
    exif = Image.Exif()
    exif.get_ifd(0x8769)[0x9003] = "2024:05:17 14:03:21"
    date = '<e:DateTimeOriginal xmlns:e="http://ns.adobe.com/exif/1.0/">2024-05-17T14:03:21-04:00</e:DateTimeOriginal>'
    Image.new("RGB", (8, 8)).save(path, exif=exif, xmp=_xmp(date))
    found = _found(path)
    assert (found["captured_at"], found["time_zone"]) == ("2024-05-17T14:03:21-04:00", "-04:00")
    assert found["captured_from"] == "exif/DateTimeOriginal"
    assert found["captured_by_all"] == [
        {"source": "exif/DateTimeOriginal", "at": "2024-05-17T14:03:21"},
        {"source": "xmp/exif:DateTimeOriginal", "at": "2024-05-17T14:03:21-04:00", "zone": "-04:00"},
    ]


def test_a_film_says_where_its_time_stands(media: RealMedia) -> None:
    found = _found(media.film("h264"))
    assert found.get("captured_from") == ("tags/creation_time" if "captured_at" in found else None)


def test_a_side_file_is_read_like_what_stands_inside(tmp_path: Path) -> None:
    path = tmp_path / "photo.jpg.xmp"
    inside = (
        "<dc:title>Meadow</dc:title>"
        '<c:license xmlns:c="http://creativecommons.org/ns#">https://creativecommons.org/licenses/by-sa/4.0/</c:license>'
        '<e:DateTimeOriginal xmlns:e="http://ns.adobe.com/exif/1.0/">2024-05-17T14:03:21</e:DateTimeOriginal>'
    )
    path.write_bytes(_xmp(inside))
    found = _found(path)
    assert (found["kind"], found["mime"], found["format"]) == ("text", "application/rdf+xml", "xmp")
    assert (found["title"], found["captured_at"]) == ("Meadow", "2024-05-17T14:03:21")
    assert (found["license"], found["license_from"]) == ("CC-BY-SA-4.0", "xmp/cc:license")


def test_the_licence_of_a_source_file(tmp_path: Path) -> None:
    path = tmp_path / "tool.py"
    path.write_text("#!/usr/bin/env python3\n# SPDX-License-Identifier: Apache-2.0 OR MIT\nprint('hello')\n")
    found = _found(path)
    assert (found["license"], found["license_from"]) == ("Apache-2.0 OR MIT", "text/SPDX-License-Identifier")


def test_a_rating_that_is_none_costs_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "photo.webp"
    rating = '<p:Rating xmlns:p="http://ns.adobe.com/xap/1.0/">--1</p:Rating><dc:title>Meadow</dc:title>'
    Image.new("RGB", (8, 8)).save(path, xmp=_xmp(rating))
    found = _found(path)
    assert found["title"] == "Meadow"
    assert "rating" not in found


def test_the_largest_entries_are_left_out_first() -> None:
    raw = {"a": {"small": 1, "large": "x" * 500}, "b": {"larger": "y" * 900}}
    assert bounded(raw, 2000) == (raw, False)
    assert bounded(raw, 700) == ({"a": raw["a"]}, True)
    assert bounded(raw, 100) == ({"a": {"small": 1}}, True)


def test_a_profile_bomb_in_png_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "bomb.png"
    Image.new("RGB", (8, 8)).save(path)
    data = path.read_bytes()
    body = b"iCCP" + b"x\0\0" + zlib.compress(bytes(200_000_000))
    chunk = (len(body) - 4).to_bytes(4, "big") + body + zlib.crc32(body).to_bytes(4, "big")
    path.write_bytes(data[:33] + chunk + data[33:])
    with pytest.raises(LoomError) as caught:
        _found(path)
    assert caught.value.code == "FILE_TOO_LARGE"


def test_every_output_is_declared(media: RealMedia) -> None:
    declared = {key.name for key in output_keys(Metadata)}
    for path in (media.photo(), media.film("h264"), media.sound("flac"), media.paper("pdf"), media.paper("txt")):
        assert set(_found(path)) <= declared
