"""Runs that are asked for, handed to workers and steered."""

from __future__ import annotations

from uuid import uuid4

import pytest
from ledgers import (
    BROKEN,
    COMPUTED,
    HOST,
    WORKER,
    begin,
    closing,
    definition,
    done,
    failed,
    found,
    opening,
    report,
)
from msgspec.structs import replace

from loom.errors import LoomError
from loom.model import Kind, Resources, RunState, Worker
from loom.service import base
from loom.steering import DISK, LEASE_S, AssetQuery, Depth, Pause, RunOrders, RunRequest, Selection

OTHER = Worker(name="other", versions={"cortex": "1"})


class Clock:
    """The time as Loom sees it."""

    def __init__(self) -> None:
        self.now = base.now_us()

    def __call__(self) -> int:
        self.now += 1
        return self.now

    def pass_seconds(self, seconds: float) -> None:
        self.now += int(seconds * 1_000_000)


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    for module in ("steering", "running", "offers"):
        monkeypatch.setattr(f"loom.service.{module}.now_us", clock)
    return clock


def request(**more) -> RunRequest:
    given = {"uuid": uuid4(), "pipeline": "photos", "version": 0, "queued": 0, "paths": (b"/data",)} | more
    return RunRequest(**given)


def asked(loom, **more):
    """The UUID of a run that waits."""
    loom.save_pipeline(definition())
    return loom.request_run(request(**more)).uuid


def claimed(loom, worker=WORKER.name, **more):
    run = asked(loom, **more)
    assert loom.claim_run(worker, HOST).uuid == run
    return run


def code_of(call) -> str:
    with pytest.raises(LoomError) as refused:
        call()
    return refused.value.code


def pause(owner="user", depth=Depth.NEW, reason="", since=5) -> Pause:
    return Pause(owner=owner, reason=reason, depth=depth, since=since)


def test_a_run_is_asked_for_claimed_executed_and_ended(loom):
    wish = request(paths=(b"/data", b"/\xff"), globs=("/x/*.jpg",), recompute=frozenset({"small"}))
    loom.save_pipeline(definition())
    for _ in range(2):
        shown = loom.request_run(wish)
    assert (shown.uuid, shown.state, shown.version, shown.started) == (wish.uuid, RunState.QUEUED, 1, None)
    assert (shown.request.paths, shown.request.globs) == (["/data", "/\ufffd"], ["/x/*.jpg"])
    assert (shown.request.recompute, shown.worker, shown.queued is None) == (["small"], None, False)
    assert [run.uuid for run in loom.runs().items] == [wish.uuid]
    given = loom.claim_run(WORKER.name, HOST)
    assert (given.uuid, given.version, given.paths, given.globs) == (wish.uuid, 1, wish.paths, wish.globs)
    assert (given.recompute, given.walked, given.dry_run) == (wish.recompute, False, False)
    assert loom.claim_run("other", HOST) is None
    assert (loom.run(wish.uuid).state, loom.run(wish.uuid).worker) == (RunState.RUNNING, WORKER.name)
    loom.open_run(opening(uuid=wish.uuid))
    loom.report(wish.uuid, [report("a", results=[done(0)], outcomes=[COMPUTED, COMPUTED])], worker=WORKER.name)
    for _ in range(2):
        loom.finish_run(replace(closing(wish.uuid), worker=WORKER.name))
    ended = loom.run(wish.uuid)
    assert (ended.state, ended.request, ended.worker) == (RunState.COMPLETED, shown.request, WORKER.name)
    assert loom.claim_run("other", HOST) is None
    assert [run.uuid for run in loom.runs().items] == [wish.uuid]


def test_what_cannot_be_asked_for(loom):
    loom.save_pipeline(definition())
    loom.save_pipeline(definition("off", enabled=False))
    for more, code in (
        ({"pipeline": "none"}, "NOT_FOUND"), ({"version": 9}, "NOT_FOUND"), ({"pipeline": "off"}, "PIPELINE_DISABLED"),
        ({"paths": ()}, "USAGE"), ({"paths": (b"here",)}, "REQUEST_INVALID"),
        ({"paths": (b"/a\0b",)}, "REQUEST_INVALID"),
        ({"globs": ("*.jpg",)}, "REQUEST_INVALID"), ({"recompute": frozenset({"none"})}, "REQUEST_INVALID"),
    ):  # fmt: skip
        assert code_of(lambda more=more: loom.request_run(request(**more))) == code
    assert loom.runs().items == []
    assert loom.claim_run(WORKER.name, HOST) is None
    query = AssetQuery(kind=Kind.IMAGE, q="x")
    made = loom.request_run(request(paths=(), query=query, recompute=frozenset({"*"})))
    assert (made.request.filter.kind, made.request.filter.q) == (Kind.IMAGE, "x")
    assert loom.claim_run(WORKER.name, HOST).query == query


