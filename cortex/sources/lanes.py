"""A scan for several pipelines at once, the lanes of an ingest, each of which looks at files of its own."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from cortex.sources.found import EVERYBODY, Part, ScanOptions
from cortex.sources.ignore import Files, Rules
from loom.graph.matching import passes
from loom.graph.plan import AssetFilter
from loom.model import Kind


class LaneOptions(NamedTuple):
    """What one lane looks at: the options of its source that say which files pass, and globs of which a path must fit
    one, if there are any. `node_paths` are such globs for each of its nodes that has some of its own."""

    source: ScanOptions
    paths: tuple[str, ...] = ()
    node_paths: tuple[tuple[str, ...], ...] = ()


class Lanes:
    """All lanes of a scan, and the digests under which files are settled that only some of them, or of their nodes, may
    have: another file of the same content may lie where others may have it."""

    def __init__(self, options: Sequence[LaneOptions], plan: bytes) -> None:
        """`plan` is the digest for what all of them may have."""
        self._filters = [AssetFilter(path=one.paths) for one in options]
        self._node_filters = [[AssetFilter(path=globs) for globs in one.node_paths] for one in options]
        self._plan = plan
        everything = tuple((lane, *(True for _ in one.node_paths)) for lane, one in enumerate(options))
        self._parts = {everything: EVERYBODY}

    def part(self, lanes: Sequence[int], relative: bytes) -> Part:
        """Those of the lanes, whose sources let the file pass, that may have it for its path: none, maybe."""
        fitting = tuple(
            (lane, *(_fits(node, relative) for node in self._node_filters[lane]))
            for lane in lanes
            if _fits(self._filters[lane], relative)
        )
        if fitting not in self._parts:
            digest = hashlib.blake2b(self._plan + repr(fitting).encode(), digest_size=32).digest()
            self._parts[fitting] = Part(tuple(lane for lane, *_ in fitting), digest)
        return self._parts[fitting]


class LaneRules:
    """As `Rules`, for what any of the lanes looks at. In a directory that a lane leaves alone, the rules are those of
    the others."""

    has_patterns = True

    def __init__(self, lanes: Lanes, rules: Mapping[int, Rules]) -> None:
        self._lanes = lanes
        self._rules = rules
        self.follows_links = any(one.follows_links for one in rules.values())

    @classmethod
    def of(cls, options: Sequence[LaneOptions], plan: bytes) -> LaneRules:
        """`plan` is the digest under which files count as settled that all lanes may have. Raises `ValueError` for a
        pattern without meaning."""
        return cls(Lanes(options, plan), {lane: Rules.of(one.source) for lane, one in enumerate(options)})

    def below(self, relative: bytes, lines: Iterable[str]) -> LaneRules:
        kept = list(lines)
        return LaneRules(self._lanes, {lane: one.below(relative, kept) for lane, one in self._rules.items()})

    def inside(self, place: bytes, lines: Iterable[str]) -> LaneRules:
        kept = list(lines)
        return LaneRules(self._lanes, {lane: one.inside(place, kept) for lane, one in self._rules.items()})

    def enter(self, relative: bytes) -> LaneRules:
        return LaneRules(
            self._lanes, {lane: one for lane, one in self._rules.items() if not _leaves_directory(one, relative)}
        )

    def behind_links(self) -> LaneRules:
        return LaneRules(self._lanes, {lane: one for lane, one in self._rules.items() if one.follows_links})

    def parts(self, relative: bytes, files: Files) -> list[tuple[Part, Files]]:
        parts: dict[Part, Files] = {}
        for name, status in files:
            path = os.path.join(relative, name)
            lanes = [
                lane
                for lane, one in self._rules.items()
                if not one.leaves_name(name) and not one.leaves_file(path) and one.fits(status.st_size)
            ]
            if lanes:
                parts.setdefault(self._lanes.part(lanes, path), []).append((name, status))
        return list(parts.items()) or [(EVERYBODY, [])]

    def part(self, relative: bytes, size: int) -> Part | None:
        lanes = [lane for lane, one in self._rules.items() if one.part(relative, size) is not None]
        return self._lanes.part(lanes, relative) if lanes else None

    def leaves_name(self, name: bytes) -> bool:
        return all(one.leaves_name(name) for one in self._rules.values())

    def leaves_file(self, relative: bytes) -> bool:
        name = os.path.basename(relative)
        return all(one.leaves_name(name) or one.leaves_file(relative) for one in self._rules.values())

    def leaves_directory(self, relative: bytes) -> bool:
        return all(_leaves_directory(one, relative) for one in self._rules.values())


def _fits(only_paths: AssetFilter, relative: bytes) -> bool:
    return passes(only_paths, Kind.OTHER, "", 0, relative)


def _leaves_directory(rules: Rules, relative: bytes) -> bool:
    return rules.leaves_name(os.path.basename(relative)) or rules.leaves_directory(relative)
