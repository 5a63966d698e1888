"""What is claimed about speed, measured side by side in one run.

    python benchmarks/ingest.py [SECTION...] [--rounds N] [--json FILE]

photos      1,000 photographs (or BENCH_PHOTOS=500) through sha256 + metadata + thumbnail(512), against
            benchmarks/handwritten.py
unchanged   100,000 files that were ingested before, against os.walk + stat; `cortex --version`
overhead    ten trivial operators over 10,000 files, against a plain loop and other engines
memory      peak memory of the parent at 10,000 and at 100,000 files
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
from functools import partial
from pathlib import Path

import product
from engines import ENGINES, STEPS, environment
from figures import Figure, report
from measure import CACHE, Took, fresh, median, median_ratio, rounds, run
from photos import COUNT, corpus
from tree import tree

HERE = Path(__file__).parent
PHOTOS = 1000


def photos(count: int) -> list[Figure]:
    """All photographs, and one alone, which tells what of the time is start-up."""
    number = int(os.environ.get("BENCH_PHOTOS", PHOTOS))
    folder = corpus(CACHE / ("photos" if number == COUNT else f"photos-{number}"), number)
    definition = product.photo_definition()
    pictures = sorted(folder.rglob("*.jpg"))
    one = fresh("one-photo")
    shutil.copy2(pictures[0], one)

    def handwritten(folder: Path) -> Took:
        return run([sys.executable, HERE / "handwritten.py", folder, fresh("handwritten")])

    def cortex(folder: Path, pictures: int) -> Took:
        took = product.ingest(folder, definition, product.environment(fresh("photos")))
        if (done := product.summary(took)["assets"]["completed"]) != pictures:
            raise RuntimeError(f"only {done} of {pictures} photographs were ingested")
        return took

    handwritten(folder)  # fills the page cache
    took = rounds(
        count,
        handwritten=partial(handwritten, folder),
        cortex=partial(cortex, folder, len(pictures)),
        handwritten_one=partial(handwritten, one),
        cortex_one=partial(cortex, one, 1),
    )
    names = ("handwritten", "cortex")
    return [
        *(Figure(f"{name}, wall per photo", median(took[name]) / len(pictures) * 1e3, "ms") for name in names),
        *(Figure(f"{name}, CPU per photo", median(took[name], "cpu") / len(pictures) * 1e3, "ms") for name in names),
        *(Figure(f"{name}, wall of one photo alone", median(took[f"{name}_one"]), "s") for name in names),
        Figure("cortex / handwritten, wall", median_ratio(took["cortex"], took["handwritten"]), "x", 1.08),
        Figure("cortex / handwritten, CPU", median_ratio(took["cortex"], took["handwritten"], "cpu"), "x"),
        Figure("cortex / handwritten, wall but for the first photo", _after_the_first(took), "x"),
    ]


def _after_the_first(took: dict[str, list[Took]]) -> float:
    def rest(name: str) -> list[float]:
        return [many.wall - one.wall for many, one in zip(took[name], took[f"{name}_one"], strict=True)]

    return statistics.median(mine / theirs for mine, theirs in zip(rest("cortex"), rest("handwritten"), strict=True))


def unchanged(count: int) -> list[Figure]:
    folder, definition = tree(100_000), product.hash_definition()
    env = product.environment(fresh("unchanged"))
    first = product.ingest(folder, definition, env)

    def again() -> Took:
        took = product.ingest(folder, definition, env)
        if (same := product.summary(took)["assets"]["unchanged"]) != 100_000:
            raise RuntimeError(f"only {same} of 100000 files were passed over")
        return took

    again()
    took = rounds(
        max(count, 5),
        walk=lambda: run([sys.executable, HERE / "tree.py", folder]),
        cortex=again,
        version=lambda: product.version(env),
    )
    inside = product.unchanged_in_process(folder, definition, env)
    ratio = statistics.median(a / b for a, b in zip(inside["cortex"], inside["walk"], strict=True))
    return [
        Figure("first ingest, wall", first.wall, "s"),
        Figure("os.walk + stat in process", statistics.median(inside["walk"]), "s"),
        Figure("unchanged ingest in process", statistics.median(inside["cortex"]), "s"),
        Figure("unchanged ingest / os.walk + stat, in process", ratio, "x", 2.5),
        Figure("os.walk + stat as a command", median(took["walk"]), "s"),
        Figure("unchanged ingest as a command", median(took["cortex"]), "s"),
        Figure("unchanged ingest / os.walk + stat, as commands", median_ratio(took["cortex"], took["walk"]), "x", 4),
        Figure("cortex --version", median(took["version"]), "s", 0.3),
    ]


def _trivial(files: int, *options: str) -> Took:
    env = product.environment(fresh("trivial"), product.trivial_operators())
    took = product.ingest(tree(files), product.trivial_definition(), env, *options)
    computed = product.summary(took)["nodes"][f"step{STEPS - 1}"]["computed"]
    if computed != files:
        raise RuntimeError(f"only {computed} of {files} files went through all nodes")
    return took


def overhead(count: int) -> list[Figure]:
    files = 10_000
    took = rounds(
        count,
        whole=partial(_trivial, files),
        few=partial(_trivial, 10),
        heard=partial(_trivial, files, "--events"),
        heard_few=partial(_trivial, 10, "--events"),
    )

    def per_node(whole: str, few: str) -> float:
        return statistics.median(
            (w.cpu - f.cpu) / (files - 10) / STEPS * 1e6 for w, f in zip(took[whole], took[few], strict=True)
        )

    figures = [
        Figure("cortex: CPU per node and asset: stored and published", per_node("whole", "few"), "µs", 30),
        Figure("cortex: and every event written as a line of JSON", per_node("heard", "heard_few"), "µs"),
        Figure("cortex: the first, with start-up", median(took["whole"], "cpu") / files / STEPS * 1e6, "µs"),
        Figure("cortex: wall per asset of ten nodes", median(took["whole"]) / files * 1e6, "µs"),
    ]
    for name, engine in ENGINES.items():
        try:
            python = environment(name, CACHE)
            done = json.loads(run([python, HERE / "engines.py", name, str(engine.items)]).output.splitlines()[-1])
        except (RuntimeError, OSError, subprocess.SubprocessError) as error:
            print(f"  {name} is left out: {str(error).splitlines()[-1][:150]}")
            continue
        figures.append(Figure(f"{name}: CPU per node", done["cpu"] / done["items"] / STEPS * 1e6, "µs"))
    return figures


def memory(count: int) -> list[Figure]:
    took = rounds(1, small=partial(_trivial, 10_000), large=partial(_trivial, 100_000))
    small, large = median(took["small"], "peak_mb"), median(took["large"], "peak_mb")
    return [
        Figure("peak of the parent at 10,000 files", small, "MB"),
        Figure("peak of the parent at 100,000 files", large, "MB"),
        Figure("growth", large - small, "MB", 10),
        Figure("CPU per node and asset at 100,000 files", median(took["large"], "cpu") / 1e6 * 1e6, "µs"),
    ]


if __name__ == "__main__":
    report(__doc__, {"photos": photos, "unchanged": unchanged, "overhead": overhead, "memory": memory})
