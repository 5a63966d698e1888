from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

from loom.graph.codes import CODES
from loom.graph.definition import MAX_EDGES, MAX_NODES, Edge, Graph, Node, Pipeline, loads


def documented(project: Path) -> str:
    return (project / "docs" / "definitions.md").read_text(encoding="utf-8")


def test_the_page_lists_every_code_with_its_sentence(project: Path) -> None:
    table = documented(project).partition("## Codes")[2]
    assert dict(re.findall(r"^\| `([A-Z_]+)` \| (.*) \|$", table, re.MULTILINE)) == CODES


def test_every_code_is_used_and_every_used_one_is_listed(project: Path) -> None:
    sources = [file.read_text(encoding="utf-8") for file in (project / "loom" / "graph").glob("*.py")]
    used = {code for text in sources for code in re.findall(r'"([A-Z]+(?:_[A-Z]+)+|CYCLE)"(?!:)', text)}
    assert set(CODES) <= used


def test_the_page_names_every_field(project: Path) -> None:
    text = documented(project)
    names = {field.alias or name for model in (Pipeline, Graph, Node) for name, field in model.model_fields.items()}
    assert [name for name in sorted(names) if f"`{name}`" not in text] == []
    assert f"at most {MAX_NODES:,}" in text
    assert f"at most {MAX_EDGES:,}" in text


def test_the_page_names_every_policy(project: Path) -> None:
    policies = [value for part in get_args(Edge.model_fields["drop_policy"].annotation) for value in get_args(part)]
    assert len(policies) == 6
    assert [policy for policy in policies if f"`{policy}`" not in documented(project)] == []


def test_the_example_of_the_page_can_be_read(project: Path) -> None:
    example = documented(project).partition("```yaml\n")[2].partition("```")[0]
    assert [node.id for node in loads(example, "yaml").graph.nodes] == ["files", "is-large", "thumbnail", "small"]
