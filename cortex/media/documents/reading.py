"""Which reader reads what."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, BinaryIO

from cortex.media.documents.mail import read_mail
from cortex.media.documents.manuscript import Manuscript
from cortex.media.documents.markup import read_html
from cortex.media.documents.office import read_presentation, read_word
from cortex.media.documents.opendocument import read_opendocument
from cortex.media.documents.pages import read_pdf
from cortex.media.documents.rtf import read_rtf
from cortex.media.documents.sheets import read_old_sheets, read_sheets
from cortex.media.phases import as_damage
from loom.errors import LoomError
from loom.model import Kind

if TYPE_CHECKING:
    from cortex.media.media import Media

MAX_BYTES = 64 * 1024 * 1024
"""Documents that can only be read as a whole are read up to this size."""

_OFFICE = "application/vnd.openxmlformats-officedocument."
_OPENDOCUMENT = "application/vnd.oasis.opendocument."
_OLE = "application/x-ole-storage"
_SEALED = "EncryptedPackage".encode("utf-16-le")

_Progress = Callable[[float], None]
_Read = Callable[[BinaryIO, Manuscript, _Progress], None]


def _streamed(read: Callable[[BinaryIO, Manuscript], None]) -> _Read:
    return lambda file, manuscript, progress: read(file, manuscript)


def _whole(read: Callable[[bytes, Manuscript], None]) -> _Read:
    def read_all(file: BinaryIO, manuscript: Manuscript, progress: _Progress) -> None:
        data = file.read(MAX_BYTES + 1)
        if len(data) > MAX_BYTES:
            raise LoomError("FILE_TOO_LARGE", f"a document of this format is read up to {MAX_BYTES:,} bytes")
        read(data, manuscript)

    return read_all


_READERS: dict[str, _Read] = {
    "application/pdf": read_pdf,
    "application/rtf": _whole(read_rtf),
    "application/vnd.ms-excel": _streamed(read_old_sheets),
    "message/rfc822": _whole(read_mail),
    "text/html": _whole(read_html),
    f"{_OFFICE}presentationml.presentation": _streamed(read_presentation),
    f"{_OFFICE}spreadsheetml.sheet": _streamed(read_sheets),
    f"{_OFFICE}wordprocessingml.document": _streamed(read_word),
}


def _reader(mime: str) -> _Read | None:
    return _streamed(read_opendocument) if mime.startswith(_OPENDOCUMENT) else _READERS.get(mime)


def is_readable(media: Media) -> bool:
    """Whether it is a document whose text can be read, or would be if it were not encrypted."""
    mime = media.mime
    return media.kind is Kind.TEXT or _reader(mime) is not None or (mime == _OLE and _is_sealed(media))


def read_document(media: Media, limit: int, progress: _Progress) -> Manuscript:
    """Text and facts; at most `limit` characters. Raises `LoomError`: FILE_DAMAGED, FILE_TRUNCATED, FILE_ENCRYPTED,
    FILE_TOO_LARGE, FILE_EMPTY, FORMAT_UNSUPPORTED, MEMORY_EXCEEDED, READ_FAILED, and REQUIREMENT_MISSING where a
    library is not installed."""
    manuscript = Manuscript(limit)
    reader = _reader(media.mime)
    if reader is None and media.kind is Kind.TEXT:
        manuscript.add(media.text())
        return manuscript
    if reader is None:
        raise LoomError("FILE_ENCRYPTED" if media.mime == _OLE and _is_sealed(media) else "FORMAT_UNSUPPORTED")
    try:
        with media.open() as file:
            reader(file, manuscript, progress)
    except LoomError:
        raise
    except ImportError as error:
        raise LoomError(
            "REQUIREMENT_MISSING", f"{error.name} is not installed: pip install 'loom-cortex[documents]'"
        ) from error
    except (Exception, MemoryError) as error:
        raise as_damage(error) from error
    return manuscript


def _is_sealed(media: Media) -> bool:
    """Encrypted Office documents are compound files with an entry of that name ([MS-OFFCRYPTO])."""
    with media.open() as file:
        while piece := file.read(1 << 20):
            if _SEALED in piece:
                return True
    return False
