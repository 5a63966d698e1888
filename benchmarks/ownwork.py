"""What operators cost in one process, without an engine around them: a decode alone, each operator's own work on what
is decoded already, and each operator by itself from the file on.

    python benchmarks/ownwork.py photos|films DEFINITION FOLDER

prints JSON: CPU seconds by name, over all files. Everything is done file by file, so that noise hits all alike.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import av
from product import nodes, written

from cortex.media import Media
from cortex.media.wants import Wants, together
from cortex.node import MediaNode, NodeContext, keys_of

WHOLE = 1 << 20
"""A side that no picture has: asked for it, a decode reduces nothing."""

Times = dict[str, float]


@contextmanager
def _timed(times: Times, name: str) -> Iterator[None]:
    begun = time.process_time()
    yield
    times[name] += time.process_time() - begun


def _compute(node: MediaNode[Any], media: Media) -> None:
    if node.is_processable(media):
        node.compute(NodeContext(node.id, {}, keys=keys_of(type(node))), media)


def _alone(node: MediaNode[Any], path: Path, wants: Wants) -> None:
    with Media.open_path(os.fsencode(path), wants) as media:
        _compute(node, media)


def photos(paths: Sequence[Path], ready: Sequence[MediaNode[Any]], times: Mapping[str, Times]) -> None:
    """`read`: reading and hashing, for identity and all checksums. `decode`: the file, as large as the one that wants
    most of it, and the smallest picture that is made of that. `own`: each operator on what is there then, the pictures
    of other sizes at the first that wants them. `scaled`, `whole`: each from the file on, with a
    decode of its own that is reduced as it likes, or of every pixel."""
    wants = together(node.wants() for node in ready)
    smallest = min(side for node in ready if (side := node.wants().image_side) is not None)
    for path in paths:
        with Media.open_path(os.fsencode(path), wants) as media:
            with _timed(times["sum"], "read and hashes"):
                media.identify(all_streams=True)
            with _timed(times["sum"], "decode"):
                media.image(smallest)
            for node in ready:
                with _timed(times["sum"], node.operator):
                    _compute(node, media)
        for node in ready:
            own = node.wants()
            with _timed(times["scaled"], node.operator):
                _alone(node, path, own)
            with _timed(times["whole"], node.operator):
                _alone(node, path, own._replace(image_side=own.image_side and WHOLE))


def films(paths: Sequence[Path], ready: Sequence[MediaNode[Any]], times: Mapping[str, Times]) -> None:
    """`decode`: every frame, looked at by nobody. `together`: reading and hashing, and all operators in one pass, which
    the first of them waits for; what the last takes then is its own. `alone`: each from the file on."""
    wants = together(node.wants() for node in ready)
    for path in paths:
        with _timed(times["decode"], "decode"), av.open(str(path)) as film:
            film.streams.video[0].thread_type = "NONE"
            for _ in film.decode(video=0):
                pass
        with Media.open_path(os.fsencode(path), wants) as media:
            with _timed(times["together"], "read and hashes"):
                media.identify(all_streams=True)
            for node in ready:
                with _timed(times["together"], node.operator):
                    _compute(node, media)
        for node in ready:
            with _timed(times["alone"], node.operator):
                _alone(node, path, node.wants())


MEASURES: Mapping[str, Callable[..., None]] = {"photos": photos, "films": films}


def main(kind: str, definition: Path, folder: Path) -> None:
    measure, ready = MEASURES[kind], nodes(written(definition))
    paths = sorted(path for path in folder.rglob("*.*") if path.is_file() and not path.name.startswith("."))
    for node in ready:
        node.open()
    measure(paths[:1], ready, defaultdict(lambda: defaultdict(float)))  # imports, tables, caches
    times: dict[str, Times] = defaultdict(lambda: defaultdict(float))
    measure(paths, ready, times)
    print(json.dumps(times))


if __name__ == "__main__":
    main(sys.argv[1], *map(Path, sys.argv[2:]))
