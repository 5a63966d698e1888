"""Digests of a file's content. All that a pipeline asks for are taken in one read of the file."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar, cast

from cortex.media.wants import StreamReader, Wants
from cortex.node import MediaNode, NodeContext, NodeOptions, OutputKey
from loom.graph.specs import Port

if TYPE_CHECKING:
    from cortex.media import Media


class _Digest(MediaNode[NodeOptions]):
    """A digest of `hashlib`, as lower-case hexadecimal digits."""

    reads = ()
    verdicts = False
    KEY: ClassVar[OutputKey[str]]
    MAKE: ClassVar[Callable[[], Any]]

    def wants(self) -> Wants:
        make = cast("Callable[[], StreamReader]", type(self).MAKE)
        return Wants(streams={self.KEY.name: make})

    def compute(self, ctx: NodeContext, media: Media) -> None:
        digest = cast(Any, media.stream(self.KEY.name))
        ctx.output(self.KEY, digest.hexdigest())


class Sha256(_Digest):
    """SHA-256 of the content (FIPS 180-4).

    It refuses no file; an empty one has a digest, too.
    """

    operator = "hash.sha256"
    outputs = (Port(id="out", content_type="hash/sha256", key="sha256"),)
    KEY = OutputKey("sha256", str, "64 hexadecimal digits")
    MAKE = staticmethod(hashlib.sha256)


class Sha512(_Digest):
    """SHA-512 of the content (FIPS 180-4).

    It refuses no file; an empty one has a digest, too.
    """

    operator = "hash.sha512"
    outputs = (Port(id="out", content_type="hash/sha512", key="sha512"),)
    KEY = OutputKey("sha512", str, "128 hexadecimal digits")
    MAKE = staticmethod(hashlib.sha512)


def _md5() -> Any:
    return hashlib.md5(usedforsecurity=False)


class Md5(_Digest):
    """MD5 of the content (RFC 1321): for comparing with older lists, not for trust.

    It refuses no file; an empty one has a digest, too.
    """

    operator = "hash.md5"
    outputs = (Port(id="out", content_type="hash/md5", key="md5"),)
    KEY = OutputKey("md5", str, "32 hexadecimal digits")
    MAKE = staticmethod(_md5)


class Blake3(MediaNode[NodeOptions]):
    """BLAKE3-256 of the content, by which the asset is known anyway: nothing is read for it.

    It refuses no file; an empty one has a digest, too.
    """

    operator = "hash.blake3"
    outputs = (Port(id="out", content_type="hash/blake3", key="blake3"),)
    reads = ()
    verdicts = False
    KEY = OutputKey("blake3", str, "64 hexadecimal digits")

    def compute(self, ctx: NodeContext, media: Media) -> None:
        ctx.output(self.KEY, media.asset.blake3.hex())
