"""What stands in groups of duplicates now, and which of it is worth keeping."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

from msgspec.structs import replace
from sqlalchemy import Connection, Row, select

from loom.duplicates import path_of
from loom.model import LocationState
from loom.shapes import AssetShape, LocationShape
from loom.store import keepers, shown
from loom.store.copies import Place, copies_of, place_key
from loom.store.statements import chunks
from loom.store.tables import duplicate_files, duplicate_members
from loom.store.values import EXACT, KEPT, MEMBER, PENDING, b64_unless_shown, shown_path


class Standing(NamedTuple):
    """One that stands in a group, by the `id` of its `DuplicateMember`: an asset (`number`) with its copies, or one
    copy. `places` are those of which something may be kept, `lying` all that are shown."""

    id: str
    number: int
    part: int
    distance: int | None
    places: list[Place]
    lying: list[LocationShape]


class Known(NamedTuple):
    """What is known of the assets of some groups, by number."""

    assets: dict[int, AssetShape]
    places: dict[int, list[Place]]
    told: dict[int, keepers.Told]
    complete: dict[int, bool]


class Group(NamedTuple):
    row: Row[Any]
    standing: list[Standing]
    known: Known

    def ids(self) -> list[str]:
        return [one.id for one in self.standing]

    def kept(self) -> tuple[str, str] | None:
        """The one that is kept, or that would be, and why; None where nothing is left to choose from."""
        if self.row.state == PENDING:
            return self.best_of(self.ids())
        return next(((one.id, self.row.reason) for one in self.standing if one.part == KEPT), None)

    def best_of(self, ids: Collection[str]) -> tuple[str, str] | None:
        """The one of these that is worth keeping, and why."""
        known = self.known
        candidates = [
            keepers.Candidate(
                one.id,
                known.assets[one.number].size,
                one.places,
                known.told.get(one.number, keepers.NOTHING),
                known.complete.get(one.number),
            )
            for one in self.standing
            if one.id in ids
        ]
        return keepers.best_of(candidates, copies=self.row.kind == EXACT)


class _File(NamedTuple):
    """A copy as it lay when people decided."""

    key: bytes
    host: str
    path: bytes
    part: int


def groups_of(connection: Connection, rows: Sequence[Row[Any]]) -> list[Group]:
    """Of rows of `duplicates`, in their order."""
    parts = _parts(connection, [row.id for row in rows])
    files = _files(connection, [row.id for row in rows if row.kind == EXACT and row.state != PENDING])
    numbers = sorted({asset for group in parts.values() for asset in group})
    known = Known(
        shown.several(connection, numbers),
        copies_of(connection, numbers),
        keepers.told_of(connection, numbers),
        keepers.complete_of(connection, numbers),
    )
    return [
        Group(row, _copies(row, next(iter(parts[row.id])), files[row.id], known), known)
        if row.kind == EXACT
        else Group(row, [_similar(asset, *how, known) for asset, how in parts[row.id].items()], known)
        for row in rows
    ]


def _similar(number: int, distance: int, part: int, known: Known) -> Standing:
    """The asset with its copies, but those that were put aside and those that are gone."""
    asset, places = known.assets[number], known.places.get(number, [])
    keys = {place.key for place in places}
    lying = [place for place in asset.locations if place.state is LocationState.UNREACHABLE or _key_of(place) in keys]
    return Standing(str(asset.uuid), number, part, distance, places, lying)


def _copies(row: Row[Any], number: int, files: Sequence[_File], known: Known) -> list[Standing]:
    """The copies that there are now; of a group that was decided, those that there were then."""
    places = {place.key: place for place in known.places.get(number, ())}
    if row.state == PENDING:
        files = [_File(place.key, place.host, place.path, MEMBER) for place in places.values()]
    there = {_key_of(place): place for place in known.assets[number].locations}
    found = []
    for file in files:
        place = there.get(file.key) or _gone(file, known.assets[number])
        if file.key not in places and place.state is LocationState.PRESENT:
            place = replace(place, state=LocationState.MISSING)
        counts = [places[file.key]] if file.key in places else []
        found.append(Standing(file.key.hex(), number, file.part, None, counts, [place]))
    return found


def _key_of(place: LocationShape) -> bytes:
    return place_key(place.host, path_of(place))


def _gone(file: _File, asset: AssetShape) -> LocationShape:
    """A place at which something else is known now."""
    path = shown_path(file.path)
    return LocationShape(
        host=file.host,
        path=path,
        size=asset.size,
        mtime=asset.first_seen,
        state=LocationState.MISSING,
        path_b64=b64_unless_shown(file.path, path),
    )


def _parts(connection: Connection, groups: Sequence[int]) -> dict[int, dict[int, tuple[int, int]]]:
    """Of each group its assets with their distance and part, in the order in which the assets came to be known."""
    found: dict[int, dict[int, tuple[int, int]]] = defaultdict(dict)
    for piece in chunks(groups):
        at = duplicate_members.c
        statement = select(duplicate_members).where(at.duplicate.in_(set(piece))).order_by(at.duplicate, at.asset)
        for row in connection.execute(statement):
            found[row.duplicate][row.asset] = (row.distance, row.part)
    return found


def _files(connection: Connection, groups: Sequence[int]) -> dict[int, list[_File]]:
    found: dict[int, list[_File]] = defaultdict(list)
    for piece in chunks(groups):
        at = duplicate_files.c
        statement = select(duplicate_files).where(at.duplicate.in_(set(piece))).order_by(at.host, at.path)
        for row in connection.execute(statement):
            found[row.duplicate].append(_File(row.key, row.host, row.path, row.part))
    return found
