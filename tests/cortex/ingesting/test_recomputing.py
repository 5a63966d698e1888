import os
from collections.abc import Iterator
from pathlib import Path

from cortex.ingesting.forecasting import Planned
from cortex.ingesting.recomputing import MANY, held_back, look, recompute
from cortex.request import Request
from cortex.sources.found import Found
from cortex.sources.walk import file_stat
from loom.shapes import ForecastNode


def found(name: str, *, known: bool) -> Found:
    stat = file_stat(os.stat("/"))
    return Found(b"/library", name.encode(), name.encode(), stat, b"a" * 32 if known else None, known)


class Source:
    """Files one by one: `taken` of them until now."""

    def __init__(self, *files: Found) -> None:
        self._files = files
        self.taken = 0

    def __iter__(self) -> Iterator[Found]:
        for one in self._files:
            self.taken += 1
            yield one


def test_known_files_wait_until_it_is_clear_whether_they_are_many() -> None:
    files = [*(found(f"known {n}", known=True) for n in range(MANY + 5)), found("new", known=False)]
    source, told = Source(files[0], files[-1], *files[1:-1]), []
    passed = held_back(iter(source), lambda: told.append(source.taken))
    assert next(passed).name == b"new", "what is new anyway does not wait"
    assert told == []
    assert next(passed).name == b"known 0"
    assert told == [MANY + 2]
    assert [one.name for one in passed] == [one.name for one in files[1:-1]]
    assert told == [MANY + 2], "said once"


def test_of_a_few_known_files_nothing_is_said() -> None:
    files = [found(str(n), known=True) for n in range(MANY)]
    told: list[None] = []
    assert list(held_back(iter(files), lambda: told.append(None))) == files
    assert told == []


def node(name: str, stale: int, missing: int, seconds: float | None) -> ForecastNode:
    return ForecastNode(node=name, operator="x", stored=7, missing=missing, stale=stale, seconds=seconds)


def test_nodes_with_many_files_are_named_with_the_time_that_they_take() -> None:
    nodes = [node("thumbnail", 12_300, 0, 15_600.0), node("faces", 20, 5000, None), node("sha256", 0, MANY, 1.0)]
    told = recompute([Planned("photos", 2, 20_000, nodes, 15_601.0)], 2, "cortex ingest --plan /x")
    assert told is not None
    assert told.message == (
        "thumbnail: 12,300 files have a result of an older version or other options and are computed again; "
        "faces: 20 files have a result of an older version or other options and are computed again, "
        "5,000 known files have no result yet and are computed (about 2 h 10 min); "
        "look first with: cortex ingest --plan /x"
    )
    assert told.facts == {
        "about": "recompute",
        "nodes": [
            {"pipeline": "photos", "node": "thumbnail", "stale": 12_300, "missing": 0, "seconds": 15_600.0},
            {"pipeline": "photos", "node": "faces", "stale": 20, "missing": 5000, "seconds": None},
        ],
        "seconds": 7800.0,
        "look": "cortex ingest --plan /x",
    }
    assert recompute([Planned("photos", 2, 20_000, nodes[2:], 1.0)], 2, "") is None


def test_many_nodes_are_not_all_named_and_pipelines_are_where_there_are_several() -> None:
    plans = [Planned(name, 1, 0, [node(str(n), 0, 200, None) for n in range(2)], 0.0) for name in ("a", "b")]
    told = recompute(plans, 1, "look")
    assert told is not None
    assert told.message.startswith("a/0: 200 known files have no result yet and are computed; a/1: ")
    assert told.message.endswith("; b/0: 200 known files have no result yet and are computed; likewise for 1 more"
                                 " node; look first with: look")  # fmt: skip
    assert told.seconds is None


def test_the_command_that_looks_first() -> None:
    assert look(Request(paths=(Path("/a b"),))) == "cortex ingest --plan '/a b'"
    many = Request(pipeline="p", paths=tuple(Path(f"/{n}") for n in range(5)))
    assert look(many) == "cortex ingest --plan --pipeline p /0 /1 /2 …"
