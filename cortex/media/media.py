"""`Media`: one file, opened once, read once, decoded once for all nodes."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, BinaryIO, NamedTuple
from uuid import UUID

from blake3 import blake3

from cortex.media.file import OpenFile
from cortex.media.phases import Phases
from cortex.media.playing import Playing
from cortex.media.sniff import HEAD, kind_of, sniff
from cortex.media.wants import Fed, PictureReader, Progress, SoundFeed, SoundReader, StreamReader, Wants
from loom.errors import LoomError
from loom.model import FileStat, Kind, asset_uuid

if TYPE_CHECKING:
    import numpy
    from PIL.Image import Image

    from cortex.media.container import Container
    from cortex.media.picture import Picture
    from cortex.media.probe import Probe
    from cortex.media.reel import Played
    from cortex.media.sizes import Decoded
    from cortex.media.text import Text

MAX_PIXELS = 178_956_970
"""The most pixels that are decoded of a picture by default: a gigabyte with some headroom, as Pillow has it."""
_NO_BLAME: Mapping[str, tuple[str, str]] = MappingProxyType({})


class Asset(NamedTuple):
    """Which content it is."""

    uuid: UUID
    blake3: bytes


class Media:
    """What an operator sees of a file.

    Everything is done lazily and once for all nodes; pictures are shared, so do not draw on them. Whatever is wrong
    with the file is raised as `LoomError`: FILE_EMPTY, FILE_DAMAGED, FILE_TRUNCATED, FILE_TOO_LARGE, FILE_ENCRYPTED,
    FORMAT_UNSUPPORTED, MEMORY_EXCEEDED, READ_FAILED.
    """

    def __init__(self, path: bytes, file: OpenFile, wants: Wants, phases: Phases, max_pixels: int) -> None:
        self.path_bytes = path
        self.size = file.size
        self._file = file
        self._wants = wants
        self._phases = phases
        self._max_pixels = max_pixels
        self._blake3: bytes | None = None
        self._mime: str | None = None
        self._streams: dict[str, Fed[StreamReader]] = {}
        self._playing = Playing(phases)
        self._passes = 0
        self._container: Container | None = None
        self._decoded: Decoded | None = None

    @classmethod
    def open_path(
        cls,
        path: bytes,
        wants: Wants,
        *,
        local: bytes | None = None,
        blamed: Mapping[str, tuple[str, str]] = _NO_BLAME,
        on_phase: Callable[[str | None], None] | None = None,
        max_pixels: int = MAX_PIXELS,
    ) -> Media:
        """Opens a regular file, at `local` if its bytes lie there. Raises FILE_VANISHED, FILE_UNREADABLE, READ_FAILED,
        NOT_A_REGULAR_FILE.

        `blamed` names phases (`image`, `probe`, `frames`, `audio`, `reel`, `text`) that killed a worker on this file,
        with the code and sentence under which they fail at once; `on_phase` is told when one begins, and None when it
        ends. `max_pixels` bounds what is decoded of one picture or frame; the header of a larger one can still be read.
        """
        return cls(path, OpenFile(local or path), wants, Phases(blamed, on_phase), max_pixels)

    def __enter__(self) -> Media:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        if self._container is not None:
            self._container.close()
            self._container = None
        self._decoded = None
        self._phases.close()
        self._file.close()

    @property
    def path(self) -> str:
        """Where the file lies; for messages and rules, not for opening it again."""
        return os.fsdecode(self.path_bytes)

    local = path

    @property
    def stat(self) -> FileStat:
        return self._file.stat

    @property
    def bytes_read(self) -> int:
        """How many bytes of the file were read until now; never more than it has, though some may be read again."""
        return min(self._file.bytes_read, self.size)

    @property
    def mime(self) -> str:
        """The media type, told from the content; `application/octet-stream` when it is not recognised."""
        if self._mime is None:
            self._mime = sniff(self._file.read_at(0, HEAD), self.size, self._file.read_at)
        return self._mime

    @property
    def kind(self) -> Kind:
        return kind_of(self.mime)

    @property
    def asset(self) -> Asset:
        """The content's identity; reads the file when it is not known yet."""
        digest = self._blake3 or self.identify(all_streams=False)
        return Asset(asset_uuid(digest), digest)

    def identify(self, *, all_streams: bool) -> bytes:
        """Reads the file and returns the BLAKE3-256 of its bytes; with `all_streams`, every wanted reader is fed in
        the same read."""
        hasher = blake3()
        self._read([hasher.update], self._unfed() if all_streams else {})
        self._blake3 = hasher.digest()
        return self._blake3

    def expect(self, wants: Wants) -> None:
        """What will be asked for, when it is known only after the file was looked at; nothing is fed for the rest."""
        self._wants = wants

    def assume(self, blake3: bytes) -> None:
        """Takes the content as known; the file is then read only when its bytes are needed."""
        self._blake3 = blake3

    def stream(self, name: str) -> StreamReader:
        """The reader that was wanted under this name, after it has seen every byte."""
        if (fed := self._streams.get(name)) is not None:
            return fed.reader
        wanted = self._unfed()
        if name not in wanted:
            raise LoomError("OPERATOR_FAILED", f"asks for the stream {name!r}, which it does not name in `wants()`")
        self._read([], {name: wanted[name]} if self._file.keepable else wanted)
        return self._streams[name].reader

    def _unfed(self) -> dict[str, Fed[StreamReader]]:
        return {name: Fed(make) for name, make in self._wants.streams.items() if name not in self._streams}

    def _read(self, own: list[Callable[[memoryview], object]], readers: dict[str, Fed[StreamReader]]) -> None:
        self._file.feed([*own, *(reader.update for reader in readers.values())])
        self._streams.update(readers)

    def changed(self) -> bool:
        """Whether the file was written to since it was opened, as far as `fstat` and the count of bytes read show."""
        return self._file.changed()

    def open(self) -> BinaryIO:
        """A read-only, seekable file object over the content, never opened by path; close it after use."""
        return self._file.handle()

    def probe(self) -> Probe:
        """What the header tells. Raises FORMAT_UNSUPPORTED for kinds other than image, video and audio."""
        if self.kind is Kind.IMAGE:
            return self._picture().probe()
        if self.kind in (Kind.VIDEO, Kind.AUDIO):
            return self._opened_container().probe
        raise LoomError("FILE_EMPTY" if not self.size else "FORMAT_UNSUPPORTED")

    def image(self, max_side: int | None = None) -> Image:
        """The picture as RGB, upright, in sRGB, on white where it was transparent; its longer side is at most
        `max_side` pixels, it is never enlarged. Of an animation the first frame, of a video a key frame at 15 % of its
        length, of sound the cover. All nodes share it: copy it before drawing on it."""
        decoded = self._decode(max_side)
        return self._phases.once("image", ("image", max_side), lambda: decoded.at(max_side))

    def _decode(self, max_side: int | None) -> Decoded:
        """What was decoded until now where that is enough; else as much as anybody has wanted."""
        if self._decoded is not None and self._decoded.serves(max_side):
            return self._decoded
        decode = self._decoder()
        side = None if max_side is None else max(max_side, self._wants.image_side or 0)
        try:
            self._decoded = self._phases.once("image", ("decoded", side), lambda: decode(side))
        except LoomError as error:
            if error.code != "FILE_TOO_LARGE" or side == max_side:
                raise
            # others want more of it than can be decoded
            self._decoded = self._phases.once("image", ("decoded", max_side), lambda: decode(max_side))
        return self._decoded

    def opacity(self, max_side: int | None = None) -> Image | None:
        """How opaque each pixel of `image(max_side)` is, 0 to 255 (mode L); None where all of them are."""
        size, decoded = self.image(max_side).size, self._decode(max_side)
        known = self._phases.once("image", ("opacity", size), lambda: decoded.opacity(size))
        return None if known is None or known.getextrema() == (255, 255) else known

    def frames(self, count: int, max_side: int | None = None, progress: Progress | None = None) -> list[Image]:
        """At most `count` key frames of a video, spread evenly over its length and in order, none twice; RGB, upright,
        the longer side at most `max_side` pixels. Of a picture, the picture. Where others watch the whole video and
        `wants()` named these `stills`, they are taken in the same pass: give `progress` then, as to `watched`."""
        if self.kind is Kind.IMAGE:
            return [self.image(max_side)]
        container = self._opened_container()
        if self._wants.pictures and max_side is not None and (count, max_side) in self._wants.stills:
            found = self._playing.stills((count, max_side), self._wants, self._opened_container, progress)
            if found:
                return found
        return self._phases.once("frames", ("frames", count, max_side), lambda: container.frames(count, max_side))

    def audio(
        self, rate: int = 16_000, start_s: float = 0.0, max_seconds: float = 600.0
    ) -> numpy.ndarray[tuple[int], numpy.dtype[numpy.float32]]:
        """Samples of the first sound stream from `start_s` on: float32 between -1 and 1, mixed to mono, `rate` a
        second, at most `max_seconds` of them."""
        container = self._opened_container()
        work = lambda: container.samples(rate, start_s, max_seconds)  # noqa: E731
        return self._phases.once("audio", ("audio", rate, start_s, max_seconds), work)

    def peaks(self, count: int) -> numpy.ndarray[tuple[int], numpy.dtype[numpy.float32]]:
        """The loudest sample, 0 to 1, in each of `count` equal parts of the first sound stream: a waveform."""
        container = self._opened_container()
        return self._phases.once("audio", ("peaks", count), lambda: container.peaks(count))

    def watched(self, name: str, progress: Progress | None = None) -> PictureReader:
        """The reader of pictures that was wanted under this name, after it has seen its frames. The first question
        decodes the video and the sound once for all readers that are wanted, so give it `ctx.progress`: a film may
        take longer than the time limit. Raises FILE_DAMAGED when no frame can be decoded, FORMAT_UNSUPPORTED without
        a video, and what the reader raised."""
        return self._playing.watched(name, self._wants, self._opened_container, progress)

    def heard(self, name: str, progress: Progress | None = None) -> SoundReader:
        """The same for a reader of sound."""
        return self._playing.heard(name, self._wants, self._opened_container, progress)

    def heard_again(self, feed: SoundFeed, progress: Progress | None = None) -> SoundReader:
        """A reader that is fed in a pass of its own over the sound, because what it does depends on what came of the
        first. Raises as `heard`."""
        self._passes += 1
        name = f"pass {self._passes}"
        return Playing(self._phases).heard(name, Wants(sounds={name: feed}), self._opened_container, progress)

    @property
    def played(self) -> tuple[Played | None, Played | None]:
        """What came of decoding the pictures and the sound from end to end; None for what was not decoded so."""
        return self._playing.pictures, self._playing.sound

    def text(self) -> str:
        """The content as text, byte order mark left out. Raises FORMAT_UNSUPPORTED for other kinds and FILE_TOO_LARGE
        above 64 MiB."""
        return self.decoded_text().text

    def decoded_text(self) -> Text:
        """The text together with the encoding it was found to have."""
        if self.kind is not Kind.TEXT:
            raise LoomError("FILE_EMPTY" if not self.size else "FORMAT_UNSUPPORTED", None)
        if not self._file.keepable:
            raise LoomError("FILE_TOO_LARGE", f"text of {self.size} bytes is not taken into memory")
        return self._phases.once("text", "text", self._decode_text)

    def _decode_text(self) -> Text:
        from cortex.media.text import decode

        return decode(self._file.kept())

    def _picture(self) -> Picture:
        from cortex.media.picture import Picture

        return self._phases.once("probe", "picture", lambda: Picture(self.open, self.mime, self._max_pixels))

    def _opened_container(self) -> Container:
        if self.kind not in (Kind.VIDEO, Kind.AUDIO):
            raise LoomError("FILE_EMPTY" if not self.size else "FORMAT_UNSUPPORTED")
        self._container = self._phases.once("probe", "container", self._open_container)
        return self._container

    def _open_container(self) -> Container:
        from cortex.media.container import Container

        return Container(self.open(), self.mime, self._max_pixels)

    def _decoder(self) -> Callable[[int | None], Decoded]:
        """What gives this file's picture; opened before, since opening is a phase of its own."""
        if self.kind is Kind.IMAGE:
            return self._picture().decode
        container = self._opened_container()
        return container.poster if self.kind is Kind.VIDEO else container.cover
