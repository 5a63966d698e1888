"""Assets that are settled tell whether some node had failed on them."""

from __future__ import annotations

from alembic import op
from sqlalchemy import Column, SmallInteger

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.add_column("settled", Column("failed", SmallInteger, nullable=False, server_default="0"))
    op.execute(
        "UPDATE settled SET failed = 1 WHERE (asset, plan) IN (SELECT results.asset, runs.settles FROM results"
        " JOIN steps ON steps.signature = results.signature JOIN runs ON runs.steps = steps.list"
        " WHERE results.state = 2)"
    )
