from __future__ import annotations

import bz2
import gzip
import io
import os
import struct
import tarfile
import time
import zipfile
from pathlib import Path

import av
import pytest
from PIL import Image
from realmedia import FILMS, PAPERS, SOUNDS, VARIANTS, RealMedia

from cortex.media.sniff import HEAD, kind_of, sniff
from loom.model import Kind

_OOXML = "application/vnd.openxmlformats-officedocument."


def _sniffed(data: bytes) -> str:
    return sniff(data[:HEAD], len(data), lambda at, count: data[at : at + count])


def _remuxed(path: Path, form: str, **wanted: bool) -> bytes:
    """Streams of a file in another container, unchanged."""
    out = io.BytesIO()
    with av.open(str(path)) as source, av.open(out, "w", format=form) as target:
        pairs = {s.index: target.add_stream_from_template(s) for s in source.streams if wanted.get(s.type, True)}
        for packet in source.demux():
            if packet.dts is not None and packet.stream.index in pairs:
                packet.stream = pairs[packet.stream.index]
                target.mux(packet)
    return out.getvalue()


VARIANT_MIMES = {"heic": "image/heic", "avif": "image/avif", "gif": "image/gif", "png": "image/png", "bmp": "image/bmp",
                 "jpg": "image/jpeg", "jp2": "image/jp2", "tif": "image/tiff", "webp": "image/webp"}  # fmt: skip
FILM_MIMES = {"mp4": "video/mp4", "mkv": "video/x-matroska", "webm": "video/webm", "avi": "video/x-msvideo"}
SOUND_MIMES = {"flac": "audio/flac", "mp3": "audio/mpeg", "ogg": "audio/ogg", "opus": "audio/ogg", "wav": "audio/x-wav",
               "m4a": "audio/mp4"}  # fmt: skip
PAPER_MIMES = {
    "txt": "text/plain", "latin1.txt": "text/plain", "utf16.txt": "text/plain", "csv": "text/plain",
    "html": "text/html", "json": "application/json", "pdf": "application/pdf",
    "docx": _OOXML + "wordprocessingml.document",
    "odt": "application/vnd.oasis.opendocument.text",
}  # fmt: skip


@pytest.mark.parametrize("name", VARIANTS)
def test_pictures(media: RealMedia, name: str) -> None:
    path = media.variant(name)
    mime = _sniffed(path.read_bytes())
    assert (mime, kind_of(mime)) == (VARIANT_MIMES[path.suffix[1:]], Kind.IMAGE)


@pytest.mark.parametrize("name", FILMS)
def test_films(media: RealMedia, name: str) -> None:
    path = media.film(name)
    mime = _sniffed(path.read_bytes())
    assert (mime, kind_of(mime)) == (FILM_MIMES[path.suffix[1:]], Kind.VIDEO)


@pytest.mark.parametrize("name", SOUNDS)
def test_recordings(media: RealMedia, name: str) -> None:
    path = media.sound(name)
    mime = _sniffed(path.read_bytes())
    assert (mime, kind_of(mime)) == (SOUND_MIMES[path.suffix[1:]], Kind.AUDIO)


@pytest.mark.parametrize("name", PAPERS)
def test_papers(media: RealMedia, name: str) -> None:
    mime = _sniffed(media.paper(name).read_bytes())
    assert mime == PAPER_MIMES[name]
    assert kind_of(mime) is (Kind.DOCUMENT if name in ("pdf", "docx", "odt") else Kind.TEXT)


def test_published_media(media: RealMedia) -> None:
    kinds = [kind_of(_sniffed(path.read_bytes())) for path in [*media.images.values(), *media.films.values()]]
    assert kinds == [Kind.IMAGE] * len(media.images) + [Kind.VIDEO] * len(media.films)


