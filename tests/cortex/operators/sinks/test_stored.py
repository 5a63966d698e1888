from __future__ import annotations

from types import SimpleNamespace

import pytest
from pydantic import ValidationError

from cortex.node import NodeContext
from cortex.operators.sinks.stored import Collect, LoomSink

MEDIA = SimpleNamespace()


def test_collecting_is_an_effect():
    said, collected = [], []

    def perform(description, do):
        said.append(description)
        do()

    ctx = NodeContext("aside", {}, perform=perform, collect=collected.append)
    Collect(collection="not-images").compute(ctx, MEDIA)
    assert (said, collected) == (["add to collection not-images"], ["not-images"])


def test_a_dry_run_collects_nothing():
    said = []
    ctx = NodeContext("aside", {}, perform=lambda description, do: said.append(description))
    Collect(collection="a").compute(ctx, MEDIA)
    assert said == ["add to collection a"]


@pytest.mark.parametrize("name", ["a", "not-images", "Holiday 2026", "Größe_1", "a" * 100])
def test_names_of_collections(name):
    assert Collect(collection=name).options.collection == name


@pytest.mark.parametrize("name", ["", " a", "a ", "a/b", "a\n", "-a", "a" * 101, 1])
def test_names_that_are_refused(name):
    with pytest.raises(ValidationError):
        Collect(collection=name)


def test_the_loom_sink_says_that_everything_is_stored():
    ctx = NodeContext("stored", {})
    LoomSink().compute(ctx, MEDIA)
    assert ctx.outputs == {"stored": True}
