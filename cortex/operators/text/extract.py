"""The text of documents."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from cortex.node import MediaNode, NodeContext, NodeOptions, OutputKey
from loom.graph.specs import Port, Requirement

if TYPE_CHECKING:
    from cortex.media import Media

LEAD = 10_000
"""Characters of the output `text`: at most six bytes each in JSON, so that it always has room."""

_EXTRA = "documents"
_PACKAGES = ("pypdfium2", "lxml", "python_calamine", "striprtf")


class TextOptions(NodeOptions):
    max_characters: int = Field(5_000_000, ge=1000, le=50_000_000, description="No more of the text is kept.")


class TextExtract(MediaNode[TextOptions]):
    """Takes the text out of documents: PDF, Office, OpenDocument, HTML, RTF, e-mail and plain text.

    The artifact `text` has all of it in UTF-8, with a form feed between pages, slides and sheets; the output `text` is
    its beginning, which a search in Loom finds. Read are Word, Excel and PowerPoint of 2007 and later (`docx`, `xlsx`,
    `pptx`), the Excel of before (`xls`), OpenDocument (`odt`, `ods`, `odp`, `odg`), PDF with a text of its own (none
    is recognised in pictures), HTML, RTF, e-mail (`eml`: headers, body, forwarded mail; attachments are listed, not
    opened), and plain text in the encoding that it is found to have. Footnotes, comments and notes of slides come
    along, deleted text does not. Cells of a row stand side by side, dates as `2024-05-17`.

    Other kinds of media, and documents of other formats, are not processed. Refuses `FILE_ENCRYPTED` (a password is
    needed), `FILE_DAMAGED` and `FILE_TRUNCATED`, `FILE_TOO_LARGE` (more than 256 MiB unpacked; HTML, RTF, e-mail and
    plain text above 64 MiB; a mail of more than 1000 parts) and `FORMAT_UNSUPPORTED`; `REQUIREMENT_MISSING` where the
    extra `documents` is not installed. XML that declares entities counts as damaged, so none is ever expanded.
    """

    operator = "text.extract"
    outputs = (
        Port(id="out", content_type="text/plain", key="text"),
        Port(id="file", content_type="artifact/text", key="text", description="the whole text"),
    )
    reads = ()
    verdicts = False
    requires = tuple(Requirement(kind="package", name=name, extra=_EXTRA, optional=True) for name in _PACKAGES)
    TEXT = OutputKey("text", str, "The beginning of the text: at most 10,000 characters.")
    CHARACTERS = OutputKey("characters", int, "How many characters the artifact has.")
    TRUNCATED = OutputKey("truncated", bool, "Whether the document has more text than was kept.")
    TITLE = OutputKey("title", str, "The title that the document gives itself; of e-mail the subject.")
    AUTHOR = OutputKey("author", str, "Its author; of e-mail who it is from.")
    DECLARED = OutputKey("declared_language", str, "The language that it says it is in, such as `de-DE`.")
    PAGES = OutputKey("pages", int, "Pages, as far as the document counts them.")
    SLIDES = OutputKey("slides", int, "Slides of a presentation, or pages of a drawing.")
    SHEETS = OutputKey("sheets", int, "Sheets of a spreadsheet.")
    ATTACHMENTS = OutputKey("attachments", list, "What is attached to e-mail: name, mime and size of at most 200.")

    def open(self) -> None:
        """Loads the libraries, before the process may do nothing but read. One that is missing is only missed when a
        document of its format comes."""
        import importlib
        from contextlib import suppress

        for name in ("cortex.media.documents.reading", "lxml.etree", *_PACKAGES, "striprtf.striprtf"):
            with suppress(ImportError):
                importlib.import_module(name)

    def is_processable(self, media: Media) -> bool:
        from cortex.media.documents import is_readable

        return is_readable(media)

    def compute(self, ctx: NodeContext, media: Media) -> None:
        from cortex.media.documents import read_document

        found = read_document(media, self.options.max_characters, ctx.progress)
        text, facts = found.text(), found.facts
        ctx.artifact("text", text.encode(), "text/plain; charset=utf-8")
        ctx.output(self.TEXT, text[:LEAD])
        ctx.output(self.CHARACTERS, len(text))
        ctx.output(self.TRUNCATED, found.truncated)
        for key, name in (
            (self.TITLE, "title"),
            (self.AUTHOR, "author"),
            (self.DECLARED, "language"),
            (self.PAGES, "pages"),
            (self.SLIDES, "slides"),
            (self.SHEETS, "sheets"),
            (self.ATTACHMENTS, "attachments"),
        ):
            if name in facts:
                ctx.output(key, facts[name])
