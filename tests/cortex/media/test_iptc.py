from __future__ import annotations

from cortex.media import iptc


def _record(number: int, value: bytes, record: int = 2) -> bytes:
    return b"\x1c" + bytes([record, number]) + len(value).to_bytes(2, "big") + value


BLOCK = b"".join(
    [
        _record(90, b"\x1b%G", 1),
        _record(5, "Fluß".encode()),
        _record(25, b"water"),
        _record(25, b"summer"),
        _record(80, b"Ada"),
        _record(120, b"A river\0\x07"),
        _record(55, b"20240517"),
        _record(60, b"140321+0200"),
        _record(0, b"\0\4"),
        _record(200, b"unknown"),
    ]
)


def test_a_block() -> None:
    found = iptc.parse(BLOCK)
    assert found["ObjectName"] == "Fluß"
    assert found["Keywords"] == ["water", "summer"]
    assert iptc.fields(found) == {
        "title": "Fluß",
        "description": "A river",
        "artist": "Ada",
        "keywords": ["water", "summer"],
        "captured_at": "2024-05-17T14:03:21+02:00",
        "time_zone": "+02:00",
    }


def test_old_encodings_and_faults() -> None:
    assert iptc.parse(_record(5, "Fluß".encode("latin-1"))) == {"ObjectName": "Fluß"}
    assert iptc.parse(_record(5, b"one") + b"\x1c\2\5\xff\xff" + b"x") == {"ObjectName": "one"}
    assert iptc.parse(_record(5, b"one") + b"junk") == {"ObjectName": "one"}
    wide = b"\x1c\2\5\x80\4" + (3).to_bytes(4, "big") + b"two"
    assert iptc.parse(wide) == {"ObjectName": "two"}
    assert iptc.parse(b"") == {}


def test_odd_dates_are_left_out() -> None:
    assert "captured_at" not in iptc.fields({"DateCreated": "00000000", "TimeCreated": "999999"})
    assert iptc.fields({"DateCreated": "20240517"})["captured_at"] == "2024-05-17T00:00:00"