@pytest.mark.parametrize(
    ("form", "mime"),
    [("mpegts", "video/mp2t"), ("mpeg", "video/mpeg"), ("mov", "video/quicktime"), ("3gp", "video/3gpp"),
     ("flv", "video/x-flv"), ("asf", "video/x-ms-wmv"), ("matroska", "video/x-matroska")],
)  # fmt: skip
def test_containers_of_video(media: RealMedia, form: str, mime: str) -> None:
    silent = form in ("mpeg", "3gp", "asf")
    assert _sniffed(_remuxed(media.film("h264"), form, audio=not silent)) == mime


@pytest.mark.parametrize(
    ("source", "form", "mime"),
    [("m4a", "mp4", "audio/mp4"), ("m4a", "mov", "audio/mp4"), ("m4a", "matroska", "audio/x-matroska"),
     ("opus", "webm", "audio/webm"), ("mp3", "asf", "audio/x-ms-wma"), ("m4a", "adts", "audio/aac"),
     ("wav", "caf", "audio/x-caf"), ("mp3", "avi", "video/x-msvideo")],
)  # fmt: skip
def test_sound_in_containers_that_mostly_hold_video(media: RealMedia, source: str, form: str, mime: str) -> None:
    path = media.sound(source)
    assert _sniffed(_remuxed(path, form, video=False)) == mime


def test_mp3_without_a_tag_is_told_by_two_frames(media: RealMedia) -> None:
    data = media.sound("mp3").read_bytes()
    a, b, c, d = data[6:10]
    frames = data[10 + (a << 21 | b << 14 | c << 7 | d) :]
    assert _sniffed(frames) == "audio/mpeg"
    assert _sniffed(frames[:3] + b"\0" + frames[4:]) == "audio/mpeg"
    assert _sniffed(b"\xff\xfb\x90\x00" + bytes(5000)) == "application/octet-stream"


def test_flac_behind_an_id3_tag(media: RealMedia) -> None:
    tag = b"ID3\4\0\0" + bytes([0, 0, 8, 0]) + bytes(1024)
    assert _sniffed(tag + media.sound("flac").read_bytes()) == "audio/flac"


def test_a_moov_at_the_end_is_looked_up(media: RealMedia) -> None:
    data = media.sound("m4a").read_bytes()
    assert data.index(b"moov") > data.index(b"mdat")
    assert _sniffed(b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom" + data[int.from_bytes(data[:4], "big") :]) == "audio/mp4"


def _zip(*names: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name in names:
            archive.writestr(name, b"x" * 10)
    return out.getvalue()


def _tiff(make: str, extra: tuple[int, int, int, int] | None = None) -> bytes:
    """A directory with a preview flag and a maker."""
    entries = [(0xFE, 4, 1, 1), (0x10F, 2, len(make) + 1, 200)] + ([extra] if extra else [])
    directory = struct.pack("<H", len(entries)) + b"".join(struct.pack("<HHII", *entry) for entry in sorted(entries))
    head = b"II*\0\x08\0\0\0" + directory + bytes(4)
    return head.ljust(200, b"\0") + make.encode() + bytes(50)


def _tar() -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("a"))
    return out.getvalue()


def _targa() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (4, 4)).save(out, "TGA")
    return out.getvalue()


OLE = bytes.fromhex("d0cf11e0a1b11ae1") + bytes(22) + b"\x09\0" + bytes(16) + bytes(4) + bytes(460)


def _ole(name: str) -> bytes:
    text = (name + "\0").encode("utf-16-le")
    return OLE + text.ljust(64, b"\0") + struct.pack("<H", len(text)) + bytes(62)


