"""The self-check: what works on this machine, in one sentence each."""

from __future__ import annotations

import os
import shutil
import sqlite3
import sys
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from cortex.engine.reserve import free_bytes
from cortex.settings import CortexSettings
from loom.errors import LoomError

if TYPE_CHECKING:
    from cortex.catalogue import EntryPointCatalogue
    from loom.graph.specs import OperatorSpec, Requirement

LOW_DISK_BYTES = 1024**3


class Check(NamedTuple):
    """One thing looked at. `needed` false: worth knowing, but nothing fails without it."""

    name: str
    ok: bool
    sentence: str
    needed: bool = True


def examine() -> list[Check]:
    """Looks at everything; a check that breaks is a check that failed."""
    checks: list[Check] = []
    for look in (_python, _formats, _tools, _operators, _limits, _folders, _set_aside, _sandbox):
        try:
            checks.extend(look())
        except Exception as error:
            checks.append(Check(look.__name__.strip("_"), False, f"{type(error).__name__}: {error}"))
    return checks


def _python() -> Iterator[Check]:
    version = ".".join(map(str, sys.version_info[:3]))
    yield Check("python", sys.version_info >= (3, 11), f"Python {version} on {sys.platform}")
    linux = sys.platform == "linux"
    platform = "everything is meant for Linux" if linux else "Linux is meant; elsewhere the sandbox protects less"
    yield Check("platform", linux, platform, needed=False)
    yield Check("sqlite", sqlite3.sqlite_version_info >= (3, 35), f"SQLite {sqlite3.sqlite_version}")


def _formats() -> Iterator[Check]:
    """What can be decoded, in one line, and a line for each format that cannot."""
    from PIL import features

    reads = {label: bool(features.check(name)) for name, label in _PICTURES.items()}
    others = [_imports("HEIC", "pi_heif", "HEIC pictures"), _imports("video", "av", "video and sound")]
    known = [label for label, ok in reads.items() if ok] + [check.name for check in others if check.ok]
    yield Check("formats", bool(known), f"{', '.join(known)} can be read")
    for label in (label for label, ok in reads.items() if not ok):
        yield Check(f"format {label}", False, f"Pillow does not read {label}", needed=label == "JPEG")
    yield from (check._replace(name=f"format {check.name}") for check in others if not check.ok)


_PICTURES = {"jpg": "JPEG", "webp": "WebP", "avif": "AVIF", "jpg_2000": "JPEG 2000"}


def _tools() -> Iterator[Check]:
    """The libraries that decode."""
    import av
    from PIL import __version__ as pillow

    library = ".".join(map(str, av.library_versions["libavcodec"]))
    yield Check("tools", True, f"Pillow {pillow}, PyAV {av.__version__} with libavcodec {library}, in this environment")


def _imports(name: str, module: str, what: str) -> Check:
    import importlib

    try:
        importlib.import_module(module)
    except ImportError as error:
        return Check(name, False, f"{what} cannot be read: {error}")
    return Check(name, True, f"{what} are read by {module}")


def _operators() -> Iterator[Check]:
    """How many can be used, what is wrong with others, and what those that can be used have not got."""
    from cortex.catalogue import load

    catalogue = load()
    specs = [spec for operator in catalogue.ids() if (spec := catalogue.spec(operator)) is not None]
    yield Check("operators", bool(specs), f"{len(specs)} operators are there")
    for problem in catalogue.problems():
        yield Check("operator", False, str(problem), needed=False)
    yield from _parts(catalogue, specs)
    yield from _given(specs)


def _parts(catalogue: EntryPointCatalogue, specs: Iterable[OperatorSpec]) -> Iterator[Check]:
    """Optional parts: those that are there in one line, and a line for each that operators wait for."""
    from cortex.requirements import missing, to_install

    wanted: dict[str, list[tuple[str, Requirement]]] = {}
    for spec in specs:
        config, problems = catalogue.normalise(spec.id, {})
        try:
            needs = spec.requires if problems else catalogue.requirements(spec.id, config)
        except LoomError as error:
            yield Check(f"operator {spec.id}", False, error.message, needed=False)
            continue
        for one in needs:
            name = Path(one.name).name if one.kind == "model" else one.name
            wanted.setdefault(f"extra {one.extra}" if one.extra else f"{one.kind} {name}", []).append((spec.id, one))
    lacking = {part: lacks for part, uses in wanted.items() if (lacks := [use for use in uses if missing([use[1]])])}
    there = sorted(part.partition(" ")[2] for part in wanted if part not in lacking)
    yield Check("optional parts", True, f"installed: {', '.join(there) or 'none'}", needed=False)
    for part, lacks in sorted(lacking.items()):
        who = ", ".join(dict.fromkeys(operator for operator, _ in lacks))
        all_optional = all(one.optional for _, one in lacks)
        does = "can do less without it" if all_optional else "cannot be used without it"
        command = to_install(lacks[0][1])
        yield Check(part, False, f"{who} {does}" + (f": {command}" if command else ""), needed=False)


