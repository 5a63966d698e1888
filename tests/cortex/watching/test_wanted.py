"""What a watch is to follow, with a real Loom and real folders; disks are folders with a mark that are renamed."""

import os
import platform
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ingests import SHA256, definition, loom_in

from cortex.request import Request
from cortex.sources.marker import set_mark
from cortex.sources.storing import add_source
from cortex.watching.named import NamedStore
from cortex.watching.wanted import Wanted
from loom.errors import LoomError
from loom.service.loom import LocalLoom
from loom.sources import Source, SourceOptions

HOST = platform.node()


@pytest.fixture
def loom(tmp_path: Path) -> Iterator[LocalLoom]:
    with loom_in(tmp_path / "data") as loom:
        yield loom


@pytest.fixture
def media(tmp_path: Path) -> Path:
    """Two folders with a file each, and one with a mark besides."""
    for name in ("one", "two", "marked/sub"):
        folder = tmp_path / "media" / name
        folder.mkdir(parents=True)
        (folder / "file").write_text(name)
    set_mark(os.fsencode(tmp_path / "media" / "marked"))
    return tmp_path / "media"


def add(loom: LocalLoom, path: Path, **options: Any) -> None:
    add_source(loom, path, None, SourceOptions(**options))


class Asked:
    """What is wanted, and what was said of it."""

    def __init__(self, loom: LocalLoom, *paths: Path, **asked: Any) -> None:
        self.loom = loom
        self.notes: list[str] = []
        request = Request(paths=paths, **asked)
        self.wanted = Wanted(request, HOST, self.notes.append, NamedStore(request))

    def look(self) -> dict[Path, Request]:
        return {Path(os.fsdecode(place.path)): place.request for place in self.wanted.look(self.loom)}

    def said(self) -> list[str]:
        said, self.notes[:] = list(self.notes), []
        return said


def test_a_folder_becomes_a_source_with_its_options_once(loom: LocalLoom, media: Path) -> None:
    asked = Asked(
        loom, media / "one", media / "one" / "file", exclude=("*.tmp",), hidden=True, recompute=frozenset("*")
    )
    plain = Request(exclude=("*.tmp",), hidden=True)
    assert asked.look() == {media / "one": plain, media / "one" / "file": plain}
    (stored,) = loom.sources()
    assert (stored.name, stored.options) == ("one", SourceOptions(exclude=("*.tmp",), hidden=True))
    assert asked.said() == [f"{media}/one is the source one from now on: cortex sources show one"]
    loom.remove_source("one")
    assert asked.wanted.is_outdated(loom)
    assert asked.look() == {media / "one": plain, media / "one" / "file": plain}, "it is watched on"
    assert (loom.sources(), asked.wanted.is_outdated(loom)) == ([], False)


def test_a_dry_run_stores_nothing(loom: LocalLoom, media: Path) -> None:
    assert list(Asked(loom, media / "one", dry_run=True).look()) == [media / "one"]
    assert loom.sources() == []


def test_files_and_what_is_not_there_or_in_a_source_become_none(loom: LocalLoom, media: Path) -> None:
    add(loom, media / "one", hidden=True)
    (media / "one" / "inner").mkdir()
    asked = Asked(loom, media / "two" / "file", media / "none", media / "one" / "inner", include=("*.jpg",))
    assert set(asked.look().values()) == {Request(include=("*.jpg",))}, "the command line alone"
    assert [source.name for source in loom.sources()] == ["one"]
    assert not asked.wanted.is_outdated(loom)


def test_a_pipeline_that_comes_to_be_stored_by_the_first_round(loom: LocalLoom, media: Path) -> None:
    asked = Asked(loom, media / "one", pipeline="mine")
    assert asked.look() == {media / "one": Request(pipeline="mine")}
    assert (loom.sources(), asked.wanted.is_outdated(loom)) == ([], True)
    loom.save_pipeline(definition("mine", SHA256))
    assert asked.look() == {media / "one": Request(pipeline="mine")}
    assert loom.source("one").options.pipeline == "mine"
    Asked(loom, media / "two", pipeline="two.yaml").look()
    assert loom.source("two").options.pipeline is None, "a file is no stored pipeline"


def test_each_source_has_its_options_and_the_command_line_goes_before(loom: LocalLoom, media: Path) -> None:
    add(loom, media / "one", exclude=("a",))
    add(loom, media / "two", include=("*.jpg",), hidden=True)
    loom.save_source(Source(name="far", host="elsewhere", path=b"/far"))
    assert Asked(loom).look() == {
        media / "one": Request(exclude=("a",)),
        media / "two": Request(include=("*.jpg",), hidden=True),
    }
    assert Asked(loom, sources=("two",)).look() == {media / "two": Request(include=("*.jpg",), hidden=True)}
    assert Asked(loom, media / "one", exclude=("b",)).look() == {media / "one": Request(exclude=("a", "b"))}
    for name, code in [("none", "NOT_FOUND"), ("far", "USAGE")]:
        with pytest.raises(LoomError) as refused:
            Asked(loom, sources=(name,)).look()
        assert refused.value.code == code


