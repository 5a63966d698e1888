"""Files of which somebody says that they are gone for good."""

from __future__ import annotations

import os
import shutil

import pytest

from cortex.sources.gone import count_as_gone

ELSEWHERE = 2**40 + 1
"""A device that is not there."""


@pytest.fixture
def library(folder, settle, ledger):
    """A folder with files of its own and, below `disk`, two that lay on a disk which is away."""
    for name in ("kept", "other", "disk/1", "disk/deep/2"):
        folder.write(name)
    settle(folder)
    for directory in ("disk", "disk/deep"):
        files = ledger.directories[folder / directory]
        files.update((name, file._replace(device=ELSEWHERE)) for name, file in files.items())
    shutil.rmtree(folder / "disk")
    os.mkdir(folder / "disk")
    return folder


def test_a_disk_that_will_not_come_back_is_no_longer_waited_for(library, scan, ledger):
    assert scan(library).scan.unreachable == [library / "disk"]
    assert count_as_gone(ledger, "here", library / "disk", dry_run=False) == 2
    assert sorted(ledger.missing) == [library / "disk/1", library / "disk/deep/2"]
    assert scan(library).scan.unreachable == []
    assert count_as_gone(ledger, "here", library / "disk", dry_run=False) == 0


def test_what_is_there_or_lies_elsewhere_is_left_alone(library, ledger):
    os.remove(library / "other")
    library.write("disk/1")
    assert count_as_gone(ledger, "here", library / "disk", dry_run=False) == 1
    assert ledger.missing == [library / "disk/deep/2"]


def test_a_single_file_may_be_meant(library, ledger):
    os.remove(library / "kept")
    os.remove(library / "other")
    assert count_as_gone(ledger, "here", library / "other", dry_run=False) == 1
    assert ledger.missing == [library / "other"]


def test_what_cannot_be_looked_at_is_not_gone(library, ledger, as_nobody):
    library.write("locked/3")
    ledger.directories[library / "locked"] = dict(ledger.directories[library / "disk"])
    os.chmod(library / "locked", 0)
    try:
        with as_nobody():
            assert count_as_gone(ledger, "here", library / "locked", dry_run=False) == 0
    finally:
        os.chmod(library / "locked", 0o755)


def test_a_dry_run_only_counts(library, ledger):
    assert count_as_gone(ledger, "here", library / "disk", dry_run=True) == 2
    assert ledger.missing == []
