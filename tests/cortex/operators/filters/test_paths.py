from __future__ import annotations

import shutil

import pytest
from ingests import carry_out, loom_in

from cortex.operators.filters.paths import PathFilter
from cortex.testing import run_operator
from loom.model import Branch
from loom.steering import AssetQuery

NODES = [
    {"id": "files", "operator": "source.filesystem"},
    {"id": "raw", "operator": "filter.path", "filter": {"path": ["raw/**"]}},
    {"id": "within", "operator": "sink.collect", "config": {"collection": "within"}},
    {"id": "outside", "operator": "sink.collect", "config": {"collection": "outside"}},
]
EDGES = [
    {"from": {"node": "files"}, "to": {"node": "raw"}},
    {"from": {"node": "raw"}, "to": {"node": "within"}, "branch": "FAIL"},
    {"from": {"node": "raw"}, "to": {"node": "outside"}, "branch": "PASS"},
]
DEFINITION = {"schema_version": 1, "name": "paths", "graph": {"nodes": NODES, "edges": EDGES}}


@pytest.fixture
def folder(real_image, media, tmp_path):
    folder = tmp_path / "files"
    (folder / "raw" / "deep").mkdir(parents=True)
    shutil.copy(real_image, folder / "raw" / "deep" / "rocket.jpg")
    shutil.copy(media.photo(), folder / "cup.jpg")
    return folder


def collected(loom, name):
    return {asset.blake3 for asset in loom.assets(AssetQuery(collection=name)).items}


def test_what_reaches_it_gets_fail(real_image, real_audio, broken_files):
    for path in (real_image, real_audio, *broken_files):
        found = run_operator(PathFilter(), path)
        assert (found.verdict, found.reason) == (Branch.FAIL, "its path fits the filter of the node")


def test_two_branches_by_path(folder, tmp_path):
    with loom_in(tmp_path / "loom") as loom:
        story = carry_out(loom, folder, DEFINITION)
        assert story.nodes("raw") == {"computed": 1, "skipped": 1}
        assert story.nodes("within") == story.nodes("outside") == {"computed": 1, "skipped": 1}


def test_a_file_that_moved_takes_the_other_branch(folder, tmp_path):
    """A verdict of its content alone would send it where it went before."""
    with loom_in(tmp_path / "loom") as loom:
        carry_out(loom, folder, DEFINITION)
        (folder / "raw" / "deep" / "rocket.jpg").rename(folder / "rocket.jpg")
        (folder / "cup.jpg").rename(folder / "raw" / "cup.jpg")
        story = carry_out(loom, folder, DEFINITION)
        assert story.nodes("within") == story.nodes("outside") == {"computed": 1, "skipped": 1}
        assert len(collected(loom, "within")) == len(collected(loom, "outside")) == 2
