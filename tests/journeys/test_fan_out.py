"""Values that an operator gives by the list, handled one by one, within the sandbox and beside it."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from programs import age, query
from wordoperators import install

Cortex = Callable[..., Any]

NODES = {
    "files": "source.filesystem",
    "split": "words.split",
    "small": {"operator": "filter.size", "config": {"max": "1MB"}},
    "measure": "words.measure",
    "total": "words.total",
    "send": "words.send",
}
EDGES = ["files>split", "split>small", "small>measure:PASS", "measure>total", "small>send:PASS"]


@pytest.fixture
def words(tmp_path: Path, environment: dict[str, str]) -> Path:
    """Texts, and a pipeline `words.json` beside the folder."""
    environment["PYTHONPATH"] = install(tmp_path / "site")
    folder = tmp_path / "texts"
    folder.mkdir()
    for name, text in (("some", "one three a"), ("none", "\n"), ("bad", "fine bad fine"), ("short", "a b")):
        (folder / f"{name}.txt").write_text(text)
    (folder / "noise.bin").write_bytes(bytes(range(256)))
    age(folder)
    nodes = [{"id": name, **(one if isinstance(one, dict) else {"operator": one})} for name, one in NODES.items()]
    edges = [_edge(text) for text in EDGES]
    definition = {"name": "words", "graph": {"nodes": nodes, "edges": edges}}
    (tmp_path / "words.json").write_text(json.dumps(definition))
    return folder


def _edge(text: str) -> dict[str, Any]:
    ends, _, branch = text.partition(":")
    source, target = ends.split(">")
    return {"from": {"node": source}, "to": {"node": target}} | ({"branch": branch} if branch else {})


def results(cortex: Cortex, path: Path) -> dict[str, Any]:
    shown = cortex("show", path, "--json")
    assert shown.code == 0, shown.err
    return {one["node"]: one for one in json.loads(shown.out)["results"]}


def test_each_item_is_computed_and_all_are_one_result(cortex: Cortex, words: Path, tmp_path: Path) -> None:
    ingest = ("ingest", words, "--pipeline", tmp_path / "words.json", "--json")
    would = cortex(*ingest, "--dry-run")
    assert sorted(would.summary["would_write"]["effects"]) == sorted(
        f"send {word}" for word in ["one", "three", "a", "fine", "bad", "fine", "a", "b"]
    )
    done = cortex(*ingest)
    assert done.code == 3, done.err
    assert [(line["node"], line["code"], line["message"]) for line in done.of("failure")] == [
        ("measure", "FILE_DAMAGED", "item 2 of 3: this word is bad")
    ]
    some = results(cortex, words / "some.txt")
    assert some["measure"]["outputs"] == {"length": [3, 5, None], "place": [0, 1, 2]}
    assert [one["name"] for one in some["measure"]["artifacts"]] == ["word-0", "word-1", "word-2"]
    assert some["total"]["outputs"] == {"total": 8}
    assert some["send"]["outputs"] == {"sent": ["one", "three", "a"]}
    stored = [json.loads(outputs) for (outputs,) in query(tmp_path / "data", "SELECT outputs FROM results")]
    assert {"length": [], "place": []} in stored, "of a text without words"
    assert {"length": [None, None], "place": [0, 1]} in stored, "of one with short words, which are rejected"
    assert sorted(outputs["total"] for outputs in stored if "total" in outputs) == [0, 0, 8]
    assert done.summary["nodes"]["measure"] == {"computed": 3, "cached": 0, "remote": 0, "skipped": 1, "failed": 1}
    again = cortex(*ingest, "--rehash", "--recompute", "total")
    assert again.summary["nodes"]["total"]["computed"] == 3, "of what is stored the items come as well"
    assert again.summary["nodes"]["measure"]["computed"] == 0
