from __future__ import annotations

import string
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loom.errors import LoomError
from loom.graph.definition import Node, NodeFilter, Pipeline, dumps, loads, parse, read_document
from loom.graph.diagnostics import DefinitionError
from loom.graph.formats import FORMATS, MAX_TEXT
from loom.model import Kind

EXAMPLE = """
schema_version: 1
name: photos                  # lowercase letters, digits, hyphens, underscores; unique
description: What every new photo goes through
priority: 10
enabled: true
dry_run: false
match: {kinds: [image]}
graph:
  nodes:
    - {id: files,     operator: source.filesystem}
    - {id: sha256,    operator: hash.sha256, timeout_s: 30, retries: 1, filter: {size: {min: 1024, max: 10MB}}}
    - {id: is-image,  operator: filter.media, config: {kinds: [image]}}
  edges:
    - {from: {node: files},    to: {node: sha256}}
    - {from: {node: sha256},   to: {node: is-image}, branch: PASS, maxsize: 3, drop_policy: latest_only}
  limits: {}
  layout: {}
  meta: {}
editor_mode: interactive
"""


def problems(document: Any) -> list[tuple[str, str | None, int | None, str | None]]:
    with pytest.raises(DefinitionError) as caught:
        parse(document)
    return [(d.code, d.node, d.edge, d.field) for d in caught.value.diagnostics]


def smallest(**fields: Any) -> dict[str, Any]:
    return {"name": "p", "graph": {"nodes": [{"id": "a", "operator": "b.c"}]}, **fields}


def with_node(**fields: Any) -> dict[str, Any]:
    return smallest(graph={"nodes": [{"id": "a", "operator": "b.c", **fields}]})


def test_the_documented_example_is_read_as_written() -> None:
    pipeline = loads(EXAMPLE, "yaml")
    assert (pipeline.name, pipeline.priority, pipeline.match.kinds) == ("photos", 10, [Kind.IMAGE])  # type: ignore[union-attr]
    assert [node.operator for node in pipeline.graph.nodes] == ["source.filesystem", "hash.sha256", "filter.media"]
    first = pipeline.graph.edges[0]
    assert (first.source.node, first.source.port, first.target.node, first.target.port) == (
        "files",
        "out",
        "sha256",
        "in",
    )


def test_what_is_at_its_default_is_left_out() -> None:
    document = parse(
        smallest(enabled=True, match={"kinds": []}, processing_server_id="local", python_source=None)
        | {"graph": {"nodes": [{"id": "a", "operator": "b.c", "config": {}, "filter": {"size": {}}}], "meta": {}}}
    ).document()
    assert document == {
        "schema_version": 1,
        "name": "p",
        "graph": {"nodes": [{"id": "a", "operator": "b.c"}], "edges": []},
    }


@pytest.mark.parametrize("form", FORMATS)
def test_every_format_gives_back_the_same(form: str) -> None:
    pipeline = loads(EXAMPLE, "yaml")
    text = dumps(pipeline, form)
    assert loads(text, form) == pipeline
    assert dumps(loads(text, form), form) == text
    for other in FORMATS:
        assert dumps(loads(dumps(loads(text, form), other), other), form) == text


TEXTS = st.text(
    st.one_of(
        st.sampled_from(string.printable + "é~!&*|>%@`'\"#:\x7f\x85\u2028\ufeff😀"), st.characters(codec="utf-8")
    ),
    max_size=20,
).map(lambda text: text.replace("\0", ""))
SCALARS = st.one_of(
    TEXTS,
    st.sampled_from(
        ["no", "on", "1e3", "09", "0o7", "1:30", "2020-01-01", "~", "null", "true", "=", "<<", "1_0", ".5", "+1"]
    ),
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
)
FREE = st.dictionaries(
    TEXTS,
    st.recursive(
        SCALARS,
        lambda part: st.one_of(st.lists(part, max_size=3), st.dictionaries(TEXTS, part, max_size=3)),
        max_leaves=8,
    ),
    max_size=3,
)


@given(config=FREE, meta=FREE, description=TEXTS, source=TEXTS)
def test_any_plain_values_survive_every_format(config: Any, meta: Any, description: str, source: str) -> None:
    graph = {"nodes": [{"id": "a", "operator": "b.c", "config": config}], "meta": meta}
    pipeline = parse({"name": "p", "description": description, "python_source": source, "graph": graph})
    json = dumps(pipeline, "json")
    for form in FORMATS:
        text = dumps(pipeline, form)
        back = loads(text, form)
        assert back == pipeline
        assert dumps(back, form) == text
        assert dumps(back, "json") == json


def test_lines_of_source_are_written_as_lines() -> None:
    text = dumps(parse(smallest(python_source="import x\n\nrun()\n")), "yaml")
    assert "python_source: |\n  import x\n\n  run()\n" in text


