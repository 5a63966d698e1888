"""The tables of work: runs that are asked for and steered, and the workers that execute them."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, SmallInteger, Table, Text

from loom.store.columns import key as _key
from loom.store.columns import metadata
from loom.store.columns import refers as _refers

# Runs that workers are to execute. `after_run`: the newest run of its time, which gives it a place in lists.
run_requests = Table(
    "run_requests",
    metadata,
    _key(),
    Column("uuid", LargeBinary, nullable=False, unique=True),
    Column("pipeline", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("document", Text, nullable=False),
    Column("queued", BigInteger, nullable=False),
    Column("after_run", BigInteger, nullable=False),
    Column("host", Text),  # NULL: any
    Column("state", SmallInteger, nullable=False),
    Column("opened", SmallInteger, nullable=False),  # whether it has a row in `runs`
    Column("claimed_by", Text),
    Column("lease", BigInteger),  # until when
    Column("ended", BigInteger),
    Column("error_code", Text),
    Column("error_message", Text),
    Index(None, "state", "queued"),
    Index(None, "opened", "after_run"),
)

run_pauses = Table(
    "run_pauses",
    metadata,
    Column("run", LargeBinary, primary_key=True),  # UUID
    Column("owner", Text, primary_key=True),
    Column("depth", SmallInteger, nullable=False),
    Column("reason", Text, nullable=False),
    Column("since", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

run_cancels = Table(
    "run_cancels",
    metadata,
    Column("run", LargeBinary, primary_key=True),  # UUID
    Column("at", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

# What kept a run from a file, a folder or a source; `runs.problems` counts all, not only those that are kept.
run_problems = Table(
    "run_problems",
    metadata,
    _refers("run", "runs", primary_key=True),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("path", LargeBinary, nullable=False),
    Column("code", Text, nullable=False),
    Column("message", Text, nullable=False),
    sqlite_with_rowid=False,
)

# What a worker's process last said, whatever its versions.
heartbeats = Table(
    "heartbeats",
    metadata,
    Column("worker", Text, primary_key=True),  # its name
    Column("host", Text, nullable=False),
    Column("heard", BigInteger, nullable=False),
    Column("resources", Text),
    sqlite_with_rowid=False,
)
