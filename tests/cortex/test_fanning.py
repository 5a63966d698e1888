from __future__ import annotations

from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest
from wordoperators import Measure, Split

from cortex.fanning import FanOut
from cortex.node import MediaNode, NodeContext, NodeOptions, OutputKey, keys_of
from loom.errors import LoomError
from loom.model import Branch


def contexts(items: list[Any], node: MediaNode[Any], **more: Any) -> partial[NodeContext]:
    return partial(NodeContext, "measure", {}, keys=keys_of(type(node)), items=items, **more)


def fanned(items: list[Any], node: MediaNode[Any] | None = None, **more: Any) -> NodeContext:
    node = node or Measure()
    return FanOut().compute(node, None, contexts(items, node, **more))


def test_outputs_become_lists_and_artifacts_get_numbers_in_their_order() -> None:
    whole = fanned([f"word{index}" for index in range(11)])
    assert whole.outputs == {"length": [5] * 10 + [6], "place": list(range(11))}
    assert [one.name for one in whole.artifacts] == sorted(one.name for one in whole.artifacts)
    assert (whole.artifacts[0].name, whole.artifacts[10].data) == ("word-00", b"word10")


def test_what_an_item_does_not_give_is_none() -> None:
    assert fanned(["a", "word"]).outputs == {"length": [None, 4], "place": [0, 1], "verdicts": ["FAIL", "PASS"]}


def test_an_item_that_is_not_there_keeps_its_number_and_is_not_computed() -> None:
    whole = fanned(["four", None, "sixsix", None])
    assert whole.outputs == {"length": [4, None, 6, None], "place": [0, None, 2, None]}
    assert [one.name for one in whole.artifacts] == ["word-0", "word-2"]
    assert fanned([None, "a"]).outputs["verdicts"] == [None, "FAIL"]


@pytest.mark.parametrize(
    ("items", "verdicts", "expected"),
    [
        (["a", "word"], None, (Branch.PASS, None)),
        (["a", "b"], None, (Branch.FAIL, "it is short")),
        ([], False, (Branch.PASS, None)),
        ([], True, (Branch.FAIL, "there are no items")),
    ],
)
def test_it_passes_when_an_item_does(items: list[str], verdicts: bool | None, expected: Any) -> None:
    node = Measure()
    node.verdicts = verdicts  # type: ignore[misc]
    whole = fanned(items, node)
    assert (whole.result_verdict, whole.verdict_reason) == expected
    assert set(whole.outputs) - {"verdicts"} == {"length", "place"}


def test_progress_goes_on_from_item_to_item() -> None:
    class Half(Measure):
        def compute(self, ctx: NodeContext, media: Any) -> None:
            ctx.progress(0.5)

    said: list[float] = []
    fanned(["a", "b"], Half(), report_progress=said.append)
    assert said == [0.25, 0.5, 0.75, 1.0]


def test_an_item_that_failed_is_tried_again_and_those_before_it_are_not() -> None:
    class Shy(Measure):
        asked: list[str]

        def compute(self, ctx: NodeContext, media: Any) -> None:
            self.asked.append(ctx.item)
            if len(self.asked) == 2:
                raise LoomError("TRY_AGAIN")
            super().compute(ctx, media)

    node, fan_out = Shy(), FanOut()
    node.asked = []
    with pytest.raises(LoomError):
        fan_out.compute(node, None, contexts(["one", "two", "three"], node))
    assert fan_out.at == "item 2 of 3: "
    whole = fan_out.compute(node, None, contexts(["one", "two", "three"], node))
    assert node.asked == ["one", "two", "two", "three"]
    assert whole.outputs["place"] == [0, 1, 2]
    assert fan_out.at == ""


def test_a_list_is_no_larger_than_one_output() -> None:
    class Long(MediaNode[NodeOptions]):
        operator = "words.long"
        TEXT = OutputKey("text", str)

        def compute(self, ctx: NodeContext, media: Any) -> None:
            ctx.output(self.TEXT, "x" * 40_000)

    fanned(["a"], Long())
    with pytest.raises(LoomError) as raised:
        fanned(["a", "b"], Long())
    assert raised.value.code == "OUTPUT_INVALID"


def test_the_operator_that_gives_the_list_is_an_ordinary_one() -> None:
    ctx = NodeContext("split", {})
    Split().compute(ctx, SimpleNamespace(text=lambda: "two words"))  # type: ignore[arg-type]
    assert ctx.outputs == {"words": ["two", "words"]}
    assert (ctx.items, ctx.item, ctx.index) == (None, None, 0)
