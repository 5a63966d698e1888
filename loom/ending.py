"""How a command ends: errors become one sentence on stderr and one of the pinned exit codes."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Sequence

import typer

from loom.errors import LoomError

INTERRUPTED = 130


def run(app: typer.Typer, arguments: Sequence[str] | None = None) -> int:
    """Calls the command line; returns the exit code. With LOOM_DEBUG set, unexpected errors show their traceback."""
    try:
        result = app(arguments, standalone_mode=False)
    except typer.Exit as end:
        return end.exit_code
    except (typer.Abort, KeyboardInterrupt):
        return INTERRUPTED
    except LoomError as error:
        say(f"{error.code}: {error.message}")
        return error.exit_code
    except BrokenPipeError:
        # the reader of our output is gone; keep the interpreter from writing to it once more
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except Exception as error:
        if callable(show := getattr(error, "show", None)):
            show()  # wrong usage, as the command line library tells it
            return 2
        if os.environ.get("LOOM_DEBUG"):
            traceback.print_exc()
        say(f"INTERNAL: {type(error).__name__}: {error} (set LOOM_DEBUG=1 to see where)")
        return 1
    return result if isinstance(result, int) else 0


def say(text: str) -> None:
    """A message for a person."""
    sys.stderr.write(f"{text}\n")
