"""What the benchmarks have in common: figures with their goals, sections that can be asked for, a report."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from measure import machine


class Figure(NamedTuple):
    """`goal`: the most that it may be; `least`: the least."""

    name: str
    value: float
    unit: str
    goal: float | None = None
    least: float | None = None

    def line(self) -> str:
        goal = ""
        if self.goal is not None:
            goal = f"goal {self.goal:g}  {'reached' if self.value <= self.goal else 'MISSED'}"
        elif self.least is not None:
            goal = f"goal at least {self.least:g}  {'reached' if self.value >= self.least else 'MISSED'}"
        return f"  {self.name:<58} {self.value:>10.4g} {self.unit:<4} {goal}".rstrip()


Section = Callable[[int], list[Figure]]
"""Is told how many rounds to make."""


def report(about: str | None, sections: Mapping[str, Section]) -> None:
    """The command line of a benchmark, whose docstring is `about`."""
    parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sections", nargs="*", metavar="SECTION", help="default: all")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", type=Path, metavar="FILE")
    options = parser.parse_args()
    if unknown := set(options.sections) - set(sections):
        parser.error(f"no section {', '.join(sorted(unknown))}")
    found: dict[str, Any] = {"machine": machine(), "rounds": options.rounds}
    print(", ".join(f"{name} {value}" for name, value in found["machine"].items()))
    for name in options.sections or sections:
        print(f"\n{name}", flush=True)
        figures = sections[name](options.rounds)
        print("\n".join(figure.line() for figure in figures), flush=True)
        found[name] = [figure._asdict() for figure in figures]
    if options.json:
        options.json.write_text(json.dumps(found, indent=2) + "\n")
