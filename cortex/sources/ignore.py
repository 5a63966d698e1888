"""What a scan leaves alone: hidden files, system litter, what `.loomignore` files and the user's patterns say."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

    from cortex.sources.found import ScanOptions

IGNORE_FILE = b".loomignore"

MAX_IGNORE_FILE = 1024 * 1024
"""The most bytes of an ignore file that are read."""

LITTER = frozenset({
    b"@eadir", b"#recycle", b"$recycle.bin", b"system volume information", b"lost+found",
    b".ds_store", b"thumbs.db", b"desktop.ini",
})  # fmt: skip
"""Names, in lower case, of what systems leave in people's folders."""


def is_litter(name: bytes) -> bool:
    """Whether a file or folder of this name was left by a system, not put there by a person."""
    return name.lower() in LITTER or name.startswith(b".Trash-")


def compile_patterns(lines: Iterable[str]) -> GitIgnoreSpec:
    """Patterns with the meaning they have in `.gitignore`. Raises `ValueError` for one that has none."""
    from pathspec import GitIgnoreSpec

    try:
        return GitIgnoreSpec.from_lines(lines, backend="simple")
    except re.error as error:
        raise ValueError(str(error)) from error


class Level(NamedTuple):
    """The patterns of one `.loomignore`, for paths below `base` (a path below the scanned folder, with `/` behind)."""

    base: str
    patterns: GitIgnoreSpec


class Rules:
    """The rules that hold in one directory; `below` gives those of a subdirectory with an ignore file of its own.

    Paths are given below the scanned folder.
    """

    def __init__(
        self,
        includes: Sequence[GitIgnoreSpec],
        exclude: GitIgnoreSpec | None,
        *,
        hidden: bool = False,
        levels: tuple[Level, ...] = (),
    ) -> None:
        self._includes = includes
        self._exclude = exclude
        self._levels = levels
        self.hidden = hidden
        self.has_patterns = bool(includes or exclude is not None or levels)

    @classmethod
    def of(cls, options: ScanOptions) -> Rules:
        """Raises `ValueError` for a pattern without meaning."""
        includes = [compile_patterns(group) for group in options.includes if group]
        exclude = compile_patterns(options.exclude) if options.exclude else None
        return cls(includes, exclude, hidden=options.hidden)

    def below(self, relative: bytes, lines: Iterable[str]) -> Rules:
        """The rules in the directory `relative` (empty for the scanned folder itself) whose ignore file has these
        lines; those without meaning are passed over."""
        base = os.fsdecode(relative) + "/" if relative else ""
        level = Level(base, compile_patterns(filter(_has_meaning, lines)))
        return Rules(self._includes, self._exclude, hidden=self.hidden, levels=(*self._levels, level))

    def leaves_name(self, name: bytes) -> bool:
        """Whether the name alone says that it is left alone."""
        if name.startswith(b"."):
            return not self.hidden or is_litter(name)
        return name.lower() in LITTER

    def leaves_file(self, relative: bytes) -> bool:
        """Whether a pattern says that the file is left alone."""
        if not self.has_patterns:
            return False
        path = os.fsdecode(relative)
        return self._is_ignored(path) or not all(spec.match_file(path) for spec in self._includes)

    def leaves_directory(self, relative: bytes) -> bool:
        """Whether a pattern says that the directory and all below it is left alone."""
        return self.has_patterns and self._is_ignored(os.fsdecode(relative) + "/")

    def _is_ignored(self, path: str) -> bool:
        if self._exclude is not None and self._exclude.match_file(path):
            return True
        for base, patterns in reversed(self._levels):
            verdict = patterns.check_file(path[len(base) :]).include
            if verdict is not None:
                return verdict
        return False


def _has_meaning(line: str) -> bool:
    try:
        compile_patterns([line])
    except ValueError:
        return False
    return True


def read_ignore_file(path: bytes) -> list[str]:
    """The lines of an ignore file; none when it is gone or not a regular file. Raises `OSError`."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return []
    try:
        is_regular = stat.S_ISREG(os.fstat(descriptor).st_mode)
        content = os.read(descriptor, MAX_IGNORE_FILE) if is_regular else b""
    finally:
        os.close(descriptor)
    return [line.removesuffix("\r") for line in content.decode(errors="surrogateescape").split("\n")]
