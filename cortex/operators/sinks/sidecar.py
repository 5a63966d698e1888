"""Writes what is known of an asset into a file beside it."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from contextlib import suppress
from enum import StrEnum
from functools import partial
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
from pydantic import BeforeValidator, Field, StringConstraints, model_validator

from cortex.node import HANDS_ON, MediaNode, NodeContext, NodeOptions, OutputKey
from cortex.operators.references import ValueName, nodes_of, texts_of, value_of
from cortex.operators.sinks.acts import Deed, path_at, wrote
from cortex.operators.sinks.copying import Folder
from cortex.operators.sinks.naming import MAX_TEMPLATE, NamePart, Template, nodes_named, render, sayable
from cortex.operators.sinks.placing import alone, demand_here, failing, folder_below, publish, sync
from cortex.operators.sinks.xmptext import FIELDS, packet
from loom.errors import LoomError

if TYPE_CHECKING:
    from cortex.media import Media

MAX_SIDECAR = 1024 * 1024
_SEAL = re.compile(rb'(?:<!-- |  "written_by": ")written by cortex ([0-9a-f]{32})')


class Form(StrEnum):
    XMP = "xmp"
    JSON = "json"


class Foreign(StrEnum):
    """What becomes of a side file that somebody else wrote."""

    KEEP = "keep"
    FAIL = "fail"


def _as_tuple(given: Any) -> Any:
    return (given,) if isinstance(given, str) else tuple(given) if isinstance(given, list) else given


class SidecarOptions(NodeOptions):
    form: Form = Field(Form.XMP, description="`xmp`, which other programs read, or `json`.")
    values: dict[
        Annotated[str, StringConstraints(max_length=100, pattern=r"^[a-z][a-z0-9_]*$")],
        Annotated[
            tuple[ValueName, ...],
            Field(min_length=1, max_length=20),
            BeforeValidator(_as_tuple, json_schema_input_type=ValueName | tuple[ValueName, ...]),
        ],
    ] = Field(
        min_length=1,
        max_length=100,
        description="What the file says, and the values of nodes that say it, the first that is there; keywords are "
        "taken from all. XMP has title, description, creator, copyright, keywords, rating, label, captured_at, "
        "latitude, longitude, camera_make and camera_model; JSON any names.",
    )
    name: Template = Field(
        "{name}",
        max_length=MAX_TEMPLATE,
        description="Its name without the ending `.xmp` or `.json`: `{name}` for cup.jpg.xmp, `{stem}` for cup.xmp.",
    )
    missing: NamePart | None = Field(
        None, max_length=100, description="What stands in the name for a value that is not there."
    )
    to: Folder | None = Field(None, max_length=4096, description="The folder it goes to; by default that of the file.")
    foreign: Foreign = Field(
        Foreign.KEEP, description="`keep` leaves a side file that somebody else wrote or changed, `fail` fails."
    )

    @model_validator(mode="after")
    def _can_be_written(self) -> SidecarOptions:
        if self.form is Form.XMP and (unknown := sorted(self.values.keys() - FIELDS.keys())):
            raise ValueError(f"XMP has no {unknown[0]} here; it has {', '.join(FIELDS)}")
        return self


class Sidecar(MediaNode[SidecarOptions]):
    """Writes what is known of an asset into a side file, as XMP or JSON.

    The file lies beside the original, or below the folder `to`, which must be there. An example:

        form: xmp
        values: {title: metadata.title, keywords: [tag.labels, metadata.keywords], rating: metadata.rating}

    Values that are not there are left out. The side file is sealed with a digest of its text: as long as that fits, it
    is ours and is replaced, as a whole, when there is something else to say. One that another program or a person wrote
    or changed is never touched. The original is never touched either. Of an asset that lies in several places one gets
    a side file.

    Ports `in` and `out`; needs the nodes that it names before it. Side files, ours and others' in XMP, get none
    themselves: they are skipped as `NOT_PROCESSABLE`. Fails with `OPERATOR_FAILED` for a value of the name that is not
    there and, without `to`, for a file that does not lie on this machine, `OUTPUT_INVALID` for more than 1 MiB,
    `DISK_FULL`, and `EFFECT_FAILED` for a side file of somebody else's, where that is to fail, and all else that the
    system refuses.
    """

    operator = "sink.sidecar"
    outputs = HANDS_ON
    reads = ()
    verdicts = False
    capabilities = frozenset({"effect"})
    TARGET = OutputKey("target", str, "Where the side file lies.")
    WRITTEN = OutputKey("written", bool, "Whether it was written now; false when it said the same, or was left.")

    def named_nodes(self) -> tuple[str, ...]:
        named = nodes_of(ref for refs in self.options.values.values() for ref in refs)
        return tuple(sorted({*named, *nodes_named(self.options.name)}))

    def is_processable(self, media: Media) -> bool:
        """Whether it is no side file itself: else each would get one in the next run, and so on."""
        path = Path(media.local)
        if path.suffix.lower() == ".xmp":
            return False
        if path.suffix.lower() != ".json" or media.size > MAX_SIDECAR:
            return True
        try:
            return not is_sealed(path.read_bytes())
        except OSError:
            return True

    def compute(self, ctx: NodeContext, media: Media) -> None:
        options = self.options
        if options.to is None:
            demand_here(media, "say with `to` where its side file is to be written")
        *folders, name = render(options.name, ctx, media, options.missing)
        name = f"{name}.{options.form.value}"
        data = sealed(self._said(ctx, media), options.form)
        if len(data) > MAX_SIDECAR:
            raise LoomError("OUTPUT_INVALID", f"the side file would have more than {MAX_SIDECAR} bytes")
        root = options.to or str(Path(media.path).parent)
        target = sayable("/".join([root.rstrip("/"), *folders, name]))

        def write() -> None:
            from blake3 import blake3

            placed, digest = path_at(root, folders, name), blake3(data).digest()
            deed = Deed(ctx, lambda kind, _: wrote(kind, media, placed, digest, len(data)))
            with failing(f"writing {target}"), folder_below(root, folders) as folder:
                must_be_own = options.foreign is Foreign.FAIL
                before = partial(deed.about_to, "wrote", name)
                written = replace_own(folder, name, data, must_be_own=must_be_own, before=before)
            if written:
                deed.done()
            ctx.output(self.TARGET, target)
            ctx.output(self.WRITTEN, written)

        ctx.effect(f"write {target}", write)

    def _said(self, ctx: NodeContext, media: Media) -> str:
        values: dict[str, Any] = {}
        for name, refs in self.options.values.items():
            there = [value for ref in refs if (value := value_of(ctx, ref)) is not None]
            if there:
                values[name] = [text for value in there for text in texts_of(value)] if name == "keywords" else there[0]
        if self.options.form is Form.XMP:
            return packet(str(media.asset.uuid), values)
        known = {"asset": str(media.asset.uuid), "blake3": media.asset.blake3.hex(), "values": values}
        return msgspec.json.format(msgspec.json.encode(known, order="deterministic"), indent=2).decode()


def sealed(text: str, form: Form) -> bytes:
    """The text with a mark of who wrote it and a digest of it, by which a change is seen."""
    if form is Form.XMP:
        head = text.encode()
        return head + f"<!-- written by cortex {_digest(head)} -->\n".encode()
    head = text.rstrip().removesuffix("\n}").encode() + b",\n"
    return head + f'  "written_by": "written by cortex {_digest(head)}"\n}}\n'.encode()


def is_sealed(data: bytes) -> bool:
    """Whether the data is as `sealed` gave it."""
    found = list(_SEAL.finditer(data))
    return bool(found) and _digest(data[: found[-1].start()]).encode() == found[-1][1]


def _digest(head: bytes) -> str:
    return blake2b(head, digest_size=16).hexdigest()


def replace_own(
    folder: int, name: str, data: bytes, *, must_be_own: bool, before: Callable[[], None] = lambda: None
) -> bool:
    """Writes the file unless it has that data, or is somebody else's; whether it was written. `before` is called just
    before that. Raises `EFFECT_FAILED` for one that must be ours and is not, and `OSError`."""
    there = _read(folder, name)
    if there == data:
        return False
    if there is not None and not is_sealed(there):
        if must_be_own:
            raise LoomError("EFFECT_FAILED", f"{sayable(name)} was written or changed by somebody else")
        return False
    before()
    part = part_of(name)
    with alone(folder, part) as descriptor:
        try:
            with os.fdopen(os.dup(descriptor), "wb") as file:
                file.write(data)
            os.fsync(descriptor)
            if there is None:
                publish(folder, part, name)
            else:
                os.rename(part, name, src_dir_fd=folder, dst_dir_fd=folder)
        finally:
            with suppress(FileNotFoundError):
                os.unlink(part, dir_fd=folder)
    sync(folder)
    return True


def part_of(name: str) -> str:
    """The name that a side file has while it is written."""
    return f".{blake2b(os.fsencode(name), digest_size=16).hexdigest()}.part"


def _read(folder: int, name: str) -> bytes | None:
    """The beginning of the file, with one byte more than any of ours has; None when there is none."""
    try:
        descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
    except FileNotFoundError:
        return None
    with os.fdopen(descriptor, "rb") as file:
        return file.read(MAX_SIDECAR + 1)
