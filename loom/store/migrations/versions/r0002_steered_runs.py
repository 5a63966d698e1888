"""Runs that are asked for and steered, failures that are set aside, what assets are looked for by, and the history of
locations."""

from __future__ import annotations

from alembic import op
from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, LargeBinary, SmallInteger, Text, text

from loom.store.outputs import METADATA, read
from loom.store.traits import traits_of

revision = "0002"
down_revision = "0001"

Key = BigInteger().with_variant(Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("runs", Column("heard", BigInteger))
    op.add_column("results", Column("aside", BigInteger))
    op.create_index("ix_assets_kind", "assets", ["kind"])
    op.drop_index("ix_locations_asset", "locations")
    op.create_index("ix_locations_asset_state", "locations", ["asset", "state"])
    _requests()
    _orders()
    _history()
    _positions()
    _traits()


def _requests() -> None:
    op.create_table(
        "run_requests",
        Column("id", Key, primary_key=True),
        Column("uuid", LargeBinary, nullable=False, unique=True),
        Column("pipeline", Text, nullable=False),
        Column("version", Integer, nullable=False),
        Column("document", Text, nullable=False),
        Column("queued", BigInteger, nullable=False),
        Column("after_run", BigInteger, nullable=False),
        Column("host", Text),
        Column("state", SmallInteger, nullable=False),
        Column("opened", SmallInteger, nullable=False),
        Column("claimed_by", Text),
        Column("lease", BigInteger),
        Column("ended", BigInteger),
        Column("error_code", Text),
        Column("error_message", Text),
        Index(None, "state", "queued"),
        Index(None, "opened", "after_run"),
    )


def _orders() -> None:
    op.create_table(
        "run_pauses",
        Column("run", LargeBinary, primary_key=True),
        Column("owner", Text, primary_key=True),
        Column("depth", SmallInteger, nullable=False),
        Column("reason", Text, nullable=False),
        Column("since", BigInteger, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "run_cancels",
        Column("run", LargeBinary, primary_key=True),
        Column("at", BigInteger, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "heartbeats",
        Column("worker", Text, primary_key=True),
        Column("host", Text, nullable=False),
        Column("heard", BigInteger, nullable=False),
        Column("resources", Text),
        sqlite_with_rowid=False,
    )


def _history() -> None:
    op.create_table(
        "location_changes",
        Column("id", Key, primary_key=True),
        Column("asset", Key, ForeignKey("assets.id"), nullable=False),
        Column("directory", Key, ForeignKey("directories.id"), nullable=False),
        Column("name", LargeBinary, nullable=False),
        Column("change", SmallInteger, nullable=False),
        Column("time", BigInteger, nullable=False),
        Column("mtime_ns", BigInteger, nullable=False),
        Column("to_directory", Key, ForeignKey("directories.id")),
        Column("to_name", LargeBinary),
        Index(None, "asset"),
    )


def _positions() -> None:
    """Which asset of a run was walked when is not known of runs so far: they get the order in which it came to be
    known."""
    op.add_column("outcomes", Column("position", Integer))
    op.execute(
        "UPDATE outcomes SET position = counted.position FROM (SELECT run, asset,"
        " row_number() OVER (PARTITION BY run ORDER BY asset) - 1 AS position FROM outcomes) AS counted"
        " WHERE counted.run = outcomes.run AND counted.asset = outcomes.asset"
    )
    op.create_index("ix_outcomes_run_position", "outcomes", ["run", "position"])


def _traits() -> None:
    op.create_table(
        "asset_traits",
        Column("asset", Key, ForeignKey("assets.id"), primary_key=True, nullable=False),
        Column("camera", Text, index=True),
        Column("year", Integer, index=True),
        sqlite_with_rowid=False,
    )
    connection = op.get_bind()
    stored = connection.execute(
        text(
            "SELECT results.asset, results.outputs FROM results JOIN signatures ON signatures.id = results.signature"
            " WHERE signatures.operator = :operator AND results.state = 1 ORDER BY results.finished"
        ),
        {"operator": METADATA},
    )
    while rows := stored.fetchmany(10_000):
        connection.execute(
            text(
                "INSERT INTO asset_traits (asset, camera, year) VALUES (:asset, :camera, :year)"
                " ON CONFLICT (asset) DO UPDATE SET camera = excluded.camera, year = excluded.year"
            ),
            [{"asset": asset, **traits_of(read(outputs.encode()))._asdict()} for asset, outputs in rows],
        )
