"""Collections are found by asset; runs that have ended were heard of at their end."""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_index("ix_collection_assets_asset", "collection_assets", ["asset"])
    op.execute("UPDATE runs SET heard = finished WHERE heard IS NULL")
