"""The text that is to be seen in a picture."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec
from pydantic import Field

from cortex.derived import asset_or_file
from cortex.media.wants import Wants
from cortex.node import MediaNode, NodeContext, NodeOptions, OutputKey
from cortex.operators.pictures.drawings import has_pixels
from cortex.operators.vision import ocr_rapid, ocr_tesseract
from cortex.outputs import MAX_OUTPUT
from cortex.requirements import demand
from loom.graph.specs import Port, Requirement
from loom.model import Kind

if TYPE_CHECKING:
    from cortex.media import Media
    from cortex.operators.vision.ocr_reading import Engine

_LEAD = 10_000


class OcrOptions(NodeOptions):
    engine: Literal["tesseract", "rapidocr"] = Field(
        "tesseract", description="What reads; rapidocr is slower, and better at bad pictures, Latin and Chinese script"
    )
    languages: tuple[Annotated[str, Field(pattern=r"^[A-Za-z0-9_]+$", max_length=40)], ...] = Field(
        ("eng",), min_length=1, max_length=8, description="Of the text, for Tesseract, by its names: eng, deu, chi_sim"
    )
    data: str | None = Field(
        None, max_length=4096, description="Tesseract: folder with the language data; else the system's"
    )
    layout: Literal["page", "column", "block", "line", "sparse"] = Field(
        "page", description="Tesseract: what the text looks like; `sparse` finds single words, as in photographs"
    )
    min_score: float = Field(0.4, ge=0, le=1, description="Words that are less sure, 0 to 1, do not count")
    size: int = Field(2560, ge=128, le=8192, description="Read with this longer side, in pixels")
    enlarge: bool = Field(True, description="Small text is read again twice as large")
    upright: bool = Field(True, description="A page that is hardly readable is read turned by quarters too")


class Ocr(MediaNode[OcrOptions]):
    """Reads the text in a picture, such as a scan or a photograph of a page, with Tesseract or RapidOCR.

    The artifact `text` has all of it in UTF-8; the output `text` is its beginning, which a search in Loom finds. Words
    of a line have spaces between them, paragraphs an empty line. `words` lists of each word `text`, `score` (how sure,
    0 to 1) and `box` (left, top, width, height, as fractions of the picture as it is shown), in the order in which they
    are to be read; it is the artifact `words` (JSON) where it would be larger than 64 KiB. `score` is the mean over all
    characters. A picture without text has an empty one. Handwriting and lettering in photographs of streets are not
    read well.

    Tesseract knows some 120 languages; it needs the extra `ocr`, and data for each language, as Debian's
    tesseract-ocr-eng has it. A result is reused as long as the options are the same: for changed data give another
    folder. RapidOCR needs the extra `rapidocr`, which carries its models (PP-OCR, Apache-2.0; their SHA-256 is
    checked); it reads Latin and Chinese script, `words` has whole lines then, and it takes about a second a page.
    Nothing is downloaded.

    Of an animation or a TIFF of many pages the first picture is read; a PDF is not a picture. Drawings without pixels
    (SVG, WMF, EMF) are not processed. Refuses FORMAT_UNSUPPORTED (no decoder), FILE_DAMAGED, FILE_TRUNCATED and
    FILE_TOO_LARGE (too many pixels); nothing runs without package, data and models (REQUIREMENT_MISSING).
    """

    operator = "vision.ocr"
    kinds = frozenset({Kind.IMAGE})
    reads = ()
    verdicts = False
    requires = tuple(
        Requirement(kind="package", name=name, extra=extra, optional=True)
        for name, extra in (("tesserocr", "ocr"), ("rapidocr", "rapidocr"))
    )
    inputs = asset_or_file("image")
    outputs = (
        Port(id="out", content_type="text/plain", key="text"),
        Port(id="file", content_type="artifact/text", key="text", description="the whole text"),
    )
    TEXT = OutputKey("text", str, "The beginning of the text: at most 10,000 characters.")
    CHARACTERS = OutputKey("characters", int, "How many characters the artifact has.")
    SCORE = OutputKey("score", float, "How sure it is of them, 0 to 1; 0 without text.")
    WORDS = OutputKey("words", list, "text, score and box of each word; left out when it is an artifact")

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self._engine: Engine | None = None

    def requirements(self) -> Sequence[Requirement]:
        if self.options.engine == "rapidocr":
            return ocr_rapid.PACKAGES
        folder = ocr_tesseract.data_folder(self.options.data)
        data = (ocr_tesseract.requirement(folder, language) for language in self.options.languages)
        return (ocr_tesseract.PACKAGE, *data)

    def open(self) -> None:
        demand(self.requirements())
        if self.options.engine == "rapidocr":
            self._engine = ocr_rapid.Rapid()
            return
        folder = ocr_tesseract.data_folder(self.options.data)
        self._engine = ocr_tesseract.Tesseract(folder, self.options.languages, self.options.layout)

    def close(self) -> None:
        if self._engine is not None:
            self._engine.close()
            self._engine = None

    def wants(self) -> Wants:
        return Wants(image_side=self.options.size)

    def is_processable(self, media: Media) -> bool:
        return super().is_processable(media) and has_pixels(media)

    def compute(self, ctx: NodeContext, media: Media) -> None:
        from cortex.operators.vision.ocr_reading import mean_score, read, text_of

        assert self._engine is not None, "the engine calls open() first"
        options = self.options
        picture = media.image(options.size).convert("L")
        found = read(self._engine, picture, enlarge=options.enlarge, upright=options.upright)
        words = [word for word in found if word.score >= options.min_score]
        text = text_of(words)
        ctx.artifact("text", text.encode(), "text/plain; charset=utf-8")
        ctx.output(self.TEXT, text[:_LEAD])
        ctx.output(self.CHARACTERS, len(text))
        ctx.output(self.SCORE, round(mean_score(words), 4))
        told = [word.as_json(picture.size) for word in words]
        if len(encoded := msgspec.json.encode(told)) <= MAX_OUTPUT:
            ctx.output(self.WORDS, told)
        else:
            ctx.artifact("words", encoded, "application/json")
