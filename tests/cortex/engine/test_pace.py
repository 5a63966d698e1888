from cortex.engine.pace import Pace


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_without_a_limit_nothing_waits() -> None:
    pace = Pace(0)
    pace.begin(10**12)
    assert not pace.waits


def test_in_the_long_run_no_more_is_begun_with_than_the_limit() -> None:
    clock = Clock()
    pace = Pace(1000, clock)
    begun = 0
    for _ in range(10_000):
        clock.now += 0.01
        while not pace.waits:
            pace.begin(70)
            begun += 70
    assert 1000 * 100 <= begun <= 1000 * 100 + 1000 + 70


def test_a_file_larger_than_the_limit_is_begun_with_and_the_next_waits_for_it() -> None:
    clock = Clock()
    pace = Pace(1000, clock)
    assert not pace.waits
    pace.begin(5000)
    clock.now = 3.9
    assert pace.waits
    clock.now = 4.1
    assert not pace.waits


def test_nothing_is_saved_up_while_nothing_is_done() -> None:
    clock = Clock()
    pace = Pace(1000, clock)
    clock.now = 3600.0
    assert not pace.waits
    pace.begin(1000)
    assert pace.waits
