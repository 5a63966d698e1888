"""What went from node to node in a run: counts of its outcomes by verdict and reason, and what was typical of times."""

from __future__ import annotations

import threading
import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, NamedTuple

import msgspec
from sqlalchemy import Connection, select

from loom.graph.ports import REST
from loom.model import Branch, NodeCounts, Origin, Reason, State
from loom.packing import code_of
from loom.shapes import FlowShape, NodeFlow
from loom.store import counting, parted
from loom.store.parted import Parting, Parts, parts_of
from loom.store.tables import pipeline_versions, runs

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_PASSED_ON = frozenset(
    code_of(reason) for reason in (Reason.FILTERED, Reason.DISABLED, Reason.NOT_PROCESSABLE, Reason.MISSING_INPUT)
)
_NOT_REACHED = frozenset(
    code_of(reason) for reason in (Reason.BRANCH_NOT_TAKEN, Reason.UPSTREAM_FAILED, Reason.CANCELLED)
)
_ANEW = 20
"""A run that goes on is counted anew, at most, after so many times what that took."""

_MOST_RUNS = 16
_SHIFT = 15
"""Bits of a float that are left away of a time: what is kept of it is right to 0.4 %, below 512 µs exactly."""

_SHORTEST, _LONGEST = 0x3F800000 >> _SHIFT, 0x4F800000 >> _SHIFT
"""What is kept of one microsecond, and of the longest that an outcome can tell."""


