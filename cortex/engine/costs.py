"""How much work files are, in seconds, by their kind and size: a guess at first, measured while a run goes on."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from loom.model import Kind

if TYPE_CHECKING:
    from cortex.engine.entry import Entry
    from cortex.engine.records import Computed
    from loom.graph.plan import Plan
    from loom.shapes import KindCost

KINDS = tuple(Kind)

_ENDINGS = {
    Kind.IMAGE: "jpg jpeg jpe png gif webp heic heif avif tif tiff bmp jp2 jxl psd svg ico dng cr2 cr3 crw nef nrw arw"
    " sr2 orf rw2 raf pef srw x3f 3fr iiq",
    Kind.VIDEO: "mp4 m4v mov mkv webm avi mpg mpeg mts m2ts wmv asf flv f4v 3gp 3g2 ogv vob mxf insv lrv",
    Kind.AUDIO: "mp3 m4a m4b aac flac wav ogg oga opus wma aif aiff ape mka amr wv",
    Kind.DOCUMENT: "pdf doc docx odt ods odp xls xlsx ppt pptx epub rtf djvu",
    Kind.TEXT: "txt md csv tsv json xml html htm log yaml yml toml ini srt vtt xmp",
}
_NUMBER_OF = {ending.encode(): KINDS.index(kind) for kind, many in _ENDINGS.items() for ending in many.split()}
_OTHER = KINDS.index(Kind.OTHER)


def kind_of(name: bytes) -> int:
    """The kind of a file as its name tells it, which costs nothing: a number in `KINDS`."""
    return _NUMBER_OF.get(name[name.rfind(b".") + 1 :].lower(), _OTHER)


class Amount:
    """Files and their bytes, by kind; `is_all`: no more will come. Safe for threads as far as one of them writes."""

    def __init__(self) -> None:
        self.is_all = False
        self.files = [0] * len(KINDS)
        self.bytes = [0] * len(KINDS)

    def add(self, kind: int, size: int) -> None:
        self.files[kind] += 1
        self.bytes[kind] += size


class Price(NamedTuple):
    """Seconds of work of a file: `fixed` and for each of its bytes."""

    fixed: float
    per_byte: float

    def of(self, files: float, size: float) -> float:
        """Of so many files of so many bytes together."""
        return self.fixed * files + self.per_byte * size


_HASHING = 1.5e-9
_A_NODE = {Kind.IMAGE: 0.025, Kind.VIDEO: 0.6, Kind.AUDIO: 0.15, Kind.DOCUMENT: 0.05}
"""Seconds of a node that is for some kinds alone, such as one that decodes."""

_READING = Price(0.0003, 0.7e-9)
_ANY_FILE = 0.001

_MEMORY = 1 - 1 / 256
"""What was measured counts for less with every file that comes after it."""

_TRUSTED_AFTER = 10
_OUTLIER = 10.0
_GUESS_WEIGHT, _LEARNED_WEIGHT = 0.25, 1
"""How many measured files a guess, and what earlier runs measured, count as."""


class Line:
    """Least squares over size of what the last some hundred files took, near a guess while they are few or of much
    the same size. What is far above all before counts as `_OUTLIER` times what was to be expected: a file that hangs
    tells nothing of others."""

    def __init__(self) -> None:
        self._n = self._size = self._took = self._sizes = self._product = 0.0

    @property
    def weight(self) -> float:
        return self._n

    def add(self, size: int, took: float, price: Price | None) -> None:
        """`price` is what was to be expected, once that is known well enough."""
        if price is not None:
            took = min(took, _OUTLIER * price.of(1, size) + 0.01)
        self._n = self._n * _MEMORY + 1
        self._size = self._size * _MEMORY + size
        self._took = self._took * _MEMORY + took
        self._sizes = self._sizes * _MEMORY + size * size
        self._product = self._product * _MEMORY + size * took

    def mean(self) -> tuple[float, float]:
        """Of size and seconds."""
        return (self._size / self._n, self._took / self._n) if self._n else (0.0, 0.0)

    def fit(self, guess: Price, weight: float) -> Price:
        """Never negative, so that no size takes less than no time. The guess counts as `weight` files, and as one at
        least where it is about what part of it comes with the size. It must not be zero."""
        if not self._n:
            return guess
        size, measured = self.mean()
        took = (self._n * measured + weight * guess.of(1, size)) / (self._n + weight)
        spread = max(self._sizes - self._n * size * size, 0.0)
        pull = max(weight, 1.0) * size * size
        if not size:
            return Price(took, guess.per_byte)
        usual = guess.per_byte * took / guess.of(1, size)
        slope = (self._product - self._n * size * measured + pull * usual) / (spread + pull)
        slope = min(max(slope, 0.0), took / size)
        return Price(took - slope * size, slope)


class Costs:
    """What was done in a run, and what that tells of files to come. Safe for threads."""

    def __init__(self, plans: Sequence[Plan]) -> None:
        self.done = Amount()
        self.seconds = 0.0
        """Of work, in all files together."""
        self._reading = Line()
        self._known_reading: Price | None = None
        self._nodes = [Line() for _ in KINDS]
        self._guesses = [_guess(kind, plans) for kind in KINDS]
        self._learned: dict[int, tuple[Price, float]] = {}
        self._known: list[Price | None] = [None] * len(KINDS)
        self._lock = threading.Lock()

    def count(self, entry: Entry, computed: Sequence[Computed]) -> None:
        """A file is done, and its nodes have `computed` so much."""
        found, identity = entry.found, entry.identity
        nodes = sum(one.duration_us for one in computed) / 1e6
        self.add(kind_of(found.name), found.stat.size, identity.read_us / 1e6 if identity else 0.0, nodes)

    def add(self, kind: int, size: int, reading: float, nodes: float) -> None:
        """A file is done: the seconds that it was read for, and that its nodes took."""
        with self._lock:
            self.done.add(kind, size)
            self.seconds += reading + nodes
            self._reading.add(size, reading, self._known_reading)
            self._nodes[kind].add(size, nodes, self._known[kind])

    def give_up(self, entry: Entry) -> None:
        """A file could not be read; that tells nothing of others."""
        with self._lock:
            self.done.add(kind_of(entry.found.name), entry.found.stat.size)

    def learn(self, costs: Iterable[KindCost]) -> None:
        """What earlier runs measured."""
        with self._lock:
            for cost in costs:
                per_byte = min(_HASHING, cost.seconds / cost.bytes) if cost.bytes else 0.0
                price = Price(cost.seconds - per_byte * cost.bytes, per_byte)
                self._learned[KINDS.index(cost.kind)] = price, min(cost.assets, _LEARNED_WEIGHT)

    def prices(self) -> list[Price]:
        """By kind, reading included. Where kinds that the run has met take more or less than earlier runs measured,
        so will others; where it is mere guesses that were wrong, others are moved half as far."""
        with self._lock:
            reading = self._reading.fit(_READING, _GUESS_WEIGHT)
            guessed = self._scale(enumerate(self._guesses)) ** 0.5
            learned = self._scale((kind, price) for kind, (price, _) in self._learned.items())
            nodes = []
            for kind, line in enumerate(self._nodes):
                price, weight = self._learned.get(kind, (self._guesses[kind], _GUESS_WEIGHT))
                scale = learned if kind in self._learned else guessed
                nodes.append(line.fit(Price(price.fixed * scale, price.per_byte), weight))
            self._known_reading = reading if self._reading.weight >= _TRUSTED_AFTER else None
            for kind, line in enumerate(self._nodes):
                self._known[kind] = nodes[kind] if line.weight >= _TRUSTED_AFTER else None
        return [Price(one.fixed + reading.fixed, one.per_byte + reading.per_byte) for one in nodes]

    def is_known(self, kind: int) -> bool:
        """Whether enough of that kind was measured to tell what is out of the ordinary."""
        return self._known[kind] is not None

    def _scale(self, expected: Iterable[tuple[int, Price]]) -> float:
        """How much more was measured than expected, for kinds that were met."""
        measured = should = count = 0.0
        for kind, price in expected:
            line = self._nodes[kind]
            size, took = line.mean()
            count += line.weight
            measured += line.weight * took
            should += line.weight * price.of(1, size)
        return measured / should if count >= _TRUSTED_AFTER and should else 1.0


def _guess(kind: Kind, plans: Sequence[Plan]) -> Price:
    """Of a plan of which nothing is known but its nodes; of several, of the one with the most to do."""
    own = max((sum(step.enabled and kind in step.kinds for step in plan.steps) for plan in plans), default=0)
    return Price(_ANY_FILE + own * _A_NODE.get(kind, 0.0), _HASHING)
