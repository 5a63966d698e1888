"""Stored pipelines, checked before they are saved."""

from __future__ import annotations

from typing import Any

from loom.graph.specs import Operators
from loom.service.base import Holding, now_us
from loom.shapes import Page, PipelineShape
from loom.store import pipelines
from loom.verbs import PAGE


class LocalDefinitions(Holding):
    """See `loom.verbs.Definitions`."""

    def pipelines(self, *, limit: int = PAGE, cursor: str | None = None) -> Page[PipelineShape]:
        with self._database.read() as connection:
            return pipelines.page(connection, limit, cursor)

    def pipeline(self, name: str, version: int | None = None) -> PipelineShape:
        """With a version: also of a deleted pipeline, as long as runs refer to it."""
        with self._database.read() as connection:
            if version is None:
                return pipelines.current(connection, name)
            return pipelines.version(connection, name, version)

    def save_pipeline(self, definition: dict[str, Any], *, if_match: str | None = None) -> PipelineShape:
        """What is stored is the definition without what is at its default, so that writing a default out makes no new
        version."""
        document = checked(definition, self._operators)
        with self._database.write() as connection:
            return pipelines.save(connection, document, if_match, now_us())

    def never_had_pipelines(self) -> bool:
        """Whether no pipeline was ever saved here; one that was deleted counts."""
        with self._database.read() as connection:
            return pipelines.is_first(connection)

    def delete_pipeline(self, name: str, *, if_match: str | None = None) -> None:
        with self._database.write() as connection:
            pipelines.remove(connection, name, if_match)

    def pipeline_versions(self, name: str) -> list[PipelineShape]:
        with self._database.read() as connection:
            return pipelines.all_versions(connection, name)

    def restore_pipeline(self, name: str, version: int, *, if_match: str | None = None) -> PipelineShape:
        """Makes a new version that says what an old one said; brings a deleted pipeline back."""
        with self._database.write() as connection:
            old = pipelines.version(connection, name, version)
            return pipelines.save(connection, old.definition, if_match, now_us())


def checked(definition: dict[str, Any], operators: Operators) -> dict[str, Any]:
    """The definition as it is stored: without what is at its default. Raises `DefinitionError` with everything that
    is wrong with it; operators that are not known here are not."""
    from loom.graph.compiler import compile_definition
    from loom.graph.definition import parse
    from loom.graph.diagnostics import DefinitionError, errors

    diagnostics = compile_definition(definition, operators, unknown_operators="warning").diagnostics
    if errors(diagnostics):
        raise DefinitionError(diagnostics)
    return parse(definition).document()