_MODEL = "#/$defs/ModelFile"


def _given(specs: Iterable[OperatorSpec]) -> Iterator[Check]:
    """What people give themselves: models, by the options of nodes, and programs, by a setting."""
    own = [spec.id for spec in specs if spec.config_schema["properties"].get("model", {}).get("$ref", "") == _MODEL]
    if own:
        yield Check("models", True, f"{', '.join(own)} work with a model that you give them", needed=False)
    programs = CortexSettings.load({}).programs
    said = (
        f"pipelines may run {', '.join(programs)}"
        if programs
        else "pipelines may run none; CORTEX_PROGRAMS allows some"
    )
    yield Check("programs", True, said, needed=False)
    for program in programs:
        if shutil.which(program) is None:
            yield Check(f"program {program}", False, "CORTEX_PROGRAMS names it, but it is not installed", needed=False)


def _limits() -> Iterator[Check]:
    from cortex.engine.limits import granted

    for grant in granted():
        yield Check(f"limit {grant.name}", grant.ok, grant.sentence, needed=False)


def _folders() -> Iterator[Check]:
    from loom.settings import LoomSettings

    yield from _folder("data folder", LoomSettings.load({}).data_dir)
    yield from _folder("meta path", CortexSettings.load({}).meta_path)


def _folder(name: str, folder: Path) -> Iterator[Check]:
    there = next(parent for parent in (folder, *folder.parents) if parent.exists())
    writable = os.access(there, os.W_OK | os.X_OK)
    yield Check(name, writable, f"{folder} {'can' if writable else 'cannot'} be written")
    free = free_bytes(folder)
    yield Check(f"disk of {name}", free >= LOW_DISK_BYTES, f"{free / 1024**3:.1f} GB are free", needed=False)


def _set_aside() -> Iterator[Check]:
    """Messages that waited for a Loom server which refused them when it was back."""
    from cortex.engine.patience import SPOOL
    from cortex.engine.refused import REFUSED, reasons

    room = CortexSettings.load({}).meta_path / SPOOL
    for folder in sorted(room.glob(f"*/{REFUSED}")):
        refused = list(reasons(folder))
        if refused:
            last = f"the last with {refused[-1].code}: {refused[-1].message}"
            kept = f"{folder} keeps {len(refused):,} messages that Loom refused, {last} They can be deleted"
            yield Check("set aside", False, kept, needed=False)


def _sandbox() -> Iterator[Check]:
    """Makes a picture and lets a worker process decode it."""
    from PIL import Image

    from cortex.operators import FilesystemSource, Sha256, Thumbnail
    from loom.graph.definition import Pipeline

    source = FilesystemSource()
    source.connect_to(Sha256()).connect_to(Thumbnail(size=64))
    definition = Pipeline.builder("doctor").source(source).build()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "picture.png"
        Image.new("RGB", (256, 128), (200, 80, 40)).save(path)
        failures = _walk(path, definition.model_dump(mode="json", by_alias=True, exclude_none=True))
    if failures:
        yield Check("sandbox", False, "; ".join(failures))
    else:
        yield Check("sandbox", True, "a worker process read, hashed and decoded a picture")


def _walk(path: Path, document: dict[str, object]) -> list[str]:
    from cortex.catalogue import load
    from cortex.engine.limits import Limits
    from cortex.engine.records import Answer, Item, Lane, Setup
    from cortex.engine.sandbox import Sandbox
    from cortex.engine.scheme import compile_plan
    from loom.graph.plan import AssetFilter
    from loom.model import FileStat

    stat = path.stat()
    item = Item(
        1, os.fsencode(path), os.fsencode(path.name), FileStat(stat.st_size, stat.st_mtime_ns, stat.st_ino, stat.st_dev)
    )
    lane = Lane(AssetFilter(), compile_plan(document, load()))
    with Sandbox(Setup((lane,), True, Limits()), jobs=1) as sandbox:
        walked = list(sandbox.run(iter([item]), lambda asked: [Answer(i.token, True) for i in asked]))
    failures = [f"{w.failure[0]}: {w.failure[1]}" for w in walked if w.failure is not None]
    failures.extend(f"{c.error_code}: {c.error_message}" for w in walked for c in w.computed if c.error_code)
    return failures if walked else ["the worker process gave no answer"]
