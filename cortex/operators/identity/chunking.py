"""Content-defined chunks: what two versions of a file have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import msgspec
from pydantic import Field, field_validator

from cortex.media.wants import StreamReader, Wants
from cortex.node import MediaNode, NodeContext, NodeOptions, OutputKey
from cortex.outputs import MAX_OUTPUT
from loom.graph.specs import Port

if TYPE_CHECKING:
    from cortex.media import Media
    from cortex.operators.identity.fastcdc import Chunker


class ChunkOptions(NodeOptions):
    average: int = Field(
        65536,
        ge=4096,
        le=16_777_216,
        description="Expected length of a chunk in bytes, a power of two; 4 KiB to 16 MiB",
    )

    @field_validator("average")
    @classmethod
    def _power_of_two(cls, value: int) -> int:
        if value & (value - 1):
            raise ValueError("must be a power of two")
        return value


class ChunkHash(MediaNode[ChunkOptions]):
    """Splits the content where the content itself says so (FastCDC) and digests each chunk (BLAKE3-256).

    The algorithm is FastCDC (Xia and others, USENIX ATC 2016) with a 32-bit gear hash over the last 32 bytes and
    normalised chunking of level 2: chunks are at least a quarter of the average and at most eight times it; up to the
    average two bits more of the hash must be zero, beyond it two less. The gear table is the first 1,024 bytes of
    BLAKE3's output for `cortex hash.chunk gear table 1`, as 256 little-endian words.

    The list of chunks, `[offset, length, digest]` in bytes and hexadecimal digits, is an output, or the artifact
    `chunks` (JSON) when it would be larger than 64 KiB. `{average: 1048576}` is an example. It refuses no file; an
    empty one has no chunks.
    """

    operator = "hash.chunk"
    outputs = (Port(id="out", content_type="hash/chunk", cardinality="many", key="chunks"),)
    reads = ()
    verdicts = False
    ALGORITHM = OutputKey("algorithm", str, "name, version and average of the algorithm")
    COUNT = OutputKey("count", int, "number of chunks")
    AVERAGE = OutputKey("average", int, "mean length of the chunks in bytes, 0 when there are none")
    DIGEST = OutputKey("digest", str, "BLAKE3-256 over each chunk's length (8 bytes, little-endian) and digest")
    CHUNKS = OutputKey("chunks", list, "[offset, length, digest] of every chunk; left out when it is an artifact")

    @property
    def _stream(self) -> str:
        return f"fastcdc-{self.options.average}"

    def wants(self) -> Wants:
        return Wants(streams={self._stream: self._reader})

    def _reader(self) -> StreamReader:
        from cortex.operators.identity.fastcdc import Chunker

        return Chunker(self.options.average)

    def compute(self, ctx: NodeContext, media: Media) -> None:
        chunker = cast("Chunker", media.stream(self._stream))
        chunks = [[chunk.offset, chunk.length, chunk.digest.hex()] for chunk in chunker.chunks()]
        ctx.output(self.ALGORITHM, f"fastcdc-gear32-nc2-v1-{self.options.average}")
        ctx.output(self.COUNT, len(chunks))
        ctx.output(self.AVERAGE, media.size // len(chunks) if chunks else 0)
        ctx.output(self.DIGEST, chunker.digest().hex())
        encoded = msgspec.json.encode(chunks)
        if len(encoded) <= MAX_OUTPUT:
            ctx.output(self.CHUNKS, chunks)
        else:
            ctx.artifact("chunks", encoded, "application/json")
