"""Which files an ingest looks at where nothing was named."""

from __future__ import annotations

from uuid import uuid4

import pytest
from ingests import HOST, SHA256, definition

from cortex.catalogue import load
from cortex.engine.scheme import Chosen, Scheme, make_scheme
from cortex.ingesting import make_files
from cortex.request import Request
from loom.errors import LoomError


@pytest.fixture
def scheme() -> Scheme:
    return make_scheme([Chosen(definition("plain", SHA256), 0, False)], load(), dry_run=False)


def test_a_command_without_paths_is_told_how_to_say_them(scheme: Scheme) -> None:
    with pytest.raises(LoomError, match="cortex ingest PATH"):
        make_files(Request(), scheme, None, HOST, dry_run=True)


def test_a_run_that_was_asked_for_may_come_to_nothing(scheme: Scheme) -> None:
    """Its filter fits no asset, or its globs no file."""
    files = make_files(Request(claim=(uuid4(), "worker")), scheme, None, HOST, dry_run=True)
    assert (list(files), files.unreachable) == ([], [])
