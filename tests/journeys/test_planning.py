"""`cortex ingest --plan`: what would be done, before it is."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import programs
import pytest
from programs import age, until
from watches import Watching

Cortex = Callable[..., Any]


def definition(folder: Path, size: int, *more: str) -> Path:
    nodes = [
        {"id": "files", "operator": "source.filesystem"},
        {"id": "sha256", "operator": "hash.sha256"},
        {"id": "thumb", "operator": "media.thumbnail", "config": {"size": size}, "filter": {"kinds": ["image"]}},
        *({"id": name, "operator": f"hash.{name}"} for name in more),
    ]
    edges = [{"from": {"node": "files"}, "to": {"node": node}} for node in ("sha256", "thumb", *more)]
    file = folder / f"plan-{size}.json"
    file.write_text(json.dumps({"schema_version": 1, "name": "plan", "graph": {"nodes": nodes, "edges": edges}}))
    return file


def plan(cortex: Cortex, *arguments: object) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    done = cortex("ingest", *arguments, "--pipeline", "plan", "--plan", "--json")
    assert done.code == 0, done.err
    (line,) = done.lines
    (one,) = line["pipelines"]
    return line["files"], {node["node"]: node for node in one["nodes"]}


def test_a_plan_tells_what_is_stored_missing_and_stale(cortex: Cortex, library: Path, tmp_path: Path) -> None:
    assert cortex("pipeline", "push", definition(tmp_path, 64)).code == 0
    files, nodes = plan(cortex, library)
    assert (files["seen"], files["unread"], files["unchanged"]) == (6, 6, 0)
    assert all(node["stored"] == node["missing"] == node["stale"] == 0 for node in nodes.values())
    assert cortex("ingest", library, "--pipeline", "plan", "-q").code == 3  # one picture is broken

    files, nodes = plan(cortex, library)
    assert (files["unread"], files["unchanged"]) == (0, 6)
    assert nodes["sha256"]["stored"] == 5
    assert nodes["thumb"]["missing"] == nodes["thumb"]["stale"] == 0

    assert cortex("pipeline", "push", definition(tmp_path, 96)).code == 0
    (library / "new.txt").write_text("not seen before")
    before = programs.tables(tmp_path / "data")
    files, nodes = plan(cortex, library)
    assert (files["seen"], files["unread"]) == (7, 1)
    assert nodes["sha256"]["stored"] == 5
    assert nodes["thumb"]["stale"] >= 2
    assert nodes["thumb"]["seconds"] > 0
    _, nodes = plan(cortex, library / "sub")
    assert nodes["sha256"]["stored"] == 2, "only what lies below the path"
    _, nodes = plan(cortex, library / "sub", library)
    assert nodes["sha256"]["stored"] == 5, "and nothing twice"
    assert programs.tables(tmp_path / "data") == before


def test_a_plan_in_words_names_what_is_stale(cortex: Cortex, library: Path, tmp_path: Path) -> None:
    first = cortex("ingest", library, "--plan")
    assert first.code == 0
    assert "nothing is stored yet" in first.out
    assert not (tmp_path / "data").exists(), "it only looks"
    cortex("pipeline", "push", definition(tmp_path, 64))
    cortex("ingest", library, "--pipeline", "plan", "-q")
    cortex("pipeline", "push", definition(tmp_path, 96))
    told = cortex("ingest", library, "--plan", "--pipeline", "plan")
    assert told.code == 0
    assert "version 2" in told.out
    assert "older versions or options of thumb" in told.out


@pytest.mark.slow
def test_each_source_has_a_plan_with_its_own_options(cortex: Cortex, library: Path, tmp_path: Path) -> None:
    cortex("pipeline", "push", definition(tmp_path, 64))
    assert cortex("sources", "add", library, "--pipeline", "plan", "--exclude", "sub").code == 0
    assert cortex("sources", "add", library / "sub").code == 0
    before = programs.tables(tmp_path / "data")
    done = cortex("ingest", "--source", "library", "--source", "sub", "--plan", "--json")
    told = [(line["paths"], line["files"]["seen"], line["pipelines"][0]["pipeline"]) for line in done.of("plan")]
    assert told == [([str(library)], 4, "plan"), ([str(library / "sub")], 2, "ingest")], done.err
    in_words = cortex("ingest", "--source", "library", "--source", "sub", "--plan").out.splitlines()
    assert (in_words[0], f"{library / 'sub'}:" in in_words) == (f"{library}:", True)
    assert programs.tables(tmp_path / "data") == before
    library.rename(library.with_name("away"))
    gone = cortex("ingest", "--source", "library", "--plan")
    assert (gone.code, "the source library is not there" in gone.err) == (4, True)
    assert json.loads(cortex("sources", "show", "library", "--json").out)["state"] == "reachable"


@pytest.mark.slow
def test_a_definition_from_a_file_is_compared_with_what_is_stored(
    cortex: Cortex, library: Path, tmp_path: Path
) -> None:
    def nodes(*more: str) -> tuple[int, dict[str, dict[str, Any]]]:
        file = definition(tmp_path, 96, *more)
        (one,) = cortex("ingest", library, "--plan", "--json", "--pipeline", file).lines[0]["pipelines"]
        return one["version"], {node["node"]: node for node in one["nodes"]}

    assert cortex("ingest", library, "--pipeline", definition(tmp_path, 64), "-q").code == 3
    before = programs.tables(tmp_path / "data")
    version, told = nodes("md5")
    assert (version, told["sha256"]["stored"], told["sha256"]["missing"]) == (0, 5, 0)
    assert told["thumb"]["stale"] >= 2
    assert (told["md5"]["stored"], told["md5"]["missing"]) == (0, 5)
    assert programs.tables(tmp_path / "data") == before, "it only looks"
    in_words = cortex("ingest", library, "--plan", "--pipeline", definition(tmp_path, 96))
    assert (in_words.code, "as it is written there, for 5 known assets" in in_words.out) == (0, True)
    wrong = tmp_path / "wrong.json"
    wrong.write_text(definition(tmp_path, 96).read_text().replace("media.thumbnail", "media.nothing"))
    assert cortex("ingest", library, "--plan", "--pipeline", wrong).code == 2
    assert cortex("ingest", library, "--plan", "--offline").code == 2


def many(folder: Path, number: int) -> Path:
    folder.mkdir()
    for one in range(number):
        (folder / f"{one}.txt").write_text(f"text {one}")
    age(folder)
    return folder


@pytest.mark.slow
def test_it_is_said_before_many_known_files_are_computed_again(cortex: Cortex, tmp_path: Path) -> None:
    library = many(tmp_path / "many", 101)
    command = f"cortex ingest --plan --pipeline plan {library}"
    cortex("pipeline", "push", definition(tmp_path, 64))
    first = cortex("ingest", library, "--pipeline", "plan")
    assert "look first" not in first.err, "what is new is no surprise"
    cortex("pipeline", "push", definition(tmp_path, 64, "md5"))
    told = cortex("ingest", library, "--pipeline", "plan", "--dry-run")
    assert told.err.splitlines() == [
        f"md5: 101 known files have no result yet and are computed; look first with: {command}"
    ]
    done = cortex("ingest", library, "--pipeline", "plan", "--json")
    (note,) = done.of("note")
    assert done.lines.index(note) < done.lines.index(done.of("status")[-1]), "before it is done"
    assert (note["about"], note["look"]) == ("recompute", command)
    assert note["nodes"] == [{"pipeline": "plan", "node": "md5", "stale": 0, "missing": 101, "seconds": None}]
    assert cortex("ingest", library, "--pipeline", "plan", "--json").of("note") == []
    assert cortex("ingest", library, "--pipeline", "plan", "--recompute", "md5").err == "", "somebody has asked for it"


@pytest.mark.slow
def test_a_watch_says_it_too(texts: Path, start: Callable[..., Watching], cortex: Cortex, tmp_path: Path) -> None:
    many(texts / "many", 101)
    cortex("pipeline", "push", definition(tmp_path, 64))
    watching = start("--settle", 0.5, "--pipeline", "plan", "--json")
    until(lambda: '"message_type":"summary"' in watching.running.out)
    cortex("pipeline", "push", definition(tmp_path, 64, "md5"))
    until(lambda: watching.running.out.count('"message_type":"summary"') == 2)
    (note,) = watching.stop().of("note")
    assert (note["about"], note["nodes"][0]["missing"]) == ("recompute", 103)
