from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from mediakit.recordings import FilmFormat, write_film
from PIL import Image
from realmedia import FILMS, RealMedia

from cortex.media import Media
from cortex.media.wants import PictureFeed, Wants
from loom.errors import LoomError

Opened = Callable[..., Media]


class Count:
    def __init__(self) -> None:
        self.frames = 0

    def update(self, frame: object) -> None:
        self.frames += 1


def _wants(*stills: tuple[int, int], **feed: bool) -> Wants:
    return Wants(pictures={"count": PictureFeed(Count, **feed)}, stills=frozenset(stills))


def _bytes(pictures: list[Image.Image]) -> list[bytes]:
    return [picture.tobytes() for picture in pictures]


@pytest.mark.parametrize("count", [1, 4, 9])
@pytest.mark.parametrize("name", FILMS)
def test_the_pass_of_others_gives_the_pictures_that_seeking_gives(
    opened: Opened, media: RealMedia, name: str, count: int
) -> None:
    path = media.film(name)
    alone = opened(path).frames(count, 80)
    watched = opened(path, _wants((count, 80)))
    assert _bytes(watched.frames(count, 80)) == _bytes(alone)
    assert watched.played[0] is not None, "the pass was made"
    assert isinstance(reader := watched.watched("count"), Count)
    assert reader.frames == 48, "once, for all"


@pytest.mark.parametrize("name", ["bikes", "bigbuckbunny", "carphone_pristine"])
def test_published_films(opened: Opened, media: RealMedia, name: str) -> None:
    path = media.films[name]
    alone = opened(path).frames(9, 100)
    watched = opened(path, _wants((9, 100)))
    watched.watched("count")
    assert _bytes(watched.frames(9, 100)) == _bytes(alone), "also when the others came first"


def test_key_frames_are_taken_where_there_are_enough(opened: Opened, tmp_path: Path) -> None:
    frames = [Image.new("RGB", (64, 32), (n * 5,) * 3) for n in range(48)]
    film = write_film(tmp_path / "film.mp4", frames, FilmFormat(gop=6))
    watched = opened(film, _wants((4, 64))).frames(4, 64)
    shades = [float(np.asarray(picture).mean()) for picture in watched]
    assert shades == pytest.approx([30, 90, 150, 210], abs=8), "frames 6, 18, 30 and 42, of the moments 6, 18 …"


@pytest.mark.parametrize(
    "wants", [_wants((4, 80), key_frames=True), _wants((5, 80)), Wants(stills=frozenset({(4, 80)}))]
)
def test_no_pass_is_made_for_them_alone_or_for_others_that_do_not_serve(
    opened: Opened, media: RealMedia, wants: Wants
) -> None:
    path = media.film("h264")
    watched = opened(path, wants)
    assert _bytes(watched.frames(4, 80)) == _bytes(opened(path).frames(4, 80))


def test_a_damaged_film_still_has_pictures(opened: Opened, media: RealMedia, tmp_path: Path) -> None:
    data = bytearray(media.films["bikes"].read_bytes())
    middle = len(data) // 2
    data[middle : middle + 20_000] = bytes(20_000)
    path = tmp_path / "film"
    path.write_bytes(data)
    assert opened(path, _wants((9, 80))).frames(9, 80)


def test_a_pass_that_killed_a_worker_is_not_tried(opened: Opened, media: RealMedia) -> None:
    path = media.film("h264")
    blamed = {"reel": ("WORKER_CRASHED", "it died")}
    watched = opened(path, _wants((4, 80)), blamed=blamed)
    assert _bytes(watched.frames(4, 80)) == _bytes(opened(path).frames(4, 80))
    with pytest.raises(LoomError):
        watched.watched("count")
