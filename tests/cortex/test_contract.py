from __future__ import annotations

from typing import Any

import msgspec
import pytest
from wordoperators import Measure, Split

from cortex.contract import NotAnOperatorError, describe
from cortex.node import HANDS_ON, MediaNode, NodeContext, NodeOptions, OutputKey
from loom.graph.specs import OperatorSpec, Port


class BucketOptions(NodeOptions):
    sorts: tuple[str, ...] = ()


class Some(MediaNode[BucketOptions]):
    operator = "test.some"
    reads = ("sha256.sha256", "metadata", "metadata.width")
    needs = ("sha256.sha256",)
    outputs = HANDS_ON
    NUMBERS = OutputKey("numbers", list)
    ONE = OutputKey("one", int)

    def compute(self, ctx: NodeContext, media: Any) -> None:
        """Nothing."""


def test_what_goes_through_ports_is_part_of_the_spec_and_survives_the_wire() -> None:
    for cls in (Split, Measure, Some):
        spec = describe(cls.operator, cls)
        assert msgspec.json.decode(msgspec.json.encode(spec), type=OperatorSpec) == spec
    assert describe("words.split", Split).outputs[0].cardinality == "many"


def test_values_of_nodes_may_be_declared_by_their_keys() -> None:
    spec = describe("test.some", Some)
    assert (spec.reads, spec.needs) == (("sha256", "metadata"), ("sha256",))
    assert spec.takes == ("sha256.sha256", "metadata.width", "sha256.sha256")


@pytest.mark.parametrize(
    ("fields", "rule"),
    [
        ({"inputs": (Port(id="in", content_type="image"),)}, "of the type 'image'"),
        ({"inputs": (Port(id="in", key="one"),)}, "which outputs have"),
        (
            {"inputs": (Port(id="a", content_type="artifact/image"), Port(id="b", content_type="x/z"))},
            "values or derived files",
        ),
        ({"inputs": (Port(id="a", content_type="x/y"),), "V": OutputKey("verdicts", list)}, "verdicts of items"),
        ({"inputs": (Port(id="in", cardinality="many"),)}, "for many assets"),
        ({"inputs": (Port(id="a", content_type="x/y"), Port(id="b", content_type="x/z"))}, "more than one input"),
        ({"outputs": (Port(id="out", content_type="x"),)}, "of the type 'x'"),
        ({"outputs": (Port(id="out", passes="into"),)}, "passes"),
        ({"outputs": (Port(id="out", content_type="x/y", key="two"),)}, "key 'two'"),
        ({"outputs": (Port(id="out", content_type="x/y", cardinality="many"),)}, "without the `key` of a list"),
        ({"outputs": (Port(id="out", content_type="x/y", cardinality="many", key="one"),)}, "`key` of a list"),
        ({"buckets": "kinds"}, "an option 'kinds'"),
        ({"buckets": "sorts"}, "without an OutputKey 'bucket'"),
    ],
)
def test_ports_that_mean_nothing_are_refused(fields: dict[str, Any], rule: str) -> None:
    with pytest.raises(NotAnOperatorError) as refused:
        describe("test.some", type("Wrong", (Some,), fields))
    assert rule in str(refused.value)
