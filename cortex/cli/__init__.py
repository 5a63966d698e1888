"""The `cortex` command."""

from __future__ import annotations

import os
import sys

_TOO_EARLY = "Interrupted before anything was begun.\n"


def main() -> None:
    """The entry point of the program; ends with one of the pinned exit codes."""
    try:
        from cortex.cli.interrupting import end_at_once

        end_at_once(130, _TOO_EARLY)
    except KeyboardInterrupt:
        os.write(2, _TOO_EARLY.encode())
        os._exit(130)
    from cortex.engine.garbage import look_no_more, look_seldom

    look_seldom()
    arguments = sys.argv[1:]
    if arguments == ["--version"]:
        from loom.ending import ended

        sys.exit(ended(_print_version))
    from cortex.cli.commands import make_app
    from loom.ending import run

    code = run(
        make_app(arguments),
        _with_recompute_value(arguments),
        on_usage=_tell_program if "ingest" in arguments and "--json" in arguments else None,
        on_interrupt=_tell_how_to_go_on,
    )
    end_at_once(code, "")
    look_no_more()
    sys.exit(code)


def _tell_program(message: str) -> None:
    """Who reads JSON lines is told of wrong usage in them too."""
    from cortex.report.lines import LineReporter

    LineReporter().error("USAGE", message, 2)


def _tell_how_to_go_on() -> None:
    """Of a command that was interrupted before it could say so itself."""
    from cortex.request import Request
    from loom.ending import say

    say(Request().interrupted(dry_run="--dry-run" in sys.argv) if "ingest" in sys.argv[1:] else "Interrupted.")


def _print_version() -> int:
    from loom.version import VERSION

    sys.stdout.write(f"cortex {VERSION}\n")
    return 0


def _with_recompute_value(arguments: list[str]) -> list[str]:
    """`--recompute` may stand alone: then it means all nodes. What follows it is its value unless it is an option or
    a path that exists."""
    from pathlib import Path

    told: list[str] = []
    for index, argument in enumerate(arguments):
        told.append(argument)
        if argument == "--recompute":
            following = arguments[index + 1 : index + 2]
            if not following or following[0].startswith("-") or "/" in following[0] or Path(following[0]).exists():
                told.append("all")
    return told
