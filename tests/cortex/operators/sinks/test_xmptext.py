from __future__ import annotations

from xml.etree import ElementTree

import pytest

from cortex.media import xmp
from cortex.operators.sinks.xmptext import FIELDS, packet

ASSET = "0f0e0d0c-0b0a-8908-8706-050403020100"
VALUES = {
    "title": "Cup & <saucer>",
    "description": "“Two”\nlines",
    "creator": ["Ann", "Bob", "Ann"],
    "copyright": "© Ann",
    "keywords": ["cup", " table ", ""],
    "rating": 4,
    "label": "Red",
    "captured_at": "2024-05-17T14:03:21.250+02:00",
    "latitude": 48.137222,
    "longitude": -11.575556,
    "camera_make": "Nikon",
    "camera_model": "Z 6",
}


def test_what_is_written_is_read_again():
    text = packet(ASSET, VALUES)
    found = xmp.parse(text.encode())
    assert found["dc:identifier"] == f"urn:uuid:{ASSET}"
    assert found["dc:creator"] == ["Ann", "Bob"]
    fields = xmp.fields(found)
    assert fields["title"] == "Cup & <saucer>"
    assert fields["keywords"] == ["cup", "table"]
    assert fields["rating"] == 4
    assert fields["captured_at"] == VALUES["captured_at"]
    assert (fields["latitude"], fields["longitude"]) == (
        pytest.approx(48.137222, abs=1e-7),
        pytest.approx(-11.575556, abs=1e-7),
    )
    assert VALUES.keys() == FIELDS.keys()


def test_it_is_well_formed_whatever_the_values_are():
    strange = "a\0b\x1fc\ud800]]>&lt;<!--\u2028\U0001f600"
    for name in FIELDS:
        for value in (strange, [strange, strange], {"a": 1}, True, [None], "", [], -1e300, 7):
            ElementTree.fromstring(packet(ASSET, {name: value}).encode())


@pytest.mark.parametrize(
    ("name", "value"),
    [("rating", 6), ("rating", 3.5), ("rating", True), ("latitude", 91), ("longitude", "11"), ("captured_at", "soon"),
     ("label", "  "), ("title", [])],
)  # fmt: skip
def test_what_a_property_cannot_have_is_left_out(name, value):
    assert packet(ASSET, {name: value}) == packet(ASSET, {})


@pytest.mark.parametrize(
    ("degrees", "text"), [(0.0, "0,0.000000N"), (-0.5, "0,30.000000S"), (59.99999999999, "60,0.000000N")]
)
def test_degrees(degrees, text):
    assert xmp.parse(packet(ASSET, {"latitude": degrees}).encode())["exif:GPSLatitude"] == text
