"""When folders are walked whole, by cron expressions in local time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from loom.errors import LoomError

_FIELDS = 5
_PUT_BACK = timedelta(hours=2)
"""A clock that goes back by more was set; by less it may be the end of daylight saving, and nothing is due again."""


class Schedule:
    """Cron expressions of five fields, as in crontab(5). Times are those of the clock on the wall, without a zone: in
    the night in which clocks are set forward, what falls into the hour that is left out is due after it; in the one in
    which they are set back, nothing is due twice.
    """

    def __init__(self, expressions: Sequence[str], now: datetime) -> None:
        """Nothing is due before `now`. What comes from the environment is split at its spaces. Raises `USAGE` for what
        is no expression, or names a time that never comes."""
        self._expressions = _whole(expressions)
        self._since = now
        self._next = self._after(now)

    def is_due(self, now: datetime) -> bool:
        """Whether a time of the schedule has come since it was asked for last; several that were missed count once."""
        if now < self._since - _PUT_BACK:
            self._next = self._after(now)
        self._since = now
        if now < self._next:
            return False
        self._next = self._after(now)
        return True

    def _after(self, now: datetime) -> datetime:
        return min(_next(expression, now) for expression in self._expressions)


def _whole(expressions: Sequence[str]) -> list[str]:
    if len(expressions) % _FIELDS or any(len(one.split()) != 1 for one in expressions):
        return list(expressions)
    return [" ".join(expressions[begin : begin + _FIELDS]) for begin in range(0, len(expressions), _FIELDS)]


def _next(expression: str, now: datetime) -> datetime:
    from cronsim import CronSim, CronSimError

    if len(expression.split()) != _FIELDS:
        raise LoomError("USAGE", f"--schedule {expression!r}: a cron expression has five fields, such as '0 3 * * *'")
    try:
        return next(CronSim(expression, now))
    except CronSimError as error:
        why = str(error)
        raise LoomError("USAGE", f"--schedule {expression!r}: {why[:1].lower()}{why[1:]}") from error
    except StopIteration:
        raise LoomError("USAGE", f"--schedule {expression!r} names a time that never comes") from None
