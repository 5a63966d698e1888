"""`cortex export`: what is stored, as lines for other programs."""

from __future__ import annotations

import csv
import sys
from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, TextIO

import typer

from cortex.cli.options import LOOM
from loom.ending import in_utf8
from loom.model import Kind, State

if TYPE_CHECKING:
    from loom.shapes import AssetShape, ResultShape
    from loom.steering import AssetQuery
    from loom.verbs import Loom

_PAGE = 200
COLUMNS = (
    "path", "asset", "blake3", "kind", "mime", "size", "pipeline", "node", "operator", "operator_version", "state",
    "origin", "verdict", "error_code", "error_message", "duration_ms", "finished", "outputs", "artifacts",
)  # fmt: skip
"""Of the lines of `--csv`."""


def export(
    json: Annotated[bool, typer.Option("--json", help="One JSON object a line: the default.")] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="CSV with a head line.")] = False,
    node: Annotated[list[str] | None, typer.Option(metavar="NODE", help="Only results of this node.")] = None,
    state: Annotated[State | None, typer.Option(help="Only results of this state.")] = None,
    kind: Annotated[Kind | None, typer.Option(help="Only assets of this kind.")] = None,
    path: Annotated[str | None, typer.Option(help="Only assets with a path that begins so.")] = None,
    collection: Annotated[str | None, typer.Option(help="Only assets of this collection.")] = None,
    camera: Annotated[str | None, typer.Option(help="Only assets taken with this camera.")] = None,
    year: Annotated[int | None, typer.Option(help="Only assets taken in this year.")] = None,
    text: Annotated[str | None, typer.Option(help="Only assets of which results say these words.")] = None,
    captured_from: Annotated[
        str | None, typer.Option(metavar="DAY", help="Only assets taken from this day on.")
    ] = None,
    captured_to: Annotated[str | None, typer.Option(metavar="DAY", help="Only assets taken until this day.")] = None,
    near: Annotated[str | None, typer.Option(metavar="LAT,LON", help="Only assets taken around this place.")] = None,
    radius_km: Annotated[float | None, typer.Option(help="How far around; 10 when left out.")] = None,
    box: Annotated[str | None, typer.Option(metavar="S,W,N,E", help="Only assets taken within these degrees.")] = None,
    color: Annotated[
        str | None,
        typer.Option(help="Only pictures with this colour: a name such as red, or #c04020 and what is near."),
    ] = None,
    person: Annotated[str | None, typer.Option(help="Only assets with a face of this person: name or UUID.")] = None,
    loom: LOOM = None,
) -> int:
    """Write stored results to stdout, one a line, with the asset that each is of."""
    from cortex.holding import connect
    from loom.errors import LoomError

    if json and as_csv:
        raise LoomError("USAGE", "--json or --csv, not both")
    query = _query(
        kind=kind,
        path=path,
        collection=collection,
        camera=camera,
        year=year,
        text=text,
        captured_from=captured_from,
        captured_to=captured_to,
        near=near,
        radius_km=radius_km,
        box=box,
        color=color,
        person=person,
    )
    out = in_utf8(sys.stdout)
    write = _csv_writer(out) if as_csv else partial(_write_json, out)
    with connect(loom) as there:
        for asset, result in _results(there, query):
            if (not node or result.node in node) and state in (None, result.state):
                write(asset, result)
    return 0


def _query(**asked: Any) -> AssetQuery:
    """Raises `USAGE` for what is no day, year, place or radius."""
    import msgspec

    from loom.errors import LoomError
    from loom.steering import AssetQuery

    try:
        return msgspec.convert(asked, AssetQuery, strict=False)
    except msgspec.ValidationError as error:
        raise LoomError("USAGE", f"Such assets cannot be asked for: {error}") from error


def _results(loom: Loom, query: AssetQuery) -> Iterator[tuple[AssetShape, ResultShape]]:
    from cortex.paging import everything

    for item in everything(partial(loom.assets_with_results, query, limit=_PAGE)):
        for result in item.results:
            yield item.asset, result


def _write_json(out: TextIO, asset: AssetShape, result: ResultShape) -> None:
    import msgspec

    told = {**msgspec.structs.asdict(result), "asset": asset}
    out.write(msgspec.json.encode(told).decode() + "\n")


def _csv_writer(out: TextIO) -> Callable[[AssetShape, ResultShape], object]:
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    return lambda asset, result: writer.writerow(_row(asset, result))


def _row(asset: AssetShape, result: ResultShape) -> tuple[Any, ...]:
    import msgspec

    lying = sorted(asset.locations, key=lambda place: place.state != "present")
    error = result.error
    return (
        lying[0].path if lying else "",
        asset.uuid,
        asset.blake3,
        asset.kind,
        asset.mime,
        asset.size,
        result.pipeline,
        result.node,
        result.operator,
        result.operator_version,
        result.state,
        result.origin,
        result.verdict,
        error and error.code,
        error and error.message,
        result.duration_ms,
        result.finished,
        msgspec.json.encode(result.outputs).decode(),
        " ".join(f"{one.name}={one.digest}" for one in result.artifacts),
    )
