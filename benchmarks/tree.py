"""A tree of many small files, and the least that can be asked of it: `os.walk` and `stat`.

python benchmarks/tree.py FOLDER      walks it, prints how many files there are and the seconds
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from measure import CACHE

PER_FOLDER = 98
_OLD = 1_700_000_000


def tree(count: int) -> Path:
    """`count` text files of different content, 98 in a folder, made when they are not there yet. Their times lie in
    the past, as those of any collection do."""
    folder = CACHE / f"tree-{count}"
    done = CACHE / f"tree-{count}.made"
    if not done.exists():
        for number in range(count):
            group = number // PER_FOLDER
            below = folder / f"{group % 20:02d}" / f"{group:04d}"
            if number % PER_FOLDER == 0:
                below.mkdir(parents=True, exist_ok=True)
            path = below / f"note-{number:06d}.txt"
            path.write_text(f"note {number}\n")
            os.utime(path, (_OLD + number,) * 2)
        done.touch()
    return folder


def walk_and_stat(folder: str) -> int:
    """The baseline: how many files there are, each of them asked for its `stat`."""
    count = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            os.stat(f"{parent}/{name}")
            count += 1
    return count


if __name__ == "__main__":
    start = time.perf_counter()
    found = walk_and_stat(sys.argv[1])
    print(found, time.perf_counter() - start)
