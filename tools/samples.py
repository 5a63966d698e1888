"""Makes a folder of sample media: photographs, films, music and papers, the same bytes every time."""

from __future__ import annotations

import argparse
import io
import os
import shutil
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone
from pathlib import Path

import numpy as np
import numpy.typing as npt
from mediakit import papers
from mediakit.pictures import Shot, iptc, save_jpeg, srgb_profile, xmp
from mediakit.recordings import FilmFormat, Sound, write_film, write_sound
from PIL import Image, ImageFilter

RATE = 48000
_WRITTEN = 1_725_000_000
TEXT = [
    "These files were composed by a program to be ingested.",
    "The photographs show landscapes that do not exist; the music is a scale with a few harmonics.",
    "Nothing in here is precious: move, rename and copy the files, then ingest the folder again.",
]
PHOTOS: list[tuple[str, tuple[int, int], Shot, bool]] = [
    (
        f"photos/2024-{month:02d}/IMG_{number:04d}.jpg",
        size,
        Shot(
            taken=datetime(2024, month, 3 + number, 9 + number, 12, 30, tzinfo=timezone(timedelta(hours=zone))),
            place=place,
            altitude=height,
            orientation=orientation,
            title=f"Landscape {number}",
        ),
        progressive,
    )
    for number, (month, size, place, height, zone, orientation, progressive) in enumerate(
        [
            (5, (4000, 3000), (47.4210, 10.9853), 2962.0, 2, 1, False),
            (5, (2592, 1944), (46.5587, 7.9022), 3454.0, 2, 6, False),
            (5, (1944, 2592), (45.8326, 6.8652), 4808.0, 2, 8, True),
            (6, (3264, 2448), (64.1466, -21.9426), 61.0, 0, 1, False),
            (6, (3000, 2000), (-33.8568, 151.2153), 4.0, 10, 3, False),
            (6, (2048, 1536), (-22.9519, -43.2105), 710.0, -3, 1, True),
            (7, (3456, 2304), (35.3606, 138.7274), 3776.0, 9, 1, False),
            (7, (2304, 3456), (27.9881, 86.9250), 8848.0, 6, 1, False),
            (7, (1920, 1080), None, 0.0, 2, 1, False),
            (8, (2560, 1920), (-3.0674, 37.3556), 5895.0, 3, 2, False),
        ],
        start=1,
    )
]


