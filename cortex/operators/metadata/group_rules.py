"""The rules by which assets belong together, as functions without input or output.

Each looks at one asset and at what lies beside it, and gives the same groups whichever of the members it is asked for.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from cortex.media.rawtypes import RAW_MIMES
from cortex.operators.metadata.reading import XMP
from loom.assetgroups import GroupKind, GroupRole
from loom.model import Kind
from loom.verbs.beside import BURST_US, MOST_GROUPED, SUPPLEMENT, Neighbour, Shot

RENDERED = frozenset(
    {"image/jpeg", "image/heic", "image/heif", "image/avif", "image/png", "image/tiff", "image/webp", "image/jxl"}
)
LIVE_US = 3_000_000
"""A still and its film begin no farther apart, in microseconds."""
LONGEST_LIVE_MS = 5000
FEWEST_SHOTS = 3
_MINUTE_US = 60_000_000
_SECOND_US = 1_000_000


class Thing(NamedTuple):
    """An asset in question: `name` is that of its file in the folder where it is compared."""

    asset: bytes
    kind: Kind
    mime: str
    name: bytes
    shot: Shot

    @property
    def stem(self) -> bytes:
        stem, dot, _ = self.name.rpartition(b".")
        return stem if dot and stem else self.name

    @property
    def ending(self) -> str:
        return self.name[len(self.stem) + 1 :].decode("ascii", "replace").lower()

    @property
    def is_side_file(self) -> bool:
        """By what it is; `.thm`, `.aae` and `.json` say nothing of that in their bytes, so their endings count."""
        if self.mime == XMP:
            return True
        if self.ending == "thm":
            return self.mime == "image/jpeg"
        return self.ending in ("aae", "json") and self.kind in (Kind.TEXT, Kind.OTHER)

    @property
    def is_picture(self) -> bool:
        return self.kind is Kind.IMAGE and not self.is_side_file

    @property
    def is_raw(self) -> bool:
        return self.mime in RAW_MIMES


class Group(NamedTuple):
    """See `loom.verbs.Belonging.group`."""

    kind: GroupKind
    anchor: bytes | None
    members: tuple[tuple[bytes, GroupRole], ...]


def groups_of(own: Thing, neighbours: Sequence[Neighbour]) -> list[Group]:
    """All groups that the asset is seen to be in, each once."""
    found: dict[tuple[GroupKind, bytes | None], dict[bytes, GroupRole]] = {}
    for one in neighbours:
        me = own._replace(name=one.own_name)
        other = Thing(one.asset, one.kind, one.mime, one.name, one.shot)
        for kind, anchor, others in (*_pairs(me, other), *_pairs(other, me)):
            found.setdefault((kind, anchor.asset), {}).update(others)
    if len(shots := _burst(own, neighbours)) >= FEWEST_SHOTS:
        found[("burst", None)] = dict.fromkeys(shots, "shot")
    return [
        Group(kind, anchor, tuple(sorted(members.items(), key=lambda one: one[0] != anchor))[:MOST_GROUPED])
        for (kind, anchor), members in found.items()
    ]


def _pairs(one: Thing, other: Thing) -> Iterator[tuple[GroupKind, Thing, dict[bytes, GroupRole]]]:
    """What `one` is to `other`: a raw file to a picture, a film to its still, a picture to its side file. Yields the
    kind, the anchor, and both with their roles."""
    if is_raw_of(one, other):
        yield "raw", one, {one.asset: "raw", other.asset: "primary"}
    if is_film_of(one, other):
        yield "live-photo", one, {one.asset: "film", other.asset: "primary"}
    if is_told_by(one, other):
        yield "side-file", one, {one.asset: "primary", other.asset: "side-file"}


def is_raw_of(raw: Thing, picture: Thing) -> bool:
    """One folder and name, one raw and one rendered, and as far as both tell it one camera and one second."""
    if not raw.is_raw or picture.mime not in RENDERED or not picture.is_picture or not _named_alike(raw, picture):
        return False
    cameras = {raw.shot.camera, picture.shot.camera} - {None}
    apart = _apart(raw.shot, picture.shot, whole_seconds=True)
    return len(cameras) < 2 and apart in (None, 0)


def is_film_of(film: Thing, still: Thing) -> bool:
    """The same content identifier, where both have one; else one folder and name, and a film of at most five seconds
    that was begun within three seconds of the still."""
    if film.kind is not Kind.VIDEO or not still.is_picture:
        return False
    if film.shot.content_id is not None and still.shot.content_id is not None:
        return film.shot.content_id == still.shot.content_id
    apart, length = _apart(film.shot, still.shot), film.shot.duration_ms
    is_short = length is not None and length <= LONGEST_LIVE_MS
    return _named_alike(film, still) and is_short and apart is not None and apart <= LIVE_US


def is_told_by(subject: Thing, side: Thing) -> bool:
    """XMP: the whole name of the picture or film with `.xmp`, or the same name but for the ending, and then it is for
    this ending if it says for which it is. `.aae`: the same but for the ending; `.thm`: so too, of films and raw files;
    `.json`: the whole name, as in Google's exports."""
    if not side.is_side_file or subject.is_side_file or subject.kind not in (Kind.IMAGE, Kind.VIDEO) or not side.name:
        return False
    if side.mime == XMP:
        wanted = side.shot.side_file_for
        return side.stem == subject.name or (_named_alike(side, subject) and wanted in (None, subject.ending))
    if side.ending == "json":
        return side.stem.removesuffix(SUPPLEMENT) == subject.name
    is_fit = side.ending == "aae" or subject.kind is Kind.VIDEO or subject.is_raw
    return is_fit and _named_alike(side, subject)