@pytest.mark.parametrize(
    ("data", "mime", "kind"),
    [
        (_zip("[Content_Types].xml", "xl/workbook.xml"), _OOXML + "spreadsheetml.sheet", Kind.DOCUMENT),
        (_zip("[Content_Types].xml", "ppt/slides"), _OOXML + "presentationml.presentation", Kind.DOCUMENT),
        (_zip("mimetype", "a"), "application/zip", Kind.OTHER),
        (_zip("META-INF/MANIFEST.MF"), "application/java-archive", Kind.OTHER),
        (_zip("photo.jpg"), "application/zip", Kind.OTHER),
        (_ole("WordDocument"), "application/msword", Kind.DOCUMENT),
        (_ole("Workbook"), "application/vnd.ms-excel", Kind.DOCUMENT),
        (_ole("__properties_version1.0"), "application/vnd.ms-outlook", Kind.DOCUMENT),
        (_ole("Something"), "application/x-ole-storage", Kind.DOCUMENT),
        (b"{\\rtf1 hello}", "application/rtf", Kind.DOCUMENT),
        (b"%!PS-Adobe-3.0", "application/postscript", Kind.DOCUMENT),
        (b"junk\n%PDF-1.4\n%\xe2\xe3", "application/pdf", Kind.DOCUMENT),
        (gzip.compress(b"x", mtime=0), "application/gzip", Kind.OTHER),
        (_tar(), "application/x-tar", Kind.OTHER),
        (b"MZ" + bytes(58) + b"\x40\0\0\0PE\0\0", "application/vnd.microsoft.portable-executable", Kind.OTHER),
        (_targa(), "image/x-tga", Kind.IMAGE),
        (b"8BPS\0\1", "image/vnd.adobe.photoshop", Kind.IMAGE),
        (b"\xff\x0a\xfa\x7f", "image/jxl", Kind.IMAGE),
        (b"FUJIFILMCCD-RAW 0201", "image/x-fuji-raf", Kind.IMAGE),
        (b"\0\0\0\x18ftypcrx \0\0\0\1crx isom", "image/x-canon-cr3", Kind.IMAGE),
        (b"\0\0\0\x1cftypmif1\0\0\0\0mif1heicmiaf", "image/heic", Kind.IMAGE),
        (b"\0\0\0\x1cftypmif1\0\0\0\0mif1avifmiaf", "image/avif", Kind.IMAGE),
        (b"\0\0\0\x14ftypmif1\0\0\0\0mif1", "image/heif", Kind.IMAGE),
        (b"II*\0\x10\0\0\0CR\2\0", "image/x-canon-cr2", Kind.IMAGE),
        (_tiff("NIKON CORPORATION"), "image/x-nikon-nef", Kind.IMAGE),
        (_tiff("SONY"), "image/x-sony-arw", Kind.IMAGE),
        (_tiff("EASTMAN KODAK COMPANY"), "image/x-kodak-kdc", Kind.IMAGE),
        (_tiff("Kodak"), "image/x-kodak-dcr", Kind.IMAGE),
        (_tiff("SEIKO EPSON CORP."), "image/x-epson-erf", Kind.IMAGE),
        (_tiff("Leaf"), "image/x-leaf-mos", Kind.IMAGE),
        (b"II*\0\x08\x0a\0\0IIIICwaR" + bytes(40), "image/x-phaseone-iiq", Kind.IMAGE),
        (b"II\x1a\0\0\0HEAPCCDR" + bytes(40), "image/x-canon-crw", Kind.IMAGE),
        (b"\0MRM\0\0\x0a\x0c\0PRD" + bytes(40), "image/x-minolta-mrw", Kind.IMAGE),
        (b"FOVb\2\0\2\0" + bytes(40), "image/x-sigma-x3f", Kind.IMAGE),
        (b"IIU" + _tiff("Panasonic")[3:], "image/x-panasonic-rw2", Kind.IMAGE),
        (b"IIU" + _tiff("LEICA")[3:], "image/x-leica-rwl", Kind.IMAGE),
        (_tiff("Canon"), "image/tiff", Kind.IMAGE),
        (_tiff("Google", (0xC612, 1, 4, 0x401)), "image/x-adobe-dng", Kind.IMAGE),
        (b"P6\n# made\n4 4\n255\n", "image/x-portable-anymap", Kind.IMAGE),
        (b"\0\0\1\0\1\0\x10\x10\0\0\1\0\x20\0\x68\4\0\0\x16\0\0\0", "image/vnd.microsoft.icon", Kind.IMAGE),
        (b"<?xml version='1.0'?>\n<!-- x -->\n<svg xmlns='http://www.w3.org/2000/svg'/>", "image/svg+xml", Kind.IMAGE),
        (b"  <!DOCTYPE HTML PUBLIC>", "text/html", Kind.TEXT),
        (b"<!-- c --><html>", "text/html", Kind.TEXT),
        (b"<?xml version='1.0'?><feed/>", "application/xml", Kind.TEXT),
        ("\ufeff<html>".encode("utf-16-le"), "text/html", Kind.TEXT),
        ("[1, 2]".encode("utf-8-sig"), "application/json", Kind.TEXT),
        (b"{a, b}", "text/plain", Kind.TEXT),
        ("Grüße".encode("utf-16"), "text/plain", Kind.TEXT),
        ("plain words of old Windows".encode("utf-16-le"), "text/plain", Kind.TEXT),
        ("naïve café au lait".encode("cp1252"), "text/plain", Kind.TEXT),
        ("日本語のテキスト".encode(), "text/plain", Kind.TEXT),
        (b"From: a@example.org\r\nTo: b@example.org\r\nSubject: x\r\n\r\nhello", "message/rfc822", Kind.TEXT),
        (b"Received: from x\n by y\nMIME-Version: 1.0\nX: y\n\nhi", "message/rfc822", Kind.TEXT),
        (b"Subject: only one line of it\nand prose", "text/plain", Kind.TEXT),
        (b"The skipper and his mdat", "text/plain", Kind.TEXT),
        (b"BMW is a maker of cars", "text/plain", Kind.TEXT),
        (b"MZ is a maker of motorcycles " * 4, "text/plain", Kind.TEXT),
        (b"P1 is a road, P6 another", "text/plain", Kind.TEXT),
        (b"GET / HTTP/1.1\r\n" * 60, "text/plain", Kind.TEXT),
        (b"\x1b[31mred\x1b[0m text\n", "text/plain", Kind.TEXT),
        (bytes(range(256)), "application/octet-stream", Kind.OTHER),
        (bytes(1000), "application/octet-stream", Kind.OTHER),
        (b"\x80\x81\x82\x83" * 50, "application/octet-stream", Kind.OTHER),
        (b"x", "text/plain", Kind.TEXT),
        (b"", "application/x-empty", Kind.OTHER),
    ],
)  # fmt: skip
def test_made_up_starts(data: bytes, mime: str, kind: Kind) -> None:
    assert (_sniffed(data), kind_of(mime)) == (mime, kind)


