"""By what a film is known again."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, cast

from cortex.media.wants import PictureFeed, Wants
from cortex.node import MediaNode, NodeContext, NodeOptions, OutputKey
from loom.graph.specs import Port
from loom.model import Kind

if TYPE_CHECKING:
    import numpy as np

    from cortex.media import Media
    from cortex.media.shown import Pixels, Shown
    from cortex.operators.similarity.cliphash import Clip

_READER = "fingerprint"
_RATE = 4.0
_SIDE = 64
_BARS_SIDE = 320
_MOST = 16384
MEDIA_TYPE = "application/vnd.loom.video-fingerprint"


class VideoFingerprint(MediaNode[NodeOptions]):
    """Takes the fingerprint of a film: what copies of it have in common, whatever their size and encoding.

    Four frames of each second are hashed: 64 bits each, the signs of low frequencies of the brightness, in the picture
    without black bars (rows and columns that stay black all the time). Copies in another size, codec, frame rate or
    bit rate, with or without bars, a little brighter or darker, differ in few bits (most below 5, fast motion at
    another frame rate below 10); unrelated films in more than 20. A film of more than 4,096 s is hashed twice a second,
    of more than 8,192 s once, and so on.

    The artifact `fingerprint` has all hashes in order; `cliphash` beside it reads and compares them. `summary`
    is four hashes, of the mean over each quarter of the length, for finding candidates.

    Trims: a piece cut out of a film is found by laying the hashes of one along those of the other. Where its start does
    not fall on the same quarters of a second, moving pictures differ by some more bits, in fast motion by up to 15. The
    summary of a trimmed film differs by as much as its quarters move: it bears a few hundredths of the length, not
    more. Mirrored, turned or cropped copies are not found. Frames of almost one colour have the hash 0, which is like
    nothing.

    Refuses FORMAT_UNSUPPORTED (no video, no decoder), FILE_DAMAGED (no frame can be decoded), FILE_TRUNCATED (the index
    is missing) and FILE_TOO_LARGE (frames of too many pixels). Damage in the middle is passed over.
    """

    operator = "video.fingerprint"
    outputs = (Port(id="out", content_type="artifact/fingerprint", key="fingerprint"),)
    kinds = frozenset({Kind.VIDEO})
    reads = ()
    verdicts = False
    SUMMARY = OutputKey("summary", str, "four hashes of 16 hexadecimal digits each; 0 where a quarter has no picture")
    COUNT = OutputKey("count", int, "number of hashes in the artifact")
    INTERVAL = OutputKey("interval_s", float, "seconds from one hash to the next")
    CROP = OutputKey("picture", list, "left, top, right, bottom of the picture without bars, 0 to 1")

    def open(self) -> None:
        import_module("cortex.operators.similarity.cliphash")

    def wants(self) -> Wants:
        return Wants(pictures={_READER: PictureFeed(FingerprintReader, rate=_RATE)})

    def compute(self, ctx: NodeContext, media: Media) -> None:
        from cortex.operators.similarity import cliphash

        reader = cast(FingerprintReader, media.watched(_READER, ctx.progress))
        clip, summary, box = reader.result()
        ctx.artifact("fingerprint", cliphash.pack(clip), MEDIA_TYPE)
        ctx.output(self.SUMMARY, "".join(f"{part:016x}" for part in summary))
        ctx.output(self.COUNT, len(clip.hashes))
        ctx.output(self.INTERVAL, clip.interval_s)
        ctx.output(self.CROP, [round(edge, 4) for edge in box])


class FingerprintReader:
    """Keeps small pictures, since it is known only at the end where there are bars: at most 16,384 of 64 pixels."""

    def __init__(self) -> None:
        self._pictures: list[tuple[int, Pixels]] = []
        self._stride = 1
        self._first: int | None = None
        self._rows: np.ndarray[Any, Any] | None = None
        self._columns: np.ndarray[Any, Any] | None = None

    def update(self, frame: Shown) -> None:
        import numpy as np

        large = frame.grey(_BARS_SIDE)
        rows, columns = large.mean(axis=1), large.mean(axis=0)
        self._rows = rows if self._rows is None else np.maximum(self._rows, rows)
        self._columns = columns if self._columns is None else np.maximum(self._columns, columns)
        turn = int((frame.time_s + 1e-4) * _RATE)
        if self._first is None:
            self._first = turn
        turn -= self._first
        while turn // self._stride >= _MOST:
            self._stride *= 2
            self._pictures = [kept for kept in self._pictures if kept[0] % self._stride == 0]
        if turn % self._stride == 0:
            self._pictures.append((turn, frame.grey(_SIDE).copy()))

    def result(self) -> tuple[Clip, list[int], tuple[float, ...]]:
        """The hashes, the summary and the box. A moment without a frame of its own has that of the one before."""
        import numpy as np

        from cortex.operators.similarity.cliphash import Clip, Hasher, as_bits, picture_box, summary

        assert self._rows is not None
        assert self._columns is not None
        box = picture_box(self._rows, self._columns)
        hasher = Hasher(self._pictures[0][1].shape, box)
        frequencies = [hasher.frequencies(picture) for _, picture in self._pictures]
        places = [turn // self._stride for turn, _ in self._pictures]
        lasting = np.searchsorted(places, np.arange(places[-1] + 1), side="right") - 1
        hashes = np.array([as_bits(values) for values in frequencies], np.uint64)[lasting]
        return Clip(self._stride / _RATE, hashes), summary([frequencies[at] for at in lasting]), box
