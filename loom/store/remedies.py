"""What helps when something is not what the database says of it: a sentence with the command."""

from __future__ import annotations

import os
import shlex

from sqlalchemy import Connection, case, select

from loom.store.tables import (
    artifacts,
    directories,
    locations,
    nodes,
    pipeline_versions,
    pipelines,
    result_artifacts,
    results,
    runs,
)
from loom.store.values import PRESENT, clean, join_path, shown_path

DATABASE = "Put the newest backup back into an empty data folder: LOOM_DATA_DIR=NEW loom restore FILE"

INTERRUPTED = "Any cortex ingest on this machine finds out first what became of it"


def of_artifact(connection: Connection, digest: bytes, host: str) -> str:
    """For a derived file that is not there or not whole."""
    row = connection.execute(
        select(pipelines.c.name.label("pipeline"), nodes.c.name, directories.c.path, locations.c.name.label("file"))
        .select_from(artifacts)
        .join(result_artifacts, result_artifacts.c.artifact == artifacts.c.id)
        .join(
            results,
            (results.c.asset == result_artifacts.c.asset) & (results.c.signature == result_artifacts.c.signature),
        )
        .join(nodes, nodes.c.id == results.c.node)
        .join(runs, runs.c.id == results.c.run)
        .join(pipeline_versions, pipeline_versions.c.id == runs.c.version)
        .join(pipelines, pipelines.c.id == pipeline_versions.c.pipeline)
        .join(locations, locations.c.asset == results.c.asset)
        .join(directories, directories.c.id == locations.c.directory)
        .where(artifacts.c.digest == digest, directories.c.host == clean(host))
        .order_by(case((locations.c.state == PRESENT, 0), else_=1), directories.c.path, locations.c.name)
        .limit(1)
    ).first()
    if row is None:
        return "No result names it any more, or its original lies on another machine: loom prune"
    path = _quoted(join_path(row.path, row.file))
    return f"Make it anew: cortex ingest {path} --pipeline {row.pipeline} --recompute {row.name}"


def of_changed(path: bytes) -> str:
    """For an original that has another size."""
    return f"If it was meant to change, take it up as it is: cortex ingest {_quoted(path)}"


def of_missing(path: bytes) -> str:
    """For a file or folder that is gone."""
    folder = _quoted(os.path.dirname(path) or b"/")
    return (
        f"If it was moved, cortex ingest WHERE-IT-IS; if it was deleted, cortex ingest {folder} --gone {_quoted(path)}"
    )


def of_rot(path: bytes) -> str:
    """For an original whose bytes have become others by themselves."""
    quoted = _quoted(path)
    return (
        f"Put it back from a copy (cortex show {quoted} lists those that are known);"
        f" to take it as it is: cortex ingest {quoted} --rehash"
    )


def _quoted(path: bytes) -> str:
    """As a shell takes it; bytes that cannot be shown are replaced."""
    return shlex.quote(shown_path(path))
