from __future__ import annotations

import pytest
from pydantic import ValidationError

from cortex.operators.filters.values import QualityFilter, TagFilter
from cortex.operators.metadata.metadata import Metadata
from cortex.testing import run_operator
from loom.model import Branch


def test_the_numbers_of_real_files(real_image, real_video):
    large = QualityFilter(at_least={"metadata.width": 1280, "metadata.height": 700})
    film, photo = run_operator(Metadata(), real_video).outputs, run_operator(Metadata(), real_image).outputs
    assert run_operator(large, real_video, upstream={"metadata": film}).verdict is Branch.PASS
    assert (
        run_operator(large, real_image, upstream={"metadata": photo}).reason == "metadata.height is 427, less than 700"
    )


def test_bounds_pass_and_all_must_hold(real_image):
    node = QualityFilter(at_least={"q.sharpness": 0.5}, at_most={"q.noise": 0.2, "q.sharpness": 0.9})
    assert node.named_nodes() == ("q",)

    def verdict(**values):
        return run_operator(node, real_image, upstream={"q": values})

    assert verdict(sharpness=0.5, noise=0.2).verdict is Branch.PASS
    assert verdict(sharpness=0.9, noise=0).verdict is Branch.PASS
    assert verdict(sharpness=0.91, noise=0).reason == "q.sharpness is 0.91, more than 0.9"
    assert verdict(sharpness=0.6, noise=0.3).reason == "q.noise is 0.3, more than 0.2"


@pytest.mark.parametrize("value", [None, "0.7", True, [0.7]])
def test_what_is_no_number(broken_files, value):
    for path in broken_files:
        upstream = {"q": {"sharpness": value}}
        found = run_operator(QualityFilter(at_least={"q.sharpness": 0.5}), path, upstream=upstream)
        assert (found.verdict, found.reason) == (Branch.FAIL, "there is no number in q.sharpness")
        kept = QualityFilter(at_least={"q.sharpness": 0.5}, missing="PASS")
        assert run_operator(kept, path, upstream=upstream).verdict is Branch.PASS


def test_a_number_out_of_bounds_counts_for_more_than_one_that_is_missing(real_image):
    node = QualityFilter(at_least={"q.a": 1, "q.b": 1}, missing="PASS")
    assert run_operator(node, real_image, upstream={"q": {"b": 0}}).verdict is Branch.FAIL


@pytest.mark.parametrize(
    "options",
    [{}, {"at_least": {"sharpness": 1}}, {"at_least": {"q.x": 2}, "at_most": {"q.x": 1}}, {"at_most": {"q.x": "1"}}],
)
def test_wrong_bounds_are_refused(options):
    with pytest.raises(ValidationError):
        QualityFilter(**options)


def test_the_keywords_of_a_real_photograph(media, real_image):
    cups = TagFilter(values=["metadata.keywords", "tag.labels"], any=["Cup", "bowl"])
    for path, passes in ((media.photo(), True), (real_image, False)):
        found = run_operator(cups, path, upstream={"metadata": run_operator(Metadata(), path).outputs})
        assert (found.verdict is Branch.PASS) is passes


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"any": ["b", "x"]}, None),
        ({"any": ["x", "y"]}, "it has no tag of x, y"),
        ({"all": ["A", "c"]}, None),
        ({"all": ["a", "x"]}, "it has no tag x"),
        ({"none": ["x"]}, None),
        ({"none": ["x", "C"]}, "it has the tag C"),
        ({"any": ["a"], "none": ["b"]}, "it has the tag b"),
    ],
)
def test_tags_of_several_nodes(broken_files, options, reason):
    node = TagFilter(values=["one.labels", "two.label"], **options)
    assert node.named_nodes() == ("one", "two")
    upstream = {"one": {"labels": ["a", "B", 3]}, "two": {"label": "c"}}
    for path in broken_files:
        assert run_operator(node, path, upstream=upstream).reason == reason


def test_an_asset_without_tags_has_none(real_image):
    assert run_operator(TagFilter(values=["one.labels"], none=["a"]), real_image).verdict is Branch.PASS
    assert run_operator(TagFilter(values=["one.labels"], any=["a"]), real_image).verdict is Branch.FAIL


@pytest.mark.parametrize(
    "options", [{"values": ["a.b"]}, {"any": ["a"]}, {"values": [], "any": ["a"]}, {"values": ["labels"], "any": ["a"]}]
)
def test_wrong_questions_are_refused(options):
    with pytest.raises(ValidationError):
        TagFilter(**options)
