"""What FTP servers answer when they are asked for a folder: for programs (RFC 3659), or for people as most write it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import NamedTuple

from cortex.sources.remote.files import Listed, Version

_STAMP = re.compile(rb"(\d{14})(?:\.(\d{1,6}))?")
_UNIX = re.compile(rb"([-a-z])[-rwxsStTlL]{9}\S?\s+\d+\s+\S+\s+\S+\s+\d+\s+\w{3}\s+\d+\s+[\d:]{4,5} (.+)", re.DOTALL)
_WINDOWS = re.compile(rb"\d\d-\d\d-\d{2,4}\s+\d\d:\d\d(?:[AP]M)?\s+(<DIR>|\d+) +(.+)", re.DOTALL)
_BREAKS = (b"\r", b"\n", b"\0")


class Entry(NamedTuple):
    """`kind` as RFC 3659 calls it: file, dir, cdir, pdir, or something else."""

    kind: bytes
    name: bytes
    version: Version | None


def lines_of(answer: bytes) -> list[bytes]:
    """A line break in a name is no end of a line, unless a server ends them so."""
    return [line for line in answer.split(b"\r\n" if b"\r\n" in answer else b"\n") if line]


def listed_of(entries: Iterable[Entry]) -> Listed:
    """Names that cannot be asked for, for FTP has lines of text, are neither files nor folders."""
    listed = Listed([], [], [])
    for kind, name, version in entries:
        if kind in (b"cdir", b"pdir") or name in (b".", b".."):
            continue
        if kind not in (b"file", b"dir") or b"/" in name or any(sign in name for sign in _BREAKS):
            listed.special.append(name)
        elif kind == b"dir":
            listed.folders.append(name)
        else:
            listed.files.append((name, version))
    return listed


def for_programs(answer: bytes) -> Iterator[Entry]:
    """Of MLSD."""
    for line in lines_of(answer):
        facts, space, name = line.partition(b" ")
        told = facts_of(facts)
        yield Entry(told.get(b"type", b"").lower() if space else b"", name or line, version_of(told))


def facts_of(facts: bytes) -> dict[bytes, bytes]:
    pairs = (fact.partition(b"=") for fact in facts.split(b";"))
    return {name.lower(): value for name, equals, value in pairs if equals}


def version_of(facts: dict[bytes, bytes]) -> Version | None:
    """None where the size is not told."""
    size = facts.get(b"size", b"")
    return Version(int(size), stamp(facts.get(b"modify", b"")), "") if size.isdigit() else None


def for_people(answer: bytes) -> Iterator[Entry]:
    """Of LIST, whose times say neither year nor zone: versions must be asked for."""
    for line in lines_of(answer):
        if (unix := _UNIX.fullmatch(line)) is not None:
            yield Entry({b"-": b"file", b"d": b"dir"}.get(unix[1], b"other"), unix[2], None)
        elif (windows := _WINDOWS.fullmatch(line)) is not None:
            yield Entry(b"dir" if windows[1] == b"<DIR>" else b"file", windows[2], None)
        elif not line.startswith(b"total "):
            yield Entry(b"", line, None)


def stamp(text: bytes) -> int:
    """Such as `20231114221320.5`, in nanoseconds since 1970; 0 for what is none."""
    found = _STAMP.fullmatch(text)
    if found is None:
        return 0
    try:
        at = datetime.strptime(found[1].decode(), "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    except ValueError:
        return 0
    return int(at.timestamp()) * 1_000_000_000 + int((found[2] or b"").ljust(9, b"0"))
