from __future__ import annotations

import pytest
from PIL.TiffImagePlugin import IFDRational

from cortex.media import exif

PHOTO = {
    0x10F: "Maker\0\0",
    0x110: b"Model 1\0",
    0x112: 1,
    0x132: "2024:05:17 20:00:00",
    "Exif": {
        0x829A: IFDRational(1, 250),
        0x829D: IFDRational(28, 10),
        0x8827: (400, 0),
        0x920A: IFDRational(50, 1),
        0x9209: 0x19,
        0x9003: "2024:05:17 14:03:21",
        0x9291: "250",
        0x927C: b"\1" * 5000,
        0xA434: "50mm f/1.8",
    },
    "GPS": {1: "N", 2: (48.0, 8.0, 14.0), 3: "E", 4: (11.0, 34.0, 32.0), 7: (12.0, 3.0, 20.0), 29: "2024:05:17"},
}


def test_fields_of_a_photograph() -> None:
    assert exif.fields(PHOTO) == {
        "camera_make": "Maker",
        "camera_model": "Model 1",
        "lens": "50mm f/1.8",
        "exposure_s": 0.004,
        "aperture": 2.8,
        "iso": 400,
        "focal_length_mm": 50.0,
        "flash_fired": True,
        "latitude": 48.1372222,
        "longitude": 11.5755556,
        "captured_at": "2024-05-17T14:03:21.250+02:00",
        "time_zone": "+02:00",
    }


def test_odd_values_stay_in_raw_alone() -> None:
    odd = {
        0x10F: b"\xff\xfe\0",
        0x131: "\x01\x02",
        0x132: "0000:00:00 00:00:00",
        "Exif": {0x829A: IFDRational(0, 0), 0x829D: "wide", 0x8827: "auto", 0x9003: "    ", 0x9209: "yes"},
        "GPS": {2: (99.0, 0.0, 0.0), 4: (11.0, 0.0, 0.0)},
    }
    assert exif.fields(odd) == {"camera_make": "\ufffd\ufffd"}
    raw = exif.readable(odd)
    assert raw["DateTime"] == "0000:00:00 00:00:00"
    assert raw["ExposureTime"] is None
    assert raw["GPSLatitude"] == [99.0, 0.0, 0.0]


@pytest.mark.parametrize(("stored", "rating"), [(4, 4), (0, None), (99, None), ("4", None)])
def test_the_rating(stored: object, rating: int | None) -> None:
    assert exif.fields({0x4746: stored}).get("rating") == rating


def test_the_date_falls_back() -> None:
    without = {**PHOTO, "Exif": {**PHOTO["Exif"], 0x9003: "0000:00:00 00:00:00"}, "GPS": {}}  # type: ignore[dict-item]
    assert exif.fields(without)["captured_at"] == "2024-05-17T20:00:00"


def test_raw_has_names_and_no_maker_notes() -> None:
    raw = exif.readable({**PHOTO, 0x9999: 1})
    assert raw["Make"] == "Maker"
    assert raw["FNumber"] == 2.8
    assert raw["GPSLatitudeRef"] == "N"
    assert raw["Image0x9999"] == 1
    assert "MakerNote" not in raw