@pytest.mark.parametrize(
    "text",
    ["MAC Address,IP\n00:11,10.0.0.1", "caffeine is bad", "caff", "P2 Web server, P5 12", "P4 12 ways",
     "DDS is a format",
     "ID3 tags are old", "MP+ is Musepack", "icns files hold icons", "qoif is quite ok", "GIF89a is a format",
     "BZh hello", "BZh9 times", "RIFF or WAVE, that is here the question", "FORM of AIFF or what", "OggS", "wvpk, ",
     "8BPS is Photoshop", "MThd and MTrk", "DSD disks", "TTA1 lossless", "#!AMRoth", "#?RADIANCE of the sun",
     "FLV and others", ".snd is a file", "AT&TFORM letter", "MSCF, a cabinet", "wOFF, wOF2", "FUJIFILMCCD-RAW is raw",
     "IIRO", "GIF87a\u00e4\u00f6 in Latin letters"],
)  # fmt: skip
def test_text_that_begins_like_media_is_text(text: str) -> None:
    assert _sniffed(text.encode("latin-1")) == "text/plain"
    assert _sniffed((text + "\n" + "and goes on in plain words. " * 500).encode("latin-1")) == "text/plain"


@pytest.mark.parametrize("data", [bz2.compress(b"x"), bz2.compress(b""), bz2.compress(os.urandom(9000), 1)])
def test_bzip2(data: bytes) -> None:
    assert _sniffed(data) == "application/x-bzip2"