def test_sources_are_taken_up_and_let_go(loom: LocalLoom, media: Path) -> None:
    asked = Asked(loom)
    assert asked.look() == {}
    assert "cortex sources add PATH" in asked.said()[0]
    assert not asked.wanted.is_outdated(loom)
    add(loom, media / "one")
    assert asked.wanted.is_outdated(loom)
    assert list(asked.look()) == [media / "one"]
    assert not asked.wanted.is_outdated(loom)
    add(loom, media / "one", hidden=True)
    assert asked.wanted.is_outdated(loom)
    assert asked.look() == {media / "one": Request(hidden=True)}
    loom.remove_source("one")
    assert asked.wanted.is_outdated(loom)
    assert (asked.look(), asked.look(), asked.said()) == ({}, {}, [])
    with pytest.raises(LoomError, match="say which folders"):
        Asked(loom, dry_run=True).look()


@pytest.mark.parametrize("names", [(), ("marked",)])
def test_a_source_is_followed_where_it_goes(loom: LocalLoom, media: Path, names: tuple[str, ...]) -> None:
    add(loom, media / "marked")
    asked = Asked(loom, sources=names)
    assert list(asked.look()) == [media / "marked"]
    assert not asked.wanted.has_changed()
    assert not asked.wanted.is_back()
    (media / "marked").rename(media.parent / "hidden")
    assert asked.wanted.has_changed()
    assert (asked.look(), asked.look(), asked.wanted.lost) == ({}, {}, 1)
    assert asked.said() == ["the source marked is not there; it is watched again once it is found"]
    assert asked.wanted.away == {os.fsencode(media / "marked"): "the source marked is not there"}
    assert loom.source("marked").state == "unreachable"
    assert not asked.wanted.has_changed()
    assert not asked.wanted.is_back()
    (media.parent / "hidden").rename(media / "there")
    assert asked.wanted.is_back()
    assert (list(asked.look()), asked.wanted.away, asked.wanted.lost) == ([media / "there"], {}, 0)
    assert asked.said() == [f"marked lay at {media}/marked and lies at {media}/there now"]
    assert not asked.wanted.has_changed()
    assert not asked.wanted.is_back()


def test_a_path_goes_with_the_source_that_it_lies_in(loom: LocalLoom, media: Path) -> None:
    add(loom, media / "marked", hidden=True)
    asked = Asked(loom, media / "marked" / "sub")
    assert asked.look() == {media / "marked" / "sub": Request()}
    (media / "marked").rename(media / "there")
    assert asked.wanted.has_changed()
    assert list(asked.look()) == [media / "there" / "sub"]


def test_a_path_at_which_a_source_lies_now_is_that_source(loom: LocalLoom, media: Path) -> None:
    add(loom, media / "marked", hidden=True)
    (media / "marked").rename(media / "there")
    asked = Asked(loom, media / "there")
    assert asked.look() == {media / "there": Request(hidden=True)}
    assert [(source.name, source.path) for source in loom.sources()] == [("marked", str(media / "there"))]


def test_what_else_lies_at_its_place_is_not_the_source(loom: LocalLoom, media: Path) -> None:
    add(loom, media / "marked")
    asked = Asked(loom, media / "marked")
    asked.look()
    (media / "marked").rename(media.parent / "hidden")
    (media / "marked").mkdir()
    assert asked.wanted.has_changed()
    why = "what lies there is not marked as the source marked"
    assert (asked.look(), asked.said()[-1]) == ({}, f"{why}; it is watched again once it is found")
    (media / "marked").rmdir()
    (media.parent / "hidden").rename(media / "marked")
    assert asked.wanted.is_back()
    assert list(asked.look()) == [media / "marked"]
    assert asked.said() == [f"{media}/marked is back"]


def test_a_source_in_a_watched_folder_is_looked_after(loom: LocalLoom, media: Path) -> None:
    add(loom, media / "marked")
    asked = Asked(loom, media)
    assert list(asked.look()) == [media]
    (media / "marked").rename(media.parent / "hidden")
    assert asked.wanted.has_changed()
    assert (list(asked.look()), asked.wanted.lost) == ([media], 0)
    assert asked.wanted.away == {os.fsencode(media / "marked"): "the source marked is not there"}
    assert not asked.wanted.is_back()
    (media.parent / "hidden").rename(media / "there")
    assert asked.wanted.is_back()
    assert (list(asked.look()), asked.wanted.away) == ([media], {})
    assert loom.source("marked").path == str(media / "there")


def test_a_dry_run_follows_a_source_and_remembers_nothing(loom: LocalLoom, media: Path) -> None:
    add(loom, media / "marked")
    (media / "marked").rename(media / "there")
    asked = Asked(loom, dry_run=True)
    assert list(asked.look()) == [media / "there"]
    assert (loom.source("marked").path, loom.source("marked").state) == (str(media / "marked"), "reachable")