def test_runs_are_handed_out_in_order_to_the_host_that_they_are_for(loom):
    elsewhere = asked(loom, host="there")
    first, second = asked(loom), asked(loom, host=HOST, assets=(uuid4(),), paths=())
    assert [loom.claim_run("w", HOST).uuid for _ in range(2)] == [first, second]
    assert loom.claim_run("w", HOST) is None
    assert loom.claim_run("v", "there").uuid == elsewhere


def test_waiting_and_begun_runs_are_one_list_in_pages(loom):
    oldest, first, second, middle = begin(loom), asked(loom), asked(loom), begin(loom)
    third, dry, newest = asked(loom), asked(loom, dry_run=True), begin(loom)
    expected = [newest, dry, third, middle, second, first, oldest]
    for size in (1, 2, 3, 10):
        seen, cursor = [], None
        while True:
            page = loom.runs(limit=size, cursor=cursor)
            assert len(page.items) <= size
            seen += [run.uuid for run in page.items]
            cursor = page.next
            if cursor is None:
                break
        assert seen == expected
    assert [run.uuid for run in loom.runs(pipeline="photos").items] == expected
    assert loom.runs(pipeline="none").items == []


def test_a_worker_that_dies_loses_its_run_to_another(loom, clock):
    run = claimed(loom)
    loom.open_run(opening(uuid=run))
    loom.report(run, [report("a", found(b"/data/a"), results=[done(0)], outcomes=[COMPUTED, COMPUTED])],
                worker=WORKER.name)  # fmt: skip
    clock.pass_seconds(LEASE_S - 1)
    assert loom.claim_run(OTHER.name, HOST) is None
    assert loom.orders(WORKER.name, [run]) == [RunOrders(run=run)]
    clock.pass_seconds(LEASE_S - 1)
    assert loom.claim_run(OTHER.name, HOST) is None, "asking for orders renews the claim"
    clock.pass_seconds(2)
    again = loom.claim_run(OTHER.name, HOST)
    assert (again.uuid, again.walked) == (run, True)
    assert loom.orders(WORKER.name, [run])[0].lost
    assert not loom.orders(OTHER.name, [run])[0].lost
    late = [report("late", results=[done(0)], outcomes=[COMPUTED, COMPUTED])]
    for call in (
        lambda: loom.report(run, late, worker=WORKER.name),
        lambda: loom.report(run, late),
        lambda: loom.open_run(opening(uuid=run)),
        lambda: loom.finish_run(closing(run)),
        lambda: loom.release_run(run, WORKER.name),
    ):
        assert code_of(call) == "RUN_LOST"
    assert len(loom.run_results(run).items) == 2, "nothing of the late report is stored"
    loom.open_run(opening(uuid=run, worker=OTHER, host="there"))
    loom.report(run, [report("b", found(b"/data/b"), results=[done(0)], outcomes=[COMPUTED, COMPUTED])],
                worker=OTHER.name)  # fmt: skip
    assert len(loom.run_results(run).items) == 4
    assert loom.run(run).worker == OTHER.name
    assert loom.asset_by_path("there", b"/data/b").mime == "image/jpeg", "where the new worker's files lie"


def test_a_run_is_given_back_or_given_up(loom):
    run = claimed(loom)
    loom.open_run(opening(uuid=run))
    for _ in range(2):
        loom.release_run(run, WORKER.name)
    assert (loom.run(run).state, loom.run(run).worker) == (RunState.QUEUED, None)
    assert loom.orders(WORKER.name, [run])[0].lost
    assert loom.claim_run(OTHER.name, HOST).walked
    for _ in range(2):
        loom.release_run(run, OTHER.name, LoomError("REQUIREMENT_MISSING", "no decoder"))
    ended = loom.run(run)
    assert (ended.state, ended.error.code, ended.error.message) == (
        RunState.FAILED,
        "REQUIREMENT_MISSING",
        "no decoder",
    )
    assert ended.finished is not None
    assert loom.claim_run(OTHER.name, HOST) is None
    never_begun = claimed(loom)
    loom.release_run(never_begun, WORKER.name, LoomError("NOT_FOUND"))
    assert (loom.run(never_begun).state, loom.run(never_begun).error.code) == (RunState.FAILED, "NOT_FOUND")
    own = begin(loom)
    assert code_of(lambda: loom.release_run(own, WORKER.name)) == "REQUEST_INVALID"
    assert code_of(lambda: loom.release_run(uuid4(), WORKER.name)) == "NOT_FOUND"


