"""How far a list is told at a time."""

from __future__ import annotations

PAGE = 100
MAX_PAGE = 500
