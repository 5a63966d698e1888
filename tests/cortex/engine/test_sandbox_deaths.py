"""Files that kill, hang or exhaust their worker, and what becomes of them and of their neighbours."""

import os
import random
import signal

import pytest
from sandboxes import QUICK, children_of, failed_steps, item, run, sandbox, walk_all

DEEDS = {
    "segv": ("WORKER_CRASHED", "SIGSEGV"),
    "abort": ("WORKER_CRASHED", "SIGABRT"),
    "exit": ("WORKER_CRASHED", "exit code 0"),
    "sysexit": ("WORKER_CRASHED", "exit code 3"),
    "kill": ("WORKER_CRASHED", "SIGKILL"),
    "alarm": ("TIMED_OUT", "longer"),
    "loop": ("TIMED_OUT", "longer than the 0.4 s"),
    "memory": ("MEMORY_EXCEEDED", "memory"),
    "recurse": ("OPERATOR_FAILED", "RecursionError"),
    "stack": ("WORKER_CRASHED", "SIGSEGV"),
    "babble": ("WORKER_CRASHED", "SIGKILL"),
    "raise": ("OPERATOR_FAILED", "ZeroDivisionError"),
}


@pytest.mark.parametrize("deed", DEEDS)
def test_only_the_guilty_step_fails(deed: str) -> None:
    with sandbox(jobs=1) as box:
        walked = run(box, [item(1, steps=3), item(2, f"{deed}@1", steps=3), item(3, steps=3)])
    code, said = DEEDS[deed]
    assert {token: failed_steps(one) for token, one in walked.items()} == {1: {}, 2: {1: code}, 3: {}}
    assert said in (walked[2].computed[0].error_message or "")


def test_seven_killers_among_four_hundred() -> None:
    killers = dict(zip(range(17, 400, 57), ["segv", "memory", "loop", "kill", "abort", "exit", "stack"], strict=True))
    items = [item(token, f"{killers[token]}@0" if token in killers else "good") for token in range(400)]
    with sandbox() as box:
        walked = run(box, items)
    assert {token for token, one in walked.items() if failed_steps(one)} == set(killers)
    assert {token for token, one in walked.items() if one.failure} == set()
    assert len(walked) == 400


def test_thirty_hostile_steps_among_ten_thousand() -> None:
    rng = random.Random(7)
    deeds = ["segv"] * 8 + ["abort"] * 6 + ["exit"] * 6 + ["kill"] * 8 + ["loop"] * 2
    guilty = dict(zip(rng.sample(range(1000), 30), deeds, strict=True))
    place = {token: rng.choice([*range(10), "image"]) for token in guilty}
    items = [item(t, f"{guilty[t]}@{place[t]}" if t in guilty else "good", steps=10) for t in range(1000)]
    with sandbox(limits=QUICK._replace(base_s=0.3)) as box:
        walked = run(box, items)
    failed = {token: set(failed_steps(one)) for token, one in walked.items() if one.computed}
    assert failed == {token: set(range(10)) if place[token] == "image" else {place[token]} for token in guilty}
    assert sum(len(one.outcomes) for one in walked.values()) == 10_000


def test_a_crash_in_a_shared_phase_fails_all_that_need_it() -> None:
    with sandbox(jobs=1) as box:
        walked = run(box, [item(1, "segv@image", steps=4), item(2, steps=4)])
    assert failed_steps(walked[1]) == dict.fromkeys(range(4), "WORKER_CRASHED")
    assert failed_steps(walked[2]) == {}


@pytest.mark.parametrize(
    ("deed", "code"), [("segv", "WORKER_CRASHED"), ("loop", "TIMED_OUT"), ("raise", "OPERATOR_FAILED")]
)
@pytest.mark.parametrize("place", ["read", "after"])
def test_a_file_that_kills_outside_of_steps_is_given_up(deed: str, code: str, place: str) -> None:
    with sandbox() as box:
        walked = run(box, [item(1, f"{deed}@{place}"), *(item(token) for token in range(2, 40))])
    failure = walked[1].failure
    assert failure is not None
    assert failure[0] == code
    assert not any(one.failure for token, one in walked.items() if token != 1)


def test_a_worker_that_falls_silent_is_given_up() -> None:
    with sandbox() as box:
        walked = run(box, [item(1, "mute@after"), item(2)])
    assert walked[1].failure is not None
    assert walked[1].failure[0] == "TIMED_OUT"
    assert walked[2].failure is None


def test_who_worked_for_long_has_time_to_say_what_came_of_it() -> None:
    """Packing a large derived file takes longer than the parent takes to look."""
    with sandbox(limits=QUICK._replace(base_s=2.0)) as box:
        walked = run(box, [item(1, "ponder@after")])
    assert failed_steps(walked[1]) == {}
    assert walked[1].failure is None


def test_progress_renews_the_time_of_a_step() -> None:
    with sandbox() as box:
        walked = run(box, [item(1, "progress@0")])
    assert failed_steps(walked[1]) == {}


def test_workers_and_their_server_killed_from_outside_cost_no_file() -> None:
    with sandbox() as box:
        tokens = []
        for walked in box.run(iter([item(token) for token in range(2000)]), walk_all):
            tokens.append(walked.token)
            assert walked.failure is None
            assert failed_steps(walked) == {}
            if len(tokens) in (100, 500, 1000):
                (server,) = children_of(os.getpid())
                os.kill(server if len(tokens) == 1000 else min(children_of(server)), signal.SIGKILL)
        assert sorted(tokens) == list(range(2000))


def test_results_that_arrived_before_a_death_are_kept() -> None:
    asked = []

    def answer(identities: object) -> object:
        asked.extend(identity.token for identity in identities)  # type: ignore[attr-defined]
        return walk_all(identities)  # type: ignore[arg-type]

    with sandbox(jobs=1) as box:
        run(box, [item(token) for token in range(1000, 1200)])
        items = [item(token, "slow@0") for token in range(3)] + [item(3, "kill@0")]
        tokens = [walked.token for walked in box.run(iter(items), answer)]  # type: ignore[arg-type]
    assert sorted(tokens) == [0, 1, 2, 3]
    assert asked.count(0) == 1
    assert asked.count(3) == 3
