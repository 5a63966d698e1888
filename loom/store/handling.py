"""Which failures a pipeline handles: those of nodes that an `ERROR` edge leaves."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
from sqlalchemy import Connection, select

from loom.model import Branch
from loom.store.statements import chunks
from loom.store.tables import pipeline_versions


def handled_nodes(connection: Connection, versions: Iterable[int]) -> dict[int, frozenset[str]]:
    """For each version of a pipeline, by its number in the database, the nodes whose failures it handles."""
    found: dict[int, frozenset[str]] = {}
    for piece in chunks(sorted(set(versions))):
        statement = select(pipeline_versions.c.id, pipeline_versions.c.definition)
        for number, text in connection.execute(statement.where(pipeline_versions.c.id.in_(piece))):
            edges = msgspec.json.decode(text)["graph"].get("edges", ())
            found[number] = frozenset(edge["from"]["node"] for edge in edges if edge.get("branch") == Branch.ERROR)
    return found
