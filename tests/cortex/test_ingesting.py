import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ingests import HOST, SHA256, definition, loom_in

from cortex.catalogue import load
from cortex.engine.cache import MetaPathCache, XattrCache, make_cache
from cortex.engine.scheme import Chosen, Scheme, make_scheme
from cortex.ingesting import choose, competing, execute, listed, make_files, wishes
from cortex.report.plain import PlainReporter
from cortex.request import Request
from cortex.settings import CortexSettings
from loom.errors import LoomError
from loom.local import default_definition
from loom.service.loom import LocalLoom


@pytest.fixture
def loom(tmp_path: Path) -> Iterator[LocalLoom]:
    """With three pipelines of its own beside the default one."""
    with loom_in(tmp_path / "data") as loom:
        loom.save_pipeline(definition("low", SHA256))
        loom.save_pipeline(definition("high", SHA256, priority=5))
        loom.save_pipeline(definition("off", SHA256, enabled=False, priority=9))
        yield loom


def names(request: Request, loom: LocalLoom | None, *, new: bool = False) -> list[tuple[str, bool]]:
    chosen = choose(request, loom, default_definition if new else None)
    return [(one.definition["name"], one.matched) for one in chosen]


def test_without_a_name_all_enabled_ones_compete_the_best_first(loom: LocalLoom) -> None:
    assert names(Request(), loom) == [("high", True), ("ingest", True), ("low", True)]


def test_one_that_is_named_gets_everything(loom: LocalLoom) -> None:
    assert names(Request(pipeline="low"), loom) == [("low", False)]
    with pytest.raises(LoomError) as refused:
        names(Request(pipeline="off"), loom)
    assert refused.value.code == "PIPELINE_DISABLED"
    with pytest.raises(LoomError) as refused:
        names(Request(pipeline="none"), loom)
    assert refused.value.code == "NOT_FOUND"


def test_where_none_was_ever_stored_the_default_is_there_under_its_name() -> None:
    assert names(Request(), None, new=True) == [("ingest", False)]
    assert names(Request(pipeline="ingest"), None, new=True) == [("ingest", False)]
    with pytest.raises(LoomError) as refused:
        names(Request(pipeline="other"), None, new=True)
    assert refused.value.code == "USAGE"


def test_a_node_to_be_computed_again_must_exist(loom: LocalLoom, tmp_path: Path) -> None:
    request = Request(paths=(tmp_path,), pipeline="low", recompute=frozenset({"sha265"}))
    scheme = make_scheme(choose(request, loom, None), load(), dry_run=False)
    with pytest.raises(LoomError, match="no node 'sha265'") as refused:
        execute(
            request, CortexSettings.load({}), scheme, loom,
            embedded=True, reporter=PlainReporter(quiet=True), publish=lambda *_: None,
        )  # fmt: skip
    assert refused.value.code == "USAGE"


def scheme_of(*definitions: dict[str, Any]) -> Scheme:
    return make_scheme([Chosen(one, 0, matched=True) for one in definitions], load(), dry_run=False)


def from_loom(name: str, **options: str) -> dict[str, Any]:
    made = definition(name, SHA256)
    made["graph"]["nodes"][0] = {"id": "files", "operator": "source.loom", "config": options}
    return made


@pytest.mark.parametrize(
    ("definitions", "left"),
    [
        ([definition("plain", SHA256), from_loom("known")], "known"),
        ([from_loom("known"), definition("plain", SHA256)], "known"),
        ([from_loom("best", collection="best"), from_loom("rest", collection="rest")], "rest"),
    ],
)
def test_pipelines_whose_files_come_from_another_place_are_left_out(
    definitions: list[dict[str, Any]], left: str, loom: LocalLoom, tmp_path: Path
) -> None:
    notes: list[str] = []
    scheme = competing(scheme_of(*definitions), notes.append)
    (other,) = (one for one in definitions if one["name"] != left)
    assert scheme == scheme_of(other)
    assert [f"--pipeline {left}" in note for note in notes] == [True]
    assert competing(scheme, notes.append) is scheme


def test_where_some_pipeline_takes_paths_they_must_be_given(loom: LocalLoom) -> None:
    scheme = competing(scheme_of(from_loom("known"), definition("plain", SHA256)), lambda _: None)
    with pytest.raises(LoomError, match="say which files") as refused:
        make_files(Request(), scheme, loom, HOST, dry_run=False)
    assert refused.value.code == "USAGE"


def test_pipelines_with_one_source_of_loom_share_it(loom: LocalLoom) -> None:
    definitions = [from_loom("one", collection="best"), from_loom("two", collection="best")]
    scheme = scheme_of(*definitions)
    assert list(make_files(Request(), scheme, loom, HOST, dry_run=False)) == []


def test_all_files_that_some_pipeline_may_have_are_counted_beforehand(loom: LocalLoom, tmp_path: Path) -> None:
    for name in ("a.jpg", "b.txt", "c.pdf"):
        (tmp_path / name).write_text(name)
    definitions = [definition(ending, SHA256, source={"include": [f"*.{ending}"]}) for ending in ("jpg", "txt")]
    scheme = scheme_of(*definitions)
    assert len(list(make_files(Request(paths=(tmp_path,)), scheme, None, HOST, dry_run=True))) == 2


@pytest.mark.parametrize(
    ("kind", "embedded", "cache"),
    [
        ("auto", True, None), ("auto", False, MetaPathCache), ("meta-path", True, MetaPathCache),
        ("xattr", True, XattrCache), ("none", False, None),
    ],
)  # fmt: skip
def test_which_cache(kind: str, embedded: bool, cache: type | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CORTEX_CACHE", kind)
    made = make_cache(CortexSettings.load({}), embedded=embedded)
    assert made is None if cache is None else type(made) is cache


def test_patterns_come_from_a_file_too(tmp_path: Path) -> None:
    (tmp_path / "patterns").write_text("*.tmp\n")
    request = Request(exclude=("*.bak",), exclude_file=tmp_path / "patterns", limit=3)
    wished = wishes(request, dry_run=True)
    assert (wished.exclude, wished.limit, wished.dry_run) == (("*.bak", "*.tmp"), 3, True)
    with pytest.raises(LoomError, match="cannot be read"):
        wishes(Request(exclude_file=tmp_path / "none"), dry_run=False)


def test_lists_are_read_lazily(tmp_path: Path) -> None:
    (tmp_path / "list").write_bytes(b"/m/one\n/m/two\n")
    assert list(listed(Request(files_from=str(tmp_path / "list")))) == [b"/m/one", b"/m/two"]
    assert listed(Request(places=(b"/m/one",))) == (b"/m/one",)
    with pytest.raises(LoomError, match="cannot be read") as refused:
        listed(Request(files_from=str(tmp_path / "none")))
    assert refused.value.code == "USAGE"


@pytest.mark.slow
def test_interrupted_it_does_not_wait_for_a_list_that_never_ends(data_dir: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "cortex", "ingest", "--files-from", "-", "--json"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    with process:
        assert process.stdout is not None
        assert process.stdin is not None
        assert b'"status"' in process.stdout.readline()
        began = time.monotonic()
        process.send_signal(signal.SIGINT)
        code = process.wait(30)
        assert process.stderr is not None
        told = process.stderr.read()
    assert (code, b"Fatal" in told) == (130, False), told
    assert time.monotonic() - began < 15
