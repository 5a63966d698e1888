from __future__ import annotations

import pytest

from cortex.media import tags


def test_music() -> None:
    found = tags.fields(
        {
            "title": "Song",
            "artist": "Band",
            "album": "Disc",
            "album_artist": "All",
            "track": "3/12",
            "disc": "1",
            "date": "1999-05",
        }
    )
    assert found == {
        "title": "Song",
        "artist": "Band",
        "album": "Disc",
        "album_artist": "All",
        "track": 3,
        "disc": 1,
        "year": 1999,
    }


def test_a_phones_film() -> None:
    found = tags.fields(
        {
            "creation_time": "2024-05-17T12:03:21.000000Z",
            "com.apple.quicktime.creationdate": "2024-05-17T14:03:21+0200",
            "com.apple.quicktime.location.iso6709": "+48.1372+011.5756+519.4/",
            "com.apple.quicktime.make": "Apple",
            "com.apple.quicktime.model": "Phone",
        }
    )
    assert found == {
        "camera_make": "Apple",
        "camera_model": "Phone",
        "captured_at": "2024-05-17T14:03:21+02:00",
        "time_zone": "+02:00",
        "latitude": 48.1372,
        "longitude": 11.5756,
        "altitude_m": 519.4,
    }


def test_a_containers_time_is_utc_and_says_nothing_of_the_zone() -> None:
    found = tags.fields({"creation_time": "2024-05-17T12:03:21.000000Z"})
    assert found == {"captured_at": "2024-05-17T12:03:21+00:00", "time_zone": None}


@pytest.mark.parametrize(
    "odd",
    [
        {"creation_time": "1904-01-01T00:00:00Z"},
        {"creation_time": "1970-01-01T00:00:00Z"},
        {"location": "+91.0+011.0/"},
        {"location": "+00.0+000.0/"},
        {"location": "here"},
        {"track": "0"},
        {"track": "A"},
        {"date": "19999"},
    ],
)
def test_odd_values_are_left_out(odd: dict[str, str]) -> None:
    assert tags.fields(odd) == {}
