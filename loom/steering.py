"""What steers runs: what a run was asked to do, who pauses it, and what its worker is told of it."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal, NamedTuple
from uuid import UUID

import msgspec
from msgspec import Meta

from loom.model import Colour, Depth, Kind, Pause

__all__ = [
    "ANY_ASSET",
    "DISK",
    "EVERY_FAILURE",
    "LEASE_S",
    "SILENT_S",
    "AssetQuery",
    "Depth",
    "Pause",
    "Place",
    "RunOrders",
    "RunRequest",
    "Selection",
]

LEASE_S = 30.0
"""For how long a claim lasts after its worker was last heard of."""

SILENT_S = 300.0
"""So long nothing is heard of a run that its caller executes itself before it counts as abandoned; if its caller was
only away, the run goes on as soon as it is heard of again."""

DISK = "disk"
"""The owner of the pauses that a worker makes itself, while it has too little room. They end with its claim: there may
be room elsewhere, and who has died lifts nothing."""

RADIUS_KM = 10.0
"""Around a point, when nobody says another."""

COLOR_SHARE = 0.1
"""How much of a picture is of a colour, when nobody says how much it should be."""

COLOR_DISTANCE = 20.0
"""How far from a colour, as CIE76 measures it, when nobody says another; 2 can just be seen."""

_DEGREES = r"[-+]?\d{1,3}(\.\d{1,12})?"
NEAR = rf"^{_DEGREES},{_DEGREES}$"
BOX = rf"^{_DEGREES}(,{_DEGREES}){{3}}$"
Year = Annotated[int, Meta(ge=0, le=9999)]
PlaceKnown = Literal["known", "unknown"]
Near = Annotated[str, Meta(pattern=NEAR, description="latitude,longitude in degrees")]
Radius = Annotated[float, Meta(gt=0, le=1000)]
COLOR = rf"^({'|'.join(Colour)}|#?[0-9a-fA-F]{{6}})$"
Color = Annotated[str, Meta(pattern=COLOR, description="a plain name, or a colour in sRGB as #c04020")]
Distance = Annotated[float, Meta(gt=0, le=100)]
Share = Annotated[float, Meta(ge=0, le=1)]
Box = Annotated[str, Meta(pattern=BOX, description="south,west,north,east in degrees")]


class AssetQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Assets by what is known of them, as `GET /assets` takes it. `q` is part of a file's name, a whole hash or UUID,
    or words that results say; `text` only the latter: all words must be there, each at least as the beginning of one.
    `path` is what a file's path begins with. The days of capture are those where it was taken, both included. `place`:
    whether the place of capture is known; `near` is a latitude and a longitude (north and east positive) with
    `radius_km` around them, `box` the south, west, north and east of where it was. `color` is a name of `Colour`, or a
    colour in sRGB with `color_distance` (CIE76) around it, of which there is at least `color_share` of the picture.
    `person` is the name or UUID of somebody whose face is there."""

    kind: Kind | None = None
    path: str | None = None
    q: str | None = None
    text: str | None = None
    collection: str | None = None
    camera: str | None = None
    year: Year | None = None
    captured_from: date | None = None
    captured_to: date | None = None
    place: PlaceKnown | None = None
    near: Near | None = None
    radius_km: Radius | None = None
    box: Box | None = None
    color: Color | None = None
    color_distance: Distance | None = None
    color_share: Share | None = None
    person: str | None = None


ANY_ASSET = AssetQuery()


class Selection(NamedTuple):
    """Which failed results are meant; None means any. `since` and `until` (microseconds since 1970, the latter left
    out) are about when they failed. Those that are set aside are meant only with `aside`; to retry or forget them it is
    enough to name their `asset`. `cause` stands for what their messages have in common."""

    run: UUID | None = None
    node: str | None = None
    code: str | None = None
    asset: UUID | None = None
    since: int | None = None
    until: int | None = None
    aside: bool = False
    cause: str | None = None


EVERY_FAILURE = Selection()


class Place(NamedTuple):
    """A file to be visited again: the pipeline that failed on it, its version, and where it lies."""

    pipeline: str
    host: str
    path: bytes
    version: int = 0


class RunRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A run that a worker is to execute: over files and folders, globs, assets, or a query, on the worker's own host
    or on `host`; or over the folder of a stored `source` with its options, whose path and host are Loom's to say.
    `recompute` names nodes, or has `*`. `walked`: another worker had begun it."""

    uuid: UUID
    pipeline: str
    version: int
    queued: int
    paths: tuple[bytes, ...] = ()
    globs: tuple[str, ...] = ()
    assets: tuple[UUID, ...] = ()
    query: AssetQuery | None = None
    host: str | None = None
    dry_run: bool = False
    recompute: frozenset[str] = frozenset()
    walked: bool = False
    source: str | None = None


class RunOrders(msgspec.Struct, frozen=True, kw_only=True):
    """What Loom tells the worker of a run. `lost`: the run was given to another worker. `limits`: how many files an
    operator or a resource may have in hand at a time, on this worker."""

    run: UUID
    cancelled: bool = False
    lost: bool = False
    pauses: tuple[Pause, ...] = ()
    limits: dict[str, int] = {}

    @property
    def pause(self) -> Pause | None:
        """The deepest pause, the oldest of several."""
        return min(self.pauses, key=lambda pause: (-pause.depth, pause.since), default=None)
