from __future__ import annotations

import os
import platform
from pathlib import Path
from typing import Any

import pytest
from remembering import Remembering

from cortex.sources.storing import add_source, mark_source, move_source
from loom.errors import LoomError
from loom.sources import Source, SourceOptions, SourceShape

NONE = SourceOptions()


@pytest.fixture
def loom(remembering: Remembering) -> Any:
    return remembering.loom


def folder(path: Path) -> Path:
    path.mkdir(parents=True)
    return path


@pytest.mark.parametrize(
    ("named", "name"),
    [("Photos 2020", "photos-2020"), ("été", "t"), ("__x_", "x"), ("写真", "source"), ("a" * 80, "a" * 56)],
)
def test_a_name_is_made_of_the_folders(loom: Any, tmp_path: Path, named: str, name: str) -> None:
    assert add_source(loom, folder(tmp_path / "1" / named), None, NONE).name == name
    assert add_source(loom, folder(tmp_path / "2" / named), None, NONE).name == f"{name}-2"
    assert add_source(loom, folder(tmp_path / "3" / named), None, NONE).name == f"{name}-3"


def test_what_is_added_again_keeps_its_name_and_gets_the_options(loom: Any, tmp_path: Path) -> None:
    path = folder(tmp_path / "photos")
    first = add_source(loom, path, "mine", NONE)
    assert (first.name, first.host, first.path, first.state) == ("mine", platform.node(), str(path), "reachable")
    options = SourceOptions(include=("*.jpg",), exclude=("x",), hidden=True)
    again = add_source(loom, path, None, options)
    assert (again.name, again.options) == ("mine", options)
    with pytest.raises(LoomError) as refused:
        add_source(loom, path, "other", NONE)
    assert refused.value.code == "SOURCE_EXISTS"


def test_what_is_not_there_is_not_added(loom: Any, tmp_path: Path) -> None:
    with pytest.raises(LoomError, match="there is no") as refused:
        add_source(loom, tmp_path / "none", None, NONE)
    assert refused.value.code == "USAGE"


def test_a_pattern_without_meaning_is_not_kept(loom: Any, tmp_path: Path) -> None:
    for options in (SourceOptions(include=("!",)), SourceOptions(exclude=("[z-a]",))):
        with pytest.raises(LoomError, match="a pattern cannot be understood"):
            add_source(loom, tmp_path, None, options)
    assert loom.sources() == []


def test_one_that_is_marked_is_known_by_the_mark(loom: Any, tmp_path: Path) -> None:
    path = folder(tmp_path / "photos")
    add_source(loom, path, None, SourceOptions(hidden=True))
    marked: SourceShape = mark_source(loom, "photos")
    assert marked.marker is not None
    assert (marked.marker.kind, marked.marker.id) == ("file", (path / ".loom-source").read_text().strip())
    assert marked.options.hidden


def test_a_person_may_say_where_it_lies(loom: Any, tmp_path: Path) -> None:
    add_source(loom, folder(tmp_path / "photos"), None, SourceOptions(hidden=True))
    with pytest.raises(LoomError, match="there is no"):
        move_source(loom, "photos", tmp_path / "none")
    moved = move_source(loom, "photos", folder(tmp_path / "pictures"))
    assert (moved.path, moved.options.hidden, moved.state) == (str(tmp_path / "pictures"), True, "reachable")


@pytest.mark.parametrize("say", [mark_source, lambda loom, name: move_source(loom, name, Path("/"))])
def test_those_of_other_machines_are_left_to_them(loom: Any, say: Any) -> None:
    loom.save_source(Source(name="far", host="elsewhere", path=os.fsencode("/x")))
    with pytest.raises(LoomError, match="lies on elsewhere") as refused:
        say(loom, "far")
    assert refused.value.code == "USAGE"
