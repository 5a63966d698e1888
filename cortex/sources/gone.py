"""What somebody says is gone for good, such as the files of a disk that will not be mounted again."""

from __future__ import annotations

import os
from collections.abc import Iterator

from cortex.sources.knownfiles import mark_missing
from cortex.sources.roots import join
from loom.verbs import Ledger

_ANY_PLAN = bytes(32)


def count_as_gone(ledger: Ledger, host: str, path: bytes, *, dry_run: bool) -> int:
    """Tells Loom that those of the files at or below `path` that are not there are gone, whatever they lay on; returns
    how many. A dry run tells nothing."""
    gone = list(_gone(ledger, host, path))
    if not dry_run:
        mark_missing(ledger, host, gone)
    return len(gone)


def _gone(ledger: Ledger, host: str, path: bytes) -> Iterator[tuple[bytes, bytes]]:
    above, name = os.path.split(path)
    for directory in {above, *ledger.known_directories(host, path)}:
        (files,) = ledger.known_files(host, [directory], _ANY_PLAN)
        for file in files:
            if file.present and (directory != above or file.name == name) and _is_gone(directory, file.name):
                yield directory, file.name


def _is_gone(directory: bytes, name: bytes) -> bool:
    """Not so what cannot be looked at, on a disk in trouble for example."""
    try:
        os.lstat(join(directory, name))
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:
        pass
    return False
