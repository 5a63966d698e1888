"""What an engine reads in a picture: words with their boxes, in lines, in blocks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby
from statistics import median
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

if TYPE_CHECKING:
    from PIL.Image import Image


class Word(NamedTuple):
    """`box` is left, top, width and height in pixels of the picture that was read; `score` is 0 to 1."""

    text: str
    score: float
    box: tuple[float, float, float, float]
    block: int
    line: int

    def shrunk(self, factor: float) -> Word:
        left, top, width, height = self.box
        return self._replace(box=(left / factor, top / factor, width / factor, height / factor))

    def turned_back(self, turned: int, size: tuple[int, int]) -> Word:
        """In the picture before it was turned clockwise by so many degrees; `size` is that of the turned one."""
        left, top, width, height = self.box
        if turned == 90:
            return self._replace(box=(top, size[0] - left - width, height, width))
        if turned == 180:
            return self._replace(box=(size[0] - left - width, size[1] - top - height, width, height))
        if turned == 270:
            return self._replace(box=(size[1] - top - height, left, height, width))
        return self

    def as_json(self, size: tuple[int, int]) -> dict[str, Any]:
        """With the box as fractions of a picture of that size, and the line counted over all blocks."""
        parts = (value / of for value, of in zip(self.box, size * 2, strict=True))
        return {"text": self.text, "score": round(self.score, 2), "box": [round(part, 4) for part in parts]}


class Engine(Protocol):
    """Something that reads. Words come in the order in which they are to be read."""

    def read(self, picture: Image) -> list[Word]: ...

    def close(self) -> None: ...


_SMALL = 20
"""Words of fewer pixels in height are read again in a picture twice as large."""
_MOST_SIDE = 6000
_WELL = 0.75
"""A page that is read more surely, in the mean over its characters, stands upright."""
_FEW = 20
"""With fewer characters it is taken for a picture without text, not for a page that lies on its side."""


def read(engine: Engine, picture: Image, *, enlarge: bool, upright: bool) -> list[Word]:
    """What the engine reads in a grey picture. Where it is not sure and `upright` says so, it reads the picture turned
    as well; with `enlarge`, where the words are small, twice as large too. The surest reading counts; its boxes are in
    the picture as it was given."""
    readings = [(0, picture, engine.read(picture))]
    characters = sum(len(word.text) for word in readings[0][2])
    if upright and characters >= _FEW and mean_score(readings[0][2]) < _WELL:
        for turn in (90, 180, 270):
            turned = picture.rotate(-turn, expand=True)
            readings.append((turn, turned, engine.read(turned)))
    turn, shown, words = max(readings, key=lambda reading: _sure(reading[2]))
    if enlarge:
        words = _enlarged(engine, shown, words)
    return [word.turned_back(turn, shown.size) for word in words]


def _enlarged(engine: Engine, picture: Image, words: list[Word]) -> list[Word]:
    """The surer one of this reading and of that of a picture twice as large; this one where the words are large enough,
    or there are none in a large picture."""
    from PIL import Image

    longest = max(picture.size)
    small = bool(words) and median(word.box[3] for word in words) < _SMALL
    hard = longest < _MOST_SIDE // 4 and mean_score(words) < _WELL
    if not (small or hard) or 2 * longest > _MOST_SIDE:
        return words
    twice = picture.resize((picture.width * 2, picture.height * 2), Image.Resampling.LANCZOS)
    again = [word.shrunk(2) for word in engine.read(twice)]
    return max(words, again, key=_sure)


def _sure(words: Sequence[Word]) -> float:
    """How many characters were read, less those of which it is rather unsure."""
    return sum((word.score - 0.5) * len(word.text) for word in words)


def mean_score(words: Sequence[Word]) -> float:
    """How sure the reading is, in the mean over all characters; 0 without any."""
    characters = sum(len(word.text) for word in words)
    return sum(word.score * len(word.text) for word in words) / characters if characters else 0.0


def text_of(words: Iterable[Word]) -> str:
    """Words with spaces, lines with line ends, blocks with an empty line between them."""
    blocks = []
    for _, block in groupby(words, key=lambda word: word.block):
        lines = groupby(block, key=lambda word: word.line)
        blocks.append("\n".join(" ".join(word.text for word in line) for _, line in lines))
    return "\n\n".join(blocks)
