"""Quiet hours: when no round begins, and one that is at work stands still."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from uuid import UUID

from loom.errors import LoomError
from loom.model import Depth, Pause
from loom.verbs import Steering

OWNER = "schedule"
"""Who pauses the runs."""

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DAY = 24 * 60
_WEEK = 7 * _DAY
_WRITTEN = re.compile(r"(?:(?P<days>[a-z,-]+)\s+)?(?P<begin>\d{1,2}:\d\d)-(?P<end>\d{1,2}:\d\d)")


class QuietHours:
    """Spans such as `22:00-07:00` or `mon-fri 09:00-17:00`, in local time. One that goes over midnight belongs to the
    day on which it begins. `days` are one, several (`sat,sun`) or a range (`mon-fri`) of them; without any: all."""

    def __init__(self, spans: Sequence[str]) -> None:
        """What comes from the environment is split at its spaces. Raises `USAGE` for what is no such span, and when the
        quiet never ends."""
        self._quiet = bytearray(_WEEK)
        for span in _whole(spans):
            for minute in _minutes(span):
                self._quiet[minute % _WEEK] = 1
        if all(self._quiet):
            raise LoomError("USAGE", "--quiet-hours leaves no time in which anything could be done")

    def until(self, now: datetime) -> datetime | None:
        """When the quiet hours end in which `now` lies, a time of the clock on the wall; None outside of them."""
        first = now.weekday() * _DAY + now.hour * 60 + now.minute
        left = next(minutes for minutes in range(_WEEK) if not self._quiet[(first + minutes) % _WEEK])
        return now.replace(second=0, microsecond=0) + timedelta(minutes=left) if left else None


def in_words(now: datetime, until: datetime) -> str:
    """Such as `quiet hours until 07:00`, with the day where it is not the next time that a clock shows that."""
    day = "" if until - now < timedelta(days=1) else f"{_DAYS[until.weekday()].capitalize()} "
    return f"quiet hours until {day}{until:%H:%M}"


def _whole(spans: Sequence[str]) -> Iterator[str]:
    days = ""
    for span in spans:
        if ":" in span or days:
            yield f"{days}{span}"
            days = ""
        else:
            days = f"{span} "
    if days:
        yield days


def _minutes(span: str) -> Iterator[int]:
    """Of the week, some perhaps beyond its end."""
    written = _WRITTEN.fullmatch(span.strip().lower())
    if written is None:
        raise LoomError("USAGE", f"--quiet-hours {span!r}: say such as 22:00-07:00 or 'mon-fri 09:00-17:00'")
    begin, end = (_minute_of_day(written[name], span) for name in ("begin", "end"))
    if begin in (end, _DAY):
        raise LoomError("USAGE", f"--quiet-hours {span!r} is no time at all; a whole day is 00:00-24:00")
    for day in _days(written["days"], span):
        yield from range(day * _DAY + begin, day * _DAY + (end if end > begin else end + _DAY))


def _minute_of_day(text: str, span: str) -> int:
    hour, minute = map(int, text.split(":"))
    if minute > 59 or hour * 60 + minute > _DAY:
        raise LoomError("USAGE", f"--quiet-hours {span!r}: {text} is no time of day")
    return hour * 60 + minute


def _days(text: str | None, span: str) -> list[int]:
    if text is None:
        return list(range(7))
    days: list[int] = []
    for part in text.split(","):
        first, dash, last = part.partition("-")
        last = last if dash else first
        if first not in _DAYS or last not in _DAYS:
            raise LoomError("USAGE", f"--quiet-hours {span!r}: days are {', '.join(_DAYS)}, or such as mon-fri")
        begin, end = _DAYS.index(first), _DAYS.index(last)
        days += [day % 7 for day in range(begin, (end if end >= begin else end + 7) + 1)]
    return days


class Hush:
    """Pauses the runs of a round while there are quiet hours, each once: who lifts that by hand has the last word."""

    def __init__(self, hours: QuietHours, now: Callable[[], datetime] = datetime.now) -> None:
        self._hours = hours
        self._now = now
        self._paused: set[UUID] = set()

    def steer(self, loom: Steering, runs: Sequence[UUID]) -> None:
        """Called again and again while the runs go on; what Loom could not be told it is told the next time."""
        now = self._now()
        until = self._hours.until(now)
        self._paused.intersection_update(runs)
        for run in runs:
            with suppress(LoomError):
                if until is not None and run not in self._paused:
                    since = time.time_ns() // 1000
                    loom.pause_run(run, Pause(owner=OWNER, reason=in_words(now, until), depth=Depth.NODE, since=since))
                    self._paused.add(run)
                elif until is None and run in self._paused:
                    loom.resume_run(run, OWNER)
                    self._paused.remove(run)
