from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path

import pytest
from ingests import carry_out, definition, loom_in
from pydantic import ValidationError

from cortex.operators.identity.hashing import Sha256
from cortex.operators.sinks.xattrs import Xattr
from cortex.testing import run_operator
from loom.errors import LoomError


@pytest.fixture
def copies(real_image, real_audio, broken_files, tmp_path) -> list[Path]:
    """Real files and broken ones, where attributes can be kept."""
    paths = [Path(shutil.copy2(path, tmp_path / path.name)) for path in (real_image, real_audio, *broken_files)]
    try:
        os.setxattr(paths[0], "user.probe", b"")
        os.removexattr(paths[0], "user.probe")
    except (AttributeError, OSError):
        pytest.skip("the file system of the tests keeps no extended attributes")
    return paths


def attributes(path):
    return {name: os.getxattr(path, name).decode() for name in os.listxattr(path) if name.startswith("user.")}


def test_real_and_broken_files(copies):
    node = Xattr(attributes={"user.cortex.sha256": "sha256.sha256", "user.xdg.tags": "tag.labels"})
    assert node.named_nodes() == ("sha256", "tag")
    for path in copies:
        before = path.stat()
        digest = run_operator(Sha256(), path).outputs
        upstream = {"sha256": digest, "tag": {"labels": ["a", "größer", True, 3, 0.5]}}
        found = run_operator(node, path, upstream=upstream)
        assert found.effects == (f"write user.cortex.sha256, user.xdg.tags to {path}",)
        assert found.outputs == {"written": ["user.cortex.sha256", "user.xdg.tags"], "kept": []}
        assert attributes(path) == {"user.cortex.sha256": digest["sha256"], "user.xdg.tags": "a,größer,true,3,0.5"}
        assert (path.stat().st_mtime_ns, path.stat().st_size) == (before.st_mtime_ns, before.st_size)
        assert run_operator(node, path, upstream=upstream).outputs == {"written": [], "kept": []}


def test_a_dry_run_writes_nothing(copies):
    node = Xattr(attributes={"user.cortex.title": "metadata.title"})
    found = run_operator(node, copies[0], upstream={"metadata": {"title": "a"}}, dry_run=True)
    assert (found.effects, found.outputs) == ((f"write user.cortex.title to {copies[0]}",), {})
    assert attributes(copies[0]) == {}


def test_ours_are_replaced_and_removed_others_are_kept(copies):
    path = copies[0]
    names = {"user.cortex.title": "m.title", "user.comment": "m.title"}
    os.setxattr(path, "user.comment", b"mine")
    os.setxattr(path, "user.cortex.title", b"old")
    found = run_operator(Xattr(attributes=names), path, upstream={"m": {"title": "new"}})
    assert found.outputs == {"written": ["user.cortex.title"], "kept": ["user.comment"]}
    assert attributes(path) == {"user.cortex.title": "new", "user.comment": "mine"}
    run_operator(Xattr(attributes=names, replace=True), path, upstream={"m": {"title": "new"}})
    assert attributes(path)["user.comment"] == "new"
    run_operator(Xattr(attributes=names), path, upstream={"m": {"title": None}})
    assert attributes(path) == {"user.comment": "new"}


@pytest.mark.parametrize("value", [{"a": 1}, [["a"]], "ä" * 1025])
def test_values_that_are_refused(copies, value):
    with pytest.raises(LoomError) as error:
        run_operator(Xattr(attributes={"user.cortex.x": "m.x"}), copies[0], upstream={"m": {"x": value}})
    assert error.value.code == "OUTPUT_INVALID"


def test_a_file_system_without_attributes(copies, monkeypatch):
    def refuse(*_):
        raise OSError(errno.EOPNOTSUPP, "Operation not supported")

    monkeypatch.setattr(os, "getxattr", refuse)
    with pytest.raises(LoomError, match="Operation not supported") as error:
        run_operator(Xattr(attributes={"user.cortex.x": "m.x"}), copies[0], upstream={"m": {"x": "a"}})
    assert error.value.code == "EFFECT_FAILED"


def test_a_system_without_attributes(real_image, monkeypatch):
    monkeypatch.delattr(os, "setxattr")
    with pytest.raises(LoomError) as error:
        run_operator(Xattr(attributes={"user.cortex.x": "m.x"}), real_image)
    assert error.value.code == "REQUIREMENT_MISSING"


def test_in_runs(copies, tmp_path):
    folder = tmp_path / "files"
    folder.mkdir()
    for path in copies:
        path.rename(folder / path.name)
    own = {"id": "own", "operator": "sink.xattr", "config": {"attributes": {"user.cortex.md5": "md5.md5"}}}
    pipeline = definition("attributes", {"id": "md5", "operator": "hash.md5"}, own)
    with loom_in(tmp_path / "loom") as loom:
        dry = carry_out(loom, folder, pipeline, dry_run=True)
        assert len(dry.summary["would_write"]["effects"]) == len(copies)
        assert [attributes(path) for path in folder.iterdir()] == [{}] * len(copies)
        assert carry_out(loom, folder, pipeline).nodes("own") == {"computed": len(copies)}
        assert all(attributes(path).keys() == {"user.cortex.md5"} for path in folder.iterdir())
        assert "computed" not in carry_out(loom, folder, pipeline).nodes("own")


@pytest.mark.parametrize("names", [{}, {"title": "m.title"}, {"trusted.x": "m.x"}, {"user.": "m.x"}, {"user.x": "x"}])
def test_wrong_names_are_refused(names):
    with pytest.raises(ValidationError):
        Xattr(attributes=names)
