"""Definitions that are wrong, off or none at all."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Cortex = Callable[..., Any]

WRONG = """
schema_version: 1
name: wrong
graph:
  nodes:
    - {id: files, operator: source.filesystem}
    - {id: more-files, operator: source.filesystem}
    - {id: sha256, operator: hash.sha255}
    - {id: small, operator: media.thumbnail, config: {size: huge, colour: red}}
    - {id: small, operator: hash.md5}
    - {id: a, operator: hash.sha512}
    - {id: b, operator: hash.sha512}
  edges:
    - {from: {node: files}, to: {node: sha256}}
    - {from: {node: files}, to: {node: nowhere}}
    - {from: {node: a}, to: {node: b}}
    - {from: {node: b}, to: {node: a}}
"""
SAID = ("hash.sha255", "size", "colour", "small", "nowhere", "more-files")
"""What every list of the problems of `WRONG` must name."""


@pytest.fixture
def wrong(tmp_path: Path) -> Path:
    file = tmp_path / "wrong.yaml"
    file.write_text(WRONG)
    return file


@pytest.fixture
def off(tmp_path: Path) -> Path:
    nodes = [{"id": "files", "operator": "source.filesystem"}, {"id": "sha256", "operator": "hash.sha256"}]
    edges = [{"from": {"node": "files"}, "to": {"node": "sha256"}}]
    file = tmp_path / "off.json"
    graph = {"nodes": nodes, "edges": edges}
    file.write_text(json.dumps({"schema_version": 1, "name": "off", "enabled": False, "graph": graph}))
    return file


def diagnostics(text: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(text)["diagnostics"]
    return found


def test_check_tells_every_problem_at_once(cortex: Cortex, wrong: Path) -> None:
    checked = cortex("pipeline", "check", wrong)
    assert checked.code == 2
    assert checked.out == ""
    assert all(name in checked.err for name in SAID), checked.err
    as_json = cortex("pipeline", "check", wrong, "--json")
    assert as_json.code == 2
    found = diagnostics(as_json.out)
    assert json.loads(as_json.out)["valid"] is False
    assert len([one for one in found if one["level"] == "error"]) >= 6
    assert all(one["code"] and one["message"] for one in found)
    assert len(checked.err.splitlines()) == len(found)


@pytest.mark.parametrize("command", [("ingest", "{library}", "--pipeline"), ("pipeline", "push")])
def test_who_uses_it_is_told_every_problem_too(
    cortex: Cortex, library: Path, wrong: Path, command: tuple[str, ...]
) -> None:
    done = cortex(*(word.format(library=library) for word in command), wrong)
    assert done.code == 2, done.err
    problems = [found["message"] for found in diagnostics(cortex("pipeline", "check", wrong, "--json").out)]
    assert all(problem in done.err for problem in problems), done.err
    assert "wrong" not in cortex("pipeline", "list").out


def test_json_lines_name_every_problem(cortex: Cortex, library: Path, wrong: Path) -> None:
    done = cortex("ingest", library, "--pipeline", wrong, "--json")
    assert done.code == 2
    assert (done.error["code"], done.error["exit_code"]) == ("DEFINITION_INVALID", 2)
    assert all(name in done.err for name in SAID), done.err


@pytest.mark.slow
def test_a_pipeline_that_is_off_is_refused(cortex: Cortex, library: Path, off: Path) -> None:
    from_file = cortex("ingest", library, "--pipeline", off, "--json")
    assert (from_file.code, from_file.error["code"]) == (2, "PIPELINE_DISABLED")
    assert cortex("pipeline", "push", off).code == 0
    stored = cortex("ingest", library, "--pipeline", "off", "--json")
    assert (stored.code, stored.error["code"]) == (2, "PIPELINE_DISABLED")
    assert "off" in stored.error["message"]
    by_itself = cortex("ingest", library, "--json")
    assert by_itself.summary["pipeline"] == "ingest", "the other one is chosen"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("photo.yaml", b"\xff\xd8\xff\xe0\x00\x10JFIF"),
        ("list.yaml", b"- one\n- two\n"),
        ("text.yaml", b"just words"),
        ("broken.json", b'{"name": '),
        ("broken.toml", b"name = "),
        ("bomb.yaml", b"a: &a [x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a]\nc: [*b,*b,*b,*b]\n"),
        ("empty.yaml", b""),
        ("deep.json", b"[" * 100_000),
        ("tag.yaml", b"!!python/object/apply:os.system ['true']\n"),
    ],
)
def test_a_file_that_is_no_definition(cortex: Cortex, library: Path, tmp_path: Path, name: str, content: bytes) -> None:
    file = tmp_path / name
    file.write_bytes(content)
    for command in (("pipeline", "check", file), ("ingest", library, "--pipeline", file)):
        done = cortex(*command)
        assert done.code == 2, (command, done.err)
        assert done.err
        assert "Traceback" not in done.err
        assert "INTERNAL" not in done.err


def test_a_definition_that_is_not_there(cortex: Cortex, library: Path, tmp_path: Path) -> None:
    nothing = tmp_path / "nothing.yaml"
    for command in (("pipeline", "check", nothing), ("ingest", library, "--pipeline", nothing)):
        done = cortex(*command)
        assert done.code in (1, 2), done.err
        assert str(nothing) in done.err
    unknown = cortex("ingest", library, "--pipeline", "unknown", "--json")
    assert (unknown.code, unknown.error["code"]) == (1, "NOT_FOUND")
