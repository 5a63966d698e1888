"""How many assets there are of each kind, camera, year, place and colour."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace
from sqlalchemy import Column, Connection, Select, func, select

from loom.shapes import FacetsShape
from loom.steering import AssetQuery
from loom.store.colours import is_named_enough
from loom.store.fitting import conditions
from loom.store.tables import asset_colours, asset_traits, assets

MOST = 200
"""Cameras that are told, the most frequent first."""


def facets(connection: Connection, query: AssetQuery) -> FacetsShape:
    """Each facet counts the assets that fit all else that is asked, so that another value of it can be chosen."""
    total = connection.execute(select(func.count()).select_from(assets).where(*conditions(query))).scalar_one()
    return FacetsShape(
        kind=_counted(connection, by_kind(query)),
        camera=_counted(connection, by_trait(replace(query, camera=None), asset_traits.c.camera).limit(MOST)),
        year=_counted(connection, by_trait(replace(query, year=None), asset_traits.c.year)),
        place=_place(connection, query),
        color=_counted(connection, by_colour(replace(query, color=None))),
        total=total,
    )


def _place(connection: Connection, query: AssetQuery) -> dict[str, int]:
    """Of how many the place of capture is known, and of how many not."""
    without = replace(query, place=None)
    every, known = (
        connection.execute(select(func.count()).select_from(assets).where(*conditions(one))).scalar_one()
        for one in (without, replace(query, place="known"))
    )
    return {name: many for name, many in (("known", known), ("unknown", every - known)) if many}


def by_kind(query: AssetQuery) -> Select[Any]:
    wanted = conditions(replace(query, kind=None))
    return (
        select(assets.c.kind, func.count().label("many"))
        .where(*wanted)
        .group_by(assets.c.kind)
        .order_by(*_order(assets.c.kind))
    )


def by_trait(query: AssetQuery, trait: Column[Any]) -> Select[Any]:
    statement = select(trait, func.count().label("many")).where(trait.is_not(None)).group_by(trait)
    if wanted := conditions(query):
        statement = statement.join(assets, assets.c.id == asset_traits.c.asset).where(*wanted)
    return statement.order_by(*_order(trait))


def by_colour(query: AssetQuery) -> Select[Any]:
    at = asset_colours.c
    statement = select(at.name, func.count().label("many")).where(is_named_enough(query)).group_by(at.name)
    if wanted := conditions(query):
        statement = statement.join(assets, assets.c.id == at.asset).where(*wanted)
    return statement.order_by(*_order(at.name))


def _order(value: Column[Any]) -> tuple[Any, Any]:
    return func.count().desc(), value


def _counted(connection: Connection, statement: Select[Any]) -> dict[str, int]:
    return {str(value): many for value, many in connection.execute(statement)}
