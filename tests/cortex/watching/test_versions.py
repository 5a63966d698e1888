import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from ingests import MD5, SHA256, definition

from cortex.holding import Opened
from cortex.request import Request
from cortex.sources.watched import Changed
from cortex.watching.pending import Work
from cortex.watching.versions import Versions
from loom.errors import LoomError
from loom.local import hold_loom
from loom.settings import LoomSettings

A, B = b"/a", b"/b"


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Opened]:
    with hold_loom(LoomSettings.load({"data_dir": tmp_path / "data"})) as local:
        yield Opened(local.loom, local.hub, local)


def test_roots_are_outdated_once_other_pipelines_are_in_use(opened: Opened) -> None:
    versions = Versions(Request())
    first = versions.now(opened)
    versions.walked(Work((A, B), {}), first)
    assert versions.outdated(versions.now(opened)) == []
    opened.loom.save_pipeline(definition("high", SHA256, priority=5))
    second = versions.now(opened)
    assert versions.outdated(second) == [A, B]
    versions.walked(Work((A, B), {B: Changed()}), second)
    assert versions.outdated(second) == [B], "only a part of it was walked"
    versions.walked(Work((B,), {}), second)
    opened.loom.save_pipeline(definition("high", SHA256, priority=-5))
    assert versions.outdated(versions.now(opened)) == [A, B], "the other one comes first now"
    versions.forget(A)
    assert versions.outdated(versions.now(opened)) == [B]
    opened.loom.save_pipeline(definition("high", SHA256, priority=-5, enabled=False))
    assert versions.now(opened) == first


def test_what_leads_no_asset_elsewhere_is_no_change(opened: Opened) -> None:
    versions = Versions(Request(pipeline="own"))
    with pytest.raises(LoomError, match="own"):
        versions.now(opened)
    opened.loom.save_pipeline(definition("own", SHA256))
    before = versions.now(opened)
    opened.loom.save_pipeline(definition("own", SHA256, description="told better"))
    opened.loom.save_pipeline(definition("another", MD5))
    assert versions.now(opened) == before
    opened.loom.save_pipeline(definition("own", SHA256, MD5))
    assert versions.now(opened) != before


def test_a_definition_from_a_file_is_read_anew(tmp_path: Path) -> None:
    file = tmp_path / "own.json"
    versions = Versions(Request(pipeline=str(file), offline=True))
    file.write_text(json.dumps(definition("own", SHA256)))
    before = versions.now(None)
    file.write_text(json.dumps(definition("own", MD5)))
    assert versions.now(None) != before
