"""Files opened as operators see them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from cortex.media import Media
from cortex.media.wants import Wants

Opened = Callable[..., Media]


@pytest.fixture
def opened() -> Iterator[Opened]:
    """Opens a file as `Media`, with the arguments of `Media.open_path`; closed after the test."""
    with ExitStack() as stack:

        def open_it(path: Path, wants: Wants = Wants(), **options: Any) -> Media:
            return stack.enter_context(Media.open_path(os.fsencode(path), wants, **options))

        yield open_it


@pytest.fixture
def written(tmp_path: Path) -> Callable[[bytes], Path]:
    """Writes bytes into a file whose name says nothing."""
    numbers = iter(range(1000))

    def write(data: bytes) -> Path:
        path = tmp_path / f"file-{next(numbers)}"
        path.write_bytes(data)
        return path

    return write