@pytest.mark.parametrize("dry_run", [False, True])
def test_only_the_owner_of_a_pause_lifts_it(loom, dry_run):
    run = claimed(loom, dry_run=dry_run)
    loom.pause_run(run, pause("user", Depth.NEW, "first", since=5))
    loom.pause_run(run, pause("user", Depth.NODE, "dinner", since=6))
    shown = loom.pause_run(run, pause("disk", Depth.NOW, "no room", since=7))
    assert sorted((one.owner, one.depth, one.reason) for one in shown.paused) == [
        ("disk", "now", "no room"), ("user", "node", "dinner")
    ]  # fmt: skip
    assert shown.state is RunState.RUNNING
    (told,) = loom.orders(WORKER.name, [run])
    assert (told.pause.owner, told.pause.depth, len(told.pauses)) == ("disk", Depth.NOW, 2)
    assert [one.owner for one in loom.resume_run(run, "disk").paused] == ["user"]
    assert [one.owner for one in loom.resume_run(run, "disk").paused] == ["user"]
    assert loom.resume_run(run, "user").paused == []
    assert loom.orders(WORKER.name, [run]) == [RunOrders(run=run)]


@pytest.mark.parametrize("dry_run", [False, True])
def test_a_paused_run_is_not_handed_out(loom, dry_run):
    run = asked(loom, dry_run=dry_run)
    assert loom.pause_run(run, pause()).state is RunState.QUEUED
    assert loom.claim_run(WORKER.name, HOST) is None
    loom.resume_run(run, "user")
    assert loom.claim_run(WORKER.name, HOST).uuid == run


def test_a_run_that_its_caller_executes_itself_is_steered_too(loom, clock):
    run, unknown = begin(loom), uuid4()
    loom.pause_run(run, pause(reason="tea"))
    told = loom.orders("anyone", [unknown, run])
    assert [one.run for one in told] == [unknown, run]
    assert (told[0], told[1].pause.reason, told[1].lost) == (RunOrders(run=unknown), "tea", False)
    clock.pass_seconds(LEASE_S * 3)
    assert not loom.orders("anyone", [run])[0].lost
    assert loom.cancel_run(run).state is RunState.RUNNING, "its worker is alive, and is told"
    assert loom.orders("anyone", [run])[0].cancelled
    loom.finish_run(closing(run, RunState.CANCELLED))
    assert (loom.run(run).state, loom.run(run).paused) == (RunState.CANCELLED, [])


def _dead(loom, clock, dry_run):
    run = claimed(loom, dry_run=dry_run)
    clock.pass_seconds(LEASE_S * 2)
    return run


def _dead_at_work(loom, clock, dry_run):
    run = claimed(loom, dry_run=dry_run)
    loom.open_run(opening(uuid=run, dry_run=dry_run))
    clock.pass_seconds(LEASE_S * 2)
    return run


def _given_back(loom, clock, dry_run):
    run = _dead_at_work(loom, clock, dry_run)
    loom.release_run(run, WORKER.name)
    return run


@pytest.mark.parametrize("dry_run", [False, True])
@pytest.mark.parametrize("left", [_dead, _dead_at_work, _given_back])
def test_a_run_that_another_worker_may_go_on_with_is_paused(loom, clock, left, dry_run):
    run = left(loom, clock, dry_run)
    if hasattr(loom, "end_abandoned_runs"):
        assert loom.end_abandoned_runs(HOST) == 0
    shown = loom.pause_run(run, pause())
    assert (shown.state, len(shown.paused)) == (RunState.QUEUED if left is _given_back else RunState.RUNNING, 1)
    assert loom.claim_run(OTHER.name, HOST) is None
    loom.resume_run(run, "user")
    assert loom.claim_run(OTHER.name, HOST).uuid == run


@pytest.mark.parametrize("dry_run", [False, True])
@pytest.mark.parametrize("left", [_dead, _dead_at_work, _given_back])
def test_what_a_dead_worker_had_paused_for_want_of_room_goes_on_elsewhere(loom, clock, left, dry_run):
    run = claimed(loom, dry_run=dry_run)
    loom.pause_run(run, pause(DISK, reason="no room"))
    assert loom.claim_run(OTHER.name, HOST) is None, "its worker lives"
    loom.cancel_run(run)
    run = left(loom, clock, dry_run)
    loom.pause_run(run, pause(DISK, reason="no room"))
    loom.pause_run(run, pause())
    assert loom.claim_run(OTHER.name, HOST) is None, "somebody else has paused it, too"
    loom.resume_run(run, "user")
    assert loom.claim_run(OTHER.name, HOST).uuid == run
    assert loom.run(run).paused == []
    loom.pause_run(run, pause(DISK, reason="nor here"))
    assert [one.reason for one in loom.orders(OTHER.name, [run])[0].pauses] == ["nor here"]


