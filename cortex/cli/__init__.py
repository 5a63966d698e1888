"""The `cortex` command."""

from __future__ import annotations

import sys


def main() -> None:
    """The entry point of the program; ends with one of the pinned exit codes."""
    arguments = sys.argv[1:]
    if arguments == ["--version"]:
        from loom.version import VERSION

        sys.stdout.write(f"cortex {VERSION}\n")
        return
    try:
        _end_as_with_ctrl_c()
        from cortex.cli.commands import app
        from loom.ending import run

        code = run(app, _with_recompute_value(arguments))
    except KeyboardInterrupt:
        code = 130
    sys.exit(code)


def _end_as_with_ctrl_c() -> None:
    """A service manager's SIGTERM means the same as Ctrl-C."""
    import signal

    signal.signal(signal.SIGTERM, signal.default_int_handler)


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
