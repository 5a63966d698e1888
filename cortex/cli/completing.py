"""What the shell completes besides options: names of stored pipelines and sources, ids of operators."""

from __future__ import annotations

from contextlib import suppress

from loom.errors import LoomError


def pipeline_names(incomplete: str) -> list[str]:
    """The stored pipelines whose name begins so; none where Loom does not answer."""
    from cortex.holding import connect
    from cortex.paging import everything

    with suppress(LoomError), connect() as loom:
        return [stored.name for stored in everything(loom.pipelines) if stored.name.startswith(incomplete)]
    return []


def source_names(incomplete: str) -> list[str]:
    """The stored sources whose name begins so; none where Loom does not answer."""
    from cortex.holding import connect

    with suppress(LoomError), connect() as loom:
        return [source.name for source in loom.sources() if source.name.startswith(incomplete)]
    return []


def operator_ids(incomplete: str) -> list[str]:
    from cortex.catalogue import load

    return sorted(operator for operator in load().ids() if operator.startswith(incomplete))
