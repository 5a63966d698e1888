"""PDF (ISO 32000) through PDFium."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from contextlib import closing
from typing import TYPE_CHECKING, BinaryIO

from cortex.media.documents.manuscript import Manuscript
from cortex.media.phases import as_damage
from loom.errors import LoomError

if TYPE_CHECKING:
    from pypdfium2 import PdfDocument

_PASSWORD, _SECURITY = 4, 5
"""`FPDF_ERR_PASSWORD`: one is needed; `FPDF_ERR_SECURITY`: of a kind that PDFium does not know."""


def read_pdf(file: BinaryIO, manuscript: Manuscript, progress: Callable[[float], None]) -> None:
    """The text of each page in the order in which it is drawn. One that opens without a password is read, encrypted or
    not. A page that is damaged is passed over; when all are, the file is."""
    import pypdfium2

    try:
        with pypdfium2.PdfDocument(file) as document:
            _tell(document, manuscript)
            _read(document, manuscript, progress)
    except pypdfium2.PdfiumError as error:
        if getattr(error, "err_code", None) in (_PASSWORD, _SECURITY):
            raise LoomError("FILE_ENCRYPTED") from error
        raise as_damage(error) from error


def _tell(document: PdfDocument, manuscript: Manuscript) -> None:
    told = document.get_metadata_dict(skip_empty=True)
    manuscript.tell(
        pages=len(document), title=told.get("Title"), author=told.get("Author"), language=_language(document)
    )


def _language(document: PdfDocument) -> str | None:
    from pypdfium2 import raw

    size = raw.FPDFCatalog_GetLanguage(document, None, 0)
    if not 2 < size < 256:
        return None
    buffer = ctypes.create_string_buffer(size)
    raw.FPDFCatalog_GetLanguage(document, ctypes.cast(buffer, ctypes.POINTER(ctypes.c_ushort)), size)
    return buffer.raw[: size - 2].decode("utf-16-le", "replace")


def _read(document: PdfDocument, manuscript: Manuscript, progress: Callable[[float], None]) -> None:
    import pypdfium2

    count, failure = len(document), None
    damaged = 0
    for number in range(count):
        if manuscript.is_full:
            return
        try:
            with closing(document[number]) as page, closing(page.get_textpage()) as text:
                manuscript.add(text.get_text_range())
        except pypdfium2.PdfiumError as error:
            damaged, failure = damaged + 1, error
        manuscript.turn_page()
        progress((number + 1) / count)
    if failure is not None and damaged == count:
        raise failure
