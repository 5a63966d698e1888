"""Quiet hours; the clock on the wall is the test's own. The 21st of November 2026 is a Saturday."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest
from ingests import loom_in
from ledgers import begin

from cortex.watching.quiet import OWNER, Hush, QuietHours, in_words
from loom.errors import LoomError
from loom.model import Depth, Pause
from loom.service.loom import LocalLoom

NIGHT = "22:00-07:00"


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


@pytest.mark.parametrize(
    ("spans", "now", "until"),
    [
        ([NIGHT], "2026-11-21 21:59:59", None),
        ([NIGHT], "2026-11-21 22:00:00", "2026-11-22 07:00"),
        ([NIGHT], "2026-11-22 06:59:59", "2026-11-22 07:00"),
        ([NIGHT], "2026-11-22 07:00:00", None),
        (["13:00-14:30"], "2026-11-21 13:12:13", "2026-11-21 14:30"),
        (["mon-fri 09:00-17:00"], "2026-11-21 12:00", None),
        (["mon-fri 09:00-17:00"], "2026-11-20 12:00", "2026-11-20 17:00"),
        (["Sat,Sun 0:00-24:00"], "2026-11-21 12:00", "2026-11-23 00:00"),
        (["22:00-07:00", "sat,sun", "09:00-10:00", "mon-fri", "11:00-12:00"], "2026-11-21 09:30", "2026-11-21 10:00"),
        (["22:00-07:00", "sat,sun", "09:00-10:00", "mon-fri", "11:00-12:00"], "2026-11-21 11:30", None),
        (["fri-mon 09:00-17:00"], "2026-11-22 12:00", "2026-11-22 17:00"),
        (["sun 22:00-07:00"], "2026-11-23 06:00", "2026-11-23 07:00"),
        (["sun 22:00-07:00"], "2026-11-22 06:00", None),
        ([NIGHT, "06:00-09:00", "sat 09:00-10:00"], "2026-11-21 23:00", "2026-11-22 09:00"),
        ([NIGHT, "06:00-09:00", "sat 09:00-10:00"], "2026-11-21 05:00", "2026-11-21 10:00"),
    ],
)
def test_until_when_it_is_quiet(spans: list[str], now: str, until: str | None) -> None:
    assert QuietHours(spans).until(at(now)) == (None if until is None else at(until))


@pytest.mark.parametrize(
    "spans",
    [
        [""],
        ["night"],
        ["22:00"],
        ["22-7"],
        [NIGHT, "mon"],
        ["mon", "sat 22:00-07:00"],
        ["25:00-07:00"],
        ["22:60-07:00"],
        ["24:01-07:00"],
        ["07:00-07:00"],
        ["24:00-07:00"],
        ["someday 22:00-07:00"],
        ["mon- 22:00-07:00"],
        ["mon-fri-sun 22:00-07:00"],
        [NIGHT, "00:00-24:00"],
        ["07:00-22:00", NIGHT],
    ],
)
def test_what_are_no_quiet_hours(spans: list[str]) -> None:
    with pytest.raises(LoomError) as raised:
        QuietHours(spans)
    assert raised.value.code == "USAGE"


def test_in_words() -> None:
    assert in_words(at("2026-11-21 22:00"), at("2026-11-22 07:00")) == "quiet hours until 07:00"
    assert in_words(at("2026-11-21 00:00"), at("2026-11-23 00:00")) == "quiet hours until Mon 00:00"


@pytest.fixture
def loom(tmp_path: Path) -> Iterator[LocalLoom]:
    with loom_in(tmp_path / "data") as loom:
        yield loom


def test_runs_stand_still_and_go_on_by_the_clock(loom: LocalLoom) -> None:
    now = at("2026-11-21 21:00")
    hush = Hush(QuietHours([NIGHT]), lambda: now)
    first, second = begin(loom), begin(loom)

    def paused_by(run: object) -> dict[str, tuple[str, Depth]]:
        (orders,) = [one for one in loom.orders("worker", [first, second]) if one.run == run]
        return {pause.owner: (pause.reason, pause.depth) for pause in orders.pauses}

    hush.steer(loom, [first])
    assert paused_by(first) == {}
    now = at("2026-11-21 22:00")
    hush.steer(loom, [first])
    hush.steer(loom, [first, second])
    quiet = {OWNER: ("quiet hours until 07:00", Depth.NODE)}
    assert (paused_by(first), paused_by(second)) == (quiet, quiet)
    loom.resume_run(second, OWNER)
    loom.pause_run(first, Pause(owner="ada", reason="", depth=Depth.NEW, since=1))
    hush.steer(loom, [first, second])
    assert paused_by(second) == {}, "somebody has lifted it by hand"
    now = at("2026-11-22 07:00")
    hush.steer(loom, [first, second])
    assert (list(paused_by(first)), paused_by(second)) == (["ada"], {})
    now = at("2026-11-22 22:00")
    hush.steer(loom, [first, second])
    assert (set(paused_by(first)), paused_by(second)) == ({"ada", OWNER}, quiet)
