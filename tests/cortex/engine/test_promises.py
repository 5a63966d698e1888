"""What the compiler holds for sure is there, whatever becomes of the nodes."""

from __future__ import annotations

from typing import Any

from faceoperators import announced
from hypothesis import given
from hypothesis import strategies as st

from cortex.engine.course import Course
from cortex.engine.records import Computed
from loom.graph.compiler import compile_definition
from loom.graph.plan import Step
from loom.model import Branch, Kind, Outcome, Reason, State

BRANCHES = [None, None, "PASS", "FAIL", "ERROR"]


@st.composite
def definitions(draw: st.DrawFn) -> dict[str, Any]:
    """Graphs in which the last node names a value of one before it."""
    count = draw(st.integers(2, 6))
    nodes: list[dict[str, Any]] = [{"id": "n0", "operator": "source.files"}]
    edges = []
    for number in range(1, count + 1):
        operator = draw(st.sampled_from(["face.find", "filter.some"])) if number < count else "read.value"
        nodes.append({"id": f"n{number}", "operator": "face.find" if number == 1 else operator})
        others = draw(st.lists(st.integers(0, number - 1), max_size=2))
        for source in dict.fromkeys([*others, number - 1] if draw(st.booleans()) else [number - 1]):
            branches = BRANCHES if nodes[source]["operator"] == "filter.some" else [None, *BRANCHES[-1:]][: source + 1]
            branch = draw(st.sampled_from(branches))
            edge: dict[str, Any] = {"from": {"node": f"n{source}"}, "to": {"node": f"n{number}"}}
            edges.append(edge | ({} if branch is None else {"branch": branch}))
    nodes[-1]["config"] = {"value": "n1.count"}
    if not draw(st.integers(0, 4)):
        nodes[1]["enabled"] = False
    return {"name": "p", "graph": {"nodes": nodes, "edges": edges}}


class Facts:
    kind, mime, size = Kind.IMAGE, "image/png", 1


@given(document=definitions(), data=st.data())
def test_a_value_without_a_warning_is_there(document: dict[str, Any], data: st.DataObject) -> None:
    compiled = compile_definition(document, announced())
    if compiled.plan is None or any(d.code == "VALUE_UNSURE" for d in compiled.diagnostics):
        return
    ways = {step.node: data.draw(st.sampled_from(["PASS", "FAIL", "raise", "skip"])) for step in compiled.plan.steps}
    ways["n1"] = data.draw(st.sampled_from(["PASS", "raise"]))
    reader = compiled.plan.step(document["graph"]["nodes"][-1]["id"])
    seen: list[Any] = []

    def work(step: Step, course: Course) -> Outcome:
        if step is reader:
            seen.append(course.upstream(step)["n1"])
        way = ways[step.node]
        if way == "skip":
            return Outcome(State.SKIPPED, Reason.NOT_PROCESSABLE)
        if way == "raise":
            return course.add(Computed(step.index, None, b"{}", (), "FILE_DAMAGED", "broken", 0, 0, False), None)
        verdict = Branch(way) if step.verdicts else Branch.PASS
        return course.add(Computed(step.index, verdict, b"{}", (), None, None, 0, 0, False), {"count": 1})

    Course(compiled.plan, {}).advance(Facts(), b"a", work, sandboxed=True)
    assert seen in ([], [{"count": 1}])
