"""What went along the edges of a run's graph."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from browser import Browser
from programs import CORTEX, Server

BUCKETS = [{"name": "light", "when": "media.size < 20kB"}, {"name": "heavy", "when": "media.size > 100GB"}]


def test_edges_out_of_buckets_have_counts(
    page: Browser, server: Server, library: Path, tmp_path: Path, remote: dict[str, str]
) -> None:
    nodes = [
        {"id": "files", "operator": "source.filesystem"},
        {"id": "sizes", "operator": "filter.expression", "config": {"buckets": BUCKETS}},
        *({"id": name, "operator": "hash.sha256"} for name in ("few", "none", "rest")),
    ]
    ports = {"few": "light", "none": "heavy", "rest": "other"}
    edges = [{"from": {"node": "sizes", "port": port}, "to": {"node": node}} for node, port in ports.items()]
    edges.append({"from": {"node": "files"}, "to": {"node": "sizes"}})
    definition = tmp_path / "buckets.json"
    definition.write_text(
        json.dumps({"schema_version": 1, "name": "buckets", "graph": {"nodes": nodes, "edges": edges}})
    )
    command = [*CORTEX, "ingest", str(library), "--json", "--pipeline", str(definition)]
    done = subprocess.run(command, env=remote, capture_output=True, check=False, timeout=100)
    assert done.returncode == 0, done.stderr.decode()
    (run,) = (run for run in server.get("/runs?limit=500")["items"] if run["pipeline"] == "buckets")
    told = server.get(f"/runs/{run['uuid']}/flow")["nodes"]["sizes"]["buckets"]
    reached = {node: sum(run["nodes"][node][way] for way in ("computed", "cached", "remote")) for node in ports}
    assert told == {port: reached[node] for node, port in ports.items()}
    assert told["heavy"] == 0 < min(told["light"], told["other"])
    page.open(f"/runs/{run['uuid']}")
    expected = {port: f"{told[port]:,}" for port in told}
    page.until(lambda: _counts(page) == expected)


def _counts(page: Browser) -> dict[str, str]:
    """What stands at the edges that leave a port, by the name of the port."""
    edges = "[...document.querySelectorAll('.edge-branch.port')].map(one => one.parentNode)"
    shown = (
        f"{edges}.map(g => [g.querySelector('.edge-branch').textContent, g.querySelector('.edge-count').textContent])"
    )
    return dict(page.run(f"return {shown}"))
