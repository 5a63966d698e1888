from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from PIL.TiffImagePlugin import IFDRational

from cortex.media import gps

MUNICH = {1: "N", 2: (48.0, 8.0, 14.0), 3: "E", 4: (11.0, 34.0, 32.0), 5: b"\0", 6: 519.4}


def test_a_position() -> None:
    found = gps.fields(MUNICH)
    assert found == {"latitude": 48.1372222, "longitude": 11.5755556, "altitude_m": 519.4}
    south_west = gps.fields({**MUNICH, 1: "S\0", 3: b"W", 5: 1})
    assert south_west == {"latitude": -48.1372222, "longitude": -11.5755556, "altitude_m": -519.4}


@pytest.mark.parametrize(
    "odd",
    [
        {2: (91.0, 0.0, 0.0)},
        {4: (181.0, 0.0, 0.0)},
        {2: (IFDRational(0, 0), 0.0, 0.0)},
        {2: (float("inf"), 0.0, 0.0)},
        {2: (-1.0, 0.0, 0.0)},
        {2: ("a", "b", "c")},
        {2: ()},
        {2: None},
        {2: (0.0, 0.0, 0.0), 4: (0.0, 0.0, 0.0)},
    ],
)
def test_what_is_no_position_is_left_out(odd: dict[int, Any]) -> None:
    assert "latitude" not in gps.fields({**MUNICH, **odd})
    assert gps.fields({**MUNICH, **odd})["altitude_m"] == 519.4


def test_the_moment_of_the_fix() -> None:
    clock = {29: "2024:05:17", 7: (12.0, 3.0, 21.5)}
    assert gps.moment(clock) == datetime(2024, 5, 17, 12, 3, 21, tzinfo=UTC)
    for odd in ({29: "0000:00:00"}, {29: "junk"}, {7: (25.0, 0.0, 0.0)}, {7: (IFDRational(1, 0), 0.0, 0.0)}, {7: None}):
        assert gps.moment({**clock, **odd}) is None