def test_null_has_no_form_in_toml() -> None:
    pipeline = parse(with_node(config={"a": None}))
    assert loads(dumps(pipeline, "yaml"), "yaml") == pipeline
    with pytest.raises(DefinitionError, match=r"graph.nodes.0.config.a is null"):
        dumps(pipeline, "toml")


def test_everything_wrong_with_the_shape_is_told_at_once() -> None:
    broken = {
        "name": "Not A Name",
        "colour": 1,
        "priority": "high",
        "match": {"kinds": ["film"], "mimes": []},
        "graph": {
            "nodes": [
                {"id": "Upper", "operator": 7},
                {"id": "a", "operator": "b.c", "filter": {"size": {"min": "5 parsecs"}}, "retries": -1},
                "nothing",
                {"operator": "b.c", "timeout_s": 0},
            ],
            "edges": [{"from": {"node": 1}, "branch": "MAYBE"}, 3],
        },
    }
    assert problems(broken) == [
        ("NAME_INVALID", None, None, "name"),
        ("FIELD_INVALID", None, None, "priority"),
        ("FIELD_INVALID", None, None, "match.kinds.0"),
        ("FIELD_UNKNOWN", None, None, "match.mimes"),
        ("ID_INVALID", "Upper", None, "id"),
        ("FIELD_INVALID", "Upper", None, "operator"),
        ("FIELD_INVALID", "a", None, "filter.size.min"),
        ("FIELD_INVALID", "a", None, "retries"),
        ("FIELD_INVALID", None, None, "graph.nodes.2"),
        ("FIELD_MISSING", None, None, "graph.nodes.3.id"),
        ("FIELD_INVALID", None, None, "graph.nodes.3.timeout_s"),
        ("FIELD_INVALID", None, 0, "from.node"),
        ("FIELD_MISSING", None, 0, "to"),
        ("FIELD_INVALID", None, 0, "branch"),
        ("FIELD_INVALID", None, 1, None),
        ("FIELD_UNKNOWN", None, None, "colour"),
    ]


@pytest.mark.parametrize(
    "document",
    [
        smallest(name="x" * 65),
        smallest(name="a\n"),
        smallest(name="-a"),
        smallest(name=""),
        smallest(schema_version=2),
        smallest(enabled="yes"),
        smallest(enabled=1),
        smallest(priority=True),
        smallest(priority=2**40),
        with_node(timeout_s=float("inf")),
        with_node(timeout_s=-1),
        with_node(retries=101),
        with_node(retries=1.0),
        with_node(filter={"size": {"min": "2KB", "max": 2047}}),
        with_node(filter={"path": [""]}),
        with_node(config=[]),
        {"name": "p"},
        {"name": "p", "graph": {}},
        None,
        [],
        "text",
    ],
)
def test_values_out_of_their_range_are_refused(document: Any) -> None:
    assert problems(document)


@pytest.mark.parametrize(
    ("value", "code"),
    [
        (float("nan"), "NOT_PLAIN"),
        (2**63, "NOT_PLAIN"),
        ("a\0b", "NOT_PLAIN"),
        ("\ud800", "NOT_PLAIN"),
        ({1: 2}, "NOT_PLAIN"),
        (b"bytes", "NOT_PLAIN"),
    ],
)
def test_values_that_not_every_format_has_are_refused(value: Any, code: str) -> None:
    (found,) = problems(with_node(config={"x": value}))
    assert found[0] == code
    assert found[3] is not None
    assert found[3].startswith("graph.nodes.0.config.x")


def test_nesting_and_size_are_bounded() -> None:
    deep: Any = 1
    for _ in range(100_000):
        deep = [deep]
    assert problems(with_node(config={"x": deep}))[0][0] == "TOO_DEEP"
    assert problems(with_node(config={"x": [0] * 1_000_001}))[0][0] == "TOO_LARGE"
    assert problems(smallest(graph={"nodes": [{"id": "a", "operator": "b"}] * 10_001}))[0][0] == "TOO_LARGE"


