import itertools
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ingests import (
    COLLECT,
    HOST,
    MD5,
    SHA256,
    STORED,
    THUMBNAIL,
    Faulty,
    carry_out,
    definition,
    loom_in,
    prepare,
)
from PIL import Image
from programs import LONG_AGO, age

from cortex.engine.cache import MetaPathCache
from cortex.engine.records import Identity
from cortex.sources.found import Found
from loom.errors import LoomError
from loom.events import NodeEvent, RunEvent
from loom.model import FileStat, Kind, RunState
from loom.service.loom import LocalLoom
from loom.steering import EVERY_FAILURE, AssetQuery


@pytest.fixture
def loom(tmp_path: Path) -> Iterator[LocalLoom]:
    with loom_in(tmp_path / "data") as loom:
        yield loom


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two pictures, one of them twice, and a text."""
    folder = tmp_path / "library"
    (folder / "sub").mkdir(parents=True)
    Image.linear_gradient("L").convert("RGB").save(folder / "one.png")
    Image.radial_gradient("L").convert("RGB").save(folder / "two.png")
    (folder / "sub" / "one again.png").write_bytes((folder / "one.png").read_bytes())
    (folder / "words.txt").write_text("some words\n")
    age(folder)
    return folder


def results_of(loom: LocalLoom, path: Path) -> dict[str, Any]:
    return {shape.node: shape for shape in loom.asset_results(loom.asset_by_path(HOST, bytes(path)).uuid)}


def test_first_all_is_computed_then_nothing_is_visited(loom: LocalLoom, folder: Path) -> None:
    pipeline = definition("plain", SHA256, THUMBNAIL)
    first = carry_out(loom, folder, pipeline)
    assert first.ended.exit_code == 0
    assert first.assets == {"seen": 4, "new": 3, "moved": 1, "completed": 4}
    assert first.nodes("sha256") == {"computed": 3}
    assert first.nodes("thumbnail") == {"computed": 2, "skipped": 1}
    first.check_node_events()
    assert sorted(first.asset_events()) == ["COMPLETED"] * 3 + ["SKIPPED"]
    assert first.run_events("plain") == ["STARTED", "COMPLETED"]
    second = carry_out(loom, folder, pipeline)
    assert second.assets == {"seen": 4, "unchanged": 4, "completed": 4}
    assert second.asset_events() == []


@pytest.mark.parametrize("copies_first", [True, False])
def test_copies_are_computed_once_whenever_they_are_found(loom: LocalLoom, tmp_path: Path, copies_first: bool) -> None:
    folder = tmp_path / "many"
    folder.mkdir()
    for number in range(300):
        name = f"{number:03}-{'copy' if number % 2 else 'own'}.txt" if copies_first else f"{number % 2}-{number:03}.txt"
        (folder / name).write_text("the same" if number % 2 else f"content {number}")
    age(folder)
    story = carry_out(loom, folder, definition("plain", SHA256), jobs=2)
    assert story.nodes("sha256") == {"computed": 151}
    assert story.assets == {"seen": 300, "new": 151, "moved": 149, "completed": 300}
    assert story.asset_events().count("SKIPPED") == 149
    story.check_node_events()


def test_what_a_sink_had_stored_before_keeps_its_derived_files(loom: LocalLoom, folder: Path) -> None:
    story = carry_out(loom, folder, definition("sunk", THUMBNAIL, STORED, SHA256))
    assert story.nodes("stored") == {"computed": 3}
    assert story.nodes("sha256") == {"computed": 3}
    results = results_of(loom, folder / "two.png")
    assert [ref.name for ref in results["thumbnail"].artifacts] == ["thumbnail"]
    assert set(results) == {"thumbnail", "stored", "sha256"}
    story.check_node_events()


def test_all_before_a_sink_is_stored_before_it_is_reached(loom: LocalLoom, folder: Path) -> None:
    (folder / "one.png").unlink()
    (folder / "sub" / "one again.png").unlink()
    (folder / "two.png").unlink()
    recorded = Faulty(loom)
    carry_out(recorded, folder, definition("sunk", SHA256, COLLECT, STORED))
    reports = [arguments[1] for verb, arguments in recorded.said if verb == "report"]
    assert [len(report.results) for batch in reports for report in batch] == [2, 1]
    assert [asset.kind for asset in loom.assets(AssetQuery(collection="all")).items] == ["text"]


def test_lanes(loom: LocalLoom, folder: Path) -> None:
    pictures = definition("pictures", SHA256, THUMBNAIL, match={"kinds": ["image"]})
    films = definition("films", SHA256, match={"kinds": ["video"]})
    (folder / "words again.txt").write_bytes((folder / "words.txt").read_bytes())
    age(folder)
    story = carry_out(loom, folder, pictures, films, matched=True)
    assert story.assets == {"seen": 5, "new": 3, "moved": 2, "completed": 3, "unmatched": 2}
    assert story.asset_events().count("SKIPPED") == 1
    assert story.run_events("pictures") == ["STARTED", "COMPLETED"]
    assert story.run_events("films") == []
    assert story.summary["runs"] == [story.summary["run"]]
    assert carry_out(loom, folder, pictures, films, matched=True).assets["unchanged"] == 5


def test_of_several_runs_none_is_told_of_before_its_beginning(loom: LocalLoom, folder: Path) -> None:
    pipelines = [definition("pictures", SHA256, match={"kinds": ["image"]}), definition("rest", SHA256)]
    story = prepare(loom, folder, *pipelines, matched=True)
    executor = story.ingest._executor
    executor.intake.scan(iter([offer(folder / "words.txt")]), lambda: None)
    (item,) = itertools.islice(executor.intake.items(), 1)
    executor.intake.answer([Identity(item.token, bytes(32), 1, "text/plain", Kind.TEXT, 1)])
    executor.announce(item.token, 0, 1)
    assert [(head.pipeline, event.status) for head, event in story.published] == [("rest", "STARTED")] * 2
    assert [type(event) for _, event in story.published] == [RunEvent, NodeEvent]
    assert loom.run(story.ingest.runs[1].uuid).state is RunState.RUNNING


def test_a_copy_that_matches_by_its_path_is_walked(loom: LocalLoom, folder: Path) -> None:
    story = carry_out(loom, folder, definition("sub", SHA256, match={"paths": ["sub/**"]}), matched=True)
    assert story.nodes("sha256") == {"computed": 1}
    assert story.assets["unmatched"] == 3
    assert set(results_of(loom, folder / "one.png")) == {"sha256"}


@pytest.mark.parametrize("fitting", ["a", "z"])
def test_a_copy_at_a_path_that_a_node_filters_for_is_computed_by_the_next_run(
    loom: LocalLoom, tmp_path: Path, fitting: str
) -> None:
    """Whichever of the copies is walked first."""
    folder = tmp_path / "library"
    for name in "az":
        (folder / name).mkdir(parents=True)
        (folder / name / "words.txt").write_text("some words")
    age(folder)
    pipeline = definition("picky", SHA256, {**MD5, "filter": {"path": [f"{fitting}/*"]}})
    first = carry_out(loom, folder, pipeline)
    assert first.nodes("sha256") == {"computed": 1}
    second = carry_out(loom, folder, pipeline)
    assert (first.nodes("md5"), second.nodes("md5")) in [
        ({"computed": 1}, {"skipped": 1}), ({"skipped": 1}, {"computed": 1})
    ]  # fmt: skip
    assert set(results_of(loom, folder / "a" / "words.txt")) == {"sha256", "md5"}
    assert carry_out(loom, folder, pipeline).assets == {"seen": 2, "unchanged": 2, "completed": 2}


def test_a_lane_gets_only_what_its_own_source_lets_pass(loom: LocalLoom, folder: Path) -> None:
    pictures = definition("pictures", SHA256, source={"include": ["*.png"], "exclude": ["sub/"]})
    large = definition("large", MD5, source={"min_size": 100, "hidden": True})
    (folder / ".hidden.txt").write_text("hidden " * 100)
    (folder / ".small.txt").write_text("small")
    age(folder)
    story = carry_out(loom, folder, pictures, large, matched=True)
    assert story.nodes("pictures/sha256") == {"computed": 2}
    assert story.nodes("large/md5") == {"computed": 1}
    assert story.assets == {"seen": 4, "new": 3, "moved": 1, "completed": 4}
    assert set(results_of(loom, folder / ".hidden.txt")) == {"md5"}
    again = carry_out(loom, folder, pictures, large, matched=True)
    assert set(results_of(loom, folder / "sub" / "one again.png")) == {"sha256", "md5"}, "it lies where others get it"
    assert again.assets == {"seen": 4, "unchanged": 3, "completed": 4}
    assert carry_out(loom, folder, pictures, large, matched=True).assets["unchanged"] == 4


@pytest.mark.parametrize("elsewhere", [[], [definition("other", SHA256, match={"paths": ["a/*"]})]])
def test_a_file_is_tried_again_though_its_content_lies_where_it_is_done(
    loom: LocalLoom, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, elsewhere: list[dict[str, Any]]
) -> None:
    """Where no pipeline is for it, or another one is."""
    folder = tmp_path / "library"
    pipelines = [definition("flaky", COLLECT, match={"paths": ["z/*"]}), *elsewhere]
    for name in "az":
        (folder / name).mkdir(parents=True)
        (folder / name / "words.txt").write_text("some words")
    age(folder)

    def fail(*_: Any) -> None:
        raise LoomError("TRY_AGAIN")

    monkeypatch.setattr("cortex.operators.sinks.stored.Collect.compute", fail)
    carry_out(loom, folder, *pipelines, matched=True)
    for _ in range(2):
        assert carry_out(loom, folder, *pipelines, matched=True).assets == {
            "seen": 2,
            "unchanged": 1,
            "failed": 1,
            "completed": 1,
        }
    monkeypatch.undo()
    assert carry_out(loom, folder, *pipelines, matched=True).assets == {"seen": 2, "unchanged": 1, "completed": 2}
    assert len(loom.assets(AssetQuery(collection="all")).items) == 1
    assert carry_out(loom, folder, *pipelines, matched=True).assets == {"seen": 2, "unchanged": 2, "completed": 2}


def test_a_summary_names_a_run_that_there_is(loom: LocalLoom, folder: Path) -> None:
    films = definition("films", SHA256, match={"kinds": ["video"]})
    (folder / "words.txt").unlink()
    story = carry_out(loom, folder, films, definition("rest", SHA256), matched=True)
    assert (story.summary["pipeline"], story.summary["runs"]) == ("rest", [story.summary["run"]])


def test_what_one_lane_has_cached_is_no_business_of_another(loom: LocalLoom, folder: Path, tmp_path: Path) -> None:
    cache = MetaPathCache(tmp_path / "meta")
    carry_out(None, folder, definition("offline", SHA256, THUMBNAIL, MD5), cache=cache)
    pictures = definition("pictures", SHA256, match={"kinds": ["image"]})
    story = carry_out(loom, folder, pictures, definition("rest", THUMBNAIL, MD5), matched=True, cache=cache)
    assert story.nodes("pictures/sha256") == {"cached": 2}
    assert story.nodes("rest/md5") == {"cached": 1}
    assert set(results_of(loom, folder / "two.png")) == {"sha256"}
    assert set(results_of(loom, folder / "words.txt")) == {"md5"}


def test_what_did_not_match_once_is_visited_when_asked_for_by_name(loom: LocalLoom, folder: Path) -> None:
    pictures = definition("pictures", SHA256, match={"kinds": ["image"]})
    assert carry_out(loom, folder, pictures, matched=True).assets["unmatched"] == 1
    assert carry_out(loom, folder, pictures).nodes("sha256") == {"computed": 1, "remote": 2}


def test_a_result_without_its_derived_file_is_computed_again(loom: LocalLoom, folder: Path, tmp_path: Path) -> None:
    cache = MetaPathCache(tmp_path / "meta")
    pipeline = definition("plain", SHA256, THUMBNAIL)
    carry_out(None, folder, pipeline, cache=cache)
    lost, damaged = sorted(path for path in (tmp_path / "meta" / "artifacts").rglob("*") if path.is_file())
    lost.unlink()
    damaged.write_bytes(b"rot")
    story = carry_out(loom, folder, pipeline, cache=cache)
    assert story.nodes("thumbnail") == {"computed": 2, "skipped": 1}
    assert story.nodes("sha256") == {"cached": 3}


@pytest.mark.parametrize("at_once", [1, 96])
def test_copies_of_what_failed_have_failed_too(
    loom: LocalLoom, folder: Path, at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether they come while the first is in hand or after that; every file is counted under one end."""
    monkeypatch.setattr("cortex.engine.ingest.IN_FLIGHT_PER_JOB", at_once)
    for name in ("broken.png", "broken again.png"):
        (folder / name).write_bytes((folder / "two.png").read_bytes()[:60])
    age(folder)
    first = carry_out(loom, folder, definition("plain", THUMBNAIL))
    assert first.assets == {"seen": 6, "new": 4, "moved": 2, "completed": 4, "failed": 2}
    for name in ("broken.png", "broken again.png"):
        os.utime(folder / name, (LONG_AGO + 1, LONG_AGO + 1))
    again = carry_out(loom, folder, definition("plain", THUMBNAIL))
    assert again.assets == {"seen": 6, "unchanged": 4, "completed": 4, "failed_before": 2}


