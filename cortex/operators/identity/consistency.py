"""Whether a file is whole: what it declares is there, can be decoded, and nothing in it is lost."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from cortex.media.wants import PictureFeed, SoundFeed, Wants
from cortex.node import MediaNode, NodeContext, NodeOptions, OutputKey
from cortex.operators.identity.consistency_documents import PDF, archive, is_zip, pdf
from cortex.operators.identity.consistency_findings import CODES, MOST, Finding
from loom.errors import LoomError
from loom.graph.specs import Port
from loom.model import Branch, Kind

if TYPE_CHECKING:
    from cortex.media import Media
    from cortex.media.reel import Played

_READER = "all"
_SIDE = 64
_IN_MEMORY = 64 * 1024 * 1024
_DAMAGE = {"FILE_TRUNCATED": "truncated", "FILE_DAMAGED": "unreadable", "FILE_EMPTY": "empty"}
_ALL = frozenset({Kind.IMAGE, Kind.VIDEO, Kind.AUDIO})
Code = Literal[
    "empty", "unreadable", "truncated", "index-missing", "end-missing", "structure", "checksum", "damaged", "patched",
    "zeros", "too-short",
]  # fmt: skip


class ConsistencyOptions(NodeOptions):
    tolerate: list[Code] = Field(
        [],
        max_length=len(CODES),
        description="Findings that are told but do not make the verdict FAIL, such as `index-missing` for recordings "
        "that were sent while they were made.",
    )


class Consistency(MediaNode[ConsistencyOptions]):
    """Tells whether a file is whole; the verdict is FAIL for one that is not.

    Films and recordings: the outermost parts of the container (ISO media, Matroska, RIFF, Ogg) against the length of
    the file, the index (`moov`, cues, `idx1`), and the first video and sound stream decoded from end to end, in the
    pass that serves all nodes: packets that cannot be decoded or are marked as damaged, frames that the decoder had to
    patch up, checksums of FLAC, packets with 4,096 zero bytes in a row, and how much there is against what is declared.
    Pictures: decoded to the end; of JPEG the coded pixels and the end mark, of PNG the checksums, of GIF the blocks.
    PDF: end mark and table of cross references. ZIP and office documents: the directory, and every member against its
    checksum (4 GiB of them at most).

    `findings` holds at most 100 of `{code, sentence, where}`; the codes are `empty`, `unreadable`, `truncated`,
    `index-missing`, `end-missing`, `structure`, `checksum`, `damaged`, `patched`, `zeros` and `too-short`. Changed
    bytes that still decode as pictures or sound are not found: compare a hash for those. Other streams than the first
    two, later pictures of a file and other formats of documents are not looked at.

    Damage is what this node tells, so that it does not fail of it. Refuses FORMAT_UNSUPPORTED (no decoder),
    FILE_TOO_LARGE (a picture of too many pixels), FILE_ENCRYPTED and READ_FAILED.
    """

    operator = "media.consistency"
    outputs = (Port(id="out", content_type="struct/consistency"),)
    reads = ()
    verdicts = True
    CONSISTENT = OutputKey("consistent", bool, "whether nothing was found that is not tolerated")
    FINDINGS = OutputKey("findings", list, "what is wrong: code, sentence and where")
    DECLARED = OutputKey("declared", dict, "frames, video_s and sound_s as the file says, where it does")
    COUNTED = OutputKey("counted", dict, "frames, video_s and sound_s as they were decoded")

    def wants(self) -> Wants:
        return Wants(
            image_side=_SIDE,
            pictures={_READER: PictureFeed(_Witness)},
            sounds={_READER: SoundFeed(_Witness, mono=False)},
        )

    def is_processable(self, media: Media) -> bool:
        return not media.size or media.kind in _ALL or media.mime == PDF or is_zip(media.mime)

    def compute(self, ctx: NodeContext, media: Media) -> None:
        found = list(self._look(ctx, media))[:MOST]
        grave = [one for one in found if one.code not in self.options.tolerate]
        ctx.output(self.CONSISTENT, not grave)
        ctx.output(self.FINDINGS, [one.told() for one in found])
        if grave:
            ctx.verdict(Branch.FAIL, grave[0].sentence)

    def _look(self, ctx: NodeContext, media: Media) -> Iterator[Finding]:
        if not media.size:
            yield Finding("empty", CODES["empty"])
            return
        with media.open() as file:

            def read_at(offset: int, count: int) -> bytes:
                file.seek(offset)
                return file.read(count)

            if media.mime == PDF:
                yield from pdf(read_at, media.size)
            elif is_zip(media.mime):
                yield from archive(file, ctx.progress)
            elif media.kind is Kind.IMAGE:
                yield from _of_picture(media, read_at)
            else:
                yield from self._of_film(ctx, media, read_at)

    def _of_film(self, ctx: NodeContext, media: Media, read_at: Any) -> Iterator[Finding]:
        from cortex.operators.identity.consistency_streams import declared, streams
        from cortex.operators.identity.consistency_structure import structure

        shape = structure(read_at, media.size, media.mime)
        yield from shape
        try:
            probe = media.probe()
        except LoomError as error:
            yield from _as_finding(error, shape)
            return
        told = declared(probe, read_at)
        faults = [
            *_asked(probe.first("video") is not None, lambda: media.watched(_READER, ctx.progress)),
            *_asked(probe.first("audio") is not None, lambda: media.heard(_READER, ctx.progress)),
        ]
        pictures, sound = media.played
        if not any(one is not None and one.condition is not None for one in (pictures, sound)):
            for fault in faults or [LoomError("FORMAT_UNSUPPORTED", "there are neither pictures nor sound in it")]:
                yield from _as_finding(fault, shape)
            return
        ctx.output(self.DECLARED, {name: value for name, value in told._asdict().items() if value is not None})
        ctx.output(self.COUNTED, _counted(pictures, sound))
        yield from streams(probe, told, pictures, sound)


class _Witness:
    """That it is there has everything decoded; what comes of that `Media.played` tells."""

    def update(self, _: object) -> None:
        """Nothing to be done."""


def _asked(wanted: bool, ask: Any) -> Iterator[LoomError]:
    """Why a stream that is there gave nothing; nothing if it gave something."""
    if wanted:
        try:
            ask()
        except LoomError as error:
            yield error


def _of_picture(media: Media, read_at: Any) -> Iterator[Finding]:
    from cortex.operators.identity.consistency_pictures import picture
    from cortex.operators.identity.consistency_structure import structure

    found = structure(read_at, media.size, media.mime)
    if media.size <= _IN_MEMORY:
        found += picture(read_at(0, media.size), media.mime)
    yield from found
    try:
        media.image(_SIDE)
    except LoomError as error:
        yield from _as_finding(error, found)


def _as_finding(error: LoomError, known: list[Finding]) -> Iterator[Finding]:
    """What a decoder says of damage, unless that is known better. Raises what is none."""
    code = _DAMAGE.get(error.code)
    if code is None:
        raise error
    if not any(one.code in (code, "truncated") for one in known):
        yield Finding(code, error.message)


def _counted(pictures: Played | None, sound: Played | None) -> dict[str, Any]:
    counted: dict[str, Any] = {}
    if pictures is not None and pictures.condition is not None:
        counted["frames"] = pictures.decoded
        counted["video_s"] = round(pictures.condition.until_s - (pictures.condition.from_s or 0.0), 3)
    if sound is not None and sound.condition is not None:
        counted["sound_s"] = round(sound.condition.decoded_s, 3)
    return counted
