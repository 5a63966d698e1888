import threading
from functools import partial

from programs import until

from cortex.engine.turns_beside import TurnsBeside

PARSE, MAP = ("map.parse", "network"), ("map.draw", "network")


def test_without_a_limit_everybody_begins() -> None:
    turns = TurnsBeside()
    assert all(turns.take(PARSE) for _ in range(100))


def test_a_name_has_so_many_turns_and_who_gives_one_calls_who_waits_longest() -> None:
    turns = TurnsBeside()
    turns.limit({"network": 2})
    called: list[int] = []
    assert [turns.take(names) for names in (PARSE, MAP, PARSE)] == [True, True, False]
    for number in range(3):
        turns.wait(PARSE, partial(called.append, number))
    turns.give(MAP)
    assert called == [0]
    assert not turns.take(PARSE), "it was handed over"
    turns.give(PARSE)
    assert called == [0, 1]


def test_who_waits_for_one_name_keeps_nobody_from_another() -> None:
    turns = TurnsBeside()
    turns.limit({"map.parse": 1, "network": 2})
    called: list[str] = []
    assert turns.take(PARSE)
    turns.wait(PARSE, lambda: called.append("parse"))
    turns.wait(MAP, lambda: called.append("map"))
    assert called == ["map"]
    turns.give(PARSE)
    assert called == ["map", "parse"]


def test_a_change_holds_for_those_who_wait_and_counts_those_who_are_there() -> None:
    turns = TurnsBeside()
    assert turns.take(PARSE)
    assert turns.take(PARSE)
    turns.limit({"network": 1})
    called: list[int] = []
    turns.wait(PARSE, lambda: called.append(1))
    turns.give(PARSE)
    assert called == []
    turns.limit({"network": 2})
    assert called == [1]
    turns.wait(PARSE, lambda: called.append(2))
    turns.limit({})
    assert called == [1, 2]


def test_no_turn_is_lost_among_threads() -> None:
    turns = TurnsBeside()
    turns.limit({"network": 2})
    most, ended, lock = 0, 0, threading.Lock()
    inside = 0

    def work() -> None:
        nonlocal inside, most
        with lock:
            inside += 1
            most = max(most, inside)
        with lock:
            inside -= 1
        turns.give(PARSE)

    def come() -> None:
        nonlocal ended
        for _ in range(200):
            begun = threading.Event()
            if turns.take(PARSE):
                begun.set()
            else:
                turns.wait(PARSE, begun.set)
            assert begun.wait(60)
            work()
        with lock:
            ended += 1

    for _ in range(6):
        threading.Thread(target=come).start()
    until(lambda: ended == 6)
    assert most <= 2
    assert turns.take(PARSE)
    assert turns.take(PARSE)
    assert not turns.take(PARSE)
