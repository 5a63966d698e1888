from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from cortex.media import dates


@pytest.mark.parametrize(
    ("text", "fraction", "zone", "wanted"),
    [
        ("2024:05:17 14:03:21", "25", "+02:00", ("2024-05-17T14:03:21.250+02:00", "+02:00")),
        ("2024:05:17 14:03:21\0", None, None, ("2024-05-17T14:03:21", None)),
        (b"2024-05-17 14:03:21", None, "Z", ("2024-05-17T14:03:21+00:00", "+00:00")),
        ("2024:05:17 14:03:60", None, "+99:00", ("2024-05-17T14:03:59", None)),
        ("2024:05:17 14:03:21", "junk", "-0330", ("2024-05-17T14:03:21-03:30", "-03:30")),
        ("0000:00:00 00:00:00", None, None, None),
        ("    :  :     :  :  ", None, None, None),
        ("2024:13:40 99:00:00", None, None, None),
        (20240517, None, None, None),
    ],
)
def test_exif(text: Any, fraction: Any, zone: Any, wanted: tuple[str, str | None] | None) -> None:
    moment = dates.from_exif(text, fraction, zone)
    assert (None if moment is None else dates.with_zone(moment)) == wanted


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("2024-05-17T14:03:21.5Z", "2024-05-17T14:03:21.500+00:00"),
        ("2024-05-17T14:03:21+0200", "2024-05-17T14:03:21+02:00"),
        ("2024-05-17T14:03", "2024-05-17T14:03:00"),
        ("2024-05-17", "2024-05-17T00:00:00"),
        ("2024-05", None),
        ("2024", None),
        ("yesterday", None),
        (None, None),
    ],
)
def test_iso(text: str | None, wanted: str | None) -> None:
    moment = dates.from_iso(text)
    assert (None if moment is None else dates.with_zone(moment)[0]) == wanted


@pytest.mark.parametrize(
    ("satellites", "zone"),
    [
        (datetime(2024, 5, 17, 12, 3, 20, tzinfo=UTC), "+02:00"),
        (datetime(2024, 5, 17, 8, 33, 25, tzinfo=UTC), "+05:30"),
        (datetime(2024, 5, 17, 14, 3, 21, tzinfo=UTC), "+00:00"),
        (datetime(2024, 5, 17, 12, 10, 0, tzinfo=UTC), None),
        (datetime(2024, 5, 15, 12, 3, 21, tzinfo=UTC), None),
        (None, None),
    ],
)
def test_the_zone_follows_from_the_clock_of_the_satellites(satellites: datetime | None, zone: str | None) -> None:
    assert dates.with_zone(datetime(2024, 5, 17, 14, 3, 21), satellites)[1] == zone
