"""The page's modules by themselves, in the browser that runs them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from browser import DESK, Browser
from programs import Server


@pytest.fixture(scope="module")
def module(chromium: Browser, server: Server, cookie: dict[str, str]) -> Iterator[Browser]:
    """One page for all: they only call functions."""
    chromium.url = server.url
    chromium.sized(DESK)
    chromium.forget_everything()
    chromium.give_cookie(**cookie)
    chromium.open("/operators")
    chromium.one("details")
    yield chromium
    assert chromium.complaints() == []


def _call(page: Browser, name: str, expression: str, *arguments: Any) -> Any:
    """The value of an expression in which `m` is the module and `a` the arguments."""
    return page.run(f"const a = arguments; return import('/page/{name}').then((m) => {expression})", *arguments)


def test_a_definition_is_written_and_read_back_with_its_lines(module: Browser) -> None:
    definition = {
        "graph": {"edges": [{"branch": "PASS", "to": {"node": "b"}, "from": {"node": "a"}}],
                  "nodes": [{"operator": "x.y", "id": "a", "config": {"deep": {"size": 1}, "text": 'a "quote"'}},
                            {"id": "b"}]},
        "name": "n", "priority": -3, "match": None,
    }  # fmt: skip
    text = _call(module, "text.js", "m.write(a[0])", definition)
    assert json.loads(text) == definition
    lines = text.split("\n")
    assert lines[1] == '  "name": "n",'
    node = '      {"id": "a", "operator": "x.y", "config": {"deep": {"size": 1}, "text": "a \\"quote\\""}},'
    assert node in lines
    told = [
        {"node": "a", "field": "config.deep.size"},
        {"edge": 0},
        {"node": "b"},
        {"field": "priority"},
        {"node": "gone"},
    ]
    found = _call(module, "text.js", "a[1].map((one) => m.lineOf(one, m.read(a[0])))", text, told)
    starts = [node, '      {"from"', '      {"id": "b"}', '  "priority"', "{"]
    assert found == [next(at for at, line in enumerate(lines, 1) if line.startswith(start)) for start in starts]


@pytest.mark.parametrize(
    ("text", "line", "problem"),
    [
        ('{\n"a": 1\n"b": 2}', 3, "a comma"),
        ('{"a": [1, 2}', 1, "a comma or ]"),
        ('{\n\n"a": yes}', 3, "yes is no JSON value"),
        ('{"a": 1}\n\nx', 3, "nothing more"),
        ('{\n"a": "b', 2, "a value"),
        ("", 1, "too early"),
        ("{a: 1}", 1, "a name in double quotes"),
    ],
)
def test_what_is_wrong_with_a_text_is_told_with_its_line(module: Browser, text: str, line: int, problem: str) -> None:
    said = _call(module, "text.js", "m.read(a[0])", text)
    assert said["line"] == line
    assert problem in said["problem"]


def test_a_difference_keeps_what_is_common(module: Browser) -> None:
    before, after = "a\nb\nc\nd\ne\nf\ng\nh", "a\nb\nX\nd\ne\nf\nh\nY"
    lines = _call(module, "diff.js", "m.difference(a[0], a[1])", before, after)
    assert [one["line"] for one in lines if one["kind"] != "came"] == before.split("\n")
    assert [one["line"] for one in lines if one["kind"] != "went"] == after.split("\n")
    assert {one["line"] for one in lines if one["kind"] != "same"} == {"c", "X", "g", "Y"}
    short = _call(module, "diff.js", "m.shortened(m.difference(a[0], a[1]), 0)", before, after)
    assert [one and one["line"] for one in short] == [None, "c", "X", None, "g", None, "Y"]


_PAGES = """(async () => {
  const real = window.fetch;
  const cursor = (url) => new URL(url, location.href).searchParams.get("cursor") ?? "";
  window.fetch = async (url) => new Response(JSON.stringify(a[0][cursor(url)]));
  return m.all("/x").finally(() => (window.fetch = real));
})()"""


def test_a_page_with_nothing_does_not_end_a_list(module: Browser) -> None:
    pages = {"": {"items": [], "next": "a"}, "a": {"items": [1], "next": "b"}, "b": {"items": [], "next": None}}
    assert _call(module, "api.js", _PAGES, pages) == [1]


def test_nodes_stand_by_depth_and_a_circle_does_no_harm(module: Browser) -> None:
    edges = [("s", "a"), ("s", "b"), ("a", "c"), ("b", "c"), ("s", "c"), ("c", "d"), ("d", "c")]
    asked = [{"from": start, "to": end} for start, end in edges]
    places = _call(module, "layout.js", "Object.fromEntries(m.layout(a[0], a[1]).places)", list("sabcd"), asked[:-1])
    assert places["s"]["x"] < places["a"]["x"] == places["b"]["x"] < places["c"]["x"] < places["d"]["x"]
    assert places["a"]["y"] != places["b"]["y"]
    assert len(_call(module, "layout.js", "[...m.layout(a[0], a[1]).places]", list("sabcd"), asked)) == 5
    down = _call(
        module, "layout.js", "Object.fromEntries(m.layout(a[0], a[1], {isDown: true}).places)", list("sab"), asked
    )
    assert down["s"]["y"] < down["a"]["y"] == down["b"]["y"]


_TALLY = """(() => {
  const tally = new m.Tally();
  const tell = (status, more = {}) => tally.take({node: "n", asset: "x", status, duration_ms: null, ...more});
  tally.adopt({n: {computed: 10, cached: 0, remote: 0, skipped: 0, failed: 0}});
  tell("STARTED"); const running = tally.node("n").running.size;
  tell("COMPLETED", {verdict: "FAIL", duration_ms: 3}); tell("FAILED");
  tell("SKIPPED", {reason: "STORED", origin: "REMOTE"});
  tell("SKIPPED", {reason: "NOT_PROCESSABLE"}); tell("SKIPPED", {reason: "BRANCH_NOT_TAKEN"});
  const risen = {...tally.node("n").shown};
  tally.adopt({n: {computed: 9}}); const kept = tally.node("n").shown.computed;
  const sent = [tally.reached("n"), ...[null, "PASS", "FAIL", "ERROR"].map((branch) => tally.sent("n", branch))];
  tally.adopt({n: {computed: 7}}, true);
  return {running, risen, kept, sent, final: tally.node("n").shown};
})()"""


def test_counts_rise_never_move_back_and_end_as_the_database_has_them(module: Browser) -> None:
    told = _call(module, "tally.js", _TALLY)
    assert told["running"] == 1
    assert told["risen"] == {"computed": 11, "cached": 0, "remote": 1, "skipped": 2, "failed": 1}
    assert told["kept"] == 11
    assert told["sent"] == [14, 13, 2, 1, 1]
    assert told["final"] == {"computed": 7, "cached": 0, "remote": 0, "skipped": 0, "failed": 0}


_BEGUN = """(() => {
  const tally = new m.Tally();
  tally.take({node: "n", asset: "ended", status: "FAILED"});
  tally.take({node: "n", asset: "new", status: "STARTED"});
  tally.begun([{node: "n", asset: "ended"}, {node: "n", asset: "old"}, {node: "other", asset: "ended"}]);
  tally.take({node: "n", asset: "new", status: "FAILED"});
  return [[...tally.node("n").running], [...tally.node("other").running]];
})()"""


def test_what_began_before_anybody_looked_is_at_work(module: Browser) -> None:
    assert _call(module, "tally.js", _BEGUN) == [["old"], ["ended"]]


_PACE = """import('/page/words.js').then((words) => {
  const pace = new m.Pace();
  const assets = {completed: 0, failed: 0, failed_before: 0, unreadable: 0, unmatched: 0};
  const tell = (completed, more) => {
    pace.tell({assets: {...assets, completed}, ...more});
    return [pace.done, pace.fraction, words.leftOf({state: "RUNNING", paused: []}, pace)];
  };
  const told = [
    tell(0, {total: null}),
    tell(3, {total: 12}),
    tell(6, {total: 12, fraction: 0.75, seconds_left: 90.4}),
    tell(5, {total: 12, fraction: 0.6, seconds_left: 0.2}),
    tell(7, {total: 12, fraction: null, seconds_left: null}),
  ];
  return [...told, words.leftOf({state: "RUNNING", paused: [{owner: "user"}]}, pace)];
})"""


def test_progress_never_moves_back_and_the_time_left_is_the_workers_to_tell(module: Browser) -> None:
    told = _call(module, "pace.js", _PACE)
    assert told == [
        [0, None, "counting…"], [3, 0.25, "–"], [6, 0.75, "1 min 30 s"], [6, 0.75, "1 s"], [7, 0.75, "–"], "paused"
    ]  # fmt: skip


_MILLION = """import('/page/rows.js').then(async (m) => {
  const drawn = [];
  const rows = new m.Rows({rowHeight: 36, label: "x", draw: (index) => {
    drawn.push(index);
    const row = document.createElement("div");
    row.textContent = index;
    return row;
  }});
  document.getElementById("main").replaceChildren(rows.element);
  rows.setTotal(1000000);
  const frame = () => new Promise(requestAnimationFrame);
  await frame(); await frame();
  const began = performance.now();
  let frames = 0;
  for (; frames < 60; frames += 1) { rows.element.scrollTop += 40000; await frame(); }
  const rate = frames / (performance.now() - began) * 1000;
  rows.reveal(999999); await frame(); await frame();
  const bottom = rows.drawn.get(999999).getBoundingClientRect().bottom - rows.element.getBoundingClientRect().bottom;
  rows.reveal(0); await frame(); await frame();
  const answer = {rate, bottom, alive: rows.space.children.length, first: rows.drawn.has(0), most: Math.max(...drawn)};
  rows.stop();
  return answer;
})"""


@pytest.mark.slow
def test_a_million_rows_scroll_smoothly_and_both_ends_are_reached(module: Browser) -> None:
    told = module.run(f"return {_MILLION}")
    assert told["first"]
    assert told["most"] == 999_999
    assert -36 < told["bottom"] <= 2
    assert told["alive"] < 60
    assert told["rate"] >= 30


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("photo\u202egpj.exe", "photo‹U+202E›gpj.exe"),
        ("a\x1b[31m\x00\x7f\x9b", "a‹U+001B›[31m‹U+0000›‹U+007F›‹U+009B›"),
        ("\u2066\u200f\ufeff", "‹U+2066›‹U+200F›‹U+FEFF›"),
        ("naïve – ok 😀 שלום\n\t", "naïve – ok 😀 שלום\n\t"),
    ],
)
def test_characters_that_are_not_seen_or_turn_the_text_around_have_a_mark_wherever_they_come(
    module: Browser, text: str, shown: str
) -> None:
    made = "const one = m.h('p', {title: a[0], 'data-raw': a[0]}, 'x', [a[0]]), two = m.h('p'); m.setText(two, a[0]);"
    told = "[one.textContent, one.title, two.textContent, m.fill(two, a[0]).textContent, one.dataset.raw]"
    assert _call(module, "dom.js", f"{{ {made} return {told}; }}", text) == [f"x{shown}", shown, shown, shown, text]


def test_a_name_is_one_line(module: Browser) -> None:
    assert _call(module, "format.js", "m.nameOf(a[0])", "/a/b\nc\td") == "b‹U+000A›c‹U+0009›d"
    assert _call(module, "parts.js", "m.path(a[0]).textContent", "/a\n/b") == "/a‹U+000A›/b"


def test_what_files_wait_for_is_said_in_sentences(module: Browser) -> None:
    said = {"waiting": ["12 files are at caption", "1 file waits for its turn at network"]}
    told = _call(module, "words.js", "[m.othersWaitFor(a[0]), m.othersWaitFor({})]", said)
    assert told == ["12 files are at caption. 1 file waits for its turn at network.", ""]


def test_what_a_run_has_spent_stands_among_its_figures(module: Browser) -> None:
    assert _call(module, "format.js", "m.spentOf(null)") == []
    spent = {"prompt_tokens": 12345, "completion_tokens": 678, "cost": None}
    tokens = [["tokens asked", "12,345"], ["tokens answered", "678"]]
    assert _call(module, "format.js", "m.spentOf(a[0])", spent) == tokens
    assert _call(module, "format.js", "m.spentOf(a[0])", spent | {"cost": 0.0125}) == [*tokens, ["cost", "0.0125"]]
