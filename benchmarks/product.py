"""The product as the benchmarks use it: its command line as pinned, and one call in process. Everything that knows
of its inside is in this file."""

from __future__ import annotations

import json
import os
import sys
import textwrap
from pathlib import Path
from typing import Any

from measure import CACHE, Took, run

from cortex.catalogue import load
from cortex.node import MediaNode

CORTEX = Path(sys.executable).with_name("cortex")
OPERATORS = 10

PHOTOS: dict[str, tuple[str, dict[str, Any]]] = {
    "sha256": ("hash.sha256", {}),
    "metadata": ("media.metadata", {}),
    "thumbnail": ("media.thumbnail", {"size": 512}),
}

LOOKS = PHOTOS | {
    "blake3": ("hash.blake3", {}),
    "phash": ("image.phash", {}),
    "colours": ("image.dominant-color", {}),
    "quality": ("image.quality", {}),
}
"""What photographers ask of a picture, without faces."""
FACES: tuple[str, dict[str, Any]] = ("vision.faces", {})
FILMS: dict[str, tuple[str, dict[str, Any]]] = {
    "scenes": ("video.scenes", {}),
    "fingerprint": ("video.fingerprint", {}),
    "thumbnail": ("media.thumbnail", {"size": 512}),
}


def environment(data: Path, *path: Path) -> dict[str, str]:
    """A data folder of its own, and nothing of the user's settings. What is measured has its byte code, as installed
    programs have."""
    not_kept = ("LOOM_", "CORTEX_", "PYTHONDONTWRITEBYTECODE")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(not_kept)}
    return kept | {
        "LOOM_DATA_DIR": str(data),
        "XDG_CONFIG_HOME": str(data),
        "PYTHONPATH": os.pathsep.join(map(str, path)),
    }


def ingest(folder: Path, definition: Path, env: dict[str, str], *options: str) -> Took:
    """`cortex ingest` as a whole command."""
    return run([CORTEX, "ingest", folder, "--pipeline", definition, "--json", *options], env=env)


def version(env: dict[str, str]) -> Took:
    return run([CORTEX, "--version"], env=env)


def summary(took: Took) -> dict[str, Any]:
    """The last line of `--json`."""
    found: dict[str, Any] = json.loads(took.output.splitlines()[-1])
    return found


def photo_definition() -> Path:
    """sha256 + metadata + thumbnail(512), side by side behind the source."""
    return definition("photos", PHOTOS)


def definition(name: str, nodes: dict[str, tuple[str, dict[str, Any]]]) -> Path:
    """These, side by side behind the source."""
    return _definition(name, [("files", node, operator, config) for node, (operator, config) in nodes.items()])


def written(definition: Path) -> dict[str, tuple[str, dict[str, Any]]]:
    """The nodes of a definition behind its source."""
    found = json.loads(definition.read_text())["graph"]["nodes"]
    return {node["id"]: (node["operator"], node["config"]) for node in found[1:]}


def nodes(wanted: dict[str, tuple[str, dict[str, Any]]]) -> list[MediaNode[Any]]:
    """The same as instances, not yet opened."""
    return [load().create(operator, config, node) for node, (operator, config) in wanted.items()]


def can_find_faces() -> bool:
    """Whether everything that `vision.faces` needs is installed."""
    operator, config = FACES
    catalogue = load()
    return not catalogue.lacks(operator, catalogue.normalise(operator, config)[0])


def hash_definition() -> Path:
    return _definition("hashes", [("files", "sha256", "hash.sha256", {})])


def trivial_definition() -> Path:
    """Ten operators in a row, each of which adds one to what the one before it gave."""
    names = [f"step{number}" for number in range(OPERATORS)]
    before = ["files", *names]
    return _definition("trivial", [(before[i], name, f"bench.{name}", {}) for i, name in enumerate(names)])


def _definition(name: str, nodes: list[tuple[str, str, str, dict[str, Any]]]) -> Path:
    document = {
        "schema_version": 1,
        "name": name,
        "graph": {
            "nodes": [{"id": "files", "operator": "source.filesystem"}]
            + [{"id": node, "operator": operator, "config": config} for _, node, operator, config in nodes],
            "edges": [{"from": {"node": before}, "to": {"node": node}} for before, node, *_ in nodes],
        },
    }
    CACHE.mkdir(parents=True, exist_ok=True)
    path = CACHE / f"{name}.json"
    path.write_text(json.dumps(document))
    return path


def trivial_operators() -> Path:
    """A distribution with the ten operators, to be put on the path: a third party's package as it is installed."""
    folder = CACHE / "operators"
    info = folder / "bench_operators-1.0.dist-info"
    info.mkdir(parents=True, exist_ok=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: bench-operators\nVersion: 1.0\n")
    lines = [f"bench.step{number} = bench_operators:Step{number}" for number in range(OPERATORS)]
    (info / "entry_points.txt").write_text("[cortex.operators]\n" + "\n".join(lines) + "\n")
    code = [
        "from cortex import MediaNode, NodeContext, NodeOptions, OutputKey",
        "from cortex.media import Media",
    ]
    for number in range(OPERATORS):
        reads = f'("step{number - 1}",)' if number else "()"
        value = f'ctx.upstream_output("step{number - 1}", "value") + 1' if number else "1"
        code.append(
            textwrap.dedent(f"""
            class Step{number}(MediaNode[NodeOptions]):
                operator = "bench.step{number}"
                reads = {reads}
                VALUE = OutputKey("value", int)

                def compute(self, ctx: NodeContext, media: Media) -> None:
                    ctx.output(self.VALUE, {value})
            """)
        )
    (folder / "bench_operators.py").write_text("\n".join(code))
    return folder


IN_PROCESS = """
import contextlib, io, json, os, sys, time
from pathlib import Path
from tree import walk_and_stat
from cortex.app import ingest_paths
from cortex.request import Request

folder, definition = sys.argv[1:]
request = Request(paths=(Path(folder),), pipeline=definition, json=True)
times = {"walk": [], "cortex": []}
for _ in range(6):
    start = time.perf_counter()
    walk_and_stat(folder)
    times["walk"].append(time.perf_counter() - start)
    lines = io.StringIO()
    start = time.perf_counter()
    with contextlib.redirect_stdout(lines):
        assert ingest_paths(request) == 0
    times["cortex"].append(time.perf_counter() - start)
    assert json.loads(lines.getvalue().splitlines()[-1])["assets"]["new"] == 0
print(json.dumps({name: values[1:] for name, values in times.items()}))
"""


def unchanged_in_process(folder: Path, definition: Path, env: dict[str, str]) -> dict[str, list[float]]:
    """Seconds of `os.walk` + `stat` and of an ingest in which nothing is new, in turns in one process."""
    env = env | {"PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), env["PYTHONPATH"]])}
    found: dict[str, list[float]] = json.loads(
        run([sys.executable, "-c", IN_PROCESS, folder, definition], env=env).output
    )
    return found
