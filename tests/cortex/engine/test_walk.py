import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from blake3 import blake3
from ingests import MD5, SHA256, THUMBNAIL, definition

from cortex.catalogue import load
from cortex.engine.records import Answer, Blame, Identity, Item, Lane, Setup, Walked
from cortex.engine.scheme import Chosen, make_scheme
from cortex.engine.walk import Walker, find_lane
from cortex.media import Media
from cortex.operators.identity.hashing import Sha256
from cortex.operators.pictures.thumbnails import Thumbnail
from loom.errors import LoomError
from loom.graph.plan import AssetFilter
from loom.model import FileStat, Kind, Origin, Reason, State, StoredResult


class Page:
    """A board that nobody reads."""

    halted = False

    def __getattr__(self, name: str) -> Callable[..., None]:
        return lambda *_: None


class Leaves(Page):
    """Counts how often a step was left."""

    left = 0

    def leave(self) -> None:
        self.left += 1


def walker_of(*chain: dict[str, Any], page: Any = None) -> Walker:
    scheme = make_scheme([Chosen(definition("plain", *chain), 0, matched=False)], load(), dry_run=False)
    return Walker(Setup(scheme.lanes), page or Page())


def ends_the_process(*_: object) -> Any:
    sys.exit(3)


@pytest.fixture
def walker() -> Walker:
    return walker_of(SHA256, THUMBNAIL)


def item_of(path: Path, **more: Any) -> Item:
    stat = path.stat()
    return Item(
        1, bytes(path), bytes(path.name, "utf-8"),
        FileStat(stat.st_size, stat.st_mtime_ns, stat.st_ino, stat.st_dev), **more,
    )  # fmt: skip


def test_it_walks_a_file(walker: Walker, real_image: Path) -> None:
    item = item_of(real_image)
    identity = walker.identify(item)
    assert isinstance(identity, Identity)
    assert (identity.kind, identity.lane, identity.size) == (Kind.IMAGE, 0, real_image.stat().st_size)
    walked = walker.walk(item, Answer(1, walk=True))
    assert [outcome.state for outcome in walked.outcomes if outcome] == [State.COMPLETED] * 2
    assert walked.next_step == 2
    assert walked.failure is None


def test_a_blamed_step_fails_untried_and_the_others_are_done(walker: Walker, real_image: Path) -> None:
    item = item_of(real_image, blamed=(Blame(0, 1, "", "WORKER_CRASHED", "died"),))
    walker.identify(item)
    walked = walker.walk(item, Answer(1, walk=True))
    assert [computed.error_code for computed in walked.computed] == [None, "WORKER_CRASHED"]


