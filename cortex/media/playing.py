"""The readers of a file's pictures and sound: fed all together, at the first question for one of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING

from cortex.media.phases import Phases
from cortex.media.wants import Audience, Fed, Listeners, PictureReader, Progress, SoundReader, Wants
from loom.errors import LoomError

if TYPE_CHECKING:
    from PIL.Image import Image

    from cortex.media.container import Container
    from cortex.media.reel import Played
    from cortex.media.stills import Stills


class Playing:
    """What was fed already, and with what result."""

    def __init__(self, phases: Phases) -> None:
        self._phases = phases
        self._watched: dict[str, Fed[PictureReader]] = {}
        self._heard: dict[str, Fed[SoundReader]] = {}
        self.pictures: Played | None = None
        self.sound: Played | None = None
        self._stills: dict[tuple[int, int], Stills] = {}

    def watched(
        self, name: str, wants: Wants, opened: Callable[[], Container], progress: Progress | None
    ) -> PictureReader:
        if name not in self._watched:
            _refuse_unwanted(name, wants.pictures)
            self._play(wants, opened(), progress)
        _refuse_faulty(self.pictures)
        return self._watched[name].reader

    def stills(
        self, wanted: tuple[int, int], wants: Wants, opened: Callable[[], Container], progress: Progress | None
    ) -> list[Image]:
        """Pictures (how many, of which side) that were taken while others watched; none where that came to nothing."""
        if wanted not in self._stills and self.pictures is None:
            with suppress(LoomError):
                self._play(wants, opened(), progress)
        taken = self._stills.get(wanted)
        return [] if taken is None else taken.found()

    def heard(self, name: str, wants: Wants, opened: Callable[[], Container], progress: Progress | None) -> SoundReader:
        if name not in self._heard:
            _refuse_unwanted(name, wants.sounds)
            self._play(wants, opened(), progress)
        _refuse_faulty(self.sound)
        return self._heard[name].reader

    def _play(self, wants: Wants, container: Container, progress: Progress | None) -> None:
        audience: Audience = {n: (feed, Fed(feed.make)) for n, feed in wants.pictures.items() if n not in self._watched}
        listeners: Listeners = {n: (feed, Fed(feed.make)) for n, feed in wants.sounds.items() if n not in self._heard}
        stills = {one: taken for one in wants.stills if (taken := container.stills(*one))} if audience else {}
        key = "reel", tuple(audience), tuple(listeners)
        tally = self._phases.once("reel", key, lambda: container.play(audience, listeners, progress, stills.values()))
        self._stills.update(stills)
        self.pictures = tally.pictures or self.pictures
        self.sound = tally.sound or self.sound
        self._watched.update({name: fed for name, (_, fed) in audience.items()})
        self._heard.update({name: fed for name, (_, fed) in listeners.items()})


def _refuse_unwanted(name: str, wanted: Mapping[str, object]) -> None:
    if name not in wanted:
        raise LoomError("OPERATOR_FAILED", f"asks for the reader {name!r}, which it does not name in `wants()`")


def _refuse_faulty(played: Played | None) -> None:
    if played is not None and played.fault is not None:
        raise LoomError(played.fault.code, played.fault.message)
