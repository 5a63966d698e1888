"""How a command ends: errors become one sentence on stderr and one of the pinned exit codes."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, TextIO

from loom.errors import NO_ROOM, LoomError

if TYPE_CHECKING:
    from pathlib import Path

    import typer

INTERRUPTED = 130
EXIT_CODES = (INTERRUPTED, 2, 5, 6, 1, 4, 3, 0)
"""A command ends with the first that applies."""

_ENDING_OPTIONS = frozenset({"version", "install_completion", "show_completion"})


def run(
    app: typer.Typer,
    arguments: Sequence[str] | None = None,
    *,
    on_usage: Callable[[str], None] | None = None,
    on_interrupt: Callable[[], None] | None = None,
) -> int:
    """Calls the command line; returns the exit code. `on_usage` is told why it cannot be understood, before it is said;
    `on_interrupt` is called when a command left it to others to tell of an interrupt."""
    return ended(lambda: _call(app, arguments, on_usage, on_interrupt))


def ended(command: Callable[[], int]) -> int:
    """The exit code of a command once all that it wrote has left this process. With LOOM_DEBUG set, unexpected errors
    show their traceback."""
    _open_closed_streams()
    _lose_no_character(sys.stdout)
    try:
        code = command()
    except LoomError as error:
        code = _told(error)
    except KeyboardInterrupt:
        code = INTERRUPTED
    except OSError as error:
        code = _failed(_flush(sys.stdout) or error)
    except Exception as error:
        code = _unexpected(error)
    lost = _flush(sys.stdout)
    if lost is not None and first_that_applies(code, 1) != code:
        code = _failed(lost)
    _flush(sys.stderr)
    return code


def first_that_applies(*codes: int) -> int:
    return min(codes, key=EXIT_CODES.index)


def say(text: str) -> None:
    """A message for a person, if there is one who can hear it."""
    with suppress(OSError):
        sys.stderr.write(f"{in_lines(text)}\n")


def printable(text: str) -> str:
    """In one line what does a terminal no harm, as names of files may."""
    return "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in text)


def in_lines(text: str) -> str:
    """The same of a text of several lines."""
    return "\n".join(map(printable, text.split("\n")))


def in_utf8(stream: TextIO) -> TextIO:
    """The stream, from now on in UTF-8 whatever the locale says, for what programs read: JSON is nothing else."""
    if isinstance(stream, io.TextIOWrapper):
        stream.reconfigure(encoding="utf-8", errors="backslashreplace")
    return stream


def no_room(error: OSError) -> LoomError | None:
    """`DISK_FULL`, when that is what the system says."""
    if error.errno not in NO_ROOM:
        return None
    return LoomError("DISK_FULL", f"{error.filename or 'The output or a file'} cannot be written: {error.strerror}.")


def disk_full(folder: Path) -> LoomError:
    """`DISK_FULL`, when what was to be written into a folder had no room."""
    return LoomError(
        "DISK_FULL", f"There is no room left in {folder}: {room_in(folder)}, or a quota or limit is reached."
    )


def room_in(folder: Path) -> str:
    """How much is free where a folder is, or will be, in words."""
    import shutil

    with suppress(OSError):
        there = next(one for one in (folder, *folder.absolute().parents) if one.exists())
        return f"{shutil.disk_usage(there).free / 2**20:,.1f} MB of its disk are free"
    return "its disk is full"


def _open_closed_streams() -> None:
    """Who started us may have closed the standard streams; no file that is opened later may come to stand for one."""
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= 2:
        os.set_inheritable(descriptor, True)
    os.close(descriptor)
    sys.stdout = sys.stdout or os.fdopen(1, "w", encoding="utf-8", closefd=False)
    sys.stderr = sys.stderr or os.fdopen(2, "w", encoding="utf-8", closefd=False)


def _lose_no_character(stream: TextIO) -> None:
    """What the locale has no character for, in the name of a file for example, is shown by its number."""
    if isinstance(stream, io.TextIOWrapper) and stream.errors == "strict":
        stream.reconfigure(errors="backslashreplace")


def _call(
    app: typer.Typer,
    arguments: Sequence[str] | None,
    on_usage: Callable[[str], None] | None,
    on_interrupt: Callable[[], None] | None,
) -> int:
    import typer

    try:
        result = _command_of(app)(arguments, standalone_mode=False)
    except typer.Exit as end:
        return end.exit_code
    except (typer.Abort, KeyboardInterrupt):
        if on_interrupt is not None:
            on_interrupt()
        return INTERRUPTED
    except Exception as error:
        if on_usage is not None and callable(told := getattr(error, "format_message", None)):
            on_usage(told())
        raise
    return result if isinstance(result, int) else 0


def _command_of(app: typer.Typer) -> Callable[..., object]:
    """What prints something and ends has no environment twin: `LOOM_VERSION` is a name that people use otherwise."""
    from typer.main import get_command

    command = get_command(app)
    for parameter in command.params:
        if parameter.name in _ENDING_OPTIONS:
            vars(parameter)["allow_from_autoenv"] = False
    return command


def _flush(stream: TextIO) -> OSError | None:
    """Hands over what waits to be written; why that cannot be done. The interpreter would try again at its end, and
    complain, so that the stream leads nowhere then."""
    try:
        stream.flush()
    except OSError as error:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
        return OSError(error.errno, error.strerror, "The output")
    return None


def _told(error: LoomError) -> int:
    say(f"{error.code}: {error.message}")
    return error.exit_code


def _failed(error: OSError) -> int:
    if isinstance(error, BrokenPipeError):
        return 1  # whoever read our output has had enough, which needs no words
    told = no_room(error)
    return _unexpected(error) if told is None else _told(told)


def _unexpected(error: Exception) -> int:
    if callable(show := getattr(error, "show", None)):
        with suppress(OSError):
            show()  # wrong usage, as the command line library tells it
        return 2
    if os.environ.get("LOOM_DEBUG"):
        import traceback

        traceback.print_exception(error)
    say(f"INTERNAL: {type(error).__name__}: {error} (set LOOM_DEBUG=1 to see where)")
    return 1
