"""Whole files are called whole, whatever their form; damaged ones are not, wherever the damage is."""

from __future__ import annotations

import io
import random
import zipfile
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from PIL import Image
from realmedia import FILMS, SOUNDS, VARIANTS, RealMedia

from cortex.operators.identity.consistency import Consistency
from cortex.testing import OperatorRun, run_operator
from loom.errors import LoomError
from loom.model import Branch, State

Damaged = Callable[[Path, Callable[[bytes], bytes]], OperatorRun]
ODD = {
    "variable-rate.mp4": ("libx264", "aac", {}, {}),
    "variable-rate.mkv": ("libx264", "", {}, {}),
    "late.mp4": ("libx264", "aac", {}, {}),
    "fragments.mp4": ("libx264", "aac", {}, {"movflags": "frag_keyframe+empty_moov"}),
    "index-first.mp4": ("libx264", "aac", {}, {"movflags": "faststart"}),
    "stream.ts": ("libx264", "aac", {"g": "12"}, {}),
    "disc.mpg": ("mpeg2video", "mp2", {}, {}),
    "pictures.avi": ("mjpeg", "pcm_s16le", {}, {}),
    "uncounted.mp3": ("", "libmp3lame", {}, {"write_xing": "0"}),
    "plain.aac": ("", "aac", {}, {}),
    "plain.aiff": ("", "pcm_s16be", {}, {}),
}