def test_a_failure_that_loom_forgot_is_tried_again(loom: LocalLoom, folder: Path, tmp_path: Path) -> None:
    cache = MetaPathCache(tmp_path / "meta")
    (folder / "broken.png").write_bytes((folder / "two.png").read_bytes()[:60])
    age(folder)
    pipeline = definition("plain", THUMBNAIL)
    assert carry_out(loom, folder, pipeline, cache=cache).ended.exit_code == 3
    before = carry_out(loom, folder, pipeline, cache=cache, recompute=["none"])
    assert before.assets["failed_before"] == 1
    assert len(loom.forget(EVERY_FAILURE)) == 1
    again = carry_out(loom, folder, pipeline, cache=cache, recompute=["none"])
    assert again.nodes("thumbnail")["failed"] == 1


def test_one_node_is_computed_again(loom: LocalLoom, folder: Path) -> None:
    pipeline = definition("plain", SHA256, MD5)
    carry_out(loom, folder, pipeline)
    again = carry_out(loom, folder, pipeline, recompute=["md5"])
    assert again.nodes("md5") == {"computed": 3}
    assert again.nodes("sha256") == {"remote": 3}
    assert again.assets["seen"] == 4


def test_a_dry_run_tells_of_all_lanes_and_counts_as_the_real_one(loom: LocalLoom, folder: Path) -> None:
    pipelines = [
        definition("pictures", THUMBNAIL, COLLECT, STORED, match={"kinds": ["image"]}),
        definition("rest", SHA256),
    ]
    dry = carry_out(loom, folder, *pipelines, matched=True, dry_run=True)
    assert dry.run_events("pictures") == dry.run_events("rest") == ["STARTED", "COMPLETED"]
    assert dry.summary["run"] is None
    assert dry.summary["would_write"] | {"bytes": 0} == {
        "results": 7, "locations": 4, "artifacts": 2, "bytes": 0, "effects": ["add to collection all"] * 2,
    }  # fmt: skip
    dry.check_node_events()
    assert loom.assets().items == []
    real = carry_out(loom, folder, *pipelines, matched=True)
    assert (real.assets, real.summary["nodes"]) == (dry.assets, dry.summary["nodes"])


