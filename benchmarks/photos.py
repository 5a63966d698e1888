"""Builds the corpus of photographs: crops of real ones at 2 to 12 MP, with the grain, turns and EXIF of cameras.

    python benchmarks/photos.py [FOLDER] [COUNT]

The real photographs are those of the Debian package lomiri-wallpapers-16.04 (CC-BY-4.0, CC-BY-SA), installed or
fetched by apt-get; without them the pictures of the test media serve. The same COUNT gives the same bytes.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor
from datetime import datetime, timedelta, timezone
from functools import lru_cache, partial
from pathlib import Path

import numpy as np
from measure import CACHE
from PIL import Image

sys.path.insert(0, str(Path(__file__).parents[1] / "tools"))
from mediakit.pictures import Shot, save_jpeg

PACKAGE = "lomiri-wallpapers-16.04"
INSTALLED = Path("/usr/share/backgrounds")
COUNT = 500
PROGRESSIVE = 0.15


def corpus(folder: Path = CACHE / "photos", count: int = COUNT) -> Path:
    """The folder with `count` photographs, made when it is not there yet."""
    done = folder / f".made-{count}"
    if not done.exists():
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        originals = _originals()
        # neighbours share an original, which is decoded once
        order = sorted(range(count), key=lambda number: number % len(originals))
        with ProcessPoolExecutor() as pool:
            for _ in pool.map(partial(_photo, folder, originals), order, chunksize=8):
                pass
        done.touch()
    return folder


def _originals() -> list[Path]:
    """Real photographs, in a fixed order."""
    for found in (INSTALLED, CACHE / PACKAGE / INSTALLED.relative_to("/")):
        photos = sorted(found.glob("*_by_*.jpg"))
        if photos:
            return photos
    if shutil.which("apt-get") and shutil.which("dpkg"):
        try:
            return _fetched()
        except (OSError, subprocess.SubprocessError) as error:
            sys.stderr.write(f"{PACKAGE} cannot be had ({error}); the test pictures are used\n")
    spec = importlib.util.find_spec("skimage")
    if spec is None or spec.origin is None:
        raise SystemExit("no real photographs: pip install --no-deps -r tests/requirements-media.txt")
    data = Path(spec.origin).parent / "data"
    return [data / name for name in ("astronaut.png", "chelsea.png", "coffee.png", "rocket.jpg", "motorcycle_left.png")]


def _fetched() -> list[Path]:
    CACHE.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["apt-get", "download", "-qq", PACKAGE], cwd=folder, check=True, stderr=subprocess.DEVNULL)
        package = next(Path(folder).glob("*.deb"))
        subprocess.run(["dpkg", "-x", str(package), str(CACHE / PACKAGE)], check=True)
    return sorted((CACHE / PACKAGE / INSTALLED.relative_to("/")).glob("*_by_*.jpg"))


@lru_cache(maxsize=1)
def _opened(path: Path) -> Image.Image:
    with Image.open(path) as image:
        return image.convert("RGB")


def _photo(folder: Path, originals: list[Path], number: int) -> None:
    random = np.random.RandomState(1000 + number)
    original = _opened(originals[number % len(originals)])
    pixels = random.uniform(2e6, 12e6)
    aspect = (4 / 3, 3 / 2, 16 / 9, 3 / 4)[random.randint(4)]
    size = round((pixels * aspect) ** 0.5), round((pixels / aspect) ** 0.5)
    # cut from the original at half to full size of its own pixels, or as large as it allows
    scale = 0.999 * min(random.uniform(1, 2), original.width / size[0], original.height / size[1])
    width, height = size[0] * scale, size[1] * scale
    left, top = random.uniform(0, original.width - width), random.uniform(0, original.height - height)
    picture = original.resize(size, Image.Resampling.BICUBIC, box=(left, top, left + width, top + height))
    colour = np.asarray(picture, dtype=np.float32) * random.uniform(0.9, 1.1, 3).astype(np.float32)
    colour += random.normal(0, random.uniform(1, 5), (size[1], size[0], 1)).astype(np.float32)
    picture = Image.fromarray(np.clip(colour, 0, 255).astype(np.uint8))
    zone = timezone(timedelta(hours=int(random.randint(-8, 10))))
    shot = Shot(
        taken=datetime(2020, 1, 1, tzinfo=zone) + timedelta(seconds=int(random.randint(150_000_000))),
        place=(random.uniform(-60, 70), random.uniform(-180, 180)) if random.rand() < 0.6 else None,
        altitude=random.uniform(0, 3000),
        orientation=(1, 1, 1, 1, 6, 8, 3)[random.randint(7)],
        model=f"Camera {random.randint(1, 6)}",
    )
    path = folder / f"{number % 10}" / f"IMG_{number:04d}.jpg"
    path.parent.mkdir(exist_ok=True)
    progressive = random.rand() < PROGRESSIVE
    save_jpeg(picture, path, shot, quality=int(random.randint(80, 96)), progressive=progressive)
    os.utime(path, (1_700_000_000 + number,) * 2)


if __name__ == "__main__":
    where = Path(sys.argv[1]) if len(sys.argv) > 1 else CACHE / "photos"
    print(corpus(where, int(sys.argv[2]) if len(sys.argv) > 2 else COUNT))
