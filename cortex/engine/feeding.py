"""What comes in at the inputs of one asset's steps for values and derived files, and which items go along which edge.

The items of a step are numbered as the whole list is from which they come: of those that a step before it did not let
through, and of values that are not there, None stands in their place.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from fnmatch import fnmatchcase
from itertools import zip_longest
from typing import Any, NamedTuple

from cortex.derived import DerivedFile
from cortex.engine import lifecycle
from cortex.engine.reaching import NOWHERE, Reach
from loom.graph.plan import Feed, Inbound, Intake, Plan, Way
from loom.graph.ports import BUCKET, REST, VERDICTS
from loom.model import Outcome, Reason, State

_NUMBERED = re.compile(r"(?P<name>.*)-(?P<number>\d{1,6})", re.DOTALL | re.ASCII)


class Slot(NamedTuple):
    """A place in a list that a feed has. `row`: for which item of its step that gave it, 0 where there is but one."""

    row: int
    value: Any


class Feeding:
    """`outcome_of` and `outputs_of` tell what became of the steps before, `files_of` which derived files they made."""

    def __init__(
        self,
        plan: Plan,
        outcome_of: Callable[[int], Outcome | None],
        outputs_of: Callable[[int], dict[str, Any] | None],
        files_of: Callable[[int, Reach], list[DerivedFile]],
    ) -> None:
        self._plan = plan
        self._outcome_of = outcome_of
        self._outputs_of = outputs_of
        self._files_of = files_of

    def leads(self, edge: Inbound, outcome: Outcome) -> bool:
        """Whether an edge out of a step that ended so leads on: where it was computed for each item, when one of them
        goes along it."""
        if edge.bucket is None and not self._is_fanned(edge.upstream):
            return lifecycle.is_live(outcome, edge.branch)
        verdicts = self._verdicts(edge.upstream, outcome)
        if verdicts is None or not any(verdicts):
            leads = lifecycle.is_live(outcome, edge.branch)
            return leads and (edge.bucket is None or edge.bucket == self._bucket_of(edge.upstream))
        goes = self._goes(Way(edge.upstream, edge.branch, edge.bucket))
        return any(verdict is not None and goes(number) for number, verdict in enumerate(verdicts))

    def lacks(self, intake: Intake) -> bool:
        """Whether none of the steps before gave a value, or made a derived file, that could come in."""
        return all(self._slots(feed, NOWHERE) is None for feed in intake.feeds)

    def taken(self, intake: Intake, reach: Reach) -> dict[str, Any]:
        """What comes in, as arguments of `NodeContext`."""
        items = [value for feed in intake.feeds for value in self._coming(feed, reach)]
        if intake.fans_out:
            return {"items": items}
        items = [value for value in items if value is not None]
        return {"items": items} if intake.many or not items else {"items": items, "item": items[0]}

    def _coming(self, feed: Feed, reach: Reach) -> list[Any]:
        slots = self._slots(feed, reach) or []
        if not feed.ways:
            return [slot.value for slot in slots]
        return [
            slot.value if comes else None for slot, comes in zip(slots, self._let_through(feed, slots), strict=True)
        ]

    def _slots(self, feed: Feed, reach: Reach) -> list[Slot] | None:
        """The list of a feed as its step gave it; None where that was skipped, or gave no such value."""
        outputs = self._outputs_of(feed.upstream)
        if outputs is None:
            return None
        if feed.is_artifact:
            return _file_slots(feed, self._files_of(feed.upstream, reach), is_fanned=self._is_fanned(feed.upstream))
        value: Any = outputs if feed.key is None else outputs.get(feed.key)
        if feed.key is None and feed.depth:
            value = _rows(outputs)
        if feed.depth == 0:
            return None if value is None else [Slot(0, value)]
        if not isinstance(value, list):
            return None
        if feed.depth == 1:
            return [Slot(row, one) for row, one in enumerate(value)]
        return [Slot(row, inner) for row, one in enumerate(value) if isinstance(one, list) for inner in one]

    def _let_through(self, feed: Feed, slots: Sequence[Slot]) -> list[bool]:
        """Which of the slots of a feed come along one of its ways. The deciders are asked from the first to the last,
        for a chain of them may be long."""
        own: dict[int, Feed] = {}
        waiting = [feed]
        while waiting:
            for way in waiting.pop().ways:
                if way.step != feed.upstream and way.step not in own:
                    own[way.step] = self._same_of(way.step, feed)
                    waiting.append(own[way.step])
        came: dict[int, list[bool]] = {}
        for step in sorted(own):
            came[step] = self._along_any(own[step], slots, came)
        return self._along_any(feed, slots, came)

    def _along_any(self, feed: Feed, slots: Sequence[Slot], came: Mapping[int, list[bool]]) -> list[bool]:
        if not feed.ways:
            return [True] * len(slots)
        found = [False] * len(slots)
        for way in feed.ways:
            goes = self._goes(way)
            if way.step == feed.upstream:
                found = [one or goes(slot.row) for one, slot in zip(found, slots, strict=True)]
            else:
                first = self._first_number(way.step, feed)
                marks = enumerate(zip(found, came[way.step], strict=True), first)
                found = [one or (before and goes(number)) for number, (one, before) in marks]
        return found

    def _same_of(self, step: int, feed: Feed) -> Feed:
        """The feed of that step which has the same list."""
        intake = self._plan.steps[step].intake
        feeds = () if intake is None else intake.feeds
        return next(one for one in feeds if (one.upstream, one.key) == (feed.upstream, feed.key))

    def _first_number(self, step: int, feed: Feed) -> int:
        """From which number on the list of a feed stands among the items of a step."""
        intake = self._plan.steps[step].intake
        number = 0
        for one in () if intake is None else intake.feeds:
            if (one.upstream, one.key) == (feed.upstream, feed.key):
                break
            number += len(self._slots(one, NOWHERE) or ())
        return number

    def _goes(self, way: Way) -> Callable[[int], bool]:
        """Tells of each item of the way's step, by its number, whether it goes along there."""
        outcome = self._outcome_of(way.step)
        if outcome is None:
            return lambda _: False
        verdicts = self._verdicts(way.step, outcome)
        if verdicts is None:
            leads = lifecycle.is_live(outcome, way.branch) and way.bucket in (None, REST)
            return lambda _: leads
        names = (self._outputs_of(way.step) or {}).get(BUCKET)
        names = names if isinstance(names, list) else ()
        fits = {
            number
            for number, (verdict, name) in enumerate(zip_longest(verdicts, names))
            if way.branch in (None, verdict) and way.bucket in (None, name or REST)
        }
        return fits.__contains__

    def _verdicts(self, step: int, outcome: Outcome) -> list[str | None] | None:
        """What each item got of a step that was computed for each; None of one that was not, or where all got the
        same."""
        if not self._is_fanned(step) or lifecycle.has_failed(outcome):
            return None
        if outcome.state is not State.COMPLETED and outcome.reason is not Reason.STORED:
            return None
        found = (self._outputs_of(step) or {}).get(VERDICTS)
        return found if isinstance(found, list) else None

    def _is_fanned(self, step: int) -> bool:
        if step < 0:
            return False
        intake = self._plan.steps[step].intake
        return intake is not None and intake.fans_out

    def _bucket_of(self, step: int) -> str:
        """Into which bucket the asset fell at a step; what was skipped is among the rest."""
        found = (self._outputs_of(step) or {}).get(BUCKET)
        return found if isinstance(found, str) and found else REST