@pytest.mark.parametrize(
    ("text", "form", "code"),
    [
        ("{", "json", "NOT_READABLE"),
        ('{"a": 1, "a": 2}', "json", "NOT_READABLE"),
        ('{"a": NaN}', "json", "NOT_READABLE"),
        ("[" * 100_000, "json", "TOO_DEEP"),
        ("9" * 5000, "json", "NOT_READABLE"),
        ("a: 1\na: 2", "yaml", "NOT_READABLE"),
        ("a: [", "yaml", "NOT_READABLE"),
        ("a: 1\n---\nb: 2", "yaml", "NOT_READABLE"),
        ("a: !!python/object/apply:os.system [ls]", "yaml", "NOT_READABLE"),
        ("a: !!bool maybe", "yaml", "NOT_READABLE"),
        ("a: !!map [1]", "yaml", "NOT_READABLE"),
        ("1: 2", "yaml", "NOT_READABLE"),
        ("a: &x [*x]", "yaml", "NOT_READABLE"),
        ("a: *x", "yaml", "NOT_READABLE"),
        ("a: \x01", "yaml", "NOT_READABLE"),
        ("[" * 100_000, "yaml", "TOO_DEEP"),
        ("{a: " * 50_000, "yaml", "TOO_DEEP"),
        ("a = 1\na = 2", "toml", "NOT_READABLE"),
        ("a = ", "toml", "NOT_READABLE"),
        ("a = " + "[" * 100_000, "toml", "TOO_DEEP"),
        ("name = 2020-01-01", "toml", "NOT_PLAIN"),
        (" " * (MAX_TEXT + 1), "yaml", "TOO_LARGE"),
        ("", "yaml", "FIELD_INVALID"),
    ],
)
def test_texts_that_cannot_be_read_are_refused(text: str, form: str, code: str) -> None:
    with pytest.raises(DefinitionError) as caught:
        loads(text, form)
    assert caught.value.diagnostics[0].code == code


def test_yaml_says_the_line() -> None:
    with pytest.raises(DefinitionError, match=r"the key 'name' is there twice \(line 3\)"):
        loads("name: a\ngraph: {}\nname: b", "yaml")


def test_a_yaml_bomb_is_refused_quickly() -> None:
    levels = "\n".join(f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 10)}]" for n in range(1, 30))
    with pytest.raises(DefinitionError) as caught:
        loads(f"l0: &l0 [x]\n{levels}", "yaml")
    assert caught.value.diagnostics[-1].code in ("TOO_LARGE", "TOO_DEEP")


def test_yaml_has_the_types_of_its_version_1_2_and_aliases() -> None:
    text = """
name: p
graph:
  nodes:
  - &first {id: a, operator: b.c, config: {no: no, ten: 010, hex: 0x1F, e: 1e3, day: 2020-01-01, t: !!str 5, q: "5"}}
  meta: {again: *first}
"""
    pipeline = loads(text, "yaml")
    assert pipeline.graph.nodes[0].config == {
        "no": "no", "ten": 10, "hex": 31, "e": 1000.0, "day": "2020-01-01", "t": "5", "q": "5",
    }  # fmt: skip
    assert pipeline.graph.meta["again"]["id"] == "a"


def test_filters_are_compiled_to_bytes_and_one_text_stands_for_a_list() -> None:
    node = Node.model_validate(
        {
            "id": "a",
            "operator": "b",
            "filter": {"kinds": "image", "path": "**/raw/**", "size": {"min": 1, "max": "1.5MB"}},
        }
    )
    assert isinstance(node.filter, NodeFilter)
    filter_ = node.filter.compiled()
    assert (filter_.kinds, filter_.path, filter_.min_size) == (frozenset({Kind.IMAGE}), ("**/raw/**",), 1)
    assert filter_.max_size == 1_572_864


@pytest.mark.parametrize("suffix", [".json", ".yaml", ".YML", ".toml"])
def test_files_are_read_by_their_ending(tmp_path: Path, suffix: str) -> None:
    pipeline = parse(smallest())
    form = {".YML": "yaml"}.get(suffix, suffix[1:])
    file = tmp_path / f"p{suffix}"
    file.write_bytes(b"\xef\xbb\xbf" + dumps(pipeline, form).encode())
    assert parse(read_document(file)) == pipeline


def test_files_that_are_none_are_refused_with_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "folder.yaml").mkdir()
    (tmp_path / "latin.yaml").write_bytes(b"name: \xe9")
    (tmp_path / "list.json").write_text("[]")
    for name, code in {"none.yaml": "USAGE", "folder.yaml": "USAGE", "p.txt": "USAGE"}.items():
        with pytest.raises(LoomError) as caught:
            read_document(tmp_path / name)
        assert caught.value.code == code
    for name in ("latin.yaml", "list.json"):
        with pytest.raises(DefinitionError):
            read_document(tmp_path / name)


def test_an_unknown_format_is_a_wrong_call() -> None:
    with pytest.raises(LoomError, match="'xml' is not a format"):
        loads("", "xml")
    with pytest.raises(LoomError, match="'xml' is not a format"):
        dumps(parse(smallest()), "xml")


def test_python_source_is_kept_as_it_is() -> None:
    source = "raise SystemExit('never executed')"
    assert Pipeline.model_validate(smallest(python_source=source)).python_source == source
