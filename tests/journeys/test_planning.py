"""`cortex ingest --plan`: what would be done, before it is."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import programs

Cortex = Callable[..., Any]


def definition(folder: Path, size: int) -> Path:
    nodes = [
        {"id": "files", "operator": "source.filesystem"},
        {"id": "sha256", "operator": "hash.sha256"},
        {"id": "thumb", "operator": "media.thumbnail", "config": {"size": size}, "filter": {"kinds": ["image"]}},
    ]
    edges = [{"from": {"node": "files"}, "to": {"node": node}} for node in ("sha256", "thumb")]
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


def test_a_definition_from_a_file_has_no_plan(cortex: Cortex, library: Path, tmp_path: Path) -> None:
    done = cortex("ingest", library, "--plan", "--pipeline", definition(tmp_path, 64))
    assert done.code == 2
    assert "pipeline push" in done.err
    assert cortex("ingest", library, "--plan", "--offline").code == 2
