"""`cortex operator new`: a package with one operator, its test and its entry point, to begin from."""

from __future__ import annotations

import keyword
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Looks(StrEnum):
    """What the operator looks at at first: `any` at the bytes of every file."""

    ANY = "any"
    IMAGE = "image"
    TEXT = "text"


_OTHERS = frozenset({"cortex", "loom", "test", "conftest"})
"""Modules besides those of Python that would not be found any more."""
_TEMPLATES = Path(__file__).with_name("newoperator")


def new(
    name: Annotated[str, typer.Argument(metavar="ID", help="The operator's id, as in acme.word-count.")],
    kind: Annotated[Looks, typer.Option("--kind", help="What it looks at.")] = Looks.ANY,
    into: Annotated[
        Path | None, typer.Option("--into", metavar="FOLDER", help="Default: the id's last part, here.")
    ] = None,
) -> int:
    """Make a package with one operator that works, its test and its entry point, to be changed into your own."""
    from cortex.contract import OPERATOR_ID
    from loom.errors import LoomError

    if not OPERATOR_ID.fullmatch(name):
        raise LoomError("USAGE", f"{name!r} is no operator's id: lowercase letters, digits, hyphens and dots")
    package = name.rsplit(".", 1)[-1].replace("_", "-")
    folder = into or Path(package)
    _make(folder, _files(name, package, kind))
    module = _module(package)
    typer.echo(f"made {folder}: {module}.py, its test and pyproject.toml with its entry point")
    typer.echo(f"next: pip install -e {folder}; pytest {folder}; cortex operators {name}")
    return 0


def _files(operator: str, package: str, kind: Looks) -> dict[str, str]:
    """By name, what the package consists of."""
    module = _module(package)
    words = {
        "word-count": package,
        "word_count": module,
        "WordCount": "".join(part.capitalize() for part in module.split("_")),
        "example.operator": operator,
    }
    return {
        "pyproject.toml": _filled("pyproject.toml", words),
        f"{module}.py": _filled(f"{kind.value}.py", words),
        f"test_{module}.py": _filled(f"test_{kind.value}.py", words),
    }


def _module(package: str) -> str:
    name = package.replace("-", "_")
    taken = keyword.iskeyword(name) or name in sys.stdlib_module_names or name in _OTHERS
    return f"operator_{name}" if taken or not name.isidentifier() else name


def _filled(template: str, words: dict[str, str]) -> str:
    text = (_TEMPLATES / f"{template}.txt").read_text(encoding="utf-8")
    for word, meant in words.items():
        text = text.replace(word, meant)
    return text


def _make(folder: Path, files: dict[str, str]) -> None:
    from loom.errors import LoomError

    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise LoomError("NOT_EMPTY", f"{folder} is there already and not empty; nothing was written")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            (folder / name).write_text(text, encoding="utf-8")
    except OSError as error:
        raise LoomError("USAGE", f"cannot write {folder}: {error.strerror}") from error
