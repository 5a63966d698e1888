"""Which of several duplicates is worth keeping: the complete, the larger, the older, the one with the shortest path."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import Connection, select

from loom.model import Branch
from loom.store.copies import Place
from loom.store.outputs import METADATA
from loom.store.statements import chunks
from loom.store.tables import results, signatures
from loom.store.values import COMPLETED, FAILED, iso, verdict_of

CONSISTENCY = "media.consistency"
"""The operator whose verdict says whether a file is complete."""

_DAMAGE = ("FILE_DAMAGED", "FILE_EMPTY", "FILE_TRUNCATED")
"""Failures that mean as much where that operator did not run."""

_LATER = "9"
"""Sorts behind every date."""


class Told(msgspec.Struct, frozen=True, gc=False):
    """What `media.metadata` says of an asset."""

    width: Any = None
    height: Any = None
    captured_at: Any = None

    @property
    def pixels(self) -> int:
        both = (self.width, self.height)
        return self.width * self.height if all(type(side) is int and side > 0 for side in both) else 0

    @property
    def captured(self) -> str | None:
        return self.captured_at if isinstance(self.captured_at, str) and self.captured_at else None


NOTHING = Told()
_decode = msgspec.json.Decoder(Told).decode


class Candidate(NamedTuple):
    """One that may be kept: an asset with its copies, or a single copy."""

    id: str
    size: int
    places: Sequence[Place]
    told: Told = NOTHING
    complete: bool | None = None

    @property
    def mtime_ns(self) -> int:
        """Of its oldest copy."""
        return min(place.mtime_ns for place in self.places)

    @property
    def path(self) -> bytes:
        return min((place.path for place in self.places), key=lambda path: (len(path), path))


class _Rule(NamedTuple):
    """The smaller the rank, the better; `say` compares the best with the next."""

    rank: Callable[[Candidate], Any]
    say: Callable[[Candidate, Candidate], str]


def _pixels(one: Candidate) -> str:
    return f"{one.told.width:,} × {one.told.height:,}" if one.told.pixels else "unknown"


def _date(mtime_ns: int) -> str:
    return iso(mtime_ns // 1000)


_CHANGED = _Rule(
    lambda one: one.mtime_ns,
    lambda best, next_: f"older: changed {_date(best.mtime_ns)}, the next {_date(next_.mtime_ns)}",
)
_SHORT = _Rule(lambda one: (len(one.path), one.path), lambda best, next_: "the shortest path")
_OF_ASSETS = (
    _Rule(lambda one: one.complete is False, lambda best, next_: "complete: the next is damaged or ends too early"),
    _Rule(
        lambda one: -one.told.pixels,
        lambda best, next_: f"larger: {_pixels(best)} pixels, the next {_pixels(next_)}",
    ),
    _Rule(lambda one: -one.size, lambda best, next_: f"larger: {best.size:,} bytes, the next {next_.size:,}"),
    _Rule(
        lambda one: (one.told.captured or _LATER)[:19],
        lambda best, next_: (
            f"older: taken {best.told.captured}, the next {next_.told.captured or 'at an unknown time'}"
        ),
    ),
    _CHANGED,
    _SHORT,
)
_OF_COPIES = (_CHANGED, _SHORT)


def best_of(candidates: Iterable[Candidate], *, copies: bool) -> tuple[str, str] | None:
    """The id of the one to keep, and why; None where there are not two that lie somewhere. `copies`: of one asset."""
    rules = _OF_COPIES if copies else _OF_ASSETS
    there = sorted(
        (one for one in candidates if one.places), key=lambda one: (*(rule.rank(one) for rule in rules), one.id)
    )
    if len(there) < 2:
        return None
    best, following = there[0], there[1]
    for rule in rules:
        if rule.rank(best) != rule.rank(following):
            return best.id, rule.say(best, following)
    return best.id, "one is as good as the other"


def told_of(connection: Connection, numbers: Sequence[int]) -> dict[int, Told]:
    """What the newest metadata of assets say."""
    found: dict[int, Told] = {}
    for asset, row in _newest(connection, numbers, METADATA).items():
        if row.state == COMPLETED:
            try:
                found[asset] = _decode(row.outputs)
            except msgspec.DecodeError:
                continue
    return found


def complete_of(connection: Connection, numbers: Sequence[int]) -> dict[int, bool]:
    """Whether assets are complete, where something is known of it: what was checked last, else whether any operator
    found the file damaged."""
    found: dict[int, bool] = {}
    for piece in chunks(numbers):
        damaged = select(results.c.asset).where(
            results.c.asset.in_(set(piece)), results.c.state == FAILED, results.c.error_code.in_(_DAMAGE)
        )
        found |= dict.fromkeys(connection.execute(damaged).scalars(), False)
    for asset, row in _newest(connection, numbers, CONSISTENCY).items():
        if row.state == COMPLETED:
            found[asset] = verdict_of(row.verdict) is Branch.PASS
    return found


def _newest(connection: Connection, numbers: Sequence[int], operator: str) -> dict[int, Any]:
    """The newest result of an operator for each asset."""
    found: dict[int, Any] = {}
    for piece in chunks(numbers):
        statement = (
            select(results.c.asset, results.c.state, results.c.verdict, results.c.outputs)
            .join(signatures, signatures.c.id == results.c.signature)
            .where(results.c.asset.in_(set(piece)), signatures.c.operator == operator)
            .order_by(results.c.finished, results.c.signature)
        )
        found |= {row.asset: row for row in connection.execute(statement)}
    return found
