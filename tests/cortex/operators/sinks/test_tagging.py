from __future__ import annotations

import pytest
from ingests import carry_out, definition, loom_in
from pydantic import ValidationError

from cortex.operators.filters.values import TagFilter
from cortex.operators.metadata.metadata import Metadata
from cortex.operators.sinks.tagging import Tag
from cortex.testing import run_operator
from loom.model import Branch
from loom.steering import AssetQuery

RULES = [
    {"tag": "wide", "when": "metadata.width > 1000"},
    {"tag": "picture", "when": 'media.kind == "image"'},
    {"tag": "wide", "when": "metadata.width > metadata.height"},
]


def test_the_tags_of_real_files(real_image, real_video):
    for path, labels, rule in ((real_image, ["picture", "wide"], 2), (real_video, ["wide"], 0)):
        upstream = {"metadata": run_operator(Metadata(), path).outputs}
        outputs = run_operator(Tag(rules=RULES), path, upstream=upstream).outputs
        assert sorted(outputs["labels"]) == labels
        assert {"tag": "wide", "when": RULES[rule]["when"], "from": ["metadata"]} in outputs["provenance"]
        assert [one["tag"] for one in outputs["provenance"]] == outputs["labels"]


def test_broken_files_have_the_tags_that_hold(broken_files):
    for path in broken_files:
        found = run_operator(Tag(rules=[*RULES, {"tag": "all"}]), path)
        assert found.outputs["labels"][-1] == "all"
        assert "wide" not in found.outputs["labels"]


def test_collections_are_an_effect(real_image):
    node = Tag(rules=[{"tag": "a"}, {"tag": "b", "when": "false"}, {"tag": "c"}], collections=True)
    found = run_operator(node, real_image)
    assert (found.collections, found.effects) == (("a", "c"), ("add to collection a", "add to collection c"))
    dry = run_operator(node, real_image, dry_run=True)
    assert (dry.collections, dry.effects, dry.outputs) == ((), found.effects, found.outputs)
    assert run_operator(Tag(rules=[{"tag": "a"}]), real_image).effects == ()


def test_a_filter_looks_at_the_tags(real_image):
    outputs = run_operator(Tag(rules=[{"tag": "Night shots"}]), real_image).outputs
    node = TagFilter(values=["tag.labels"], any=["night shots"])
    assert run_operator(node, real_image, upstream={"tag": outputs}).verdict is Branch.PASS


def test_loom_finds_assets_by_their_tags(media_folder, tmp_path):
    def tagged(word):
        options = {"rules": [{"tag": word, "when": 'media.kind == "video"'}], "collections": True}
        return definition("tags", {"id": "tag", "operator": "sink.tag", "config": options})

    with loom_in(tmp_path / "loom") as loom:
        dry = carry_out(loom, media_folder, tagged("moving pictures"), dry_run=True)
        assert dry.summary["would_write"]["effects"] == ["add to collection moving pictures"]
        carry_out(loom, media_folder, tagged("moving pictures"))
        carry_out(loom, media_folder, tagged("moving pictures"), recompute=["tag"])
        for query in (AssetQuery(text="moving"), AssetQuery(collection="moving pictures")):
            assert [asset.kind for asset in loom.assets(query).items] == ["video"]


def test_exactly_the_nodes_of_the_rules_are_read():
    assert Tag(rules=[*RULES, {"tag": "sharp", "when": "quality.sharpness > 1"}]).named_nodes() == (
        "metadata",
        "quality",
    )
    assert Tag(rules=[{"tag": "a"}]).named_nodes() == ()


@pytest.mark.parametrize(
    "rules",
    [
        [],
        [{"tag": ""}],
        [{"tag": "a/b"}],
        [{"tag": "a", "when": "x ="}],
        [{"when": "true"}],
        [{"tag": "a", "why": "b"}],
    ],
)
def test_wrong_rules_are_refused(rules):
    with pytest.raises(ValidationError):
        Tag(rules=rules)
