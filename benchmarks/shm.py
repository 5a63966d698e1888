"""Frames from process to process through `cortex.shm`, side by side with what a user would pick instead.

    python benchmarks/shm.py [SECTION...] [--rounds N] [--json FILE]

one         one writer, one reader, copied in and out: pythusa (tuned, and as it comes), pipes, a queue, plain memcpy
readers     one writer, three readers
chain       three stages: written, looked at and written on, read
views       1920x1080x3 through a ring of at most 25 MB, copied in and looked at, against memcpy
trip        1 KiB to another process and back; ours blocks, pythusa spins
idle        CPU of a reader to whom nothing comes

Each frame is checked by its content; a frame of ours that is missing or torn fails the run. Ratios are taken round
by round; frames/s of several readers are those of the slowest. pythusa is installed into an environment of its own.
"""

from __future__ import annotations

import statistics
import subprocess
from collections.abc import Sequence
from typing import Any

from figures import Figure, report
from shmplayers import CASES
from shmstage import SYSTEMS, Stage, peer_python

SECONDS, WARM_SECONDS, IDLE_SECONDS = 0.5, 0.2, 2.0
OURS, TUNED, DEFAULTS = "cortex.shm", "pythusa tuned", "pythusa defaults"

GOALS: dict[tuple[str, str], Sequence[float]] = {
    ("one", TUNED): (3, 1.5, 1.2, 1.0),
    ("one", DEFAULTS): (80, 20, 1.6, 1.0),
    ("readers", TUNED): (3, 1.5, 1.1, 1.0),
    ("chain", TUNED): (3, 1.5, 1.1, 1.0),
    ("views", "memcpy"): (0.95,),
}
"""How many times as many frames as another, by size."""

Found = list[dict[str, Any]]
"""What each player of one run found."""

faults: dict[str, float] = {}
"""Of each system: frames missing or torn."""


def _present(*wanted: str) -> list[str]:
    """Without pythusa where it does not install."""
    try:
        peer_python()
    except (OSError, subprocess.SubprocessError) as error:
        said = str(getattr(error, "stderr", None) or error).strip().splitlines()[-1]
        print(f"  pythusa is left out: {said[:200]}")
        return [name for name in wanted if not name.startswith("pythusa")]
    return list(wanted)


def _play(case: str, systems: list[str], rounds: int, seconds: float = SECONDS) -> dict[tuple[str, str], list[Found]]:
    """By size and system, all rounds, after one that only warms up."""
    found: dict[tuple[str, str], list[Found]] = {}
    with Stage(case, systems) as stage:
        print("  Python: " + ", ".join(f"{system} {stage.python(system)}" for system in systems), flush=True)
        for size in CASES[case].sizes:
            for system in systems:
                _counted(system, stage.run(system, size, WARM_SECONDS))
            for _ in range(rounds):
                for system in systems:
                    found.setdefault((size, system), []).append(_counted(system, stage.run(system, size, seconds)))
    return found


def _counted(system: str, players: Found) -> Found:
    """Adds to the faults of a system: what readers found wrong, and frames that did not come at all."""
    wrong = sum(player.get("gaps", 0) + player.get("torn", 0) for player in players)
    faults[system] = faults.get(system, 0) + wrong
    return players


def _rate(players: Found) -> float:
    """Frames a second, from the first one's writing to the last one's reading."""
    start: float = next(player["start"] for player in players if "start" in player)
    return min(float(player["frames"] / (player["end"] - start)) for player in players if "end" in player)


def _figure(name: str, rate: float) -> Figure:
    return Figure(name, rate / 1000, "k/s") if rate >= 10_000 else Figure(name, rate, "/s")


def _flow(case: str, wanted: Sequence[str], rounds: int) -> list[Figure]:
    systems = _present(*wanted)
    found = _play(case, systems, rounds)
    figures = []
    for number, size in enumerate(CASES[case].sizes):
        rates = {system: [_rate(players) for players in found[size, system]] for system in systems}
        figures += [_figure(f"{size}: {system}", statistics.median(rates[system])) for system in systems]
        for system in systems[1:]:
            ratio = statistics.median(a / b for a, b in zip(rates[OURS], rates[system], strict=True))
            goals = GOALS.get((case, system))
            figures.append(Figure(f"{size}: {OURS} / {system}", ratio, "x", least=goals[number] if goals else None))
    return figures + _whole(systems)


def _whole(systems: Sequence[str]) -> list[Figure]:
    return [
        Figure(f"{system}: frames missing or torn so far", faults[system], "", 0 if system == OURS else None)
        for system in systems
    ]


def one(rounds: int) -> list[Figure]:
    return _flow("one", list(SYSTEMS), rounds)


def readers(rounds: int) -> list[Figure]:
    return _flow("readers", [OURS, TUNED], rounds)


def chain(rounds: int) -> list[Figure]:
    return _flow("chain", [OURS, TUNED], rounds)


def views(rounds: int) -> list[Figure]:
    return _flow("views", [OURS, TUNED, "memcpy"], rounds)


def trip(rounds: int) -> list[Figure]:
    systems = _present(OURS, TUNED, DEFAULTS, "Pipe.send_bytes")
    found = {system: runs for (_, system), runs in _play("trip", systems, rounds).items()}
    took = {
        (system, what): [next(player[what] for player in players if what in player) for players in found[system]]
        for system in systems
        for what in ("p50", "p99")
    }
    figures = [Figure(f"{system}, {what}", statistics.median(took[system, what]), "µs") for system, what in took]
    for peer in systems[1:]:
        ratio = statistics.median(a / b for a, b in zip(took[OURS, "p50"], took[peer, "p50"], strict=True))
        goal = 1.2 if peer.startswith("pythusa") else None
        figures.append(Figure(f"{OURS} blocking / {peer}, p50", ratio, "x", goal))
    return figures + _whole(systems)


def idle(rounds: int) -> list[Figure]:
    systems = _present(OURS, DEFAULTS)
    figures = []
    for (_, system), runs in _play("idle", systems, 1, IDLE_SECONDS).items():
        cpu = next(player["cpu"] for player in runs[0] if "cpu" in player)
        how = ", a look every millisecond" if system == DEFAULTS else ", blocked"
        figures.append(Figure(f"{system}{how}: CPU, of a core", cpu, "%", 1 if system == OURS else None))
    return figures


if __name__ == "__main__":
    sections = {"one": one, "readers": readers, "chain": chain, "views": views, "trip": trip, "idle": idle}
    report(__doc__, sections)
    if faults.get(OURS):
        raise SystemExit(f"{faults[OURS]:g} frames of {OURS} were missing or torn")
