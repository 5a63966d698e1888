"""Failures picked on the command line: by asset and time, to be listed, tried again or set aside."""

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

Cortex = Callable[..., Any]
NOTHING = "no failures\n"


@pytest.mark.slow
def test_failures_are_picked_by_asset_and_time(cortex: Cortex, library: Path) -> None:
    (library / "also broken.jpg").write_bytes((library / "one.jpg").read_bytes()[:2000])
    cortex("ingest", library, "--json")
    today = datetime.now()
    tomorrow = (today + timedelta(days=1)).strftime("%Y-%m-%d")
    yesterday = (today - timedelta(days=1)).strftime("%Y-%m-%dT%H:%M")
    assert "     2  FILE_" in cortex("failures").out
    assert cortex("failures", "--since", tomorrow).out == cortex("failures", "--until", yesterday).out == NOTHING
    assert "     2  FILE_" in cortex("failures", "--since", yesterday, "--until", tomorrow).out
    one = cortex("failures", "--asset", library / "broken.jpg").out
    assert "     1  FILE_" in one
    assert str(library / "broken.jpg") in one
    assert cortex("failures", "--asset", library / "one.jpg").out == NOTHING
    assert cortex("failures", "--asset", library / "not there.jpg").code == 1
    retried = cortex("failures", "--retry", "--asset", library / "broken.jpg", "--json")
    assert retried.summary["nodes"]["thumbnail"]["failed"] == 1, retried.err
    assert cortex("failures", "--since", "soon").code == 2
    nothing = cortex("failures", "--retry", "--since", tomorrow)
    assert (nothing.code, nothing.err) == (0, "no failure is to be tried again\n")


def test_failures_are_set_aside_and_shown_when_asked_for(cortex: Cortex, library: Path) -> None:
    cortex("ingest", library, "--json")
    assert cortex("failures", "--retry", "--set-aside").code == 2
    told = cortex("failures", "--set-aside", "--node", "thumbnail")
    assert "1 failure was set aside" in told.out, told.err
    assert cortex("failures").out == NOTHING
    assert cortex("failures", "--set-aside", "--json").out == '{"set_aside": 0}\n'
    assert "broken.jpg" in cortex("failures", "--aside").out


def test_odd_names_do_a_terminal_no_harm(cortex: Cortex, library: Path) -> None:
    (library / "broken.jpg").rename(library / "a\x1b[31mred\nFAKE.jpg")
    cortex("ingest", library, "--json")
    listed = cortex("failures").out
    assert "a\\x1b[31mred\\x0aFAKE.jpg" in listed
    assert "\x1b" not in listed
    long = cortex("show", "a" * 5000)
    assert (long.code, long.err.split(":")[0]) == (1, "NOT_FOUND")
