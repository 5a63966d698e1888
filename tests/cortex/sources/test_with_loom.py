"""The scan against the memory of a real Loom."""

from __future__ import annotations

import os

import pytest
from blake3 import blake3
from remembering import PLAN

from cortex.operators.sources.local import LoomSource
from cortex.sources.found import ScanOptions
from cortex.sources.scan import Scan


def test_settled_files_are_passed_over_and_renamed_ones_found(folder, remembering):
    folder.write("a/1", b"one")
    folder.write(b"a/\xff", b"two")
    assert remembering.scan(folder.path)[1] == [b"a/1", b"a/\xff"]
    scan, found = remembering.scan(folder.path)
    assert (scan.unchanged, found) == (2, [])
    os.rename(folder / "a/1", folder / "a/renamed")
    scan, found = remembering.scan(folder.path)
    assert (scan.missing, found) == (1, [b"a/renamed"])
    assert remembering.states(folder / "a/renamed") == {"1": "missing", "renamed": "present"}


def test_a_root_that_is_gone_and_back_again_loses_nothing(folder, remembering):
    folder.write("disk/1", b"one")
    remembering.scan(folder / "disk")
    os.rename(folder / "disk", folder / "away")
    scan, _ = remembering.scan(folder / "disk")
    assert scan.unreachable == [folder / "disk"]
    assert remembering.states(folder / "disk/1") == {"1": "unreachable"}
    os.rename(folder / "away", folder / "disk")
    other = Scan([folder / "disk"], ScanOptions(), ledger=remembering.loom, host="here", plan=b"o" * 32)
    assert [(found.known, found.asset) for found in other] == [(True, blake3(b"one").digest())]
    back, found = remembering.scan(folder / "disk")
    assert (back.unchanged, found) == (1, [])
    assert remembering.states(folder / "disk/1") == {"1": "present"}


def test_a_root_that_stays_empty_stays_unreachable(folder, remembering):
    folder.write("disk/1", b"one")
    folder.write("disk/deep/2", b"two")
    remembering.scan(folder / "disk")
    os.rename(folder / "disk", folder / "away")
    os.mkdir(folder / "disk")
    for _ in range(3):
        scan, _ = remembering.scan(folder / "disk")
        assert (scan.unreachable, scan.missing) == ([folder / "disk"], 0)
        assert remembering.states(folder / "disk/1") == {"1": "unreachable"}
    os.rmdir(folder / "disk")
    os.rename(folder / "away", folder / "disk")
    os.remove(folder / "disk/1")
    scan, found = remembering.scan(folder / "disk")
    assert (scan.unchanged, found) == (1, [])
    assert remembering.states(folder / "disk/1") == {"1": "missing"}
    assert remembering.states(folder / "disk/deep/2") == {"2": "present"}


@pytest.mark.parametrize("named", ["a/1", "link"])
def test_a_single_file_that_is_gone_is_unreachable(folder, remembering, named):
    folder.write("a/1", b"one")
    folder.write("a/2", b"two")
    os.symlink(folder / "a/1", folder / "link")
    remembering.scan(folder / named)
    remembering.scan(folder.path)
    os.remove(folder / "a/1")
    for _ in range(2):
        scan, _ = remembering.scan(folder / named)
        assert scan.unreachable == [folder / named]
        assert remembering.states(folder / "a/1") == {"1": "unreachable"}
        assert remembering.states(folder / "a/2") == {"2": "present"}


def test_the_source_loom_offers_what_is_remembered(folder, remembering):
    folder.write("a/1", b"one")
    folder.write("b/2", b"two")
    remembering.scan(folder.path)

    def offered(source: LoomSource, plan: bytes, *roots: bytes) -> list[bytes]:
        return [found.name for found in source.open_scan(roots, loom=remembering.loom, host="here", plan=plan)]

    assert offered(LoomSource(), b"o" * 32) == [b"1", b"2"]
    assert offered(LoomSource(), b"o" * 32, folder / "b") == [b"2"]
    assert offered(LoomSource(), PLAN) == []
    assert offered(LoomSource(kind="image"), b"o" * 32) == []