@pytest.mark.parametrize("mode", ["1", "L", "RGB"])
def test_netpbm_as_it_is_written(mode: str) -> None:
    out = io.BytesIO()
    Image.new(mode, (40, 30)).save(out, "PPM")
    assert _sniffed(out.getvalue()) == "image/x-portable-anymap"


@pytest.mark.parametrize("form", ["GIF", "ICNS", "DDS", "QOI"])
def test_pictures_whose_mark_is_letters(media: RealMedia, form: str) -> None:
    out = io.BytesIO()
    media.picture("chelsea", (512, 512)).save(out, form)
    assert _sniffed(out.getvalue()) == {"GIF": "image/gif", "ICNS": "image/icns", "DDS": "image/vnd.ms-dds",
                                        "QOI": "image/qoi"}[form]  # fmt: skip


@pytest.mark.parametrize("said", [b"application/epub+zip\0\n<script>", b"application/epub+zip;<b>", b"application/x"])
def test_a_package_cannot_say_just_anything_of_itself(said: bytes) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("mimetype", said)
    assert _sniffed(out.getvalue()) == "application/zip"
    good = io.BytesIO()
    with zipfile.ZipFile(good, "w") as archive:
        archive.writestr("mimetype", b"application/epub+zip\n")
    assert _sniffed(good.getvalue()) == "application/epub+zip"


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be", "utf-32"])
def test_a_wide_character_may_be_cut(encoding: str) -> None:
    for shift in range(4):
        text = "\ufeff" * (encoding == "utf-16-be") + "a" * shift + "\U0001f600" * 3000
        assert _sniffed(text.encode(encoding)) == "text/plain"


RUSSIAN = "Все счастливые семьи похожи друг на друга, каждая несчастливая семья несчастлива по-своему."
JAPANESE = "すべての人間は、生まれながらにして自由であり、かつ、尊厳と権利とについて平等である。\n"


@pytest.mark.parametrize(
    ("text", "encoding"),
    [(RUSSIAN, "cp1251"), (RUSSIAN.upper(), "koi8-r"), ("Привет", "cp1251"), (JAPANESE, "cp932"),
     (JAPANESE, "euc-jp"), (JAPANESE * 200, "cp932")],
)  # fmt: skip
def test_text_of_other_scripts_in_older_encodings(text: str, encoding: str) -> None:
    assert _sniffed(text.encode(encoding)) == "text/plain"


def test_text_that_is_cut_inside_a_character_is_still_text() -> None:
    assert _sniffed("é".encode() * 100_000) == "text/plain"


@pytest.mark.parametrize("cut", [1, 2, 3, 5, 8, 11, 13, 20, 30, 40, 64, 100, 300])
def test_starts_of_any_length_are_answered(media: RealMedia, cut: int) -> None:
    paths = [
        *map(media.variant, VARIANTS),
        *map(media.film, FILMS),
        *map(media.sound, SOUNDS),
        *map(media.paper, PAPERS),
    ]
    assert all(_sniffed(path.read_bytes()[:cut]) for path in paths)


def test_usual_files_are_told_in_ten_microseconds(media: RealMedia, real_image: Path) -> None:
    for path in (real_image, media.variant("png-16"), media.paper("txt"), media.paper("html"), media.paper("docx")):
        data = path.read_bytes()
        rounds = []
        for _ in range(5):
            started = time.perf_counter()
            for _ in range(200):
                _sniffed(data)
            rounds.append((time.perf_counter() - started) / 200)
        # Three times what is promised: other programs share the machine.
        assert min(rounds) < 30e-6