def test_an_abandoned_run_has_ended_for_all_and_goes_on_once_its_caller_speaks(loom_over_sqlite, clock):
    loom = loom_over_sqlite
    run = begin(loom)
    clock.pass_seconds(LEASE_S * 2)
    assert loom.pause_run(run, pause()).state is RunState.RUNNING
    assert loom.end_abandoned_runs(HOST) == 1
    ended = loom.run(run)
    assert (ended.state, ended.finished is None, ended.paused) == (RunState.FAILED, False, [])
    for call in (lambda: loom.pause_run(run, pause()), lambda: loom.cancel_run(run)):
        assert code_of(call) == "RUN_ENDED"
    loom.orders("anyone", [run])
    assert loom.pause_run(run, pause()).state is RunState.RUNNING


@pytest.mark.parametrize("dry_run", [False, True])
def test_a_run_without_a_living_worker_is_cancelled_at_once(loom, clock, dry_run):
    waiting = asked(loom, dry_run=dry_run)
    assert loom.cancel_run(waiting).state is RunState.CANCELLED
    assert loom.cancel_run(waiting).state is RunState.CANCELLED
    assert loom.run(waiting).finished is not None
    assert loom.claim_run(WORKER.name, HOST) is None
    lost = claimed(loom, dry_run=dry_run)
    assert loom.cancel_run(lost).state is RunState.RUNNING
    clock.pass_seconds(LEASE_S + 1)
    assert loom.claim_run(OTHER.name, HOST) is None
    assert loom.run(lost).state is RunState.CANCELLED
    dead = claimed(loom, dry_run=dry_run)
    clock.pass_seconds(LEASE_S + 1)
    assert loom.cancel_run(dead).state is RunState.CANCELLED
    assert loom.orders(WORKER.name, [dead])[0].cancelled


def test_cancelled_is_final(loom, clock):
    run = begin(loom)
    clock.pass_seconds(LEASE_S * 2)
    assert loom.cancel_run(run).state is RunState.CANCELLED
    loom.finish_run(closing(run, RunState.COMPLETED))
    assert (loom.run(run).state, loom.run(run).assets.seen) == (RunState.CANCELLED, 3)
    given_back = claimed(loom)
    loom.cancel_run(given_back)
    loom.release_run(given_back, WORKER.name)
    assert loom.run(given_back).state is RunState.CANCELLED


def test_what_has_ended_is_not_steered(loom):
    run = begin(loom)
    loom.finish_run(closing(run))
    for call in (
        lambda: loom.pause_run(run, pause()),
        lambda: loom.resume_run(run, "user"),
        lambda: loom.cancel_run(run),
    ):
        assert code_of(call) == "RUN_ENDED"
    assert code_of(lambda: loom.pause_run(uuid4(), pause())) == "NOT_FOUND"
    assert code_of(lambda: loom.resume_run(uuid4(), "user")) == "NOT_FOUND"
    assert code_of(lambda: loom.cancel_run(uuid4())) == "NOT_FOUND"
    assert code_of(lambda: loom.finish_run(closing(begin(loom), RunState.QUEUED))) == "REQUEST_INVALID"


def test_a_dry_run_leaves_no_row_and_shows_what_it_would_write(loom):
    run = asked(loom, dry_run=True)
    given = loom.claim_run(WORKER.name, HOST)
    assert (given.uuid, given.dry_run) == (run, True)
    assert loom.claim_run(OTHER.name, HOST) is None
    loom.open_run(opening(uuid=run, dry_run=True))
    assert (loom.run(run).state, loom.run(run).started) == (RunState.RUNNING, "1970-01-01T00:00:01.000Z")
    would = {"results": 3, "effects": ["send a mail"]}
    ends = closing(run, RunState.PARTIAL)
    assert code_of(lambda: loom.finish_run(ends)) == "RUN_LOST"
    loom.finish_run(replace(ends, worker=WORKER.name, would_write=would))
    shown = loom.run(run)
    assert (shown.state, shown.would_write, shown.assets.seen, shown.dry_run) == (RunState.PARTIAL, would, 3, True)
    assert code_of(lambda: loom.cancel_run(run)) == "RUN_ENDED"