@pytest.fixture(scope="module")
def odd(media: RealMedia, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Writes one of `ODD`: 3 s of pictures at 25 a second, or for 10 to 400 ms each; 3 s of sound."""
    folder = tmp_path_factory.mktemp("odd")

    def write(name: str) -> Path:
        path = folder / name
        if not path.exists():
            _write(path, media, *ODD[name])
        return path

    return write


def _write(
    path: Path, media: RealMedia, pictures: str, sound: str, options: dict[str, str], form: dict[str, str]
) -> None:
    lengths = random.Random(1)
    uneven, late = path.stem == "variable-rate", 30 if path.stem == "late" else 0
    with av.open(str(path), "w", options=form) as container:
        video: Any = container.add_stream(pictures, rate=25, options=options) if pictures else None
        audio: Any = container.add_stream(sound, rate=48000, layout="stereo") if sound else None
        if video is not None:
            video.width, video.height = 320, 180
            video.pix_fmt = "yuvj420p" if pictures == "mjpeg" else "yuv420p"
            video.codec_context.time_base = base = Fraction(1, 1000 if uneven else 25)
            time = late
            for picture in media.frames(48) + media.frames(27):
                frame = av.VideoFrame.from_image(picture)
                frame.pts, frame.time_base = time, base
                time += lengths.choice([10, 40, 90, 400]) if uneven else 1
                container.mux(video.encode(frame))
            container.mux(video.encode(None))
        if audio is not None:
            for start in range(0, 3 * 48000, 1152):
                samples = np.ascontiguousarray(media.music.samples[:, start : start + 1152])
                piece = av.AudioFrame.from_ndarray(samples, "fltp", "stereo")
                piece.sample_rate, piece.pts, piece.time_base = 48000, start, Fraction(1, 48000)
                container.mux(audio.encode(piece))
            container.mux(audio.encode(None))


@pytest.fixture
def damaged(tmp_path: Path) -> Damaged:
    def look(path: Path, damage: Callable[[bytes], bytes]) -> OperatorRun:
        broken = tmp_path / f"broken{path.suffix}"
        broken.write_bytes(damage(path.read_bytes()))
        return run_operator(Consistency(), broken)

    return look


def codes(run: OperatorRun) -> list[str]:
    return [finding["code"] for finding in run.outputs["findings"]]


def is_whole(path: Path) -> OperatorRun:
    run = run_operator(Consistency(), path)
    assert run.outputs["findings"] == []
    assert (run.verdict, run.outputs["consistent"]) == (Branch.PASS, True)
    return run


def is_not(run: OperatorRun, *expected: str) -> None:
    assert (run.verdict, run.outputs["consistent"]) == (Branch.FAIL, False)
    assert run.reason == run.outputs["findings"][0]["sentence"]
    if expected:
        assert set(codes(run)) & set(expected), codes(run)


def cut(part: float) -> Callable[[bytes], bytes]:
    return lambda data: data[: int(len(data) * part)]


def zeroed(data: bytes) -> bytes:
    """8 KiB in the middle."""
    middle = len(data) // 2
    return data[:middle] + bytes(8192) + data[middle + 8192 :]


def flipped(count: int, seed: int = 1) -> Callable[[bytes], bytes]:
    def flip(data: bytes) -> bytes:
        numbers, changed = random.Random(seed), bytearray(data)
        for _ in range(count):
            changed[numbers.randrange(len(data) // 4, len(data) * 19 // 20)] ^= numbers.randrange(1, 256)
        return bytes(changed)

    return flip


@pytest.mark.parametrize("name", FILMS)
def test_films_are_whole(media: RealMedia, name: str) -> None:
    run = is_whole(media.film(name))
    assert run.outputs["counted"]["frames"] == 48
    assert run.outputs["counted"]["video_s"] == pytest.approx(2.0, abs=0.05)


@pytest.mark.parametrize("name", SOUNDS)
def test_recordings_are_whole(media: RealMedia, name: str) -> None:
    run = is_whole(media.sound(name))
    assert run.outputs["declared"]["sound_s"] == pytest.approx(5.31, abs=0.03)
    assert run.outputs["counted"]["sound_s"] == pytest.approx(5.31, abs=0.06)


def test_films_as_they_were_published_are_whole(media: RealMedia) -> None:
    for path in media.films.values():
        run = is_whole(path)
        assert run.outputs["counted"]["frames"] == run.outputs["declared"]["frames"]


@pytest.mark.parametrize("name", ODD)
def test_odd_forms_are_whole(odd: Callable[[str], Path], name: str) -> None:
    is_whole(odd(name))


def test_a_recording_of_a_broadcast_that_begins_between_key_frames_is_whole(
    odd: Callable[[str], Path], tmp_path: Path
) -> None:
    part = tmp_path / "part.ts"
    part.write_bytes(odd("stream.ts").read_bytes()[188 * 100 :])
    is_whole(part)


def test_pictures_are_whole(media: RealMedia) -> None:
    for path in [media.photo(), media.photo(progressive=True), *map(media.variant, VARIANTS), *media.images.values()]:
        if path.stem != "multipage_rgb":  # no decoder takes it
            is_whole(path)


@pytest.mark.parametrize("progressive", [False, True])
def test_a_plain_white_picture_is_whole(tmp_path: Path, progressive: bool) -> None:
    """Its coded pixels are thousands of zero bytes."""
    path = tmp_path / "white.jpg"
    Image.new("L", (4000, 3000), 255).save(path, optimize=True, progressive=progressive)
    assert bytes(4096) in path.read_bytes()
    is_whole(path)


@pytest.mark.parametrize("name", ["pdf", "docx", "odt"])
def test_documents_are_whole_and_their_parts_are_not(media: RealMedia, damaged: Damaged, name: str) -> None:
    is_whole(media.paper(name))
    for part in (0.5, 0.97):
        is_not(damaged(media.paper(name), cut(part)), "truncated", "index-missing")


@pytest.mark.parametrize("part", [0.3, 0.6, 0.9, 0.99])
@pytest.mark.parametrize("name", ["h264", "h264-mkv", "vp9", "mpeg4"])
def test_films_that_were_cut_off_are_not(media: RealMedia, damaged: Damaged, name: str, part: float) -> None:
    is_not(damaged(media.film(name), cut(part)), "truncated")


@pytest.mark.parametrize("name", ["fragments.mp4", "index-first.mp4", "pictures.avi", "plain.aiff"])
def test_odd_forms_that_were_cut_off_are_not(odd: Callable[[str], Path], damaged: Damaged, name: str) -> None:
    for part in (0.5, 0.95):
        is_not(damaged(odd(name), cut(part)), "truncated", "too-short")


@pytest.mark.parametrize("name", SOUNDS)
def test_recordings_that_were_cut_off_are_not(media: RealMedia, damaged: Damaged, name: str) -> None:
    for part in (0.5, 0.95):
        is_not(damaged(media.sound(name), cut(part)), "truncated", "too-short")


@pytest.mark.parametrize("name", FILMS)
def test_zeros_in_a_film_are_found(media: RealMedia, damaged: Damaged, name: str) -> None:
    is_not(damaged(media.film(name), zeroed), "zeros", "damaged", "patched")


@pytest.mark.parametrize("name", [name for name in SOUNDS if name != "wav"])
def test_zeros_in_a_recording_are_found(media: RealMedia, damaged: Damaged, name: str) -> None:
    """But not in one that is not compressed: there they are silence."""
    is_not(damaged(media.sound(name), zeroed))


def test_one_changed_byte_is_found_where_there_are_checksums(media: RealMedia, damaged: Damaged) -> None:
    for path in (media.sound("flac"), media.sound("ogg"), media.images["chelsea"], media.paper("odt")):
        for seed in range(3):
            is_not(damaged(path, flipped(1, seed)), "checksum", "too-short", "damaged")


def test_many_changed_bytes_are_found_in_films(media: RealMedia, damaged: Damaged) -> None:
    for path in (media.film("h264"), media.film("hevc"), media.film("mpeg4"), media.films["bikes"]):
        is_not(damaged(path, flipped(100)))


def test_broken_photographs_are_not_whole(media: RealMedia, damaged: Damaged) -> None:
    for progressive in (False, True):
        photo = media.photo(progressive=progressive)
        is_not(damaged(photo, zeroed), "zeros", "damaged")
        for part in (0.3, 0.99):
            is_not(damaged(photo, cut(part)), "end-missing")
        is_not(damaged(photo, lambda data: data[:-2]), "end-missing")
    for name in ("gif", "webp", "heic", "png-16", "tiff"):
        is_not(damaged(media.variant(name), cut(0.7)), "truncated", "unreadable")


def test_it_says_where(media: RealMedia, damaged: Damaged) -> None:
    path = media.films["bikes"]
    run = damaged(path, zeroed)
    places = [finding["where"] for finding in run.outputs["findings"]]
    assert all(place.endswith(" s") for place in places)
    assert 4 < float(places[0].removesuffix(" s")) < 7, "10 s long, and zeroed in the middle"
    run = damaged(media.images["chelsea"], zeroed)
    assert run.outputs["findings"][0]["where"].startswith("byte ")


def test_a_member_of_an_archive_is_named(tmp_path: Path) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name in ("one.txt", "two.txt"):
            archive.writestr(name, f"the text {name} " * 100)
    path = tmp_path / "texts.zip"
    path.write_bytes(packed.getvalue())
    is_whole(path)
    path.write_bytes(packed.getvalue().replace(b"the text two", b"the text 2wo", 1))
    run = run_operator(Consistency(), path)
    assert [(one["code"], one["where"]) for one in run.outputs["findings"]] == [("checksum", "two.txt")]


def test_what_is_tolerated_is_told_all_the_same(media: RealMedia, damaged: Damaged, tmp_path: Path) -> None:
    path = tmp_path / "cut.ogg"
    path.write_bytes(media.sound("ogg").read_bytes()[:-3000])
    run = run_operator(Consistency(tolerate=["truncated"]), path)
    assert codes(run) == ["truncated"]
    assert (run.verdict, run.outputs["consistent"]) == (Branch.PASS, True)


def test_an_empty_file_is_not_whole_and_others_are_not_looked_at(media: RealMedia, tmp_path: Path) -> None:
    empty = tmp_path / "empty.mp4"
    empty.touch()
    is_not(run_operator(Consistency(), empty), "empty")
    assert run_operator(Consistency(), media.paper("txt")).state is State.SKIPPED


def test_what_no_decoder_takes_is_refused(media: RealMedia) -> None:
    with pytest.raises(LoomError) as caught:
        run_operator(Consistency(), media.images["multipage_rgb"])
    assert caught.value.code == "FORMAT_UNSUPPORTED"