def landscape(seed: int, size: tuple[int, int]) -> Image.Image:
    """Ridges before a sky, with the grain of a sensor."""
    random, (width, height) = np.random.RandomState(seed), size
    rows, columns = np.linspace(0, 1, height, dtype=np.float32)[:, None], np.linspace(0, 1, width, dtype=np.float32)
    dusk, noon = random.uniform(60, 250, (2, 3)).astype(np.float32)
    sky = np.repeat(dusk * rows[..., None] + noon * (1 - rows[..., None]), width, axis=1).astype(np.float32)
    for ridge in range(5):
        steps = random.normal(size=256).cumsum()
        steps = (steps - steps.min()) / (np.ptp(steps) or 1)
        outline = (0.35 + 0.13 * ridge - 0.22 * np.interp(columns, np.linspace(0, 1, 256), steps)).astype(np.float32)
        shade = (random.uniform(30, 130, 3) * (1 - ridge / 7)).astype(np.float32)
        np.copyto(sky, shade * (0.7 + 0.5 * rows[..., None]), where=(rows > outline)[..., None])
    # sensors see grain at the size of a pixel, film and haze at that of several
    sky += random.randint(-9, 10, (height, width, 1), dtype=np.int8)
    coarse = random.randint(-12, 13, (height // 8 + 1, width // 8 + 1), dtype=np.int8)
    sky += coarse.repeat(8, axis=0).repeat(8, axis=1)[:height, :width, None]
    return Image.fromarray(np.clip(sky, 0, 255).astype(np.uint8)).filter(ImageFilter.GaussianBlur(0.6))


def melody(seconds: float, root: float) -> Sound:
    """A scale of plucked notes, half a second each, the left channel a little ahead of the right one."""
    sound = np.zeros(int(seconds * RATE), dtype=np.float32)
    time = np.arange(RATE, dtype=np.float32) / RATE
    for note, start in enumerate(range(0, len(sound), RATE // 2)):
        pitch = root * 2 ** ((0, 2, 4, 5, 7, 9, 11, 12)[note % 8] / 12)
        tone = sum((np.sin(2 * np.pi * pitch * k * time) / k**2 for k in range(1, 7)), np.zeros_like(time))
        piece = (0.4 * tone * np.exp(-4 * time)).astype(np.float32)[: len(sound) - start]
        sound[start : start + len(piece)] += piece
    return Sound(np.stack([sound, np.roll(sound, 300)]), RATE)


def pan(seed: int, size: tuple[int, int], count: int) -> Iterator[Image.Image]:
    """A camera that moves over a landscape, with two cuts."""
    width, height = size
    shots = [landscape(seed + cut, (width * 2, height)) for cut in range(3)]
    for number in range(count):
        left = number * width // count
        yield shots[number * 3 // count].crop((left, 0, left + width, height))


def _photo(folder: Path, number: int) -> None:
    name, size, shot, progressive = PHOTOS[number]
    upright = size if shot.orientation < 5 else size[::-1]
    save_jpeg(
        landscape(number, upright),
        _place(folder, name),
        shot,
        quality=85 + number,
        progressive=progressive,
        xmp=xmp(title=str(shot.title), rating=1 + number % 5),
        iptc=iptc(title=str(shot.title), keywords=("landscape", "sample")),
        icc=srgb_profile(),
    )


def _pictures(folder: Path) -> None:
    small = landscape(20, (1280, 800))
    small.quantize(64).save(_place(folder, "pictures/poster.png"))
    small.save(_place(folder, "pictures/banner.webp"), quality=80)
    small.save(_place(folder, "pictures/garden.avif"), quality=60, speed=9)
    small.convert("CMYK").save(_place(folder, "pictures/print.jpg"), quality=85)
    small.resize((640, 400)).save(_place(folder, "pictures/scan.tif"), compression="tiff_lzw")
    frames = list(pan(21, (320, 200), 12))
    frames[0].save(_place(folder, "pictures/pan.gif"), save_all=True, append_images=frames[1:], duration=80, loop=0)


def _films(folder: Path) -> None:
    tags = {"title": "A walk", "date": "2024-07-14"}
    sound: npt.NDArray[np.float32] = melody(4, 220).samples
    write_film(_place(folder, "films/walk.mp4"), pan(30, (640, 360), 96), FilmFormat(tags=tags), Sound(sound))
    vp9 = FilmFormat(codec="libvpx-vp9", sound_codec="libopus", tags={"title": "A view"})
    write_film(_place(folder, "films/view.webm"), pan(40, (640, 360), 72), vp9, Sound(sound[:, : 3 * RATE]))
    write_film(_place(folder, "films/phone.mp4"), pan(50, (640, 360), 48), FilmFormat(turned=90))


def _music(folder: Path) -> None:
    cover = io.BytesIO()
    landscape(60, (600, 600)).save(cover, "JPEG", quality=88)
    for track, (name, codec, root) in enumerate(
        [("scale.flac", "flac", 261.6), ("scale.mp3", "libmp3lame", 293.7), ("scale.ogg", "libopus", 329.6)], 1
    ):
        tags = {
            "title": f"Scale {track}",
            "artist": "The Samples",
            "album": "Scales",
            "date": "2024",
            "track": f"{track}",
        }
        picture = cover.getvalue() if codec != "libopus" else None
        write_sound(_place(folder, f"music/{name}"), melody(10, root), codec, tags=tags, cover=picture)
    write_sound(_place(folder, "music/memo.wav"), Sound(melody(3, 196).samples[:1]), "pcm_s16le")


def _papers(folder: Path) -> None:
    _place(folder, "papers/read me.txt").write_text("\n".join(TEXT) + "\n", encoding="utf-8")
    _place(folder, "papers/notes.md").write_text("# Notes\n\n" + "\n".join(f"- {line}" for line in TEXT) + "\n")
    _place(folder, "papers/places.csv").write_text(
        "photo,title\n" + "".join(f"{name},{shot.title}\n" for name, _, shot, _ in PHOTOS)
    )
    papers.write_html(_place(folder, "papers/page.html"), TEXT)
    papers.write_pdf(_place(folder, "papers/page.pdf"), TEXT)
    papers.write_docx(_place(folder, "papers/letter.docx"), TEXT)


def _place(folder: Path, name: str) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def make(folder: Path) -> int:
    """Fills the folder; returns how many files it has. One of them is there twice."""
    with ThreadPoolExecutor() as pool:
        jobs = [pool.submit(part, folder) for part in (_films, _music, _pictures, _papers)]
        jobs += [pool.submit(_photo, folder, number) for number in range(len(PHOTOS))]
        for job in jobs:
            job.result()
    shutil.copyfile(folder / PHOTOS[0][0], folder / "photos/best of 2024.jpg")
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    for number, path in enumerate(files):
        os.utime(path, (_WRITTEN + number,) * 2)
    return len(files)


def main() -> None:
    """Makes the folder under another name first, so that it is there whole or not at all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="made anew: what is in it now is taken away")
    folder: Path = parser.parse_args().folder
    part = folder.with_name(folder.name + ".part")
    for old in (part, folder):
        shutil.rmtree(old, ignore_errors=True)
    count = make(part)
    part.rename(folder)
    sys.stdout.write(f"made {count} sample files in {folder}\n")


if __name__ == "__main__":
    main()