def test_a_dry_lane_beside_a_real_one(loom: LocalLoom, folder: Path) -> None:
    pictures = definition("pictures", SHA256, match={"kinds": ["image"]}, dry_run=True)
    story = carry_out(loom, folder, pictures, definition("rest", SHA256), matched=True)
    assert story.run_events("pictures") == story.run_events("rest") == ["STARTED", "COMPLETED"]
    assert [asset.kind for asset in loom.assets().items] == ["text"]
    assert story.summary["would_write"]["results"] == 2


@pytest.mark.parametrize("at_once", [1, 96])
def test_a_copy_found_later_in_a_dry_run_is_no_new_asset(
    loom: LocalLoom, folder: Path, at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether it comes while the first is in hand or after that makes no difference."""
    monkeypatch.setattr("cortex.engine.ingest.IN_FLIGHT_PER_JOB", at_once)
    story = carry_out(loom, folder, definition("plain", SHA256), dry_run=True)
    assert story.assets == {"seen": 4, "new": 3, "moved": 1, "completed": 4}


class Second(Faulty):
    """A Loom that another ingest of the same files tells of them while this one looks at them."""

    def lookup(self, *asked: Any) -> Any:
        other = threading.Thread(target=carry_out, args=(self._loom, self.folder, definition("plain", SHA256)))
        other.start()
        other.join()
        self.lookup = self._loom.lookup  # type: ignore[method-assign]
        return self._loom.lookup(*asked)

    folder: Path


def test_what_another_ingest_stored_at_this_very_path_was_not_moved(loom: LocalLoom, folder: Path) -> None:
    (folder / "sub" / "one again.png").unlink()
    second = Second(loom)
    second.folder = folder
    assert carry_out(second, folder, definition("plain", SHA256)).assets == {"seen": 3, "completed": 3}
    (folder / "words.txt").rename(folder / "renamed.txt")
    assert carry_out(loom, folder, definition("plain", SHA256)).assets["moved"] == 1


def test_only_bytes_that_were_read_count(loom: LocalLoom, folder: Path) -> None:
    large = folder / "large.bin"
    large.write_bytes(bytes(range(256)) * 4096)
    age(folder)
    sizes = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    first = carry_out(loom, folder, definition("plain", SHA256))
    assert first.summary["bytes"] == sizes, "each file once, copies too"
    assert loom.run(first.ingest.runs[0].uuid).bytes == sizes
    other = carry_out(loom, large, definition("other", {"id": "blake3", "operator": "hash.blake3"}))
    assert other.nodes("blake3") == {"computed": 1}
    assert 0 < other.summary["bytes"] < 100_000, "what is known by its stat is looked at, not read"


@pytest.mark.parametrize("verb", ["report", "lookup", "put_artifacts"])
@pytest.mark.parametrize("code", ["DISK_FULL", "DATABASE_BUSY"])
def test_a_loom_in_trouble_ends_the_run(loom: LocalLoom, folder: Path, verb: str, code: str) -> None:
    story = prepare(Faulty(loom, **{verb: LoomError(code)}), folder, definition("plain", SHA256, THUMBNAIL))
    began = time.monotonic()
    with pytest.raises(LoomError) as raised:
        story.ingest.run()
    assert raised.value.code == code
    assert time.monotonic() - began < 10
    assert story.run_events("plain") == ["STARTED", "FAILED"]
    assert loom.run(story.ingest.runs[0].uuid).state is RunState.FAILED
    assert loom.run(story.ingest.runs[0].uuid).error.code == code, "and what it broke off for stands with it"
    assert carry_out(loom, folder, definition("plain", SHA256, THUMBNAIL)).ended.exit_code == 0


def test_trouble_to_the_end_does_not_hide_its_cause(loom: LocalLoom, folder: Path) -> None:
    faulty = Faulty(loom, report=LoomError("DISK_FULL"), finish_run=LoomError("DATABASE_BUSY"))
    with pytest.raises(LoomError) as raised:
        carry_out(faulty, folder, definition("plain", SHA256))
    assert raised.value.code == "DISK_FULL"


class Sources:
    """Files as a source offers them, made up by a generator."""

    unreadable_total = unchanged = bytes_unchanged = failed_before = seen = 0

    def __init__(self, found: Iterator[Found]) -> None:
        self._found = found
        self.unreachable: list[bytes] = []
        self.unreadable: list[Any] = []
        self.why_unreachable: dict[bytes, str] = {}
        self.special: list[bytes] = []
        self.special_total = 0

    def __iter__(self) -> Iterator[Found]:
        return self._found


def offer(path: Path) -> Found:
    directory, name = os.path.split(os.fsencode(path))
    return Found(directory, name, name, FileStat(1, 1, 1, 1), None, False)


def test_files_that_are_gone_or_closed_by_their_turn(loom: LocalLoom, folder: Path) -> None:
    os.mkfifo(folder / "pipe")
    story = carry_out(
        loom, folder, definition("plain", SHA256), files=Sources(map(offer, [folder / "gone", folder / "pipe"]))
    )
    assert story.assets == {"seen": 1, "unreadable": 1}
    assert [failure.code for failure in story.heard.failures] == ["NOT_A_REGULAR_FILE"]
    assert story.ended.exit_code == 3
    run = story.ingest.runs[0].uuid
    assert (loom.run(run).state, loom.run(run).problems) == (RunState.PARTIAL, 2)
    assert sorted((one.path, one.code) for one in loom.run_problems(run).items) == [
        (str(folder / "gone"), "FILE_VANISHED"), (str(folder / "pipe"), "NOT_A_REGULAR_FILE")
    ]  # fmt: skip


def test_what_is_no_regular_file_is_kept_with_a_run_and_does_not_fail_it(loom: LocalLoom, folder: Path) -> None:
    odd = Sources(iter(()))
    odd.special, odd.special_total = [os.fsencode(folder / "pipe")], 1200
    story = carry_out(loom, folder, definition("plain", SHA256), files=odd)
    run = story.ingest.runs[0].uuid
    assert (story.ended.exit_code, loom.run(run).state, loom.run(run).problems) == (0, RunState.COMPLETED, 1200)
    assert [(one.path, one.code) for one in loom.run_problems(run).items] == [
        (str(folder / "pipe"), "NOT_A_REGULAR_FILE")
    ]
    assert (story.ended.summary["passed_over"], story.heard.failures) == (1200, [])
    pipelines = [definition(name, SHA256, match={"kinds": [kind]}) for name, kind in (("p", "image"), ("t", "text"))]
    assert carry_out(loom, folder, *pipelines, matched=True, files=odd).ended.summary["runs"] == [], "nothing begins"


def test_what_could_not_be_read_is_kept_with_a_run_that_has_nothing_else_to_do(loom: LocalLoom, folder: Path) -> None:
    """Of several pipelines none begins before it has something to do."""
    pipelines = [definition(name, SHA256, match={"kinds": [kind]}) for name, kind in (("p", "image"), ("t", "text"))]
    away = Sources(iter(()))
    away.unreadable, away.unreadable_total = [(b"/x/y", "FILE_UNREADABLE", "Permission denied.")], 1200
    story = carry_out(loom, folder, *pipelines, matched=True, files=away)
    (run,) = loom.runs().items
    assert (run.pipeline, run.state, run.problems) == ("p", RunState.PARTIAL, 1200)
    assert [one.path for one in loom.run_problems(run.uuid).items] == ["/x/y"]
    assert story.summary["runs"] == [str(run.uuid)]


def test_it_stands_with_the_run_that_has_done_something(loom: LocalLoom, folder: Path) -> None:
    pipelines = [definition(name, SHA256, match={"kinds": [kind]}) for name, kind in (("p", "image"), ("t", "text"))]
    (folder / "pipe").unlink(missing_ok=True)
    os.mkfifo(folder / "pipe")
    found = Sources(map(offer, [folder / "words.txt", folder / "pipe"]))
    story = carry_out(loom, folder, *pipelines, matched=True, files=found)
    (run,) = loom.runs().items
    assert (run.pipeline, run.state, run.assets.seen, run.assets.unreadable) == ("t", RunState.PARTIAL, 2, 1)
    assert story.assets == {"seen": 2, "new": 1, "completed": 1, "unreadable": 1}
    assert run.problems == 1


def test_a_dry_run_keeps_no_run_for_it(loom: LocalLoom, folder: Path) -> None:
    story = carry_out(loom, folder / "not there", definition("plain", SHA256), dry_run=True)
    assert (story.summary["state"], loom.runs().items) == ("FAILED", [])


def test_a_run_over_sources_that_are_away_ends_as_partial_or_failed(loom: LocalLoom, folder: Path) -> None:
    pipeline = definition("plain", SHA256)
    carry_out(loom, folder / "not there", pipeline)
    some = Sources(map(offer, [folder / "words.txt"]))
    some.unreachable, some.why_unreachable = [b"/away"], {b"/away": "it is away"}
    story = carry_out(loom, folder, pipeline, files=some)
    assert (story.summary["state"], story.ended.exit_code) == ("PARTIAL", 4)
    partial, failed = loom.runs().items
    assert (partial.state, partial.error, partial.problems) == (RunState.PARTIAL, None, 1)
    assert (failed.state, failed.error.code, failed.problems) == (RunState.FAILED, "SOURCE_UNREACHABLE", 1)


def test_an_unreachable_source_is_told(loom: LocalLoom, folder: Path) -> None:
    story = carry_out(loom, folder / "not there", definition("plain", SHA256))
    assert story.ended.exit_code == 4
    (failure,) = story.heard.failures
    assert (failure.path, failure.code) == (str(folder / "not there"), "SOURCE_UNREACHABLE")
    assert "no such file" in failure.message


def test_interrupted_once_it_finishes_what_it_has_in_hand(loom: LocalLoom, folder: Path) -> None:
    def endless() -> Iterator[Found]:
        for number in range(100_000):
            if number == 50:
                story.ingest.interrupt()
            (folder / f"{number}.txt").write_text(f"content {number}")
            yield offer(folder / f"{number}.txt")

    story = prepare(loom, folder, definition("plain", SHA256), files=Sources(endless()))
    story.ended = story.ingest.run()
    assert story.ended.exit_code == 130
    assert story.summary["state"] == "CANCELLED"
    assert story.run_events("plain") == ["STARTED", "CANCELLED"]
    assert loom.run(story.ingest.runs[0].uuid).state is RunState.CANCELLED
    assert len(loom.assets(limit=500).items) == story.assets.get("seen", 0) <= 51


def test_interrupted_twice_it_ends_at_once(loom: LocalLoom, folder: Path) -> None:
    def scan() -> Iterator[Found]:
        yield offer(folder / "words.txt")
        story.ingest.interrupt()
        story.ingest.interrupt()

    story = prepare(loom, folder, definition("plain", SHA256), files=Sources(scan()))
    assert story.ingest.run().exit_code == 130


def test_without_loom_results_live_in_the_cache(folder: Path, tmp_path: Path) -> None:
    cache = MetaPathCache(tmp_path / "meta")
    pipeline = definition("plain", SHA256, THUMBNAIL, COLLECT)
    first = carry_out(None, folder, pipeline, cache=cache)
    assert first.nodes("sha256") == {"computed": 3}
    assert first.nodes("collect") == {"failed": 3}
    assert {failure.code for failure in first.heard.failures} == {"LOOM_UNREACHABLE"}
    assert first.run_events("plain") == ["STARTED", "PARTIAL"]
    second = carry_out(None, folder, pipeline, cache=cache)
    assert second.nodes("sha256") == {"cached": 3}
    assert second.nodes("collect") == {"failed": 3}
    with pytest.raises(LoomError, match="CORTEX_CACHE"):
        prepare(None, folder, pipeline)
