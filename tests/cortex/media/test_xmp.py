from __future__ import annotations

import pytest

from cortex.media import xmp

PACKET = b"""<?xpacket begin="\xef\xbb\xbf" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/"
 xmlns:crs="http://ns.adobe.com/camera-raw-settings/1.0/" xmlns:my="http://example.org/"
 xmp:Rating="4" crs:Exposure="1" my:Thing="own">
<xmp:CreateDate>2024-05-17T14:03:21+02:00</xmp:CreateDate>
<dc:title><rdf:Alt><rdf:li xml:lang="x-default">Meadow</rdf:li><rdf:li xml:lang="de">Wiese</rdf:li></rdf:Alt></dc:title>
<dc:subject><rdf:Bag><rdf:li>sun</rdf:li><rdf:li>grass &amp; sky</rdf:li></rdf:Bag></dc:subject>
<dc:creator><rdf:Seq><rdf:li>Ada</rdf:li><rdf:li>Bo</rdf:li></rdf:Seq></dc:creator>
</rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end="w"?>"""


def test_a_packet() -> None:
    found = xmp.parse(PACKET)
    assert found == {
        "xmp:Rating": "4",
        "http://example.org/:Thing": "own",
        "xmp:CreateDate": "2024-05-17T14:03:21+02:00",
        "dc:title": ["Meadow", "Wiese"],
        "dc:subject": ["sun", "grass & sky"],
        "dc:creator": ["Ada", "Bo"],
    }
    assert xmp.fields(found) == {
        "title": "Meadow",
        "artist": "Ada, Bo",
        "keywords": ["sun", "grass & sky"],
        "rating": 4,
        "captured_at": "2024-05-17T14:03:21+02:00",
        "time_zone": "+02:00",
    }


@pytest.mark.timeout(20)
def test_entities_are_refused() -> None:
    lol = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 12))
    bomb = f'<!DOCTYPE x [<!ENTITY l0 "lol">{lol}]>'.encode() + PACKET.replace(b"sun", b"&l11;")
    assert xmp.parse(bomb) == {}
    outside = b'<!DOCTYPE x [<!ENTITY file SYSTEM "file:///etc/passwd">]>' + PACKET.replace(b"sun", b"&file;")
    assert xmp.parse(outside) == {}


def test_what_comes_before_damage_is_kept() -> None:
    assert xmp.parse(PACKET[: PACKET.index(b"<dc:subject")])["dc:title"] == ["Meadow", "Wiese"]
    assert xmp.parse(b"no XML at all") == {}
    assert xmp.parse(b"<a>" * 100_000) == {}
    assert xmp.parse(b"<?xml version='1.0' encoding='no-such'?><a/>") == {}


@pytest.mark.parametrize(
    ("text", "rating"),
    [("4", 4), ("-1", -1), ("4.0", 4), ("5.", 5), ("--1", None), ("-", None), ("6", None), ("4.5", None), ("١", 1),
     ("9" * 4000, None)],
)  # fmt: skip
def test_ratings(text: str, rating: int | None) -> None:
    assert xmp.fields({"xmp:Rating": text}).get("rating") == rating


def test_the_default_language_comes_first() -> None:
    default, german = b'xml:lang="x-default">Meadow<', b'xml:lang="de">Wiese<'
    german_first = PACKET.replace(german, b"..").replace(default, german).replace(b"..", default)
    assert german_first.index(b"Wiese") < german_first.index(b"Meadow")
    assert xmp.parse(german_first)["dc:title"] == ["Meadow", "Wiese"]


def test_what_a_camera_says() -> None:
    found = {
        "tiff:Make": "Loom",
        "tiff:Model": "Sample Camera",
        "exif:ExposureTime": "1/250",
        "exif:FNumber": "28/10",
        "exif:FocalLength": "35",
        "exif:ISOSpeedRatings": ["200", "0"],
        "exif:GPSLatitude": "48,8.23332N",
        "exif:GPSLongitude": "11,34,32W",
        "exif:GPSAltitude": "5194/10",
        "exif:GPSAltitudeRef": "1",
    }
    assert xmp.fields(found) == {
        "camera_make": "Loom",
        "camera_model": "Sample Camera",
        "exposure_s": 0.004,
        "aperture": 2.8,
        "focal_length_mm": 35.0,
        "iso": 200,
        "latitude": 48.137222,
        "longitude": -11.5755556,
        "altitude_m": -519.4,
    }


@pytest.mark.timeout(20)
def test_odd_numbers_and_places_are_left_out() -> None:
    found = {
        "exif:ExposureTime": "1/0",
        "exif:FNumber": "1e999999999",
        "exif:FocalLength": "-35",
        "exif:ISOSpeedRatings": "0",
        "exif:GPSLatitude": "98,8N",
        "exif:GPSLongitude": "11,34W",
        "exif:GPSAltitude": "high",
    }
    assert xmp.fields(found) == {}


def test_a_date_alone_gives_way_to_a_moment() -> None:
    found = {"photoshop:DateCreated": "2024-05-17", "xmp:CreateDate": "2024-05-17T14:03:21+02:00"}
    assert xmp.fields(found) == {"captured_at": "2024-05-17T14:03:21+02:00", "time_zone": "+02:00"}
    assert xmp.fields({"photoshop:DateCreated": "2024-05-17"}) == {"captured_at": "2024-05-17T00:00:00"}


def test_odd_values_are_left_out() -> None:
    odd = {"xmp:Rating": "17", "exif:DateTimeOriginal": "0000", "dc:creator": "Ada"}
    assert xmp.fields(odd) == {"artist": "Ada"}
