from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image
from realmedia import RealMedia

from cortex.media import Media
from cortex.media.picture import Picture
from cortex.media.sizes import Decoded, fitting
from cortex.media.wants import Wants

Opened = Callable[..., Media]


@pytest.mark.parametrize("size", [(3, 2), (1000, 1), (1, 1000), (451, 300), (300, 451), (4032, 3024), (997, 996)])
@pytest.mark.parametrize("side", [1, 2, 64, 333, 5000])
def test_sizes_are_those_of_pillow(size: tuple[int, int], side: int) -> None:
    image = Image.new("L", size)
    image.thumbnail((side, side))
    assert fitting(size, side) == image.size


@pytest.mark.parametrize(("size", "side"), [((1201, 803), 150), ((1201, 803), 512), ((803, 1201), 333)])
def test_a_photo_that_one_operator_wants_is_as_pillow_reduces_it(
    opened: Opened, media: RealMedia, size: tuple[int, int], side: int
) -> None:
    path = media.photo("rocket", size=size)
    with Image.open(path) as image:
        image.thumbnail((side, side), Image.Resampling.LANCZOS, reducing_gap=1.5 if side <= 256 else 1.0)
        assert np.array_equal(np.asarray(opened(path, Wants(image_side=side)).image(side)), np.asarray(image))


def test_one_decode_serves_all_sizes_that_it_has_pixels_for(
    opened: Opened, media: RealMedia, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int | None] = []
    decode = Picture.decode

    def counted(self: Picture, max_side: int | None) -> Decoded:
        asked.append(max_side)
        return decode(self, max_side)

    monkeypatch.setattr(Picture, "decode", counted)
    photo = opened(media.photo(size=(2400, 1600)), Wants(image_side=600))
    sizes = [photo.image(side).size for side in (128, 512, 1000, 600)]
    assert sizes == [(128, 85), (512, 341), (1000, 667), (600, 400)]
    assert asked == [600]
    assert photo.image(2000).size == (2000, 1333)
    assert asked == [600, 2000]


def test_small_pictures_are_alike_whatever_they_are_made_of(media: RealMedia) -> None:
    picture = media.picture("coffee", (1200, 800))
    alone, after = Decoded(picture, complete=True), Decoded(picture, complete=True)
    after.at(512)
    one, other = (np.asarray(made.at(128), float) for made in (alone, after))
    assert 0 < np.abs(one - other).mean() < 1


def test_a_film_gives_a_larger_picture_when_it_is_asked_for(opened: Opened, media: RealMedia) -> None:
    film = opened(media.film("h264"))
    assert [film.image(side).size for side in (64, 200, 2000)] == [(64, 36), (200, 112), (320, 180)]


def test_a_profile_and_a_turn_hold_for_every_size(opened: Opened, media: RealMedia) -> None:
    out = io.BytesIO()
    exif = Image.Exif()
    exif[0x0112] = 6
    media.picture("coffee", (600, 400)).save(out, "JPEG", exif=exif)
    decoded = Picture(lambda: io.BytesIO(out.getvalue()), "image/jpeg", 10**8).decode(None)
    assert [decoded.at(side).size for side in (None, 300, 100)] == [(400, 600), (200, 300), (67, 100)]
