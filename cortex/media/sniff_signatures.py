"""The first bytes of formats, and which of them need a closer look."""

from __future__ import annotations

from collections.abc import Callable

from cortex.media import sniff_boxes as boxes
from cortex.media import sniff_documents as documents
from cortex.media import sniff_pictures as pictures
from cortex.media import sniff_streams as streams

ReadAt = Callable[[int, int], bytes]
Look = Callable[[bytes, int, ReadAt], str | None]

_STARTS: tuple[tuple[bytes, str | Look], ...] = (
    # pictures
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"BM", pictures.bitmap),
    (b"II*\0", pictures.tiff),
    (b"MM\0*", pictures.tiff),
    (b"II+\0", "image/tiff"),
    (b"MM\0+", "image/tiff"),
    (b"IIRO", "image/x-olympus-orf"),
    (b"IIRS", "image/x-olympus-orf"),
    (b"MMOR", "image/x-olympus-orf"),
    (b"IIU\0", pictures.panasonic),
    (b"II\x1a\0\0\0HEAPCCDR", "image/x-canon-crw"),
    (b"MM\0\0\0\x1aHEAPCCDR", "image/x-canon-crw"),
    (b"\0MRM", "image/x-minolta-mrw"),
    (b"FUJIFILMCCD-RAW 0", "image/x-fuji-raf"),
    (b"FOVb", "image/x-sigma-x3f"),
    (b"8BPS", "image/vnd.adobe.photoshop"),
    (b"\xff\x0a", "image/jxl"),
    (b"\0\0\0\x0cJXL \r\n\x87\n", "image/jxl"),
    (b"\0\0\0\x0cjP  \r\n\x87\n", "image/jp2"),
    (b"\xff\x4f\xff\x51", "image/x-jp2-codestream"),
    (b"\0\0\1\0", pictures.icon),
    (b"\0\0\2\0", pictures.icon),
    (b"icns", "image/icns"),
    (b"DDS ", "image/vnd.ms-dds"),
    (b"qoif", "image/qoi"),
    (b"v/1\x01", "image/x-exr"),
    (b"#?R", pictures.radiance),
    (b"\x01\xda", pictures.sgi),
    (b"\x0a", pictures.pcx),
    (b"SIMPLE  =", "image/fits"),
    (b"gimp xcf", "image/x-xcf"),
    (b"\xd7\xcd\xc6\x9a", "image/wmf"),
    (b"\1\0\0\0", pictures.emf),
    *((b"P%d" % digit, pictures.netpbm) for digit in range(1, 8)),
    # sound and video
    (b"RIFF", streams.riff),
    (b"RF64", "audio/x-wav"),
    (b"BW64", "audio/x-wav"),
    (b"FORM", streams.iff),
    (b"OggS", streams.ogg),
    (b"fLaC", "audio/flac"),
    (b"ID3", streams.tagged),
    (b"\xff", streams.mpeg_audio),
    (b"\x1a\x45\xdf\xa3", streams.matroska),
    (b"\0\0\1\xba", "video/mpeg"),
    (b"\0\0\1\xb3", "video/mpeg"),
    (b"\x47", streams.transport),
    (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", streams.asf),
    (b"FLV\1", "video/x-flv"),
    (b".RMF", "application/vnd.rn-realmedia"),
    (b"\x06\x0e\x2b\x34\x02\x05\x01\x01", "application/mxf"),
    (b"#!AMR", streams.amr),
    (b"wvpk", "audio/x-wavpack"),
    (b"MAC ", "audio/x-ape"),
    (b"MPCK", "audio/x-musepack"),
    (b"MP+", "audio/x-musepack"),
    (b"TTA1", "audio/x-tta"),
    (b"caff", "audio/x-caf"),
    (b".snd", "audio/basic"),
    (b"MThd", "audio/midi"),
    (b"DSD ", "audio/x-dsf"),
    (b"\x0b\x77", "audio/ac3"),
    (b"\x7f\xfe\x80\x01", "audio/vnd.dts"),
    # documents
    (b"%PDF-", "application/pdf"),
    (b"%!PS", "application/postscript"),
    (b"{\\rtf", "application/rtf"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", documents.ole),
    (b"PK\3\4", documents.zipped),
    (b"PK\5\6", "application/zip"),
    (b"AT&TFORM", "image/vnd.djvu"),
    # archives, programs, fonts, data
    (b"\x1f\x8b\x08", "application/gzip"),
    (b"BZh", documents.bzip2),
    (b"\xfd7zXZ\0", "application/x-xz"),
    (b"\x28\xb5\x2f\xfd", "application/zstd"),
    (b"7z\xbc\xaf\x27\x1c", "application/x-7z-compressed"),
    (b"Rar!\x1a\x07", "application/vnd.rar"),
    (b"\x04\x22\x4d\x18", "application/x-lz4"),
    (b"MSCF", "application/vnd.ms-cab-compressed"),
    (b"!<arch>\n", "application/x-archive"),
    (b"\x7fELF", "application/x-executable"),
    (b"MZ", documents.dos_program),
    (b"\xca\xfe\xba\xbe", "application/java-vm"),
    (b"\xcf\xfa\xed\xfe", "application/x-mach-binary"),
    (b"\0asm", "application/wasm"),
    (b"SQLite format 3\0", "application/vnd.sqlite3"),
    (b"OTTO\0", "font/otf"),
    (b"\0\1\0\0\0", "font/ttf"),
    (b"wOFF", "font/woff"),
    (b"wOF2", "font/woff2"),
)


_OF_TEXTS = (b"%PDF-", b"%!PS", b"{\\rtf", b"#?R", b"#!AMR", b"P", b"BZh", b"SIMPLE  =", b"FUJIFILMCCD-RAW", b"!<arch>")
"""Formats that may begin like text for long; the others have sizes and versions, in bytes that no text has."""


def _is_bare(start: bytes) -> bool:
    """Whether a text could begin with this as well."""
    return start.isascii() and start.decode().isprintable() and not start.startswith(_OF_TEXTS)


def _by_first_byte() -> dict[int, tuple[tuple[bytes, bool, str | Look], ...]]:
    found: dict[int, list[tuple[bytes, bool, str | Look]]] = {}
    for start, answer in _STARTS:
        found.setdefault(start[0], []).append((start, _is_bare(start), answer))
    return {first: tuple(rows) for first, rows in found.items()}


SIGNATURES = _by_first_byte()
"""By the first byte: how a format begins, whether that says nothing in what else is text, and what it is."""

LATER: tuple[Look, ...] = (boxes.iso_media, streams.blu_ray, documents.elsewhere, pictures.targa)
"""Formats without a fixed first byte, asked in this order when no signature fits."""