def test_a_pipeline_that_only_tries_gets_dry_runs(loom):
    loom.save_pipeline(definition("careful", dry_run=True))
    assert loom.request_run(request(pipeline="careful")).dry_run


def test_a_dry_run_is_given_back_and_given_up(loom):
    run = claimed(loom, dry_run=True)
    for _ in range(2):
        loom.release_run(run, WORKER.name)
    assert loom.run(run).state is RunState.QUEUED
    assert loom.orders(WORKER.name, [run])[0].lost
    assert loom.claim_run(OTHER.name, HOST).uuid == run
    assert code_of(lambda: loom.release_run(run, WORKER.name)) == "RUN_LOST"
    loom.release_run(run, OTHER.name, LoomError("NOT_FOUND", "gone"))
    assert (loom.run(run).state, loom.run(run).error.message) == (RunState.FAILED, "gone")


def _fail(loom, *contents, code="FILE_DAMAGED"):
    run = begin(loom)
    loom.report(run, [
        report(content, found(b"/data/" + content.encode()), results=[failed(0, code)], outcomes=[BROKEN, COMPUTED])
        for content in contents
    ])  # fmt: skip
    loom.finish_run(closing(run, RunState.PARTIAL))
    return run


def test_failures_are_tried_again_in_a_run_over_their_places(loom):
    run = _fail(loom, "a", "b")
    _fail(loom, "c", code="FILE_EMPTY")
    (made,) = loom.retry(Selection(run=run))
    assert (made.state, made.pipeline, made.request.host) == (RunState.QUEUED, "photos", HOST)
    assert sorted(loom.claim_run(WORKER.name, HOST).paths) == [b"/data/a", b"/data/b"]
    assert [group.code for group in loom.failures()] == ["FILE_EMPTY"]
    assert loom.retry(Selection(run=run)) == []


def test_failures_of_a_pipeline_that_is_not_stored_are_tried_again(loom):
    made = opening("own", version=0, definition=definition("own"))
    loom.open_run(made)
    loom.report(made.uuid, [report("a", found(b"/data/a"), results=[failed(0)], outcomes=[BROKEN, COMPUTED])])
    assert [(run.pipeline, run.version) for run in loom.retry(Selection())] == [("own", 1)]


def test_failures_are_chosen_by_time(loom):
    _fail(loom, "a")
    (group,) = loom.failures()
    second = 1_000_000
    now = base.now_us()
    assert loom.failures(Selection(since=now + second)) == []
    assert loom.failures(Selection(until=now - 60 * second)) == []
    assert loom.failures(Selection(since=now - 60 * second, until=now + second)) == [group]
    assert loom.retry(Selection(until=now - 60 * second)) == []


def test_failures_that_are_set_aside_are_shown_and_tried_again_on_demand(loom):
    run = _fail(loom, "a", "b")
    newest = loom.failures()[0].newest.asset
    assert loom.set_aside(Selection(asset=newest)) == 1
    assert loom.set_aside(Selection(asset=newest)) == 0
    for selection in (Selection(), Selection(run=run)):
        assert [(group.count, group.aside) for group in loom.failures(selection)] == [(1, 0)]
        assert [(group.count, group.aside) for group in loom.failures(selection._replace(aside=True))] == [(2, 1)]
    assert len(loom.retry(Selection(code="FILE_DAMAGED"))) == 1
    assert loom.failures() == []
    assert loom.retry(Selection()) == []
    assert len(loom.retry(Selection(asset=newest))) == 1, "it was named"
    _fail(loom, "a", "b")
    assert [group.count for group in loom.failures()] == [2], "what comes again is new"


def test_a_failure_set_aside_stays_so_when_it_is_met_again(loom):
    _fail(loom, "a")
    loom.set_aside(Selection())
    _fail(loom, "a")
    assert loom.failures() == []


def test_workers_say_that_they_are_there_and_what_they_have(loom, clock):
    resources = Resources(cpus=4, memory=2**33, gpus=1)
    loom.announce(WORKER, HOST, [], resources)
    (shown,) = loom.workers()
    assert (shown.online, shown.resources, shown.runs) == (True, resources, [])
    run = claimed(loom)
    assert loom.workers()[0].runs == [run]
    clock.pass_seconds(LEASE_S - 1)
    loom.orders(WORKER.name, [run])
    clock.pass_seconds(LEASE_S - 1)
    before = loom.workers()[0]
    assert (before.online, before.heartbeat) == (True, before.last_seen)
    clock.pass_seconds(2)
    assert not loom.workers()[0].online
