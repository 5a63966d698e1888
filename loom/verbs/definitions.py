"""What one can ask of Loom about pipelines."""

from __future__ import annotations

from typing import Any, Protocol

from loom.shapes import Page, PipelineShape
from loom.verbs.listing import PAGE


class Definitions(Protocol):
    """Stored pipelines. Every save that changes something makes a new immutable version."""

    def pipelines(self, *, limit: int = PAGE, cursor: str | None = None) -> Page[PipelineShape]: ...

    def pipeline(self, name: str, version: int | None = None) -> PipelineShape: ...

    def save_pipeline(self, definition: dict[str, Any], *, if_match: str | None = None) -> PipelineShape:
        """Raises `DEFINITION_INVALID` (a `DefinitionError` with its diagnostics), `VERSION_CONFLICT` when `if_match`
        is not the etag of the current version (`*`: there must be one)."""
        ...

    def delete_pipeline(self, name: str, *, if_match: str | None = None) -> None:
        """Raises `NOT_FOUND`, and `VERSION_CONFLICT` as `save_pipeline`."""
        ...

    def pipeline_versions(self, name: str) -> list[PipelineShape]: ...

    def restore_pipeline(self, name: str, version: int, *, if_match: str | None = None) -> PipelineShape:
        """Raises `NOT_FOUND`, and `VERSION_CONFLICT` as `save_pipeline`."""
        ...
