"""Models as options: a file with its SHA-256, or one that a package carries. Nothing is ever downloaded."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict, Field, field_validator

from loom.errors import LoomError
from loom.graph.specs import Requirement

_PIECE = 1 << 20


class ModelFile(BaseModel):
    """A model in a file. A result is reused as long as path and SHA-256 are the same."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    path: str = Field(max_length=4096, description="Of the file, from / or ~ on")
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$", description="Of the file, as `sha256sum` prints it")

    @field_validator("path")
    @classmethod
    def _from_the_root(cls, path: str) -> str:
        if not path.startswith(("/", "~")):
            raise ValueError("give the whole path, from / or ~ on: a worker may run in any folder")
        return path


class Carried(NamedTuple):
    """A model that a package has in it: the package by the name under which it is imported, the file below its folder,
    and what to type to install it."""

    package: str
    file: str
    sha256: str
    install: str


def requirement(model: ModelFile | str, carried: Mapping[str, Carried]) -> Requirement:
    """What must be there for a model: its file, or the package of the one of `carried` that it names."""
    if isinstance(model, ModelFile):
        return Requirement(kind="model", name=model.path)
    return Requirement(kind="package", name=carried[model].package, install=carried[model].install)


def checked_file(model: ModelFile | str, carried: Mapping[str, Carried]) -> Path:
    """Where the model lies, after its SHA-256 was checked. Raises `REQUIREMENT_MISSING` when it is missing, cannot be
    read or is another."""
    if isinstance(model, ModelFile):
        path, expected = Path(model.path).expanduser(), model.sha256
    else:
        path, expected = _in_package(carried[model]), carried[model].sha256
    try:
        found = _sha256(path)
    except OSError as error:
        raise LoomError("REQUIREMENT_MISSING", f"the model {path} cannot be read: {error.strerror}") from error
    if found != expected:
        raise LoomError("REQUIREMENT_MISSING", f"{path} is not the model that was named: its SHA-256 is {found}")
    return path


def _in_package(model: Carried) -> Path:
    package = find_spec(model.package)
    if package is None or package.origin is None:
        raise LoomError(
            "REQUIREMENT_MISSING",
            f"the package {model.package}, which has the model, is not installed: {model.install}",
        )
    return Path(package.origin).parent / model.file


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            digest.update(piece)
    return digest.hexdigest()
