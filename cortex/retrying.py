"""Failures that are to be tried again: forgotten, and their files visited with what failed on them."""

from __future__ import annotations

import platform
from collections import defaultdict
from contextlib import suppress
from functools import lru_cache
from typing import TYPE_CHECKING

from cortex.app import ingest_paths
from cortex.catalogue import load
from cortex.engine.scheme import compile_plan
from cortex.holding import connect
from cortex.request import Request
from loom.ending import INTERRUPTED, first_that_applies, say
from loom.errors import LoomError

if TYPE_CHECKING:
    from loom.steering import Selection
    from loom.verbs import Loom


def retry_failures(
    selection: Selection, *, loom_url: str | None, jobs: int | None, json: bool, quiet: bool = False
) -> int:
    """Forgets failures and visits their files again with the pipelines that failed on them; returns the exit code.
    Nothing is forgotten when one of these cannot be used: `PIPELINE_DISABLED`, `DEFINITION_INVALID`."""
    visits: defaultdict[tuple[str, int], list[bytes]] = defaultdict(list)
    elsewhere = 0
    with connect(loom_url, write=True) as loom:
        version_of = lru_cache(maxsize=None)(lambda name, version: _version_to_use(loom, name, version))
        for place in loom.failed_places(selection):
            if place.host == platform.node():
                visits[place.pipeline, version_of(place.pipeline, place.version)].append(place.path)
            else:
                elsewhere += 1
        loom.forget(selection)
    if not quiet and (elsewhere or not visits):
        say(_left(elsewhere))
    code = 0
    for (pipeline, version), paths in sorted(visits.items()):
        request = Request(
            pipeline=pipeline, version=version, jobs=jobs, json=json, quiet=quiet, loom_url=loom_url,
            places=tuple(paths),
        )  # fmt: skip
        code = first_that_applies(code, ingest_paths(request))
        if code == INTERRUPTED:
            break
    return code


def _left(elsewhere: int) -> str:
    """What is not done here, of which so many files lie on other machines."""
    if not elsewhere:
        return "no failure is to be tried again"
    lie = "1 file lies" if elsewhere == 1 else f"{elsewhere:,} files lie"
    return f"{lie} on other machines: what failed on them is forgotten, and computed again by the next ingest there"


def _version_to_use(loom: Loom, name: str, failed: int) -> int:
    """The version that failed, which may have come from a file, or what was stored since."""
    found = None
    with suppress(LoomError):
        found = loom.pipeline(name)
    if found is None or found.version < failed:
        found = loom.pipeline(name, failed)
    if not found.enabled:
        raise LoomError("PIPELINE_DISABLED", f"the pipeline {name!r} is disabled")
    compile_plan(found.definition, load())
    return found.version
