"""A dry run computes and tells, and writes nothing anywhere."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Cortex = Callable[..., Any]
Snapshot = dict[str, tuple[int, int, int, bytes | str, dict[str, bytes]]]


def snapshot(*folders: Path) -> Snapshot:
    """Everything below the folders: mode, size, mtime, content or target, extended attributes."""
    found: Snapshot = {}
    for folder in folders:
        for path in [folder, *sorted(folder.rglob("*"))]:
            if not path.exists():
                continue
            stat = path.lstat()
            content: bytes | str = path.read_bytes() if path.is_file() else ""
            attributes = {name: os.getxattr(path, name) for name in os.listxattr(path)}
            found[str(path)] = (stat.st_mode, stat.st_size, stat.st_mtime_ns, content, attributes)
    return found


def test_before_anything_exists(cortex: Cortex, library: Path, tmp_path: Path) -> None:
    folders = (library, tmp_path / "data", tmp_path / "meta", tmp_path / "home")
    before = snapshot(*folders)
    done = cortex("ingest", library, "--dry-run", "--json")
    assert done.code == 3, done.err
    summary = done.summary
    assert summary["dry_run"] is True
    assert summary["run"] is None
    assert summary["runs"] == []
    assert summary["nodes"]["sha256"]["computed"] == 5
    assert summary["would_write"]["results"] >= 14
    assert summary["would_write"]["locations"] == 6
    assert summary["would_write"]["artifacts"] >= 3
    assert snapshot(*folders) == before


@pytest.mark.slow
def test_over_a_library_that_is_known(cortex: Cortex, library: Path, tmp_path: Path) -> None:
    cortex("ingest", library, "--json")
    (library / "words.txt").write_text("other words")
    (library / "two.png").unlink()
    folders = (library, tmp_path / "data", tmp_path / "meta", tmp_path / "home")
    before = snapshot(*folders)
    summary = cortex("ingest", library, "--dry-run", "--json").summary
    assert summary["assets"]["unchanged"] == 4
    assert summary["nodes"]["sha256"]["computed"] == 1
    assert snapshot(*folders) == before
    assert cortex("ingest", library, "--json").summary["nodes"]["sha256"]["computed"] == 1


def test_effects_are_listed_and_not_done(cortex: Cortex, library: Path, tmp_path: Path) -> None:
    definition = tmp_path / "aside.yaml"
    definition.write_text(
        """
schema_version: 1
name: aside
graph:
  nodes:
    - {id: files, operator: source.filesystem}
    - {id: pictures, operator: filter.media, config: {kinds: [image]}}
    - {id: aside, operator: sink.collect, config: {collection: not-images}}
  edges:
    - {from: {node: files}, to: {node: pictures}}
    - {from: {node: pictures}, to: {node: aside}, branch: FAIL}
"""
    )
    summary = cortex("ingest", library, "--pipeline", definition, "--dry-run", "--json").summary
    assert len(summary["would_write"]["effects"]) == 2
    assert all("not-images" in effect for effect in summary["would_write"]["effects"])
    assert cortex("ingest", library, "--pipeline", definition, "--json").code == 0
    assert "not-images" in cortex("show", library / "words.txt").out
    assert "not-images" not in cortex("show", library / "one.jpg").out


def test_a_definition_may_ask_for_it(cortex: Cortex, library: Path, tmp_path: Path) -> None:
    definition = tmp_path / "mute.yaml"
    definition.write_text(
        """
schema_version: 1
name: mute
dry_run: true
graph:
  nodes:
    - {id: files, operator: source.filesystem}
    - {id: sha256, operator: hash.sha256}
  edges:
    - {from: {node: files}, to: {node: sha256}}
"""
    )
    summary = cortex("ingest", library, "--pipeline", definition, "--json").summary
    assert summary["dry_run"] is True
    assert summary["would_write"]["results"] == 5