class Tally:
    """What one node did with assets, counted in pieces."""

    def __init__(self) -> None:
        self._heads: Counter[int] = Counter()
        self._times: NDArray[np.int64] | None = None

    def add(self, packed: NDArray[np.uint8]) -> None:
        """An array of assets × the eight bytes of an outcome."""
        import numpy as np

        words = np.ascontiguousarray(packed).view("<u4")
        heads, counts = np.unique(words[:, 0], return_counts=True)
        self._heads.update(dict(zip(heads.tolist(), counts.tolist(), strict=True)))
        computed = (packed[:, 0] == code_of(State.COMPLETED)) & (packed[:, 2] == code_of(Origin.COMPUTED))
        if computed.any():
            times = np.maximum(words[computed, 1], 1).astype(np.float32).view(np.uint32) >> _SHIFT
            found = np.bincount(times - _SHORTEST, minlength=_LONGEST - _SHORTEST + 1)
            self._times = found if self._times is None else self._times + found

    def flow(self) -> NodeFlow:
        passed = rejected = through = missed = errors = 0
        for head, count in self._heads.items():
            state, reason, _, verdict = head.to_bytes(4, "little")
            if state == code_of(State.FAILED) or verdict == code_of(Branch.ERROR):
                errors += count
            elif state == code_of(State.COMPLETED) or reason == code_of(Reason.STORED):
                rejected += count if verdict == code_of(Branch.FAIL) else 0
                passed += count if verdict != code_of(Branch.FAIL) else 0
            through += count if reason in _PASSED_ON else 0
            missed += count if reason in _NOT_REACHED else 0
        return NodeFlow(
            passed=passed, rejected=rejected, through=through, missed=missed, errors=errors, median_ms=self._median_ms()
        )

    def _median_ms(self) -> float | None:
        import numpy as np

        if self._times is None:
            return None
        upto = np.cumsum(self._times)
        middles = np.searchsorted(upto, [(upto[-1] - 1) // 2, upto[-1] // 2], side="right")
        return float(((middles + _SHORTEST).astype(np.uint32) << _SHIFT).view(np.float32).mean()) / 1000


class _Counted(NamedTuple):
    """A run up to the asset at position `upto`. `finished` and `steps` are what was known of the run then; it was
    counted as a whole at `at`, which took so many seconds."""

    tallies: list[Tally]
    names: list[str]
    parts: dict[str, Parts]
    upto: int
    finished: int | None
    steps: int
    at: float
    took: float


class _Kept:
    """What is known of one run; whoever asks meanwhile waits, and has the same answer."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.counted: _Counted | None = None


class Flows:
    """Remembers what was counted of the newest runs that were asked for, for a run of a million assets takes seconds.

    Of a run that has ended the answer stays. Of one that goes on, what came since is added; what was counted before
    may have become something else (a node was tried again), so that all is counted anew now and then: the sooner, the
    smaller the run. May be used by many threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: OrderedDict[int, _Kept] = OrderedDict()

    def of_run(
        self, connection: Connection, number: int, parting: Callable[[str], Parting] = lambda _: {}
    ) -> FlowShape:
        """`parting` tells which nodes of a definition, as it is stored, part assets."""
        with self._lock:
            kept = self._kept.setdefault(number, _Kept())
            self._kept.move_to_end(number)
            if len(self._kept) > _MOST_RUNS:
                self._kept.popitem(last=False)
        with kept.lock:
            known, kept.counted = kept.counted, None  # nothing is kept that was added to in part
            counted = kept.counted = _brought_up_to_date(connection, number, known, parting)
            flows = {name: tally.flow() for name, tally in zip(counted.names, counted.tallies, strict=True)}
            flows |= {name: _with(flows[name], parts) for name, parts in counted.parts.items() if name in flows}
        return FlowShape(nodes=flows)


def _with(flow: NodeFlow, parts: Parts) -> NodeFlow:
    """What was skipped and went on is among the rest."""
    buckets = dict(parts.buckets)
    if buckets:
        buckets[REST] = buckets.get(REST, 0) + flow.through
    return msgspec.structs.replace(flow, both=parts.both, buckets=buckets)


def of_counts(nodes: Mapping[str, NodeCounts]) -> FlowShape:
    """As far as a run's counts tell it, for one that stores no outcomes: they do not say what rejected, nor why a node
    was skipped."""
    return FlowShape(
        nodes={
            name: NodeFlow(passed=counts.computed + counts.cached + counts.remote, errors=counts.failed)
            for name, counts in nodes.items()
        }
    )


def _brought_up_to_date(
    connection: Connection, number: int, known: _Counted | None, parting: Callable[[str], Parting]
) -> _Counted:
    finished, steps = connection.execute(select(runs.c.finished, runs.c.steps).where(runs.c.id == number)).one()
    walked = counting.walked(connection, number)
    anew = known is None or (known.finished, known.steps) != (finished, steps)
    if known is None or anew or (finished is not None and known.upto != walked):
        return _counted(connection, number, walked, finished, steps, parting)
    if finished is not None:
        return known
    if time.monotonic() - known.at > _ANEW * known.took:
        return _counted(connection, number, walked, finished, steps, parting)
    _add(connection, number, known.tallies, known.upto, walked)
    parted.add(connection, number, known.parts, known.upto, walked)
    return known._replace(upto=max(walked, known.upto))


def _counted(
    connection: Connection,
    number: int,
    walked: int,
    finished: int | None,
    steps: int,
    parting: Callable[[str], Parting],
) -> _Counted:
    begin = time.monotonic()
    names = counting.node_names(connection, number)
    tallies = [Tally() for _ in names]
    _add(connection, number, tallies, 0, walked)
    version = select(pipeline_versions.c.definition).join(runs, runs.c.version == pipeline_versions.c.id)
    parts = parts_of(parting(connection.execute(version.where(runs.c.id == number)).scalar_one()))
    parted.add(connection, number, parts, 0, walked)
    end = time.monotonic()
    return _Counted(tallies, names, parts, walked, finished, steps, end, end - begin)


def _add(connection: Connection, number: int, tallies: list[Tally], first: int, end: int) -> None:
    for packed in counting.pieces(connection, number, len(tallies), first, end):
        for at, tally in enumerate(tallies):
            tally.add(packed[:, at])
