"""How much a command says on stderr: options that every command of both programs takes."""

from __future__ import annotations

import functools
import inspect
import logging
from collections.abc import Callable
from typing import Annotated, Any

import typer

_OURS = ("cortex", "loom")
_LEVELS = (logging.WARNING, logging.INFO, logging.DEBUG)
_VERBOSE = Annotated[int, typer.Option("--verbose", "-v", count=True, help="Say more; twice: for developers too.")]
_QUIET = Annotated[bool, typer.Option("--quiet", "-q", help="Only errors.")]


def speaking(command: Callable[..., int]) -> Callable[..., int]:
    """The command with `--verbose` and `--quiet`; it is told of the latter if it asks for it."""
    signature = inspect.signature(command, eval_str=True)
    knows_quiet = "quiet" in signature.parameters

    @functools.wraps(command)
    def call(*arguments: Any, verbose: int = 0, quiet: bool = False, **options: Any) -> int:
        if verbose:
            speak(_LEVELS[min(verbose, 2)])
        elif quiet:
            speak(logging.ERROR)
        if knows_quiet:
            options["quiet"] = quiet
        try:
            return command(*arguments, **options)
        except KeyboardInterrupt as error:
            raise typer.Abort from error  # the library would end with a plain code, as if the command had done so

    more = {"verbose": (_VERBOSE, 0), **({} if knows_quiet else {"quiet": (_QUIET, False)})}
    added = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)
        for name, (annotation, default) in more.items()
    ]
    parameters = [*signature.parameters.values(), *added]
    call.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
    call.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return call


def speak(level: int) -> None:
    """What the product and its operators log from this level on is said on stderr; of other libraries, warnings."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    for name in _OURS:
        logging.getLogger(name).setLevel(level)
