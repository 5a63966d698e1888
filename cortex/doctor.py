"""The self-check: what works on this machine, in one sentence each."""

from __future__ import annotations

import os
import shutil
import sqlite3
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from cortex.engine.reserve import free_bytes
from cortex.settings import CortexSettings

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
    from PIL import features

    for name, label in (("jpg", "JPEG"), ("webp", "WebP"), ("avif", "AVIF"), ("jpg_2000", "JPEG 2000")):
        ok = bool(features.check(name))
        yield Check(f"format {label}", ok, f"Pillow {'reads' if ok else 'does not read'} {label}", needed=name == "jpg")
    yield _imports("format HEIC", "pi_heif", "HEIC pictures")
    yield _imports("format video", "av", "video and sound")


def _tools() -> Iterator[Check]:
    """The libraries that decode, and the programs that operators call."""
    import av
    from PIL import __version__ as pillow

    from cortex.catalogue import load

    library = ".".join(map(str, av.library_versions["libavcodec"]))
    yield Check("tools", True, f"Pillow {pillow}, PyAV {av.__version__} with libavcodec {library}, in this environment")
    catalogue = load()
    specs = [spec for operator in catalogue.ids() if (spec := catalogue.spec(operator)) is not None]
    for program in sorted({needed.name for spec in specs for needed in spec.requires if needed.kind == "program"}):
        path = shutil.which(program)
        yield Check(f"tool {program}", path is not None, path or f"{program} is not installed", needed=False)


def _imports(name: str, module: str, what: str) -> Check:
    import importlib

    try:
        found = importlib.import_module(module)
    except ImportError as error:
        return Check(name, False, f"{what} cannot be read: {error}")
    return Check(name, True, f"{what} are read by {module} {getattr(found, '__version__', '')}".rstrip())


def _operators() -> Iterator[Check]:
    from cortex.catalogue import load, missing_requirements

    catalogue = load()
    specs = [spec for operator in catalogue.ids() if (spec := catalogue.spec(operator)) is not None]
    yield Check("operators", bool(specs), f"{len(specs)} operators can be used")
    for problem in catalogue.problems():
        yield Check("operator", False, str(problem), needed=False)
    for spec in specs:
        for missing in missing_requirements(spec):
            install = f"; install the extra `{missing.extra}`" if missing.extra else ""
            yield Check(f"operator {spec.id}", False, f"needs the {missing.kind} {missing.name}{install}", needed=False)


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
