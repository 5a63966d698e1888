from __future__ import annotations

import unicodedata
from typing import Any

import pytest

from loom.graph.matching import passes
from loom.graph.plan import AssetFilter
from loom.model import Kind


def fits(relative: str | bytes = "a/b.jpg", kind: Kind = Kind.IMAGE, size: int = 10, **given: Any) -> bool:
    """Whether a JPEG passes the filter that is given."""
    path = relative.encode() if isinstance(relative, str) else relative
    return passes(AssetFilter(**given), kind, "image/jpeg", size, path)


def test_an_empty_filter_lets_all_pass() -> None:
    assert fits()
    assert fits(b"\xff\xfe", kind=Kind.OTHER, size=0)


def test_kinds_types_and_sizes() -> None:
    assert fits(kinds=frozenset({Kind.IMAGE, Kind.VIDEO}))
    assert not fits(kinds=frozenset({Kind.VIDEO}))
    assert fits(mime=("video/*", "image/*"))
    assert fits(mime=("IMAGE/JPEG",))
    assert not fits(mime=("image/j",))
    assert fits(min_size=10, max_size=10)
    assert not fits(min_size=11)
    assert not fits(max_size=9)
    assert fits(b"", size=0, max_size=0)


def test_every_field_that_is_given_must_fit() -> None:
    assert not fits(kinds=frozenset({Kind.IMAGE}), mime=("video/*",))
    assert not fits(kinds=frozenset({Kind.IMAGE}), path=("*.png",))


@pytest.mark.parametrize(
    ("pattern", "fitting", "other"),
    [
        ("*.jpg", ["a.jpg", ".jpg"], ["a/b.jpg", "a.JPG", "a.jpgx", "xa.jpg/b"]),
        ("**/*.jpg", ["a.jpg", "x/a.jpg", "x/y/z/a.jpg"], ["a.png", "a.jpg/b"]),
        ("**/raw/**", ["raw/a", "x/raw/a", "x/raw/y/raw/a"], ["raw", "x/raw", "raws/a"]),
        ("raw/**", ["raw/a", "raw/b/c"], ["raw", "x/raw/a"]),
        ("**", ["a", "a/b/c"], []),
        ("a/**/b", ["a/b", "a/x/b", "a/x/y/b", "a/b/b"], ["a", "a/b/c", "x/a/b"]),
        ("a/**/b/**/c", ["a/b/c", "a/x/b/b/y/c"], ["a/c", "a/x/c"]),
        ("a/*/b", ["a/x/b"], ["a/b", "a/x/y/b"]),
        ("20[12]?/**", ["2015/a", "2024/b/c"], ["2035/a"]),
        ("[!a]*", ["b", "bc"], ["a", "ab"]),
        ("/a/b/", ["a/b"], ["a"]),
        ("a.b", ["a.b"], ["axb"]),
    ],
)
def test_globs(pattern: str, fitting: list[str], other: list[str]) -> None:
    assert [path for path in fitting if not fits(path, path=(pattern,))] == []
    assert [path for path in other if fits(path, path=(pattern,))] == []


def test_names_are_compared_as_people_see_them() -> None:
    name = "Zürich/été.jpg"
    for form in ("NFC", "NFD"):
        for other in ("NFC", "NFD"):
            pattern = unicodedata.normalize(form, "Zürich/é?é.*")  # type: ignore[arg-type]
            assert fits(unicodedata.normalize(other, name), path=(pattern,))  # type: ignore[arg-type]


def test_names_that_are_no_text_are_matched_too() -> None:
    assert fits(b"raw/\xff\xfe.jpg", path=("raw/??.jpg",))
    assert not fits(b"raw/\xff\xfe.jpg", path=("*.jpg",))


@pytest.mark.parametrize(
    ("pattern", "name"),
    [("*a" * 40 + "b", "a" * 2000), ("**/a/" * 40 + "b", "a/" * 1000 + "a"), ("**/*a*/" * 20 + "b", "a/" * 1000 + "c")],
)
@pytest.mark.timeout(20)
def test_no_pattern_takes_for_ever(pattern: str, name: str) -> None:
    assert not fits(name, path=(pattern,))
