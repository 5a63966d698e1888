"""`cortex show`, `cortex doctor` and `cortex config`: what is known, what works here, and what is set."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from cortex.cli.finding import find_asset
from cortex.cli.options import JSON, LOOM
from loom.ending import in_utf8

if TYPE_CHECKING:
    from uuid import UUID

    from loom.assetgroups import AssetGroupShape
    from loom.shapes import AssetShape, ResultShape


def show(
    what: Annotated[str, typer.Argument(metavar="PATH|UUID|HASH", help="A file, an asset's UUID or a hash in hex.")],
    loom: LOOM = None,
    json: JSON = False,
) -> int:
    """Show everything known of an asset: locations, results, derived files."""
    from cortex.holding import connect

    with connect(loom) as there:
        asset = find_asset(there, what)
        results = there.asset_results(asset.uuid)
        groups = there.asset_groups(asset.uuid)
        faces = there.asset_people(asset.uuid)
    if json:
        import msgspec

        value = {"asset": asset, "results": results, "groups": groups, "people": faces}
        in_utf8(sys.stdout).write(msgspec.json.format(msgspec.json.encode(value), indent=2).decode() + "\n")
        return 0
    together = (line for group in groups for line in _group_lines(group, asset.uuid))
    people = [f"face {face.number}  {face.person}  {face.name or ''}".rstrip() for face in faces]
    told = (line for result in results for line in _result_lines(result))
    typer.echo("\n".join([*_asset_lines(asset), *together, *people, *told]))
    return 0


def _asset_lines(asset: AssetShape) -> list[str]:
    from cortex.report.plain import printable
    from cortex.report.summary import human_bytes

    lines = [
        f"asset   {asset.uuid}",
        f"kind    {asset.kind}, {asset.mime}, {human_bytes(asset.size)} ({asset.size:,} bytes)",
        f"blake3  {asset.blake3}",
    ]
    if asset.sha256:
        lines.append(f"sha256  {asset.sha256}")
    lines.append(f"first seen {asset.first_seen}")
    if asset.collections:
        lines.append(f"collections  {', '.join(asset.collections)}")
    lines.extend(f"  {place.state:<11} {place.host}:{printable(place.path)}" for place in asset.locations)
    return lines


def _group_lines(group: AssetGroupShape, asset: UUID) -> list[str]:
    """The other members, each with where it lies first."""
    from cortex.report.plain import printable

    own = next((member.role for member in group.members if member.asset.uuid == asset), "member")
    lines = ["", f"belongs together  {group.kind}, as {own}"]
    for member in group.members:
        if member.asset.uuid != asset:
            path = member.asset.locations[0].path if member.asset.locations else ""
            lines.append(f"  {member.role:<11} {member.asset.uuid}  {printable(path)}")
    return lines


def _result_lines(result: ResultShape) -> list[str]:
    verdict = f" {result.verdict}" if result.verdict else ", handled" if result.handled else ""
    lines = [
        "",
        f"{result.node}  {result.operator} {result.operator_version}  {result.state}{verdict}"
        f"  {result.duration_ms:.1f} ms  {result.finished or ''}",
    ]
    if result.error is not None:
        lines.append(f"    {result.error.code}: {result.error.message}")
    lines.extend(f"    {key}: {_short(value)}" for key, value in result.outputs.items())
    lines.extend(f"    [{a.name}] {a.media_type}, {a.size:,} bytes, {a.digest}" for a in result.artifacts)
    return lines


def _short(value: object, width: int = 160) -> str:
    from cortex.report.plain import printable

    text = printable(str(value))
    return text if len(text) <= width else text[: width - 1] + "…"


def doctor(json: JSON = False) -> int:
    """Check formats, tools, limits, disk, permissions, and decode one picture in the sandbox."""
    from cortex.doctor import examine

    checks = examine()
    if json:
        import msgspec

        in_utf8(sys.stdout).writelines(f"{msgspec.json.encode(check).decode()}\n" for check in checks)
    else:
        for check in checks:
            word = "ok" if check.ok else "FAIL" if check.needed else "note"
            typer.echo(f"{word:<4}  {check.name:<24} {check.sentence}")
    return 0 if all(check.ok or not check.needed for check in checks) else 1


def config(json: JSON = False) -> int:
    """Show the merged settings and where each value came from."""
    from cortex.settings import CortexSettings
    from loom.layers import rows

    found = rows(CortexSettings.load({}))
    if json:
        import msgspec

        in_utf8(sys.stdout).writelines(f"{msgspec.json.encode(row._asdict()).decode()}\n" for row in found)
    else:
        for row in found:
            typer.echo(f"{row.name:<14} {row.value:<48} {row.origin}")
    return 0