def _burst(own: Thing, neighbours: Sequence[Neighbour]) -> list[bytes]:
    """The shots that are known to be of one burst with it. At least three of them have names and times of their own,
    for a raw file and its picture are one shot, and so is what was made of a shot later."""
    if own.kind is not Kind.IMAGE:
        return []
    others = [Thing(one.asset, one.kind, one.mime, one.name, one.shot) for one in neighbours]
    if own.shot.burst_id is not None:
        same = [one for one in others if one.kind is Kind.IMAGE and one.shot.burst_id == own.shot.burst_id]
        return list(dict.fromkeys([own.asset, *(one.asset for one in same)]))
    named = next((one.own_name for one in neighbours if one.own_name), b"")
    me = own._replace(name=named)
    fellows = [one for one in others if one.name and one.is_picture and one.shot.camera == own.shot.camera]
    row = _row_around(me, fellows) if me.is_picture and own.shot.camera is not None else []
    apart = min(len({one.shot.moment for one in row}), len({one.stem for one in row}))
    return list(dict.fromkeys(one.asset for one in row)) if apart >= FEWEST_SHOTS else []


def _row_around(me: Thing, fellows: Sequence[Thing]) -> list[Thing]:
    """Those before and after it of which each was taken at most a second after the one before, in order."""
    start = me.shot.moment
    if start is None:
        return []
    timed = [(one.shot.moment, one) for one in fellows if one.shot.moment is not None]
    row, last = [me], start
    for moment, one in sorted((pair for pair in timed if pair[0] >= start), key=lambda pair: pair[0]):
        if moment - last > BURST_US:
            break
        row.append(one)
        last = moment
    last = start
    for moment, one in sorted((pair for pair in timed if pair[0] < start), key=lambda pair: -pair[0]):
        if last - moment > BURST_US:
            break
        row.insert(0, one)
        last = moment
    return row


def _named_alike(one: Thing, other: Thing) -> bool:
    return bool(one.name) and one.stem == other.stem


def _apart(one: Shot, other: Shot, *, whole_seconds: bool = False) -> int | None:
    """Microseconds between two moments: on the world's clock where both know it, else on that of the place; None where
    one tells none."""
    if one.moment is None or other.moment is None:
        return None
    moments = [one.moment, other.moment]
    if one.zone is not None and other.zone is not None:
        moments = [moment - zone * _MINUTE_US for moment, zone in zip(moments, (one.zone, other.zone), strict=True)]
    if whole_seconds:
        moments = [moment // _SECOND_US for moment in moments]
    return abs(moments[0] - moments[1])
