"""Looking after what is stored: prune, verify, backup."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from loom.service.base import Holding
from loom.store import pipelines
from loom.verbs import MAX_PAGE

if TYPE_CHECKING:
    from loom.store.backup import Copied
    from loom.store.prune import Pruned
    from loom.store.verify import Verified

GRACE_US = 3600 * 1_000_000
"""Derived files that were handed in within the last hour may still be waiting for the result that names them."""


class LocalUpkeep(Holding):
    """What the commands `loom prune`, `loom verify` and `loom backup` do."""

    def prune(self, *, dry_run: bool = False, grace_us: int = GRACE_US) -> Pruned:
        """Removes what no current pipeline can use, or counts it. `grace_us`: for how long derived files that no
        result names yet are left alone."""
        from loom.store.prune import prune

        live = self._live_signatures()
        return prune(self._database, self._files.folder, live, dry_run=dry_run, grace_us=grace_us)

    def verify(self, host: str, *, read_data: bool = False) -> Verified:
        from loom.store.verify import verify

        return verify(self._database, self._files.folder, host, read_data=read_data)

    def backup(self, target: Path) -> Copied:
        from loom.store.backup import backup

        return backup(self._database, self._files.folder, target)

    def _live_signatures(self) -> frozenset[bytes]:
        """The signatures of all current pipelines, as far as their operators are known here."""
        from loom.graph.compiler import compile_definition

        live: set[bytes] = set()
        cursor: str | None = None
        while True:
            with self._database.read() as connection:
                page = pipelines.page(connection, MAX_PAGE, cursor)
            for pipeline in page.items:
                plan = compile_definition(pipeline.definition, self._operators, unknown_operators="warning").plan
                live.update(step.signature for step in (plan.steps if plan is not None else ()))
            cursor = page.next
            if cursor is None:
                return frozenset(live)
