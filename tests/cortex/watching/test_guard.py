"""How many files that are gone wait for a word; the clock is the test's own."""

from collections.abc import Sequence

import pytest

from cortex.sources.loss import Loss
from cortex.watching.guard import FEW, MANY, TOGETHER_S, Deletions, Waiting

ROOT = b"/media/my photos"


class Guarded:
    """A root of some files, what was told of it, and the files that are still remembered though gone."""

    def __init__(self) -> None:
        self.now = 0.0
        self.told: list[Waiting] = []
        self.still_gone = True
        self.deletions = Deletions(self.told.append, lambda: self.now)

    def loses(self, number: int, of: int, *, whole: bool = True) -> bool:
        def remembered(at_most: int | None) -> int:
            return of if at_most is None else min(of, at_most)

        def still_gone(_: Sequence[bytes]) -> bool:
            return self.still_gone

        some = tuple(b"%b/folder/%d" % (ROOT, one) for one in range(min(number, 20)))
        may_go = self.deletions.may_go(Loss(ROOT, number, some, whole, remembered, still_gone))
        if may_go:
            self.deletions.counted(ROOT, number)
        return may_go

    @property
    def numbers(self) -> list[int]:
        return [waiting.gone for waiting in self.told]


@pytest.fixture
def guarded() -> Guarded:
    return Guarded()


@pytest.mark.parametrize("whole", [True, False])
@pytest.mark.parametrize(
    ("number", "of", "may_go"),
    [
        (0, 5, True),
        (1, 5, True),
        (FEW - 1, 10, True),
        (FEW, 10, False),
        (FEW, 99, False),
        (FEW, 100, True),
        (MANY, 1000, True),
        (MANY, 999, False),
        (MANY + 1, 1_000_000, False),
    ],
)
def test_how_many_are_many(guarded: Guarded, number: int, of: int, may_go: bool, whole: bool) -> None:
    assert guarded.loses(number, of, whole=whole) == may_go
    assert guarded.numbers == ([] if may_go else [number])


def test_it_is_told_once_and_again_when_it_is_twice_or_half_as_much(guarded: Guarded) -> None:
    for number in (200, 200, 399, 400, 799, 201, 200):
        assert not guarded.loses(number, 10_000)
    assert guarded.numbers == [200, 400, 200]


def test_a_part_of_what_waits_is_not_told_again(guarded: Guarded) -> None:
    assert not guarded.loses(500, 10_000)
    assert not guarded.loses(120, 10_000, whole=False)
    assert not guarded.loses(1000, 10_000, whole=False)
    assert guarded.numbers == [500, 1000]


def test_nothing_goes_while_something_waits_however_little(guarded: Guarded) -> None:
    assert not guarded.loses(500, 10_000)
    assert not guarded.loses(1, 10_000, whole=False)
    guarded.still_gone = False
    assert guarded.loses(1, 9_500, whole=False), "it was confirmed, or the files are back"
    guarded.still_gone = True
    assert guarded.loses(1, 9_499, whole=False)
    assert guarded.numbers == [500]


@pytest.mark.parametrize("whole", [True, False])
def test_what_was_confirmed_while_it_was_looked_for_is_not_told(guarded: Guarded, whole: bool) -> None:
    guarded.still_gone = False
    assert not guarded.loses(500, 10_000, whole=whole), "what this walk saw is older than what Loom has"
    assert guarded.loses(1, 9_500, whole=whole)
    assert guarded.numbers == []


def test_a_whole_walk_decides_anew(guarded: Guarded) -> None:
    assert not guarded.loses(500, 10_000)
    assert guarded.loses(3, 10_000)
    assert guarded.loses(1, 10_000, whole=False)
    assert not guarded.loses(500, 10_000)
    assert guarded.numbers == [500, 500]


def test_what_goes_bit_by_bit_counts_together_for_a_while(guarded: Guarded) -> None:
    assert guarded.loses(60, 10_000, whole=False)
    guarded.now += TOGETHER_S - 1
    assert not guarded.loses(41, 9_940, whole=False)
    assert "(besides 60 shortly before)" in guarded.told[0].message
    guarded.now += 1
    guarded.still_gone = False
    assert guarded.loses(41, 9_940, whole=False)


def test_roots_are_apart(guarded: Guarded) -> None:
    assert not guarded.loses(500, 10_000)
    loss = Loss(b"/other", 1, (b"/other/one",), False, lambda _: 5, lambda _: True)
    assert guarded.deletions.may_go(loss)


def test_the_sentence() -> None:
    some = tuple(ROOT + b"/2019/%d.jpg" % number for number in range(3))
    message = Waiting(ROOT, 1200, 5000, some, 0).message
    assert message == (
        "1,200 of 5,000 files in /media/my photos are gone: 2019/0.jpg, 2019/1.jpg, 2019/2.jpg and more."
        " None counts as deleted until it is confirmed with: cortex ingest '/media/my photos'"
    )
