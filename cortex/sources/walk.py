"""Reads one directory and sorts what is in it."""

from __future__ import annotations

import os
from collections.abc import Collection
from errno import EACCES, ENOENT, EPERM
from stat import S_ISREG
from typing import NamedTuple, TypeAlias

from cortex.sources.ignore import IGNORE_FILE, Files, Rules, read_ignore_file
from cortex.sources.lanes import LaneRules
from cortex.sources.roots import join
from loom.model import FileStat

AnyRules: TypeAlias = Rules | LaneRules


class Directory(NamedTuple):
    """A directory to be read: its path, its path below the scanned folder, the rules that hold in it."""

    path: bytes
    relative: bytes
    rules: AnyRules

    def entry(self, name: bytes) -> bytes:
        """The path of an entry."""
        return join(self.path, name)

    def below(self, name: bytes) -> bytes:
        """The path of an entry below the scanned folder."""
        return join(self.relative, name) if self.relative else name

    def enter(self, name: bytes, rules: AnyRules) -> Directory:
        """A directory in this one, in which these rules hold."""
        relative = self.below(name)
        return Directory(join(self.path, name), relative, rules.enter(relative))


class Listing:
    """What is in a directory: `files` are to be looked at, `directories` to be read, `links` lead elsewhere. `left` are
    the names of files and folders that a rule leaves alone, `special` those of pipes, sockets and devices. `broken` are
    files without a stat. `shows_something`: a person would see more than empty folders."""

    __slots__ = ("broken", "directories", "files", "left", "links", "rules", "shows_something", "special")

    def __init__(self, rules: AnyRules) -> None:
        self.rules = rules
        self.files: Files = []
        self.directories: list[bytes] = []
        self.links: list[bytes] = []
        self.left: list[bytes] = []
        self.broken: list[tuple[bytes, OSError]] = []
        self.special: list[bytes] = []
        self.shows_something = False


def file_stat(status: os.stat_result) -> FileStat:
    """The part of a stat by which a file is recognised."""
    return FileStat(status.st_size, status.st_mtime_ns, status.st_ino, status.st_dev)


def why_unreadable(error: OSError) -> tuple[str, str]:
    """Code and sentence for what could not be listed or asked for its stat."""
    reason = error.strerror or str(error)
    if error.errno == ENOENT:
        return "FILE_VANISHED", "It was gone when it was to be read."
    if error.errno in (EACCES, EPERM):
        return "FILE_UNREADABLE", f"It cannot be read: {reason}."
    return "READ_FAILED", f"Reading it failed: {reason}."


def list_directory(directory: Directory, apart: Collection[bytes] = ()) -> Listing:
    """What is in the directory, in no particular order, but for the folders that are `apart`. Raises `OSError` when it
    cannot be listed, and when it cannot be searched, so that no file in it can be asked for its stat."""
    with os.scandir(directory.path) as scan:
        entries = list(scan)
    rules = directory.rules
    if any(entry.name == IGNORE_FILE for entry in entries):
        rules = rules.below(directory.relative, read_ignore_file(directory.entry(IGNORE_FILE)))
    listing = Listing(rules)
    for entry in entries:
        name = entry.name
        if rules.leaves_name(name):
            listing.left.append(name)
        elif entry.is_symlink():
            listing.shows_something = True
            listing.links.append(name)
        elif entry.is_dir(follow_symlinks=False):
            _add_directory(listing, directory, name, apart)
        else:
            _add_file(listing, directory, entry)
    return listing


def _add_directory(listing: Listing, directory: Directory, name: bytes, apart: Collection[bytes]) -> None:
    if listing.rules.leaves_directory(directory.below(name)) or (apart and directory.entry(name) in apart):
        listing.shows_something = True
    else:
        listing.directories.append(name)


def _add_file(listing: Listing, directory: Directory, entry: os.DirEntry[bytes]) -> None:
    listing.shows_something = True
    if listing.rules.has_patterns and listing.rules.leaves_file(directory.below(entry.name)):
        listing.left.append(entry.name)
        return
    try:
        status = entry.stat(follow_symlinks=False)
    except FileNotFoundError:
        return
    except PermissionError:
        raise
    except OSError as error:
        listing.broken.append((entry.name, error))
        return
    if S_ISREG(status.st_mode):
        listing.files.append((entry.name, status))
    else:
        listing.special.append(entry.name)
