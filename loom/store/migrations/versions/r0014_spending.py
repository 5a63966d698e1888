"""What a run has spent is kept with it. What earlier ones have spent stands in their results alone."""

from __future__ import annotations

from alembic import op
from sqlalchemy import Column, Text

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    op.add_column("runs", Column("spent", Text))
