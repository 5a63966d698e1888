"""Tesseract, in this process: it reads the picture from memory, and its language data from files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from cortex.operators.vision.ocr_reading import Word
from loom.errors import LoomError
from loom.graph.specs import Requirement

if TYPE_CHECKING:
    from PIL.Image import Image

PACKAGE = Requirement(kind="package", name="tesserocr", extra="ocr")
FOLDERS = (
    "/usr/share/tesseract-ocr/5/tessdata",
    "/usr/share/tesseract-ocr/4.00/tessdata",
    "/usr/share/tessdata",
    "/usr/local/share/tessdata",
    "/opt/homebrew/share/tessdata",
)
"""Where systems keep language data."""
MODES = {"page": 3, "column": 4, "block": 6, "line": 7, "sparse": 11}
_WORD_LEVEL = "5"
_RESOLUTION = 300


def data_folder(given: str | None) -> Path:
    """The folder that is given, else the first that there is, else Debian's."""
    if given is not None:
        return Path(given).expanduser()
    return next((Path(folder) for folder in FOLDERS if Path(folder).is_dir()), Path(FOLDERS[0]))


def requirement(folder: Path, language: str) -> Requirement:
    package = f"apt-get install tesseract-ocr-{language.lower().replace('_', '-')}"
    return Requirement(kind="model", name=str(folder / f"{language}.traineddata"), install=package)


class Tesseract:
    """Reads with `languages`, in pictures that look like `layout`. Raises `REQUIREMENT_MISSING` where the data cannot
    be used."""

    def __init__(self, folder: Path, languages: tuple[str, ...], layout: str) -> None:
        import tesserocr

        try:
            self._reader: Any = tesserocr.PyTessBaseAPI(path=str(folder), lang="+".join(languages), psm=MODES[layout])
        except RuntimeError as error:
            raise LoomError("REQUIREMENT_MISSING", f"the language data in {folder} cannot be used: {error}") from error

    def close(self) -> None:
        self._reader.End()

    def read(self, picture: Image) -> list[Word]:
        self._reader.SetImage(picture)
        self._reader.SetSourceResolution(_RESOLUTION)
        rows = (row.split("\t", 11) for row in self._reader.GetTSVText(0).splitlines())
        self._reader.Clear()
        return [word for row in rows if (word := _word(row)) is not None]


def _word(row: list[str]) -> Word | None:
    """Columns: level, page, block, paragraph, line, word, left, top, width, height, confidence (percent), text."""
    if len(row) != 12 or row[0] != _WORD_LEVEL or not row[11].strip():
        return None
    left, top, width, height = (float(value) for value in row[6:10])
    block, line = int(row[2]) * 1000 + int(row[3]), int(row[4])
    return Word(row[11].strip(), max(float(row[10]), 0.0) / 100, (left, top, width, height), block, line)
