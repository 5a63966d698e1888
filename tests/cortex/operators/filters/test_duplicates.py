from __future__ import annotations

import platform
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from blake3 import blake3
from ingests import HOST, carry_out, definition, loom_in
from programs import age
from pydantic import ValidationError
from realmedia import RealMedia

from cortex.operators.filters.duplicates import DuplicateFilter
from cortex.testing import OperatorRun, run_operator
from loom.model import Branch
from loom.service.loom import LocalLoom
from loom.verbs import PAGE, CopyAt, Match

NEW = {"id": "new", "operator": "filter.duplicate"}
PHASH = {"id": "phash", "operator": "image.phash"}
VALUE = {"phash": {"phash": "0123456789abcdef", "quality": 90}}


class Shelf:
    """A library with these copies and matches."""

    def __init__(self, copies: Sequence[CopyAt] = (), matches: Sequence[Match] = ()) -> None:
        self._copies = list(copies)
        self._matches = list(matches)

    def copies(self, asset: bytes) -> list[CopyAt]:
        return self._copies

    def similar(self, kind: str, value: bytes, distance: int, limit: int = PAGE) -> list[Match]:
        assert kind == "image.phash"
        return [match for match in self._matches if match.distance <= distance]

    def propose(self, kind: str, members: Sequence[tuple[bytes, int]]) -> UUID | None:
        raise AssertionError("a filter proposes nothing")


@pytest.fixture
def loom(tmp_path: Path) -> Iterator[LocalLoom]:
    with loom_in(tmp_path / "data") as loom:
        yield loom


@pytest.fixture(autouse=True)
def _here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "node", lambda: HOST)


@pytest.fixture
def folder(media: RealMedia, tmp_path: Path) -> Path:
    folder = tmp_path / "library"
    folder.mkdir()
    shutil.copy(media.images["chelsea"], folder / "a.png")
    media.picture("coffee").save(folder / "b.jpg")
    age(folder)
    return folder


def verdicts(loom: LocalLoom) -> dict[str, Branch | None]:
    """By the name of the first file of each asset."""
    return {
        sorted(Path(at.path).name for at in asset.locations)[0]: result.verdict
        for asset in loom.assets().items
        for result in loom.asset_results(asset.uuid)
        if result.node == "new"
    }


def judged(path: Path, library: Shelf, **options: Any) -> OperatorRun:
    upstream = VALUE if options.get("by") == "similar" else {}
    return run_operator(DuplicateFilter(**options), path, upstream=upstream, library=library)


def test_content_is_new_once(loom: LocalLoom, folder: Path) -> None:
    pipeline = definition("import", NEW)
    carry_out(loom, folder, pipeline)
    assert verdicts(loom) == {"a.png": Branch.PASS, "b.jpg": Branch.PASS}
    shutil.copy(folder / "a.png", folder / "c.png")
    age(folder)
    told = carry_out(loom, folder, pipeline)
    assert told.nodes("new") == {"computed": 1}, "a verdict that hangs on what else there is, is asked anew"
    assert verdicts(loom) == {"a.png": Branch.FAIL, "b.jpg": Branch.PASS}


def test_copies_in_one_run_pass_once(loom: LocalLoom, folder: Path) -> None:
    shutil.copy(folder / "a.png", folder / "c.png")
    age(folder)
    told = carry_out(loom, folder, definition("import", NEW))
    assert told.nodes("new") == {"computed": 2}
    assert verdicts(loom) == {"a.png": Branch.PASS, "b.jpg": Branch.PASS}


def test_a_moved_file_is_no_copy_of_itself(loom: LocalLoom, folder: Path) -> None:
    carry_out(loom, folder, definition("import", NEW))
    (folder / "0").mkdir()
    (folder / "a.png").rename(folder / "0" / "moved.png")
    carry_out(loom, folder, definition("import", NEW))
    assert set(verdicts(loom).values()) == {Branch.PASS}


