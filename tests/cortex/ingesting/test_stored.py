from __future__ import annotations

import os
import platform
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from ingests import SHA256, definition, loom_in

from cortex.ingesting.stored import at_their_places, parts_of
from cortex.request import Request
from cortex.sources.marker import set_mark
from cortex.sources.storing import add_source
from loom.errors import LoomError
from loom.service.loom import LocalLoom
from loom.sources import Source, SourceOptions

HOST = platform.node()


@pytest.fixture
def loom(tmp_path: Path) -> Iterator[LocalLoom]:
    with loom_in(tmp_path / "data") as loom:
        loom.save_pipeline(definition("mine", SHA256))
        yield loom


def add(loom: LocalLoom, folder: Path, **options: Any) -> Path:
    folder.mkdir()
    (folder / "file").write_text(folder.name)
    add_source(loom, folder, None, SourceOptions(**options))
    return folder


def parts(loom: LocalLoom, request: Request) -> tuple[list[Request], list[str]]:
    notes: list[str] = []
    return parts_of(request, loom, HOST, notes.append), notes


def test_without_sources_there_is_one_part(loom: LocalLoom) -> None:
    request = Request(paths=(Path("a"),), include=("*.jpg",))
    assert parts(loom, request) == ([request], [])


def test_what_has_the_same_options_is_ingested_together(loom: LocalLoom, tmp_path: Path) -> None:
    plain, same, other = (
        add(loom, tmp_path / "plain"),
        add(loom, tmp_path / "same"),
        add(loom, tmp_path / "other", pipeline="mine", include=("*.jpg",), exclude=("x",), hidden=True),
    )
    first, second = parts(loom, Request(paths=(Path("p"),), sources=("plain", "other", "same", "plain"), jobs=2))[0]
    assert first == Request(paths=(Path("p"), plain, same), jobs=2)
    assert second == Request(
        paths=(other,), jobs=2, pipeline="mine", include=("*.jpg",), exclude=("x",), hidden=True
    )  # fmt: skip


def test_what_the_command_line_says_goes_before(loom: LocalLoom, tmp_path: Path) -> None:
    add(loom, tmp_path / "other", pipeline="mine", include=("*.jpg",), exclude=("x",))
    asked = Request(sources=("other",), pipeline="ingest", include=("*.png",), exclude=("y",), hidden=True)
    (part,) = parts(loom, asked)[0]
    assert (part.pipeline, part.include, part.exclude, part.hidden) == ("ingest", ("*.png",), ("x", "y"), True)
    asked = Request(sources=("other",), exclude=("x",))
    assert parts(loom, asked)[0][0].exclude == ("x",), "what was stored is not said twice"
    listed, of_source = parts(loom, Request(sources=("other",), files_from="-"))[0]
    assert (listed.files_from, of_source.files_from) == ("-", None)


def test_sources_that_are_away_are_told_with_the_others(loom: LocalLoom, tmp_path: Path) -> None:
    away, there = add(loom, tmp_path / "away"), add(loom, tmp_path / "there")
    shutil.rmtree(away)
    (part,) = parts(loom, Request(sources=("away", "there")))[0]
    assert part.paths == (there,)
    assert part.away == ((os.fsencode(away), "the source away is not there"),)
    with pytest.raises(LoomError, match="the source away is not there") as refused:
        parts(loom, Request(sources=("away",)))
    assert (refused.value.code, refused.value.exit_code) == ("SOURCE_UNREACHABLE", 4)
    with pytest.raises(LoomError) as refused:
        parts(loom, Request(sources=("none",)))
    assert refused.value.code == "NOT_FOUND"


def test_a_run_that_was_asked_for_goes_over_a_source_that_is_away_with_its_options(
    loom: LocalLoom, tmp_path: Path
) -> None:
    away = add(loom, tmp_path / "away", pipeline="mine", include=("*.jpg",))
    shutil.rmtree(away)
    (part,), _ = parts(loom, Request(sources=("away",), pipeline="ingest", claim=(uuid4(), "worker")))
    assert (part.paths, part.include, part.pipeline, len(part.away)) == ((away,), ("*.jpg",), "ingest", 1)


def test_one_that_was_moved_is_ingested_where_it_is(loom: LocalLoom, tmp_path: Path) -> None:
    marked = add(loom, tmp_path / "marked")
    set_mark(os.fsencode(marked))
    add_source(loom, marked, None, SourceOptions(hidden=True))
    marked.rename(tmp_path / "moved")
    (part,), notes = parts(loom, Request(sources=("marked",)))
    assert (part.paths, part.hidden) == ((tmp_path / "moved",), True)
    assert notes == [f"marked lay at {marked} and lies at {tmp_path / 'moved'} now"]


def test_paths_see_to_the_sources_that_they_meet(loom: LocalLoom, tmp_path: Path) -> None:
    marked = add(loom, tmp_path / "marked")
    set_mark(os.fsencode(marked))
    add_source(loom, marked, None, SourceOptions())
    marked.rename(tmp_path / "elsewhere")
    notes: list[str] = []
    request = Request(paths=(marked,))
    met = at_their_places(request, loom, HOST, notes.append, dry_run=True)
    assert met == request._replace(away=((os.fsencode(marked), f"the source marked lies at {tmp_path}/elsewhere now"),))
    assert notes == []
    assert at_their_places(Request(paths=(tmp_path,)), loom, HOST, notes.append, dry_run=False).away == ()
    assert len(notes) == 1


class Counting:
    """A Loom that counts what it is asked."""

    def __init__(self) -> None:
        self.asked = 0

    def sources(self, *, host: str | None = None) -> list[Any]:
        self.asked += 1
        return []


def test_without_stored_sources_it_costs_one_question(tmp_path: Path) -> None:
    loom: Any = Counting()
    request = Request(paths=(tmp_path, tmp_path / "a"))
    assert at_their_places(request, loom, HOST, pytest.fail, dry_run=False) is request
    assert loom.asked == 1
    for asked in (Request(files_from="-"), Request(places=(b"/a",))):
        assert at_their_places(asked, loom, HOST, pytest.fail, dry_run=False) is asked
    assert at_their_places(request, None, HOST, pytest.fail, dry_run=False) is request
    assert loom.asked == 1


def test_sources_of_other_machines_are_not_looked_at(loom: LocalLoom, tmp_path: Path) -> None:
    loom.save_source(Source(name="far", host="elsewhere", path=os.fsencode(tmp_path / "none")))
    request = Request(paths=(tmp_path,))
    assert at_their_places(request, loom, HOST, pytest.fail, dry_run=False) is request


def test_a_source_in_another_one_is_looked_at_once(loom: LocalLoom, tmp_path: Path) -> None:
    outer = add(loom, tmp_path / "outer")
    inner = add(loom, outer / "inner", pipeline="mine")
    innermost = add(loom, inner / "innermost")
    made, notes = parts(loom, Request(sources=("outer", "inner", "innermost")))
    assert [(part.paths, part.pipeline, part.apart) for part in made] == [
        ((outer, innermost), None, frozenset({os.fsencode(inner)})),
        ((inner,), "mine", frozenset({os.fsencode(innermost)})),
    ]
    assert notes == [
        "The source inner lies in outer: its files are looked at once, as those of inner",
        "The source innermost lies in inner: its files are looked at once, as those of innermost",
    ]
    of_path, of_source = parts(loom, Request(paths=(tmp_path,), sources=("inner",)))[0]
    assert (of_path.apart, of_source.apart) == (frozenset({os.fsencode(inner)}), frozenset())
