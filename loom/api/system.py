"""What this server stands on: its database, its disk, its version."""

from __future__ import annotations

import platform
import shutil
from pathlib import Path
from typing import Annotated, Protocol

import msgspec
from fastapi import APIRouter, Depends
from starlette.requests import HTTPConnection
from starlette.responses import Response

from loom.api.answers import answer, route
from loom.store.about import About
from loom.store.values import shown_path
from loom.version import VERSION

router = APIRouter(tags=["health"])


class Standing(Protocol):
    """What a Loom in this process knows beyond the verbs."""

    def about(self) -> About: ...

    @property
    def blobs(self) -> Path: ...


class DatabaseShape(msgspec.Struct, frozen=True, kw_only=True):
    """`place` is a file, or host and name of the database; `bytes` is its size, `schema` the version of its tables."""

    kind: str
    place: str
    bytes: int
    schema: str


class DiskShape(msgspec.Struct, frozen=True, kw_only=True):
    """Where derived files are written. `free` and `total` in bytes."""

    path: str
    free: int
    total: int


class SystemShape(msgspec.Struct, frozen=True, kw_only=True):
    version: str
    python: str
    host: str
    database: DatabaseShape
    disk: DiskShape


def _standing(connection: HTTPConnection) -> Standing:
    loom: Standing = connection.app.state.loom
    return loom


@router.get("/system", **route(SystemShape))
def system(loom: Annotated[Standing, Depends(_standing)]) -> Response:
    """Version, host, database and disk of this server."""
    found = loom.about()
    shape = SystemShape(
        version=VERSION,
        python=platform.python_version(),
        host=platform.node(),
        database=DatabaseShape(kind=found.kind, place=found.place, bytes=found.size, schema=found.version),
        disk=_disk(loom.blobs),
    )
    return answer(shape)


def _disk(folder: Path) -> DiskShape:
    there = next(parent for parent in (folder, *folder.parents) if parent.exists())
    usage = shutil.disk_usage(there)
    return DiskShape(path=shown_path(bytes(folder)), free=usage.free, total=usage.total)
