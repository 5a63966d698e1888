"""What a file is, told from its content and never from its name."""

from __future__ import annotations

from collections.abc import Callable

from cortex.media.sniff_signatures import LATER, SIGNATURES
from cortex.media.sniff_text import has_no_controls, text_type
from loom.model import Kind

ReadAt = Callable[[int, int], bytes]

HEAD = 64 * 1024
"""How many bytes from the start of a file `sniff` is best given."""
_BINARY_WITHIN = 128
EMPTY = "application/x-empty"
UNKNOWN = "application/octet-stream"

_KINDS: dict[str, Kind] = {
    **dict.fromkeys(
        (
            "application/pdf",
            "application/postscript",
            "application/rtf",
            "application/msword",
            "application/vnd.visio",
            "application/x-ole-storage",
            "application/epub+zip",
            "application/vnd.ms-excel",
            "application/vnd.ms-powerpoint",
            "application/vnd.ms-outlook",
            "image/vnd.djvu",
        ),
        Kind.DOCUMENT,
    ),
    **dict.fromkeys(("application/json", "application/rdf+xml", "application/xml", "message/rfc822"), Kind.TEXT),
    "application/vnd.rn-realmedia": Kind.VIDEO,
    "application/mxf": Kind.VIDEO,
}
_FAMILIES = {"image": Kind.IMAGE, "video": Kind.VIDEO, "audio": Kind.AUDIO, "text": Kind.TEXT}
_DOCUMENT_STARTS = ("application/vnd.openxmlformats-officedocument.", "application/vnd.oasis.opendocument.")


def sniff(head: bytes, size: int, read_at: ReadAt) -> str:
    """The media type of a file of `size` bytes that begins with `head`. `read_at(offset, count)` is used for the few
    formats that say what they are elsewhere. `application/octet-stream` when nothing is recognised.

    Signatures are those of the formats' own specifications."""
    if not head:
        return EMPTY
    for start, bare, answer in SIGNATURES.get(head[0], ()):
        if head.startswith(start) and not (bare and has_no_controls(head[:_BINARY_WITHIN])):
            mime = answer if isinstance(answer, str) else answer(head, size, read_at)
            if mime is not None:
                return mime
    for look in LATER:
        if (mime := look(head, size, read_at)) is not None:
            return mime
    return text_type(head, size) or UNKNOWN


def kind_of(mime: str) -> Kind:
    """The kind of media that a media type belongs to."""
    if (kind := _KINDS.get(mime)) is not None:
        return kind
    if mime.startswith(_DOCUMENT_STARTS):
        return Kind.DOCUMENT
    return _FAMILIES.get(mime.partition("/")[0], Kind.OTHER)
