"""What an operator wants of a file, said before the file is opened, so that one read and one decode serve all."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, Protocol, TypeVar

if TYPE_CHECKING:
    from cortex.media.shown import Shown
    from cortex.media.speaker import Heard

R = TypeVar("R", bound="StreamReader | PictureReader | SoundReader")


class StreamReader(Protocol):
    """Takes the bytes of a file in order, piece by piece, such as a `hashlib` object."""

    def update(self, data: memoryview, /) -> object: ...


class PictureReader(Protocol):
    """Takes the frames of a video in the order in which they are shown; each may be looked at only during the call."""

    def update(self, frame: Shown, /) -> object: ...


class SoundReader(Protocol):
    """Takes the first sound stream in order, piece by piece."""

    def update(self, piece: Heard, /) -> object: ...


class PictureFeed(NamedTuple):
    """A maker of a reader of the first video stream, and which frames it is to see: all of them, or of each 1/`rate`
    seconds the first, or key frames only. At what size, it asks each frame."""

    make: Callable[[], PictureReader]
    rate: float | None = None
    key_frames: bool = False


class SoundFeed(NamedTuple):
    """A maker of a reader of the first sound stream, and in what form it is to get it: `rate` samples a second (None:
    as many as there are), mixed to mono or (`mono` False) the channels that there are."""

    make: Callable[[], SoundReader]
    rate: int | None = None
    mono: bool = True


class Fed(Generic[R]):
    """A reader of somebody else's that is fed along with others: one that fails, at whatever, takes none along. What it
    raised is raised for who asks for the reader."""

    def __init__(self, make: Callable[[], R]) -> None:
        self._error: BaseException | None = None
        try:
            self._reader = make()
        except BaseException as error:
            self._error = error

    def update(self, data: Any) -> None:
        if self._error is None:
            try:
                self._reader.update(data)
            except BaseException as error:
                self._error = error

    @property
    def reader(self) -> R:
        if self._error is not None:
            raise self._error
        return self._reader


Audience = dict[str, tuple[PictureFeed, Fed[PictureReader]]]
Listeners = dict[str, tuple[SoundFeed, Fed[SoundReader]]]
Progress = Callable[[float], None]
_NOTHING: Mapping[str, Any] = MappingProxyType({})


class Wants(NamedTuple):
    """What one decode is to serve. All but the first hold makers of readers, by a name that is equal for equal readers.

    `image_side`: the longer side, in pixels, of the picture the operator will ask for. `streams`: readers that are to
    see every byte; `Media.stream(name)` gives the fed reader. `pictures`: readers of the frames of a video;
    `Media.watched(name)` gives the fed reader. `sounds`: readers of samples; `Media.heard(name)` gives the fed reader.
    `stills`: the counts and sides with which `Media.frames` will be asked.
    """

    image_side: int | None = None
    streams: Mapping[str, Callable[[], StreamReader]] = _NOTHING
    pictures: Mapping[str, PictureFeed] = _NOTHING
    sounds: Mapping[str, SoundFeed] = _NOTHING
    stills: frozenset[tuple[int, int]] = frozenset()


def together(wants: Iterable[Wants]) -> Wants:
    """What serves all of them."""
    sides: list[int] = []
    streams: dict[str, Callable[[], StreamReader]] = {}
    pictures: dict[str, PictureFeed] = {}
    sounds: dict[str, SoundFeed] = {}
    stills: set[tuple[int, int]] = set()
    for want in wants:
        if want.image_side is not None:
            sides.append(want.image_side)
        streams.update(want.streams)
        pictures.update(want.pictures)
        sounds.update(want.sounds)
        stills.update(want.stills)
    return Wants(max(sides, default=None), streams, pictures, sounds, frozenset(stills))