def test_of_what_is_alike_the_first_passes_however_often(loom: LocalLoom, folder: Path, media: RealMedia) -> None:
    alike = {**NEW, "config": {"by": "similar", "of": "phash"}}
    carry_out(loom, folder, definition("import", PHASH, alike))
    media.picture("coffee", (300, 200)).save(folder / "c.jpg")
    age(folder)
    carry_out(loom, folder, definition("import", PHASH, alike))
    wanted = {"a.png": Branch.PASS, "b.jpg": Branch.PASS, "c.jpg": Branch.FAIL}
    assert verdicts(loom) == wanted
    carry_out(loom, folder, definition("import", PHASH, alike), recompute=["*"])
    assert verdicts(loom) == wanted


def test_of_those_that_came_together_one_passes(loom: LocalLoom, folder: Path, media: RealMedia) -> None:
    for width in (150, 300, 450):
        media.picture("coffee", (width, width * 2 // 3)).save(folder / f"{width}.jpg")
    age(folder)
    carry_out(loom, folder, definition("import", PHASH, {**NEW, "config": {"by": "similar", "of": "phash"}}))
    cups = [verdict for name, verdict in verdicts(loom).items() if name != "a.png"]
    assert sorted(map(str, cups)) == ["FAIL"] * 3 + ["PASS"]


def test_whether_copies_on_other_machines_count(media: RealMedia) -> None:
    path = media.images["chelsea"]
    own = CopyAt(HOST, bytes(path), 1)
    far = Shelf([own, CopyAt("elsewhere", bytes(path), 1)])
    assert judged(path, Shelf([own])).verdict is Branch.PASS
    assert judged(path, far).verdict is Branch.FAIL
    assert judged(path, far, elsewhere=False).verdict is Branch.PASS
    here = Shelf([own, CopyAt(HOST, bytes(media.images["coffee"]), 1)])
    run = judged(path, here, elsewhere=False)
    assert (run.verdict, run.reason) == (Branch.FAIL, f"the same content lies at {media.images['coffee']}")
    assert judged(path, Shelf([own, CopyAt(HOST, b"/gone/from/here", 1)])).verdict is Branch.PASS


def test_only_what_was_known_before_and_lies_where_it_counts_is_there(media: RealMedia) -> None:
    path = media.images["chelsea"]
    asset = blake3(path.read_bytes()).digest()
    me, older, newer = Match(asset, 0, 50), Match(b"o" * 32, 3, 10), Match(b"n" * 32, 1, 90)
    similar: dict[str, Any] = {"by": "similar", "of": "phash"}
    assert judged(path, Shelf(matches=[me, newer]), **similar).verdict is Branch.PASS
    run = judged(path, Shelf(matches=[me, newer, older]), **similar)
    assert (run.verdict, run.reason) == (Branch.FAIL, f"asset {'6f' * 8} differs by 3 bits of 64")
    assert judged(path, Shelf(matches=[me, older]), distance=2, **similar).verdict is Branch.PASS
    assert judged(path, Shelf(matches=[newer]), **similar).verdict is Branch.FAIL, "in a dry run it is not stored"
    assert judged(path, Shelf(matches=[me, older]), elsewhere=False, **similar).verdict is Branch.PASS
    here = Shelf([CopyAt(HOST, bytes(path), 1)], [me, older])
    assert judged(path, here, elsewhere=False, **similar).verdict is Branch.FAIL


def test_what_says_nothing_passes(media: RealMedia) -> None:
    node = DuplicateFilter(by="similar", of="phash")
    shelf = Shelf(matches=[Match(b"o" * 32, 0, 10)])
    flat = {"phash": {"phash": "0123456789abcdef", "quality": 3}}
    assert run_operator(node, media.images["chelsea"], upstream=flat, library=shelf).verdict is Branch.PASS
    assert run_operator(node, media.images["chelsea"], library=shelf).verdict is Branch.PASS


@pytest.mark.parametrize(
    "options", [{"by": "similar"}, {"of": "phash"}, {"distance": 3}, {"by": "name"}, {"by": "similar", "of": ""},
                {"by": "similar", "of": "phash", "distance": 33}]
)  # fmt: skip
def test_options_that_contradict_each_other_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        DuplicateFilter(**options)
