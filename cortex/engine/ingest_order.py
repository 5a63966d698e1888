"""What an ingest is to do."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import UUID

from cortex.engine.costs import Amount
from cortex.engine.headstart import HeadStart
from cortex.engine.limits import Limits
from cortex.engine.records import Lane
from cortex.sources.found import Found
from loom.model import Worker
from loom.verbs import Steering

if TYPE_CHECKING:
    from cortex.engine.intake import Intake


class Claim(NamedTuple):
    """A run that Loom has given to this worker; `worker` is the name that no other process has."""

    run: UUID
    worker: str


@dataclass(frozen=True, kw_only=True)
class Order:
    """What is to be done. `versions` are those of the lanes' pipelines, 0 for one that is not stored. `settles` is the
    digest under which files count as settled. `total` counts the source beforehand, None if told to end.
    `opens_late`: even a single run begins with its first asset, so that there is none where nothing is to be done.
    `concurrency`: how many files may be at a time in the steps of an operator, at a resource, or (`jobs`) in work.
    `disk_reserve`: where results are written, and the bytes that are to be left free there. `read_limit`: how many
    bytes of files are begun with in a second, 0 for any number. `steer` is called now and then with the runs that are
    at work, to pause them or to lift that. Found files go `through` something on their way to the intake. `doing` is
    the folder in which runs say that they are at work on files; in `scratch` workers leave what is too large for
    memory."""

    lanes: tuple[Lane, ...]
    versions: tuple[int, ...]
    definitions: tuple[Mapping[str, Any], ...]
    settles: bytes
    paths: tuple[bytes, ...]
    host: str
    worker: Worker
    jobs: int
    limits: Limits
    dry_run: bool = False
    recompute: frozenset[str] = frozenset()
    total: Callable[[threading.Event], Amount | None] | None = None
    head_start: HeadStart | None = None
    claim: Claim | None = None
    opens_late: bool = False
    concurrency: Mapping[str, int] = field(default_factory=dict)
    disk_reserve: tuple[Path, int] | None = None
    read_limit: int = 0
    steer: Callable[[Steering, Sequence[UUID]], None] | None = None
    doing: Path | None = None
    scratch: str | None = None
    through: Callable[[Iterator[Found], Intake], Iterator[Found]] = lambda found, _: found


@dataclass
class Ended:
    """How an ingest ended."""

    summary: dict[str, Any]
    exit_code: int