def _rows(outputs: Mapping[str, list[Any]]) -> list[dict[str, Any] | None]:
    """The outputs of each item, of a node that was computed for each of several; None for what gave nothing."""
    of_items = {key: values for key, values in outputs.items() if key != VERDICTS and isinstance(values, list)}
    rows = (dict(zip(of_items, row, strict=True)) for row in zip(*of_items.values(), strict=False))
    return [row if any(value is not None for value in row.values()) else None for row in rows]


def _file_slots(feed: Feed, files: Sequence[DerivedFile], *, is_fanned: bool) -> list[Slot] | None:
    """The derived files whose names fit, in the order of their names; None for an output of one that is not there."""
    files = sorted(files, key=lambda one: _natural(one.name))
    if not is_fanned:
        fitting = [one for one in files if _fits(feed, one.name)]
        if feed.depth:
            return [Slot(row, one) for row, one in enumerate(fitting)]
        return [Slot(0, fitting[0])] if fitting else None
    rows: dict[int, list[DerivedFile]] = {}
    for one in files:
        match = _NUMBERED.fullmatch(one.name)
        if match is not None and _fits(feed, match["name"]):
            rows.setdefault(int(match["number"]), []).append(one)
    if feed.depth == 1:
        return [Slot(row, rows[row][0] if row in rows else None) for row in range(max(rows, default=-1) + 1)]
    return [Slot(row, one) for row in sorted(rows) for one in rows[row]]


def _fits(feed: Feed, name: str) -> bool:
    return feed.key is None or fnmatchcase(name, feed.key)


def _natural(name: str) -> list[Any]:
    """Numbers in a name count as such."""
    return [int(part) if part.isdecimal() else part for part in re.split(r"(\d+)", name)]
