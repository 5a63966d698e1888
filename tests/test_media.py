"""The media the tests work on is what its names say."""

from __future__ import annotations

import os
from pathlib import Path

import av
import numpy as np
import pi_heif
import pytest
from PIL import Image, ImageOps
from realmedia import FILMS, PAPERS, PLACE, SOUNDS, TAGS, VARIANTS, RealMedia


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_photo_is_upright_whichever_way_the_camera_was_held(media: RealMedia, orientation: int) -> None:
    with Image.open(media.photo(size=(400, 200), orientation=orientation)) as image:
        assert image.getexif()[0x0112] == orientation
        upright = np.asarray(ImageOps.exif_transpose(image).convert("RGB")).astype(int)
    wanted = np.asarray(media.picture("coffee", (400, 200))).astype(int)
    assert upright.shape == wanted.shape
    assert np.abs(upright - wanted).mean() < 4


def test_a_photo_says_when_and_where_it_was_taken(media: RealMedia) -> None:
    with Image.open(media.photo()) as image:
        exif = image.getexif()
        details, place = exif.get_ifd(0x8769), exif.get_ifd(0x8825)
        assert (details[0x9003], details[0x9011], details[0x9291]) == ("2024:05:17 14:03:21", "+02:00", "250")
        degrees, minutes, seconds = map(float, place[4])
        assert place[3] == "W"
        assert degrees + minutes / 60 + seconds / 3600 == pytest.approx(-PLACE[1], abs=1e-6)
        assert b'xmp:Rating="4"' in image.info["xmp"]
        assert b"\x1c\x02\x19\x00\x03cup" in image.info["photoshop"][0x0404]


@pytest.mark.parametrize("name", VARIANTS)
def test_every_variant_shows_the_cat(media: RealMedia, name: str) -> None:
    path = media.variant(name)
    if name == "heic":
        assert pi_heif.read_heif(path).size == (451, 300)
        return
    with Image.open(path) as image:
        image.load()
        assert image.size == (451, 300)
        assert getattr(image, "n_frames", 1) == (4 if name.endswith(("animated", "pages")) else 1)
        assert image.mode == {"png-16": "I;16", "jpeg-cmyk": "CMYK", "png-alpha": "RGBA"}.get(name, image.mode)


@pytest.mark.parametrize("name", FILMS)
def test_every_film_lasts_two_seconds(media: RealMedia, name: str) -> None:
    with av.open(str(media.film(name))) as container:
        assert container.duration is not None
        assert container.duration / 1e6 == pytest.approx(2, abs=0.1)
        assert bool(container.streams.audio) == FILMS[name][2]
        frames = list(container.decode(video=0))
        assert len(frames) == 48
        assert (frames[0].rotation % 360) == (270 if name == "h264-turned" else 0)


@pytest.mark.parametrize("name", SOUNDS)
def test_every_recording_has_its_tags(media: RealMedia, name: str) -> None:
    with av.open(str(media.sound(name))) as container:
        tags = {**container.metadata, **container.streams.audio[0].metadata}
        assert {key.lower(): value for key, value in tags.items()}["title"] == TAGS["title"]
        assert container.duration is not None
        assert container.duration / 1e6 == pytest.approx(5.3, abs=0.2)
        assert len(container.streams.video) == SOUNDS[name][2]


@pytest.mark.parametrize("name", PAPERS)
def test_every_paper_has_content(media: RealMedia, name: str) -> None:
    assert media.paper(name).stat().st_size > 10


def test_the_household_has_one_file_twice(media_folder: Path) -> None:
    contents = [path.read_bytes() for path in media_folder.rglob("*") if path.is_file()]
    assert (len(contents), len(set(contents))) == (10, 9)


def test_no_setting_of_the_surroundings_reaches_a_test(home: Path) -> None:
    assert Path.home() == home
    assert not list(home.iterdir())
    assert not [name for name in os.environ if name.startswith(("LOOM_", "CORTEX_"))]
