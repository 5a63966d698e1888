from __future__ import annotations

from collections.abc import Callable
from typing import Any

from faceoperators import FILE_SPECS, announced

from loom.graph.parting import parting

BUCKETS = {"operator": "filter.bucket", "config": {"buckets": [{"name": "small", "when": "media.size < 1"}]}}


def test_nodes_with_edges_out_of_buckets_and_filters_of_single_items_part_assets(make: Callable[..., Any]) -> None:
    nodes = {
        "files": "source.files",
        "find": "face.find",
        "good": "face.good",
        "v": "face.vector",
        "some": "filter.some",
    }
    document = make(nodes, "files>find find>good good>PASS>v find>some some>PASS>v")
    document["graph"]["nodes"].append({"id": "sizes", **BUCKETS})
    for target, port in (("sizes", None), ("v", "small")):
        source = {"node": "find"} if port is None else {"node": "sizes", "port": port}
        document["graph"]["edges"].append({"from": source, "to": {"node": target}})
    operators = announced(*FILE_SPECS)
    assert parting(document, operators) == {"good": frozenset(), "sizes": frozenset({"small"})}
    document["graph"]["nodes"][1]["operator"] = "who.knows"
    assert parting(document, operators) == {}
    assert parting({"graph": 1}, operators) == {}
