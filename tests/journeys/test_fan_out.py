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
    verdicts = {"verdicts": ["PASS", "PASS", "FAIL"]}
    assert some["measure"]["outputs"] == {"length": [3, 5, None], "place": [0, 1, 2], **verdicts}
    assert [one["name"] for one in some["measure"]["artifacts"]] == ["word-0", "word-1", "word-2"]
    assert some["total"]["outputs"] == {"total": 8}
    assert some["send"]["outputs"] == {"sent": ["one", "three", "a"]}
    stored = [json.loads(outputs) for (outputs,) in query(tmp_path / "data", "SELECT outputs FROM results")]
    assert {"length": [], "place": []} in stored, "of a text without words"
    assert {"length": [None, None], "place": [0, 1], "verdicts": ["FAIL", "FAIL"]} in stored, (
        "of one with short words, which are rejected"
    )
    assert sorted(outputs["total"] for outputs in stored if "total" in outputs) == [0, 0, 8]
    assert done.summary["nodes"]["measure"] == {"computed": 3, "cached": 0, "remote": 0, "skipped": 1, "failed": 1}
    again = cortex(*ingest, "--rehash", "--recompute", "total")
    assert again.summary["nodes"]["total"]["computed"] == 3, "of what is stored the items come as well"
    assert again.summary["nodes"]["measure"]["computed"] == 0


def test_items_that_a_filter_keeps_back_are_not_there_for_later_nodes(
    cortex: Cortex, words: Path, tmp_path: Path
) -> None:
    """Whether the filter is computed or its result stored, beside the sandbox and within."""
    path = tmp_path / "kept.json"
    nodes = ["words.split", "words.keep", "words.send", "words.send", "words.measure"]
    names = ["split", "keep", "long", "short", "measure"]
    edges = ["files>split", "split>keep", "keep>long:PASS", "keep>short:FAIL", "keep>measure:PASS"]

    def sent(least: int, *more: str) -> dict[str, Any]:
        of = [{"id": name, "operator": operator} for name, operator in zip(names, nodes, strict=True)]
        of[1]["config"] = {"least": least}
        graph = {"nodes": [{"id": "files", "operator": "source.filesystem"}, *of], "edges": [*map(_edge, edges)]}
        path.write_text(json.dumps({"name": "kept", "graph": graph}))
        done = cortex("ingest", words / "some.txt", "--pipeline", path, "--json", "--rehash", *more)
        assert done.code == 0, done.err
        told = {name: one["outputs"] for name, one in results(cortex, words / "some.txt").items() if name in names[2:]}
        return {"computed": [node for node in names if done.summary["nodes"][node]["computed"]], **told}

    assert sent(4) == {
        "computed": names,
        "long": {"sent": [None, "three", None]},
        "short": {"sent": ["one", None, "a"]},
        "measure": {"length": [None, 5, None], "place": [None, 1, None]},
    }
    again = sent(4, "--recompute", "measure")
    assert (again["computed"], again["measure"]["place"]) == (["measure"], [None, 1, None])
    more = sent(2)
    assert (more["computed"], more["long"], more["short"]) == (
        names[1:], {"sent": ["one", "three", None]}, {"sent": [None, None, "a"]}
    )  # fmt: skip
