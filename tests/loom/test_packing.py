from itertools import product

from loom.model import Branch, Origin, Outcome, Reason, State
from loom.packing import pack_outcomes, unpack_outcomes


def test_every_outcome_survives_packing() -> None:
    every = [
        Outcome(state, reason, origin, verdict, 7)
        for state, reason, origin, verdict in product(State, (None, *Reason), (None, *Origin), (None, *Branch))
    ]
    packed = pack_outcomes(every)
    assert len(packed) == 8 * len(every)
    assert unpack_outcomes(packed) == every


def test_a_duration_beyond_an_hour_is_held_at_the_most_that_fits() -> None:
    (outcome,) = unpack_outcomes(pack_outcomes([Outcome(State.COMPLETED, duration_us=2**40)]))
    assert outcome.duration_us == 2**32 - 1
