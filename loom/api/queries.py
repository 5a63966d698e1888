"""Which assets are meant, as routes are asked."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from fastapi import Depends, Query

from loom.model import Colour, Kind
from loom.steering import BOX, COLOR, COLOR_DISTANCE, COLOR_SHARE, NEAR, RADIUS_KM, AssetQuery, PlaceKnown


def _text(description: str) -> object:
    return Query(max_length=4096, description=description)


Path = Annotated[str | None, _text("What a path begins with; `/media/trip/` is a folder with all below it.")]
Wanted = Annotated[str | None, _text("Part of a file's name, a whole hash or UUID, or words that results say.")]
Text = Annotated[
    str | None, _text("Words that results say: titles, captions, keywords …; of each its beginning is enough.")
]
Collection = Annotated[str | None, _text("The name of a collection.")]
Camera = Annotated[str | None, _text("A camera as the facets name it.")]
Year = Annotated[int | None, Query(ge=0, le=9999, description="Year of capture.")]
From = Annotated[date | None, Query(description="First day of capture, such as 2024-05-17.")]
To = Annotated[date | None, Query(description="Last day of capture.")]
Known = Annotated[PlaceKnown | None, Query(description="Whether the place of capture is known.")]
Near = Annotated[str | None, Query(pattern=NEAR, description="Latitude and longitude in degrees: `52.52,13.405`.")]
Radius = Annotated[
    float | None, Query(gt=0, le=1000, description=f"How far around `near`; {RADIUS_KM:g} when left out.")
]
Box = Annotated[
    str | None, Query(pattern=BOX, description="South, west, north and east in degrees; west may be beyond east.")
]
Color = Annotated[
    str | None,
    Query(pattern=COLOR, description=f"A main colour of the picture: {', '.join(Colour)}, or in sRGB as `#c04020`."),
]
Distance = Annotated[
    float | None,
    Query(gt=0, le=100, description=f"How far (CIE76) from a `color` in sRGB; {COLOR_DISTANCE:g} when left out."),
]
Share = Annotated[
    float | None,
    Query(ge=0, le=1, description=f"The least share of the picture that is of `color`; {COLOR_SHARE:g} when left out."),
]

Person = Annotated[str | None, _text("The name, or the UUID, of somebody whose face is there.")]


def _asked(
    kind: Kind | None = None,
    path: Path = None,
    q: Wanted = None,
    text: Text = None,
    collection: Collection = None,
    camera: Camera = None,
    year: Year = None,
    captured_from: From = None,
    captured_to: To = None,
    place: Known = None,
    near: Near = None,
    radius_km: Radius = None,
    box: Box = None,
    color: Color = None,
    color_distance: Distance = None,
    color_share: Share = None,
    person: Person = None,
) -> AssetQuery:
    return AssetQuery(
        kind=kind,
        path=path,
        q=q,
        text=text,
        collection=collection,
        camera=camera,
        year=year,
        captured_from=captured_from,
        captured_to=captured_to,
        place=place,
        near=near,
        radius_km=radius_km,
        box=box,
        color=color,
        color_distance=color_distance,
        color_share=color_share,
        person=person,
    )


Asked = Annotated[AssetQuery, Depends(_asked)]
