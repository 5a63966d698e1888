"""The tables. Integer keys inside, digests and UUIDs at the edge, times in microseconds since 1970, names as bytes.

The migrations build them; a test compares both. Conditions of indexes stand here for SQLite alone: to name the other
database would load its dialect at every start. Codes of states and verdicts stand in `values.py`.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from loom.store.columns import Key
from loom.store.columns import key as _key
from loom.store.columns import metadata as metadata
from loom.store.columns import refers as _refers
from loom.store.fingerprinttables import fingerprints as fingerprints
from loom.store.grouptables import asset_group_members as asset_group_members
from loom.store.grouptables import asset_groups as asset_groups
from loom.store.lookuptables import asset_colours as asset_colours
from loom.store.lookuptables import asset_texts as asset_texts
from loom.store.lookuptables import asset_traits as asset_traits
from loom.store.reviewtables import actions as actions
from loom.store.reviewtables import duplicate_files as duplicate_files
from loom.store.reviewtables import duplicate_members as duplicate_members
from loom.store.reviewtables import duplicates as duplicates
from loom.store.sourcetables import limits as limits
from loom.store.sourcetables import sources as sources
from loom.store.vectortables import people as people
from loom.store.vectortables import people_apart as people_apart
from loom.store.vectortables import vectors as vectors
from loom.store.worktables import heartbeats as heartbeats
from loom.store.worktables import run_cancels as run_cancels
from loom.store.worktables import run_pauses as run_pauses
from loom.store.worktables import run_problems as run_problems
from loom.store.worktables import run_requests as run_requests

facts = Table("facts", metadata, Column("name", Text, primary_key=True), Column("value", Text, nullable=False))

pipelines = Table(
    "pipelines",
    metadata,
    _key(),
    Column("name", Text, nullable=False, unique=True),
    Column("current", Integer),  # number of the current version; NULL: deleted
    Column("latest", Integer, nullable=False),  # last number given, whether or not that version is still kept
)

pipeline_versions = Table(
    "pipeline_versions",
    metadata,
    _key(),
    _refers("pipeline", "pipelines"),
    Column("number", Integer, nullable=False),
    Column("definition", Text, nullable=False),
    Column("etag", Text, nullable=False),
    Column("created", BigInteger, nullable=False),
    UniqueConstraint("pipeline", "number"),
)

plans = Table("plans", metadata, _key(), Column("digest", LargeBinary, nullable=False, unique=True))

nodes = Table("nodes", metadata, _key(), Column("name", Text, nullable=False, unique=True))

signatures = Table(
    "signatures",
    metadata,
    _key(),
    Column("digest", LargeBinary, nullable=False, unique=True),
    Column("operator", Text, nullable=False),
    Column("operator_version", Text, nullable=False),
)

# The steps of a run, in the order that unpacks its outcomes. Two runs under one plan digest may name nodes differently.
step_lists = Table("step_lists", metadata, _key(), Column("digest", LargeBinary, nullable=False, unique=True))

steps = Table(
    "steps",
    metadata,
    _refers("list", "step_lists", primary_key=True),
    Column("position", Integer, primary_key=True, autoincrement=False),
    _refers("node", "nodes"),
    _refers("signature", "signatures"),
    Index(None, "signature"),
    sqlite_with_rowid=False,
)

# One row for each name and set of versions, so that a result keeps telling what made it.
workers = Table(
    "workers",
    metadata,
    _key(),
    Column("digest", LargeBinary, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("versions", Text, nullable=False),
    Column("host", Text, nullable=False),
    Column("last_seen", BigInteger, nullable=False),
)

worker_operators = Table(
    "worker_operators",
    metadata,
    _refers("worker", "workers", primary_key=True),
    Column("operator", Text, primary_key=True),
    Column("spec", Text, nullable=False),
)

runs = Table(
    "runs",
    metadata,
    _key(),
    Column("uuid", LargeBinary, nullable=False, unique=True),
    _refers("version", "pipeline_versions"),
    _refers("worker", "workers"),
    Column("host", Text, nullable=False),
    _refers("plan", "plans"),
    _refers("settles", "plans"),
    _refers("steps", "step_lists"),
    Column("state", SmallInteger, nullable=False),
    Column("started", BigInteger, nullable=False),
    Column("finished", BigInteger),
    Column("asset_counts", Text, nullable=False),
    Column("node_counts", Text, nullable=False),
    Column("bytes_read", BigInteger, nullable=False),
    Column("paths", LargeBinary, nullable=False),  # separated by NUL
    Column("heard", BigInteger),  # when its worker last asked for orders, give or take some seconds
    Column("problems", Integer, nullable=False, server_default="0"),
    Column("gone_on", BigInteger),  # when it was claimed once more after it had begun
    Column("walked_before", Integer),  # how many assets it had walked then
    Column("spent", Text),  # JSON, as `spending.Spent`
    Index(None, "version"),
)

assets = Table(
    "assets",
    metadata,
    _key(),
    Column("blake3", LargeBinary, nullable=False, unique=True),
    Column("size", BigInteger, nullable=False, index=True),
    Column("mime", Text, nullable=False),
    Column("kind", Text, nullable=False, index=True),
    Column("first_seen", BigInteger, nullable=False),
)

asset_hashes = Table(
    "asset_hashes",
    metadata,
    _refers("asset", "assets", primary_key=True),
    Column("algorithm", Text, primary_key=True),
    Column("digest", LargeBinary, nullable=False, index=True),
    sqlite_with_rowid=False,
)

# `key` is `key_of(host, path)`: paths may be longer than an index takes.
directories = Table(
    "directories",
    metadata,
    _key(),
    Column("key", LargeBinary, nullable=False, unique=True),
    Column("host", Text, nullable=False),
    Column("path", LargeBinary, nullable=False),
)

locations = Table(
    "locations",
    metadata,
    _refers("directory", "directories", primary_key=True),
    Column("name", LargeBinary, primary_key=True),
    _refers("asset", "assets"),
    Column("size", BigInteger, nullable=False),
    Column("mtime_ns", BigInteger, nullable=False),
    Column("inode", BigInteger, nullable=False),
    Column("device", BigInteger, nullable=False),
    Column("state", SmallInteger, nullable=False),
    Column("trusted", SmallInteger, nullable=False),
    Column("first_seen", BigInteger, nullable=False),
    Column("last_seen", BigInteger, nullable=False),
    Column("folded", Text, nullable=False),
    Index(None, "asset", "state"),
    sqlite_with_rowid=False,
)

# What became of the bytes of an asset at a place. That they were found there is not written down as long as nothing
# else happened: `locations.first_seen` says it.
location_changes = Table(
    "location_changes",
    metadata,
    _key(),
    _refers("asset", "assets"),
    _refers("directory", "directories"),
    Column("name", LargeBinary, nullable=False),
    Column("change", SmallInteger, nullable=False),
    Column("time", BigInteger, nullable=False),
    Column("mtime_ns", BigInteger, nullable=False),  # of the file that lay there
    Column("to_directory", Key, ForeignKey("directories.id")),  # where it was moved
    Column("to_name", LargeBinary),
    Index(None, "asset"),
    Index(None, "directory"),
    Index(None, "to_directory"),
)

settled = Table(
    "settled",
    metadata,
    _refers("asset", "assets", primary_key=True),
    _refers("plan", "plans", primary_key=True),
    Column("failed", SmallInteger, nullable=False, server_default="0"),  # whether some node of the asset had failed
    sqlite_with_rowid=False,
)

results = Table(
    "results",
    metadata,
    _refers("asset", "assets", primary_key=True),
    _refers("signature", "signatures", primary_key=True),
    _refers("run", "runs"),
    _refers("node", "nodes"),
    Column("state", SmallInteger, nullable=False),
    Column("verdict", SmallInteger),
    Column("outputs", Text, nullable=False),
    Column("error_code", Text),
    Column("error_message", Text),
    Column("duration_us", BigInteger, nullable=False),
    Column("finished", BigInteger, nullable=False),
    Column("aside", BigInteger),  # since when this failure is known and left
    Column("cause", Text),  # of a failure: `causes.cause_of` its message
    Index("ix_results_failed", "error_code", "node", sqlite_where=text("state = 2")),
)

artifacts = Table(
    "artifacts",
    metadata,
    _key(),
    Column("digest", LargeBinary, nullable=False, unique=True),
    Column("media_type", Text, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("created", BigInteger, nullable=False),  # when its bytes were last handed in
)

result_artifacts = Table(
    "result_artifacts",
    metadata,
    Column("asset", Key, primary_key=True),
    Column("signature", Key, primary_key=True),
    Column("name", Text, primary_key=True),
    _refers("artifact", "artifacts"),
    ForeignKeyConstraint(["asset", "signature"], ["results.asset", "results.signature"]),
    Index(None, "artifact"),
    sqlite_with_rowid=False,
)

outcomes = Table(
    "outcomes",
    metadata,
    _refers("run", "runs", primary_key=True),
    _refers("asset", "assets", primary_key=True),
    Column("packed", LargeBinary, nullable=False),
    Column("failed", Integer, nullable=False),
    Column("position", Integer),  # of the asset among those that the run has walked, from 0 and without gaps
    Index(None, "run", "position"),
    Index("ix_outcomes_failed", "run", "asset", sqlite_where=text("failed > 0")),
    sqlite_with_rowid=False,
)

collections = Table("collections", metadata, _key(), Column("name", Text, nullable=False, unique=True))

collection_assets = Table(
    "collection_assets",
    metadata,
    _refers("collection", "collections", primary_key=True),
    _refers("asset", "assets", primary_key=True),
    Index(None, "asset"),
    sqlite_with_rowid=False,
)
