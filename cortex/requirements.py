"""What operators need on the machine besides the product, and how to say that it is missing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from importlib.util import find_spec
from pathlib import Path
from shutil import which

from loom.errors import LoomError
from loom.graph.specs import Requirement


def missing(requirements: Iterable[Requirement]) -> list[Requirement]:
    """Those that this machine does not have."""
    return [requirement for requirement in requirements if not _is_there(requirement)]


def demand(requirements: Iterable[Requirement]) -> None:
    """Raises `REQUIREMENT_MISSING`, with what to install, for the first of those that is missing and not optional."""
    for requirement in missing(requirements):
        if not requirement.optional:
            raise LoomError("REQUIREMENT_MISSING", sentence(requirement))


def sentence(requirement: Requirement) -> str:
    """That it is missing, and what to type to get it."""
    return _said([requirement])


def sentences(requirements: Iterable[Requirement]) -> list[tuple[str, bool]]:
    """The same of several, with whether some assets go without: packages that one command brings are one sentence."""
    together: dict[tuple[str, str | None, bool], list[Requirement]] = {}
    for one in requirements:
        alone = None if one.kind == "package" else one.name
        together.setdefault((one.kind, alone or to_install(one), one.optional), []).append(one)
    return [(_said(ones), optional) for (_, _, optional), ones in together.items()]


def to_install(requirement: Requirement) -> str | None:
    """What to type to get it, None where nothing is known."""
    return requirement.install or (f"pip install 'loom-cortex[{requirement.extra}]'" if requirement.extra else None)


def _said(alike: Sequence[Requirement]) -> str:
    kind, names = alike[0].kind, ", ".join(one.name for one in alike)
    if kind == "model":
        missing = f"there is no file {names}"
    elif len(alike) == 1:
        missing = f"the {kind} {names} is not installed"
    else:
        missing = f"the {kind}s {names} are not installed"
    typed = to_install(alike[0])
    return missing if typed is None else f"{missing}: {typed}"


def _is_there(requirement: Requirement) -> bool:
    if requirement.kind == "package":
        return _is_importable(requirement.name)
    if requirement.kind == "program":
        return which(requirement.name) is not None
    return Path(requirement.name).expanduser().exists()


def _is_importable(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except (ImportError, ValueError):
        return False
