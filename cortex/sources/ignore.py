"""What a scan leaves alone: hidden files, system litter, what `.loomignore` files and the user's patterns say."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from cortex.sources.found import EVERYBODY, Part, ScanOptions

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

Files: TypeAlias = list[tuple[bytes, os.stat_result]]
"""Names, and what `stat` said."""

IGNORE_FILE = b".loomignore"

MARK_FILE = b".loom-source"
"""By this file a folder is known again at another place: see `cortex.sources.marker`."""

MAX_IGNORE_FILE = 1024 * 1024
"""The most bytes of an ignore file that are read."""

LITTER = frozenset({
    b"@eadir", b"#recycle", b"$recycle.bin", b"system volume information", b"lost+found",
    b".ds_store", b"thumbs.db", b"desktop.ini", MARK_FILE,
})  # fmt: skip
"""Names, in lower case, of what systems and Cortex leave in people's folders."""


def is_litter(name: bytes) -> bool:
    """Whether a file or folder of this name was left by a system or by Cortex, and is nothing that a person keeps."""
    return name.lower() in LITTER or name.startswith(b".Trash-")


def compile_patterns(lines: Iterable[str]) -> GitIgnoreSpec:
    """Patterns with the meaning they have in `.gitignore`. Raises `ValueError` for one that has none."""
    from pathspec import GitIgnoreSpec

    try:
        return GitIgnoreSpec.from_lines(lines, backend="simple")
    except re.error as error:
        raise ValueError(str(error)) from error


class Level(NamedTuple):
    """The patterns of one `.loomignore`, for paths below `base` (a path below the scanned folder, with `/` behind). One
    that lies around the scanned folder has no base: below it, that folder lies `above` what is in it."""

    base: str
    patterns: GitIgnoreSpec
    above: str = ""

    def verdict(self, path: str) -> bool | None:
        """Whether a path below the scanned folder is left alone; None where nothing is said of it."""
        return self.patterns.check_file(self.above + path[len(self.base) :]).include


class Rules:
    """The rules that hold in one directory; `below` gives those of a subdirectory with an ignore file of its own.

    Paths are given below the scanned folder.
    """

    def __init__(
        self,
        options: ScanOptions,
        includes: Sequence[GitIgnoreSpec],
        exclude: GitIgnoreSpec | None,
        levels: tuple[Level, ...] = (),
    ) -> None:
        self._options = options
        self._includes = includes
        self._exclude = exclude
        self._levels = levels
        self._hidden = options.hidden
        self._any_size = options.min_size is None and options.max_size is None
        self.has_patterns = bool(includes or exclude is not None or levels)
        self.follows_links = options.follow_symlinks

    @classmethod
    def of(cls, options: ScanOptions) -> Rules:
        """Raises `ValueError` for a pattern without meaning."""
        includes = [compile_patterns(group) for group in options.includes if group]
        exclude = compile_patterns(options.exclude) if options.exclude else None
        return cls(options, includes, exclude)

    def below(self, relative: bytes, lines: Iterable[str]) -> Rules:
        """The rules in the directory `relative` (empty for the scanned folder itself) whose ignore file has these
        lines; those without meaning are passed over."""
        return self._and(Level(_as_folder(relative), compile_patterns(filter(_has_meaning, lines))))

    def inside(self, place: bytes, lines: Iterable[str]) -> Rules:
        """The rules where the scanned folder lies at `place` (empty: there itself) below a directory whose ignore file
        has these lines."""
        return self._and(Level("", compile_patterns(filter(_has_meaning, lines)), _as_folder(place)))

    def _and(self, level: Level) -> Rules:
        return Rules(self._options, self._includes, self._exclude, (*self._levels, level))

    def enter(self, relative: bytes) -> Rules:
        """The rules in the directory `relative`, which is not left alone, before its ignore file is read."""
        return self

    def behind_links(self) -> Rules:
        """The rules for what links lead to, if they are followed."""
        return self

    def parts(self, relative: bytes, files: Files) -> list[tuple[Part, Files]]:
        """Those of the files in the directory `relative`, whose names and paths pass, that pass by their size too, for
        each lane; at least one part, of however few files."""
        if not self._any_size:
            files = [(name, status) for name, status in files if self.fits(status.st_size)]
        return [(EVERYBODY, files)]

    def part(self, relative: bytes, size: int) -> Part | None:
        """Who may have a file that was named, so that it may be hidden; None when it is left alone."""
        return None if self.leaves_file(relative) or not self.fits(size) else EVERYBODY

    def fits(self, size: int) -> bool:
        """Whether files of so many bytes pass."""
        least, most = self._options.min_size, self._options.max_size
        return (least is None or size >= least) and (most is None or size <= most)

    def leaves_name(self, name: bytes) -> bool:
        """Whether the name alone says that it is left alone."""
        if name.startswith(b"."):
            return not self._hidden or is_litter(name)
        return name.lower() in LITTER

    def leaves_file(self, relative: bytes) -> bool:
        """Whether a pattern says that the file is left alone."""
        if not self.has_patterns:
            return False
        path = os.fsdecode(relative)
        return self._is_ignored(path) or not all(spec.match_file(path) for spec in self._includes)

    def leaves_directory(self, relative: bytes) -> bool:
        """Whether a pattern says that the directory (empty: the scanned folder) and all below it is left alone."""
        return self.has_patterns and self._is_ignored(_as_folder(relative))

    def _is_ignored(self, path: str) -> bool:
        if self._exclude is not None and self._exclude.match_file(path):
            return True
        verdicts = (level.verdict(path) for level in reversed(self._levels))
        return next((verdict for verdict in verdicts if verdict is not None), False)


def _as_folder(relative: bytes) -> str:
    return os.fsdecode(relative) + "/" if relative else ""


def _has_meaning(line: str) -> bool:
    try:
        compile_patterns([line])
    except ValueError:
        return False
    return True


def read_ignore_file(path: bytes) -> list[str]:
    """The lines of an ignore file; none when it is gone or not a regular file. Raises `OSError`."""
    content = read_small_file(path, MAX_IGNORE_FILE)
    return [line.removesuffix("\r") for line in content.decode(errors="surrogateescape").split("\n")]


def read_small_file(path: bytes, at_most: int) -> bytes:
    """So many bytes of a file; none when it is gone or not a regular file. Raises `OSError`."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return b""
    try:
        is_regular = stat.S_ISREG(os.fstat(descriptor).st_mode)
        return os.read(descriptor, at_most) if is_regular else b""
    finally:
        os.close(descriptor)