@pytest.mark.parametrize("where", ["exists_result", "is_processable", "compute"])
def test_a_node_that_ends_its_process_fails_alone(
    real_image: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    """Also between its steps, where no other node would be to blame."""
    monkeypatch.setattr(Sha256, where, ends_the_process)
    made = walker_of(SHA256, THUMBNAIL, page=(page := Leaves()))
    item = item_of(real_image)
    made.identify(item)
    walked = made.walk(item, Answer(1, walk=True))
    assert walked.failure is None
    assert [computed.error_code for computed in walked.computed] == ["OPERATOR_FAILED"]
    assert [outcome.reason for outcome in walked.outcomes if outcome] == [None, Reason.UPSTREAM_FAILED]
    assert page.left == 2, "after the file was read, and after it was walked"


@pytest.mark.parametrize("where", ["open", "wants"])
def test_a_node_that_does_not_get_ready_is_named(monkeypatch: pytest.MonkeyPatch, where: str) -> None:
    monkeypatch.setattr(Sha256, where, ends_the_process)
    with pytest.raises(LoomError, match="the node 'sha256' does not get ready: SystemExit: 3") as raised:
        walker_of(SHA256)
    assert raised.value.code == "OPERATOR_FAILED"


def test_a_node_that_does_not_end_keeps_no_other_from_ending(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    closed: list[str] = []
    monkeypatch.setattr(Sha256, "close", ends_the_process)
    monkeypatch.setattr(Thumbnail, "close", lambda self: closed.append(self.id))
    walker_of(SHA256, THUMBNAIL).close()
    assert closed == ["thumbnail"]
    assert "does not end: SystemExit: 3" in caplog.text


def test_a_reader_of_all_bytes_that_fails_costs_only_its_node(
    real_image: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Broken:
        def __init__(self) -> None:
            self.seen = 0

        def update(self, data: memoryview) -> None:
            raise SystemExit(3)

    for broken in (Broken, ends_the_process):
        monkeypatch.setattr(Sha256, "MAKE", staticmethod(broken))
        made = walker_of(SHA256, MD5)
        item = item_of(real_image)
        assert isinstance(made.identify(item), Identity)
        walked = made.walk(item, Answer(1, walk=True))
        assert [computed.error_code for computed in walked.computed] == ["OPERATOR_FAILED"]


def test_a_file_that_is_gone_is_a_failure_of_its_own(walker: Walker, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    item = item_of(tmp_path / "file")
    (tmp_path / "file").unlink()
    walked = walker.identify(item)
    assert isinstance(walked, Walked)
    assert walked.failure is not None
    assert walked.failure[0] == "FILE_VANISHED"


def test_a_file_written_to_while_it_is_read_is_not_believed(walker: Walker, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("before")
    os.utime(path, (1, 1))
    item = item_of(path)
    walker.identify(item)
    path.write_text("after!")
    failure = walker.walk(item, Answer(1, walk=True)).failure
    assert failure is not None
    assert failure[0] == "CHANGED_WHILE_READ"


def test_other_content_does_not_go_on_where_the_first_had_got(walker: Walker, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("before")
    item = item_of(path)
    identity = walker.identify(item)
    assert isinstance(identity, Identity)
    walked = walker.walk(item, Answer(1, walk=True))
    path.write_text("something else")
    os.utime(path, (1, 1))
    changed = walker.identify(item._replace(asset=identity.asset, resume=walked))
    assert isinstance(changed, Walked)
    assert changed.failure is not None
    assert changed.failure[0] == "CHANGED_WHILE_READ"


@pytest.mark.parametrize(("age_s", "reads"), [(60, 1), (0, 2)])
def test_resumed_a_file_is_hashed_again_only_if_its_stat_does_not_tell_that_it_is_the_same(
    walker: Walker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, age_s: int, reads: int
) -> None:
    hashed: list[bytes] = []

    class Counted(Media):
        def identify(self, *, all_streams: bool) -> bytes:
            hashed.append(self.path_bytes)
            return super().identify(all_streams=all_streams)

    monkeypatch.setattr("cortex.engine.walk.Media", Counted)
    path = tmp_path / "file"
    path.write_text("some words")
    written = time.time() - age_s
    os.utime(path, (written, written))
    item = item_of(path)
    identity = walker.identify(item)
    assert isinstance(identity, Identity)
    walked = walker.walk(item, Answer(1, walk=True))
    again = walker.identify(item._replace(asset=identity.asset, resume=walked))
    assert isinstance(again, Identity)
    assert again._replace(read_us=identity.read_us) == identity
    walker.discard(item)
    assert len(hashed) == reads


def test_an_asset_takes_the_first_lane_that_fits(make_plan: Callable[..., Any], facts: Any) -> None:
    films, pictures, all_ = (AssetFilter(kinds=frozenset(kinds)) for kinds in ({Kind.VIDEO}, {Kind.IMAGE}, ()))
    lanes = [Lane(match, make_plan()) for match in (films, pictures, all_)]
    assert find_lane(tuple(lanes), facts, b"x", None) == 1
    assert find_lane(tuple(lanes[:1]), facts, b"x", None) == -1


def test_a_halted_worker_gives_a_file_back_as_far_as_it_got(walker: Walker, real_image: Path) -> None:
    item = item_of(real_image)
    walker.identify(item)
    walker._board.halted = True  # type: ignore[misc]
    walked = walker.walk(item, Answer(1, walk=True))
    assert (walked.next_step, walked.computed, walked.failure) == (0, (), None)
    walker._board.halted = False  # type: ignore[misc]
    again = item._replace(asset=walked.identity and walked.identity.asset, resume=walked)
    walker.identify(again)
    assert walker.walk(again, Answer(1, walk=True)).next_step == 2


def test_nobody_is_fed_for_nodes_that_have_a_result(real_image: Path) -> None:
    """A node that is added later is not to have a film decoded for all the others again."""
    off = {"id": "off", "operator": "hash.sha512", "config": {"enabled": False}}
    walker = walker_of(SHA256, MD5, off)
    item = item_of(real_image)
    stored = StoredResult(b"s" * 32, State.COMPLETED, None, b"{}", (), None, None, 0)
    asked = item._replace(asset=blake3(real_image.read_bytes()).digest())
    for known, left in (((), {"sha256", "md5"}), (((0, stored, Origin.REMOTE),), {"md5"})):
        walker.identify(asked)
        media = walker._open[1][0]
        walked = walker.walk(asked, Answer(1, walk=True, stored=known))
        assert [outcome.state for outcome in walked.outcomes if outcome][1:] == [State.COMPLETED, State.SKIPPED]
        assert set(media._wants.streams) == left
