"""Writes values into extended attributes of the file."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field, StringConstraints

from cortex.node import HANDS_ON, MediaNode, NodeContext, NodeOptions, OutputKey
from cortex.operators.references import ValueName, nodes_of, value_of
from cortex.operators.sinks.naming import sayable
from cortex.operators.sinks.placing import demand_here, failing
from loom.errors import LoomError

if TYPE_CHECKING:
    from cortex.media import Media

OWN = "user.cortex."
"""Attributes of this beginning are ours, to be replaced and taken away."""
_MAX_VALUE = 2048
_ABSENT = frozenset({errno.ENODATA, getattr(errno, "ENOATTR", errno.ENODATA)})

AttributeName = Annotated[str, StringConstraints(max_length=200, pattern=r"^user\.[A-Za-z0-9][A-Za-z0-9._-]*$")]


class XattrOptions(NodeOptions):
    attributes: dict[AttributeName, ValueName] = Field(
        min_length=1,
        max_length=20,
        description="Which value of a node goes into which attribute, such as `user.cortex.title: metadata.title`.",
    )
    replace: bool = Field(False, description="Also replace other values of attributes that are not `user.cortex.*`.")


class Xattr(MediaNode[XattrOptions]):
    """Writes values of earlier nodes into extended attributes of the file.

    `{attributes: {user.xdg.tags: tag.labels, user.cortex.sha256: sha256.sha256}}` is an example. Texts are written in
    UTF-8, numbers in digits, lists of such with commas between, at most 2,048 bytes each. Attributes `user.cortex.*`
    belong to this node: they are replaced, and removed where there is no value. Of others only those are written that
    are not there, unless `replace` is true, so that what other programs wrote stays. The content of the file and its
    time of change stay as they are. Of an asset that lies in several places one file gets them.

    Ports `in` and `out`; needs the nodes that it names before it, and Linux. Fails with `REQUIREMENT_MISSING` on other
    systems, `OPERATOR_FAILED` for a file that does not lie on this machine, `OUTPUT_INVALID` for a value that is an
    object or too long, `CHANGED_WHILE_READ` for a file of another size, `FILE_VANISHED` and `FILE_UNREADABLE` as
    reading does, and `EFFECT_FAILED` where the file system keeps no attributes or refuses.
    """

    operator = "sink.xattr"
    outputs = HANDS_ON
    reads = ()
    verdicts = False
    capabilities = frozenset({"effect"})
    WRITTEN = OutputKey("written", list, "Names of the attributes that were written or removed now.")
    KEPT = OutputKey("kept", list, "Names of those that had another value of somebody else's and were left.")

    def named_nodes(self) -> tuple[str, ...]:
        return nodes_of(self.options.attributes.values())

    def open(self) -> None:
        if not hasattr(os, "setxattr"):
            raise LoomError("REQUIREMENT_MISSING", "extended attributes can be written on Linux only")

    def compute(self, ctx: NodeContext, media: Media) -> None:
        demand_here(media, "it gets no attributes")
        wanted = {name: _bytes_of(name, value_of(ctx, ref)) for name, ref in sorted(self.options.attributes.items())}
        names = [name for name, value in wanted.items() if value is not None or name.startswith(OWN)]
        if names:
            what = f"write {', '.join(names)} to {sayable(media.path)}"
            ctx.effect(what, lambda: self._write(ctx, media, {name: wanted[name] for name in names}))

    def _write(self, ctx: NodeContext, media: Media, wanted: dict[str, bytes | None]) -> None:
        written, kept = [], []
        with _opened(media) as descriptor, failing("writing extended attributes"):
            for name, value in wanted.items():
                there = _get(descriptor, name)
                if there == value:
                    continue
                if there is not None and not (self.options.replace or name.startswith(OWN)):
                    kept.append(name)
                    continue
                _set(descriptor, name, value)
                written.append(name)
        ctx.output(self.WRITTEN, written)
        ctx.output(self.KEPT, kept)


@contextmanager
def _opened(media: Media) -> Iterator[int]:
    from cortex.media.file import read_failure

    try:
        descriptor = os.open(os.fsencode(media.path), os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise read_failure(error) from error
    try:
        if os.fstat(descriptor).st_size != media.size:
            raise LoomError("CHANGED_WHILE_READ")
        yield descriptor
    finally:
        os.close(descriptor)


def _get(descriptor: int, name: str) -> bytes | None:
    try:
        return os.getxattr(descriptor, name)
    except OSError as error:
        if error.errno in _ABSENT:
            return None
        raise


def _set(descriptor: int, name: str, value: bytes | None) -> None:
    if value is None:
        os.removexattr(descriptor, name)
    else:
        os.setxattr(descriptor, name, value)


def _bytes_of(name: str, value: Any) -> bytes | None:
    """The value as it is written; None where there is none."""
    if value is None or value == []:
        return None
    parts = value if isinstance(value, list) else [value]
    if not all(isinstance(part, str | int | float) for part in parts):
        raise LoomError("OUTPUT_INVALID", f"{name} cannot have an object or a list within a list")
    texts = [str(part).lower() if isinstance(part, bool) else sayable(str(part)) for part in parts]
    encoded = ",".join(texts).encode()
    if len(encoded) > _MAX_VALUE:
        raise LoomError("OUTPUT_INVALID", f"{name} would have more than {_MAX_VALUE} bytes")
    return encoded
