"""The `loom` command: serves Loom and looks after its database."""

from __future__ import annotations

import platform
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from loom.ending import in_utf8, printable, run, say
from loom.errors import LoomError
from loom.settings import LoomSettings
from loom.verbosity import speaking
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
DAYS = Annotated[
    float | None,
    typer.Option(
        "--runs-older-than", metavar="DAYS", min=0, help="Of runs that ended longer ago, keep only the counts."
    ),
]
FILE = Annotated[Path, typer.Argument(metavar="FILE")]
ARCHIVE = Annotated[Path, typer.Argument(metavar="FILE", exists=True, dir_okay=False, readable=True)]


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
@speaking
def serve(
    host: Annotated[str | None, typer.Option(help="The address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(min=0, max=65535, help="The port; 0 for any.")] = None,
    database: DATABASE = None,
    worker: Annotated[bool, typer.Option("--worker", help="With a worker for the runs that are asked for.")] = False,
) -> int:
    """Serve Loom's page, API and bus until Ctrl-C."""
    from loom.serving import serve_until_interrupted

    return serve_until_interrupted(_settings(host=host, port=port, database_url=database), worker=worker)


@app.command()
@speaking
def migrate(database: DATABASE = None) -> int:
    """Create the database, or bring it up to date."""
    from loom.local import hold_loom

    with hold_loom(_settings(database_url=database)):
        typer.echo("The database is up to date.")
    return 0


@app.command()
@speaking
def verify(
    read_data: Annotated[bool, typer.Option("--read-data", help="Read all files and compare their bytes.")] = False,
    json: JSON = False,
) -> int:
    """Check that what the database says of files is so."""
    from loom.local import look_at_loom

    settings = _settings()
    _refuse_no_database(settings)
    with look_at_loom(settings, migrate=False) as local:
        verified = local.loom.verify(platform.node(), read_data=read_data)
    if json:
        _print_json_lines(found._asdict() for found in verified.findings)
    for found in () if json else verified.findings:
        typer.echo(f"{found.code}: {printable(found.subject)}: {printable(found.message)}")
        typer.echo(f"    {printable(found.remedy)}")
    untold = f", {verified.untold} of them not listed" if verified.untold else ""
    say(
        f"looked at {verified.artifacts} derived files and {verified.locations} originals"
        f" ({verified.bytes_read:,} bytes read): {len(verified.findings) + verified.untold} findings{untold},"
        f" {verified.changed} originals written to since, {verified.unreadable} unreadable,"
        f" {verified.unnamed + verified.unused} derived files that no result names"
    )
    return 1 if verified.findings else 0


@app.command()
@speaking
def backup(file: FILE) -> int:
    """Write the database and all derived files to one file, also while Loom is in use."""
    from loom.local import look_at_loom

    settings = _settings()
    _refuse_no_database(settings)
    with look_at_loom(settings, trace=False) as local:
        copied = local.loom.backup(file)
    typer.echo(f"{file}: the database and {copied.artifacts} derived files, {copied.bytes:,} bytes")
    return 0


@app.command()
@speaking
def restore(file: ARCHIVE) -> int:
    """Put a backup back into an empty data folder."""
    from loom.store.backup import restore as put_back
    from loom.store.backup import target_of
    from loom.store.databaselock import hold_database
    from loom.store.datafolder import DataFolder

    settings = _settings()
    database = target_of(settings.database_url)
    with DataFolder.open(settings.data_dir) as folder, hold_database(database, folder.path):
        copied = put_back(file, database, folder.blobs)
    typer.echo(f"{settings.data_dir}: the database and {copied.artifacts} derived files are back")
    return 0


@app.command()
@speaking
def prune(dry_run: DRY_RUN = False, runs_older_than: DAYS = None) -> int:
    """Remove results and derived files that no current pipeline can use, and the details of old runs."""
    from loom.local import hold_loom

    outcomes = None
    with hold_loom(_settings()) as local:
        if runs_older_than is not None:
            outcomes = local.loom.forget_outcomes(int(runs_older_than * 86_400_000_000), dry_run=dry_run)
        pruned = local.loom.prune(dry_run=dry_run)
    would = "would remove" if dry_run else "removed"
    typer.echo(f"{would} {pruned.results} results and {pruned.files} derived files ({pruned.bytes:,} bytes)")
    if pruned.kept:
        typer.echo(f"kept {pruned.kept} derived files that no result names: they came less than an hour ago")
    if outcomes is not None:
        typer.echo(f"{would} what became of {outcomes} assets in old runs; their counts stay")
    return 0


@app.command()
@speaking
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
@speaking
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


def _refuse_no_database(settings: LoomSettings) -> None:
    """Raises `NOT_FOUND` where a database would have to be made first."""
    from loom.store.engines import parse_url, sqlite_path

    url = parse_url(settings.database_url)
    if url.get_backend_name() == "sqlite" and not sqlite_path(url).exists():
        raise LoomError("NOT_FOUND", f"There is no database at {sqlite_path(url)}.")


def _print_json_lines(values: Iterable[Any]) -> None:
    import msgspec

    in_utf8(sys.stdout).writelines(f"{msgspec.json.encode(value).decode()}\n" for value in values)


def main() -> None:
    """The entry point of the program; ends with one of the pinned exit codes."""
    sys.exit(run(app))
