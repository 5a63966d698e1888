"""How assets are found by what is known of them: hash, words, days, places."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest
from ledgers import begin, definition, digest, found, opening, report

from loom.errors import LoomError
from loom.model import Branch, State, StepRef, StoredResult, asset_uuid
from loom.steering import AssetQuery

METADATA = StepRef("metadata", "media.metadata", "1", digest("step metadata"))
COLOURS = StepRef("colours", "image.dominant-color", "1", digest("step colours"))
OCR = StepRef("words", "toy.ocr", "1", digest("step ocr"))
SHA256 = StepRef("sha256", "hash.sha256", "1", digest("step sha256"))


def say(loom, name: str, *results: tuple[StepRef, dict[str, Any]], path: bytes = b"/data/") -> None:
    """Reports an asset with what nodes gave for it."""
    version = loom.save_pipeline(definition()).version
    made = opening(version=version, steps=(METADATA, OCR, SHA256, COLOURS))
    loom.open_run(made)
    given = [
        StoredResult(step.signature, State.COMPLETED, Branch.PASS, json.dumps(outputs).encode())
        for step, outputs in results
    ]
    loom.report(made.uuid, [report(name, found(path + name.encode()), results=given)])


def names(loom, **asked: Any) -> list[str]:
    query = AssetQuery(**asked)
    items = loom.assets(query).items
    assert loom.facets(query).total == len(items)
    return sorted(item.locations[0].path.rpartition("/")[2] for item in items)


def test_assets_are_found_by_the_words_of_their_results(loom):
    say(loom, "a", (METADATA, {"title": "Café du Lac", "keywords": ["Sunset", "lake-side"], "raw": {"title": "no"}}))
    say(loom, "b", (METADATA, {"description": "A lake"}), (OCR, {"text": "EXIT\nПривет 東京タワー", "confidence": 0.5}))
    say(loom, "c", (METADATA, {"title": 5, "keywords": [7, None]}), (OCR, {"text": ""}))
    assert names(loom, text="cafe") == names(loom, text="CAFÉ") == names(loom, text="Cafe\u0301 lac") == ["a"]
    assert names(loom, text="lake") == ["a", "b"]
    assert names(loom, text="sun side") == ["a"], "beginnings of all words"
    assert names(loom, text="unset") == []
    assert names(loom, text="привет") == names(loom, text="京") == names(loom, text="東京") == ["b"]
    assert names(loom, text="lake exit") == [], "of one result"
    assert names(loom, text="no") == names(loom, text="0.5") == names(loom, text="!?") == []
    assert names(loom, text='la* OR "exit" NOT -x:y') == []
    assert names(loom, q="lake", path="/data/b") == ["b"]
    assert names(loom, q="a") == ["a", "b"], "its name, and what b says"
    assert names(loom, q="%") == []


def test_what_a_result_said_before_is_forgotten(loom):
    say(loom, "a", (METADATA, {"title": "old"}), (OCR, {"text": "kept"}))
    say(loom, "a", (METADATA, {"title": "new"}))
    assert (names(loom, text="old"), names(loom, text="new"), names(loom, text="kept")) == ([], ["a"], ["a"])
    say(loom, "a", (METADATA, {}))
    assert (names(loom, text="new"), names(loom, text="kept")) == ([], ["a"])


def test_long_texts_and_words_do_no_harm(loom):
    say(loom, "a", (OCR, {"text": "x" * 5000 + " " + "word " * 20_000 + "\0end"}))
    assert names(loom, text="x" * 4000) == names(loom, text="word") == ["a"]
    assert names(loom, text="words " * 500) == []


def test_a_hash_or_uuid_finds_its_asset(loom):
    sha256 = "ab" * 32
    say(loom, "a", (SHA256, {"sha256": sha256}))
    say(loom, "b")
    for text in (sha256, sha256.upper(), digest("a").hex(), str(asset_uuid(digest("a"))), f" {sha256} "):
        assert names(loom, q=text) == ["a"]
    assert names(loom, q=sha256, path="/elsewhere") == []
    assert names(loom, q="cd" * 32) == names(loom, q=sha256[:40]) == []


def test_assets_are_found_by_the_days_of_their_capture(loom):
    days = {"a": "2024-05-17T23:59:00+02:00", "b": "2024-06-01T00:00:00", "c": "2024-02-30", "d": 5}
    for name, taken in days.items():
        say(loom, name, (METADATA, {"captured_at": taken}))
    assert names(loom, captured_from=date(2024, 5, 17), captured_to=date(2024, 5, 17)) == ["a"]
    assert names(loom, captured_from=date(2024, 5, 18)) == ["b"]
    assert names(loom, captured_to=date(2024, 6, 1)) == ["a", "b"]
    assert names(loom, captured_to=date(2024, 6, 1), year=2023) == []
    assert names(loom, year=2024) == ["a", "b", "c"]


def test_assets_are_found_by_the_place_of_their_capture(loom):
    places = {"berlin": (52.52, 13.405), "potsdam": (52.39, 13.06), "suva": (-18.14, 178.44), "apia": (-13.83, -171.76),
              "taveuni": (-16.8, 179.97), "pole": (89.99, 10.0)}  # fmt: skip
    for name, (latitude, longitude) in places.items():
        say(loom, name, (METADATA, {"latitude": latitude, "longitude": longitude}))
    say(loom, "off", (METADATA, {"latitude": 95.0, "longitude": 0}))
    say(loom, "half", (METADATA, {"latitude": 5.0}))
    say(loom, "none")
    assert names(loom, near="52.52,13.405") == ["berlin"]
    assert names(loom, near="52.4,13.1", radius_km=20.0) == ["potsdam"]
    assert names(loom, near="52.52,13.405", radius_km=27.0) == ["berlin"], "27.3 km away"
    assert names(loom, near="52.52,13.405", radius_km=28.0) == ["berlin", "potsdam"]
    assert names(loom, near="-16.8,-179.97", radius_km=10.0) == ["taveuni"], "over the 180th meridian"
    assert names(loom, near="-16,180", radius_km=1000.0) == ["apia", "suva", "taveuni"]
    assert names(loom, near="90,0", radius_km=5.0) == ["pole"]
    assert names(loom, box="52,13,53,14") == ["berlin", "potsdam"]
    assert names(loom, box="-20,178,-10,-170") == ["apia", "suva", "taveuni"]
    assert names(loom, box="-20,-170,-10,178") == []
    assert names(loom, place="unknown") == ["half", "none", "off"]
    facets = loom.facets(AssetQuery(place="known"))
    assert (facets.total, facets.place) == (6, {"known": 6, "unknown": 3})
    assert loom.facets(AssetQuery(q="suva")).place == {"known": 1}


@pytest.mark.parametrize("asked", [{"near": "91,0"}, {"near": "0,181"}, {"box": "2,0,1,0"}, {"box": "0,0,0,999"}])
def test_places_off_the_globe_are_refused(loom, asked):
    begin(loom)
    for look in (loom.assets, loom.facets):
        with pytest.raises(LoomError) as refused:
            look(AssetQuery(**asked))
        assert refused.value.code == "REQUEST_INVALID"


def shows(*colours: tuple[str, tuple[float, float, float], float]) -> tuple[StepRef, dict[str, Any]]:
    """As `image.dominant-color` tells it: name, L*a*b* and share of each."""
    return COLOURS, {"colors": [{"name": name, "lab": lab, "share": share} for name, lab, share in colours]}


RED, PINK, BLUE = ("red", (53.24, 80.09, 67.2)), ("pink", (65.0, 60.0, 20.0)), ("blue", (32.3, 79.19, -107.86))


def test_pictures_are_found_by_their_colours(loom):
    say(loom, "rose", shows((*RED, 0.6), (*BLUE, 0.04)))
    say(loom, "sea", shows((*BLUE, 0.7), (*BLUE, 0.2), (*RED, 0.1)))
    say(loom, "flag", shows((*PINK, 0.3), ("green", (50, -40, 30), 0.06), ("green", (70, -40, 30), 0.05)))
    say(loom, "clear", shows())
    say(loom, "other", (COLOURS, {"colors": "red"}), (OCR, {"colors": [{"name": "red"}]}))
    assert names(loom, color="red") == ["rose", "sea"]
    assert names(loom, color="blue") == ["sea"]
    assert names(loom, color="blue", color_share=0.03) == ["rose", "sea"]
    assert names(loom, color="red", color_share=0.5) == ["rose"]
    assert names(loom, color="red", q="sea") == ["sea"]
    assert names(loom, color="green") == ["flag"], "two greens together"
    assert names(loom, color="beige") == []
    assert names(loom, color="#ff0000") == names(loom, color="FA0505", color_distance=5.0) == ["rose", "sea"]
    assert names(loom, color="#ff0000", color_distance=60.0) == ["flag", "rose", "sea"], "52.4 away"
    assert names(loom, color="#ff0000", color_distance=52.0) == ["rose", "sea"]
    assert names(loom, color="#00ff00", color_distance=100.0) == []
    facets = loom.facets(AssetQuery(color="blue"))
    assert (facets.total, facets.color) == (1, {"red": 2, "blue": 1, "green": 1, "pink": 1})
    assert loom.facets(AssetQuery(q="rose", color_share=0.03)).color == {"blue": 1, "red": 1}


def test_the_newest_colours_count(loom):
    say(loom, "a", shows((*RED, 0.6), (*BLUE, 0.4)))
    say(loom, "b", shows((*RED, 1.0)))
    say(loom, "a", shows((*PINK, 0.9)))
    assert (names(loom, color="red"), names(loom, color="pink"), names(loom, color="blue")) == (["b"], ["a"], [])
    say(loom, "a", (METADATA, {"title": "something else"}))
    assert names(loom, color="pink") == ["a"]
