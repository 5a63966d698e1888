"""Looking after what is stored: prune, verify, backup."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from loom.service.base import Holding, now_us
from loom.store import pipelines
from loom.verbs import MAX_PAGE

if TYPE_CHECKING:
    from loom.store.about import About
    from loom.store.backup import Copied
    from loom.store.prune import Live, Pruned
    from loom.store.verify import Verified

GRACE_US = 3600 * 1_000_000
"""Derived files that were handed in within the last hour may still be waiting for the result that names them."""


class LocalUpkeep(Holding):
    """What the commands `loom prune`, `loom verify` and `loom backup` do."""

    def about(self) -> About:
        """What the database is."""
        from loom.store.about import about

        return about(self._database)

    @property
    def blobs(self) -> Path:
        """The folder of derived files."""
        return self._files.folder

    def prune(self, *, dry_run: bool = False, grace_us: int = GRACE_US) -> Pruned:
        """Removes what no current pipeline can use, or counts it. `grace_us`: for how long derived files that no
        result names yet are left alone."""
        from loom.store.prune import prune

        return prune(self._database, self._files.folder, self._live(), dry_run=dry_run, grace_us=grace_us)

    def forget_outcomes(
        self, older_than_us: int, *, dry_run: bool = False, stopped: Callable[[], bool] = lambda: False
    ) -> int:
        """Of runs that ended longer ago, only the counts are kept; returns how many outcomes of an asset go. `stopped`
        is asked now and then."""
        from loom.store.prune import forget_outcomes

        return forget_outcomes(self._database, now_us() - older_than_us, dry_run=dry_run, stopped=stopped)

    def verify(self, host: str, *, read_data: bool = False) -> Verified:
        from loom.store.verify import verify

        return verify(self._database, self._files.folder, host, read_data=read_data)

    def backup(self, target: Path) -> Copied:
        from loom.store.backup import backup

        return backup(self._database, self._files.folder, target)

    def _live(self) -> Live:
        """What all current pipelines use."""
        from loom.graph.compiler import compile_definition
        from loom.store.prune import Live

        live: set[bytes] = set()
        operators: set[str] = set()
        for definition in self._definitions():
            plan = compile_definition(definition, self._operators, unknown_operators="warning").plan
            if plan is not None:
                live.update(step.signature for step in plan.steps)
            else:
                operators.update(str(node["operator"]) for node in definition["graph"]["nodes"])
        return Live(live, operators)

    def _definitions(self) -> Iterator[dict[str, Any]]:
        cursor: str | None = None
        while True:
            with self._database.read() as connection:
                page = pipelines.page(connection, MAX_PAGE, cursor)
            yield from (pipeline.definition for pipeline in page.items)
            cursor = page.next
            if cursor is None:
                return
