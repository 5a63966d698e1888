"""Derived files of a node, read by the nodes after it: made in the same run, or stored before, here or on a server."""

import itertools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fileoperators import install
from programs import age

Cortex = Callable[..., Any]
NAMES = ["make.word 0", "make.word 1"]


@pytest.fixture
def texts(tmp_path: Path, environment: dict[str, str]) -> Path:
    environment["PYTHONPATH"] = install(tmp_path / "site")
    folder = tmp_path / "texts"
    folder.mkdir()
    (folder / "two.txt").write_text("alpha beta")
    (folder / "one.txt").write_text("gamma")
    (folder / "noise.bin").write_bytes(bytes(range(256)))
    age(folder)
    return folder


def pipeline(folder: Path, mark: str = "", *between: str, of: list[str] = NAMES) -> Path:
    """A definition in which `between` stand between the node that makes files and those that read them; two more have
    them through their ports."""
    config = {"of": of, "mark": mark, "needs": True}
    readers = [{"id": name, "operator": f"files.{name}", "config": config} for name in ("read", "send")]
    first = [{"id": "files", "operator": "source.filesystem"}, {"id": "make", "operator": "files.make"}]
    nodes = [*first, *({"id": "stored", "operator": operator} for operator in between), *readers]
    ends = [*itertools.pairwise(nodes[:-1]), (nodes[-3], nodes[-1])]
    nodes += [{"id": name, "operator": f"files.{name}", "config": {"mark": mark}} for name in ("look", "post")]
    ends += [(nodes[1], one) for one in nodes[-2:]]
    edges = [{"from": {"node": a["id"]}, "to": {"node": b["id"]}} for a, b in ends]
    path = folder / "files.json"
    path.write_text(json.dumps({"name": "files", "graph": {"nodes": nodes, "edges": edges}}))
    return path


def begins(cortex: Cortex, path: Path, node: str) -> Any:
    """What all results of the node say."""
    shown = cortex("show", path, "--json")
    assert shown.code == 0, shown.err
    first, *others = [one["outputs"]["begin"] for one in json.loads(shown.out)["results"] if one["node"] == node]
    assert all(one == first for one in others)
    return first


ALL = ("read", "send", "look", "post")
BOTH = ["word 0: alpha, text/plain", "word 1: betab, text/plain"]
FIRST = ["word 0: gamma, text/plain", None]


def test_files_of_this_run_and_stored_ones_are_the_same(cortex: Cortex, texts: Path, tmp_path: Path) -> None:
    first = cortex("ingest", texts, "--pipeline", pipeline(tmp_path), "--json")
    assert (first.code, first.summary["nodes"]["read"]["computed"]) == (0, 3), first.out
    for node in ALL:
        assert begins(cortex, texts / "two.txt", node) == BOTH
        assert begins(cortex, texts / "one.txt", node) == (FIRST if node in ("read", "send") else FIRST[:1])
    for node in ("read", "send"):
        assert begins(cortex, texts / "noise.bin", node) == [None, None], "of a file that the node is not for"
    changed = pipeline(tmp_path, "changed")
    would = cortex("ingest", texts, "--pipeline", changed, "--json", "--dry-run")
    assert (would.code, would.summary["nodes"]["read"]["computed"]) == (0, 3), would.out
    again = cortex("ingest", texts, "--pipeline", changed, "--json", "--recompute", "read")
    assert (again.code, again.summary["nodes"]["make"]["computed"]) == (0, 0), again.out
    assert [again.summary["nodes"][node]["computed"] for node in ALL] == [3, 3, 2, 2]
    assert [begins(cortex, texts / "two.txt", node) for node in ALL] == [BOTH] * 4


def test_a_dry_run_reads_what_it_made_itself(cortex: Cortex, texts: Path, tmp_path: Path) -> None:
    done = cortex("ingest", texts, "--pipeline", pipeline(tmp_path, "", "sink.loom"), "--json", "--dry-run")
    assert (done.code, done.of("failure")) == (0, [])
    assert [done.summary["nodes"][node]["computed"] for node in ALL] == [3, 3, 2, 2]


def test_without_loom_they_come_from_the_cache(cortex: Cortex, texts: Path, tmp_path: Path) -> None:
    for mark in ("", "changed"):
        offline = ("--offline", "--json", "--pipeline", pipeline(tmp_path, mark))
        done = cortex("ingest", texts, *offline)
        assert (done.code, done.of("failure")) == (0, [])
    assert done.summary["nodes"]["make"] == {"computed": 0, "cached": 2, "remote": 0, "skipped": 1, "failed": 0}
    assert [done.summary["nodes"][node]["computed"] for node in ALL] == [3, 3, 2, 2]


@pytest.mark.usefixtures("remote")
def test_a_server_hands_them_over(cortex: Cortex, texts: Path, tmp_path: Path, environment: dict[str, str]) -> None:
    environment["CORTEX_CACHE"] = "none"
    for mark in ("", "changed"):
        done = cortex("ingest", texts, "--pipeline", pipeline(tmp_path, mark), "--json")
        assert (done.code, done.of("failure")) == (0, []), done.err
    assert done.summary["nodes"]["make"]["remote"] == 2
    assert [begins(cortex, texts / "two.txt", node) for node in ALL] == [BOTH] * 4


def test_a_lost_one_fails_those_that_read_it_until_it_is_there_again(
    cortex: Cortex, texts: Path, tmp_path: Path
) -> None:
    assert cortex("ingest", texts, "--pipeline", pipeline(tmp_path)).code == 0
    blobs = [path for path in (tmp_path / "data" / "blobs").rglob("*") if path.is_file() and path.stat().st_size]
    damaged = next(path for path in blobs if path.read_bytes().startswith(b"alpha"))
    damaged.chmod(0o600)
    damaged.write_bytes(b"another")
    next(path for path in blobs if path.read_bytes().startswith(b"gamma")).unlink()
    ingest = ("ingest", texts, "--json", "--pipeline", pipeline(tmp_path, "changed"))
    lost = cortex(*ingest)
    told = sorted((line["node"], line["code"], line["message"]) for line in lost.of("failure"))
    message = "the stored derived file 'word 0' is lost or damaged: compute the node anew that made it"
    where = {"look": ["item 1 of 1: ", "item 1 of 2: "]}
    expected = [(node, "READ_FAILED", f"{at}{message}") for node in sorted(ALL) for at in where.get(node, ["", ""])]
    assert (lost.code, told) == (3, expected)
    again = cortex(*ingest, "--recompute", "make")
    assert (again.code, again.of("failure")) == (0, [])


def test_a_definition_that_names_a_file_of_no_node_before(cortex: Cortex, texts: Path, tmp_path: Path) -> None:
    done = cortex("pipeline", "check", pipeline(tmp_path, of=["make.word 0", "other.word 0"]), "--json")
    found = {(one["code"], one["node"], one["field"]) for one in json.loads(done.out)["diagnostics"]}
    assert (done.code, {one for one in found if one[0].startswith("READ")}) == (
        2,
        {("READ_UNKNOWN", node, "config.of.1") for node in ("read", "send")},
    )
