"""Ingests of files that lie elsewhere, in this process."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

from ingests import SHA256, Heard

from cortex.catalogue import load
from cortex.engine.ingest_order import Ended
from cortex.engine.scheme import Chosen, make_scheme
from cortex.ingesting.executing import execute
from cortex.request import Request
from cortex.settings import CortexSettings
from loom.service.loom import LocalLoom


class Run:
    def __init__(self, ended: Ended, heard: Heard) -> None:
        self.code = ended.exit_code
        self.summary = ended.summary
        self.assets = {name: count for name, count in ended.summary["assets"].items() if count}
        self.failures = [(one.path, one.code) for one in heard.failures]
        self.heard = heard


Ingesting: TypeAlias = Callable[..., Run]


def ingesting(scratch: Path, loom: LocalLoom) -> Ingesting:
    """Ingests from a source through nodes, SHA-256 by default; the scratch folder is gone afterwards."""

    def run(operator: str, config: dict[str, Any], *nodes: dict[str, Any], **more: Any) -> Run:
        chain = [{"id": "files", "operator": operator, "config": config}, *(nodes or [SHA256])]
        edges = [{"from": {"node": a["id"]}, "to": {"node": b["id"]}} for a, b in zip(chain, chain[1:], strict=False)]
        definition = {"schema_version": 1, "name": "remote", "graph": {"nodes": chain, "edges": edges}}
        request = Request(**more)
        scheme = make_scheme([Chosen(definition, 0, matched=False)], load(), dry_run=request.dry_run)
        heard = Heard()
        ended = execute(
            request, CortexSettings.load({}), scheme, loom, embedded=True, reporter=heard, publish=lambda *_: None
        )
        assert not scratch.exists()
        return Run(ended, heard)

    return run
