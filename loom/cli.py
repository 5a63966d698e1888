"""The `loom` command: serves Loom and looks after its database."""

from __future__ import annotations

import platform
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from loom.ending import run, say
from loom.settings import LoomSettings
from loom.version import VERSION

if TYPE_CHECKING:
    from collections.abc import Iterable

app = typer.Typer(
    name="loom",
    help="Keeps pipelines, assets and results, and tells everyone.",
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"auto_envvar_prefix": "LOOM", "help_option_names": ["-h", "--help"]},
)
DATABASE = Annotated[str | None, typer.Option("--database", metavar="URL", help="SQLite or PostgreSQL, as a URL.")]
JSON = Annotated[bool, typer.Option("--json", help="JSON lines on stdout.")]
DRY_RUN = Annotated[bool, typer.Option("--dry-run", help="Only count what would be removed.")]
FILE = Annotated[Path, typer.Argument(metavar="FILE")]


@app.callback(invoke_without_command=True)
def common(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Print the version and end.")] = False,
) -> None:
    """Keeps pipelines, assets and results, and tells everyone."""
    if version:
        typer.echo(f"loom {VERSION}")
    elif context.invoked_subcommand is None:
        typer.echo(context.get_help())
        raise typer.Exit(2)


@app.command()
def serve(
    host: Annotated[str | None, typer.Option(help="The address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(min=0, max=65535, help="The port; 0 for any.")] = None,
    database: DATABASE = None,
) -> int:
    """Serve Loom's API and bus until Ctrl-C."""
    from loom.serving import serve_until_interrupted

    return serve_until_interrupted(_settings(host=host, port=port, database_url=database))


@app.command()
def migrate(database: DATABASE = None) -> int:
    """Create the database, or bring it up to date."""
    from loom.local import hold_loom

    with hold_loom(_settings(database_url=database)):
        typer.echo("The database is up to date.")
    return 0


@app.command()
def verify(
    read_data: Annotated[bool, typer.Option("--read-data", help="Read all files and compare their bytes.")] = False,
    json: JSON = False,
) -> int:
    """Check that what the database says of files is so."""
    from loom.local import look_at_loom

    with look_at_loom(_settings()) as local:
        verified = local.loom.verify(platform.node(), read_data=read_data)
    if json:
        _print_json_lines(found._asdict() for found in verified.findings)
    for found in () if json else verified.findings:
        typer.echo(f"{found.code}: {found.subject}: {found.message}")
    say(
        f"looked at {verified.artifacts} derived files and {verified.locations} originals"
        f" ({verified.bytes_read:,} bytes read): {len(verified.findings)} findings, {verified.changed} originals"
        f" changed since, {verified.unreadable} unreadable, {verified.unnamed} derived files that no result names"
    )
    return 1 if verified.findings else 0


@app.command()
def backup(file: FILE) -> int:
    """Write the database and all derived files to one file, also while Loom is in use."""
    from loom.local import look_at_loom

    with look_at_loom(_settings()) as local:
        copied = local.loom.backup(file)
    typer.echo(f"{file}: the database and {copied.artifacts} derived files, {copied.bytes:,} bytes")
    return 0


@app.command()
def restore(file: FILE) -> int:
    """Put a backup back into an empty data folder."""
    from loom.store.backup import restore as put_back
    from loom.store.datafolder import DataFolder

    settings = _settings()
    with DataFolder.open(settings.data_dir) as folder:
        copied = put_back(file, settings.data_dir / "loom.db", folder.blobs)
    typer.echo(f"{settings.data_dir}: the database and {copied.artifacts} derived files are back")
    return 0


@app.command()
def prune(dry_run: DRY_RUN = False) -> int:
    """Remove results and derived files that no current pipeline can use."""
    from loom.local import hold_loom

    with hold_loom(_settings()) as local:
        pruned = local.loom.prune(dry_run=dry_run)
    would = "would remove" if dry_run else "removed"
    typer.echo(f"{would} {pruned.results} results and {pruned.files} derived files ({pruned.bytes:,} bytes)")
    return 0


@app.command()
def token() -> int:
    """Print the token that programs send as `Authorization: Bearer`; made when there is none."""
    from loom.store.datafolder import DataFolder, DataFolderLocked, read_token

    settings = _settings()
    kept = settings.token or read_token(settings.data_dir)
    if kept is None:
        try:
            with DataFolder.open(settings.data_dir) as folder:
                kept = folder.token()
        except DataFolderLocked:
            kept = read_token(settings.data_dir)
    typer.echo(kept or "")
    return 0 if kept else 1


@app.command()
def config(json: JSON = False) -> int:
    """Show the merged settings and where each value came from."""
    from loom.layers import rows

    found = rows(_settings())
    if json:
        _print_json_lines(row._asdict() for row in found)
    for row in () if json else found:
        typer.echo(f"{row.name:<14} {row.value:<48} {row.origin}")
    return 0


def _settings(**flags: Any) -> LoomSettings:
    return LoomSettings.load(flags)


def _print_json_lines(values: Iterable[Any]) -> None:
    import msgspec

    sys.stdout.writelines(f"{msgspec.json.encode(value).decode()}\n" for value in values)


def main() -> None:
    """The entry point of the program; ends with one of the pinned exit codes."""
    sys.exit(run(app))
