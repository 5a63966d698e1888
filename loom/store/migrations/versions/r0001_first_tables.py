"""The first tables."""

from __future__ import annotations

from alembic import op
from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    Text,
    UniqueConstraint,
    text,
)

revision = "0001"
down_revision = None

Key = BigInteger().with_variant(Integer(), "sqlite")


def upgrade() -> None:
    _definitions()
    _runs()
    _assets()
    _results()


def _key() -> Column[int]:
    return Column("id", Key, primary_key=True)


def _refers(name: str, target: str, *, primary_key: bool = False) -> Column[int]:
    return Column(name, Key, ForeignKey(f"{target}.id"), primary_key=primary_key, nullable=False)


def _definitions() -> None:
    op.create_table("facts", Column("name", Text, primary_key=True), Column("value", Text, nullable=False))
    op.create_table(
        "pipelines",
        _key(),
        Column("name", Text, nullable=False, unique=True),
        Column("current", Integer),
        Column("latest", Integer, nullable=False),
    )
    op.create_table(
        "pipeline_versions",
        _key(),
        _refers("pipeline", "pipelines"),
        Column("number", Integer, nullable=False),
        Column("definition", Text, nullable=False),
        Column("etag", Text, nullable=False),
        Column("created", BigInteger, nullable=False),
        UniqueConstraint("pipeline", "number"),
    )
    op.create_table("plans", _key(), Column("digest", LargeBinary, nullable=False, unique=True))
    op.create_table("nodes", _key(), Column("name", Text, nullable=False, unique=True))
    op.create_table(
        "signatures",
        _key(),
        Column("digest", LargeBinary, nullable=False, unique=True),
        Column("operator", Text, nullable=False),
        Column("operator_version", Text, nullable=False),
    )
    op.create_table("step_lists", _key(), Column("digest", LargeBinary, nullable=False, unique=True))
    op.create_table(
        "steps",
        _refers("list", "step_lists", primary_key=True),
        Column("position", Integer, primary_key=True, autoincrement=False),
        _refers("node", "nodes"),
        _refers("signature", "signatures"),
        Index(None, "signature"),
        sqlite_with_rowid=False,
    )


def _runs() -> None:
    op.create_table(
        "workers",
        _key(),
        Column("digest", LargeBinary, nullable=False, unique=True),
        Column("name", Text, nullable=False),
        Column("versions", Text, nullable=False),
        Column("host", Text, nullable=False),
        Column("last_seen", BigInteger, nullable=False),
    )
    op.create_table(
        "worker_operators",
        _refers("worker", "workers", primary_key=True),
        Column("operator", Text, primary_key=True),
        Column("spec", Text, nullable=False),
    )
    op.create_table(
        "runs",
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
        Column("paths", LargeBinary, nullable=False),
        Index(None, "version"),
    )


def _assets() -> None:
    op.create_table(
        "assets",
        _key(),
        Column("blake3", LargeBinary, nullable=False, unique=True),
        Column("size", BigInteger, nullable=False, index=True),
        Column("mime", Text, nullable=False),
        Column("kind", Text, nullable=False),
        Column("first_seen", BigInteger, nullable=False),
    )
    op.create_table(
        "asset_hashes",
        _refers("asset", "assets", primary_key=True),
        Column("algorithm", Text, primary_key=True),
        Column("digest", LargeBinary, nullable=False, index=True),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "directories",
        _key(),
        Column("key", LargeBinary, nullable=False, unique=True),
        Column("host", Text, nullable=False),
        Column("path", LargeBinary, nullable=False),
    )
    op.create_table(
        "locations",
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
        Index(None, "asset"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "settled",
        _refers("asset", "assets", primary_key=True),
        _refers("plan", "plans", primary_key=True),
        sqlite_with_rowid=False,
    )


def _results() -> None:
    op.create_table(
        "results",
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
        Index(
            "ix_results_failed",
            "error_code",
            "node",
            sqlite_where=text("state = 2"),
            postgresql_where=text("state = 2"),
        ),
    )
    op.create_table(
        "artifacts",
        _key(),
        Column("digest", LargeBinary, nullable=False, unique=True),
        Column("media_type", Text, nullable=False),
        Column("size", BigInteger, nullable=False),
        Column("created", BigInteger, nullable=False),
    )
    op.create_table(
        "result_artifacts",
        Column("asset", Key, primary_key=True),
        Column("signature", Key, primary_key=True),
        Column("name", Text, primary_key=True),
        _refers("artifact", "artifacts"),
        ForeignKeyConstraint(["asset", "signature"], ["results.asset", "results.signature"]),
        Index(None, "artifact"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "outcomes",
        _refers("run", "runs", primary_key=True),
        _refers("asset", "assets", primary_key=True),
        Column("packed", LargeBinary, nullable=False),
        Column("failed", Integer, nullable=False),
        Index(
            "ix_outcomes_failed", "run", "asset", sqlite_where=text("failed > 0"), postgresql_where=text("failed > 0")
        ),
        sqlite_with_rowid=False,
    )
    op.create_table("collections", _key(), Column("name", Text, nullable=False, unique=True))
    op.create_table(
        "collection_assets",
        _refers("collection", "collections", primary_key=True),
        _refers("asset", "assets", primary_key=True),
        sqlite_with_rowid=False,
    )
