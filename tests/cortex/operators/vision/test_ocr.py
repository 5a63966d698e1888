from __future__ import annotations

import json
import re
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageDraw, ImageFont
from pydantic import ValidationError
from realmedia import RealMedia

from cortex.operators.vision import ocr_tesseract
from cortex.operators.vision.ocr import Ocr
from cortex.operators.vision.ocr_reading import Word, read, text_of
from cortex.requirements import missing
from cortex.testing import OperatorRun, run_operator
from loom.errors import LoomError
from loom.model import State

pytest.importorskip("tesserocr", reason="pip install 'loom-cortex[ocr]'")
WRITTEN = """The quick brown fox jumps over the lazy dog.
Pack my box with five dozen liquor jugs.
Invoice of 17 May: total 1,249.50 EUR."""


@pytest.fixture(autouse=True)
def _english() -> None:
    if missing([ocr_tesseract.requirement(ocr_tesseract.data_folder(None), "eng")]):
        pytest.skip("needs the system package tesseract-ocr-eng")


def page(
    path: Path, text: str = WRITTEN, *, letters: int = 28, turned: int = 0, paper: int = 255, ink: int = 0
) -> Path:
    font = ImageFont.load_default(letters)
    box = ImageDraw.Draw(Image.new("L", (1, 1))).multiline_textbbox((0, 0), text, font=font)
    picture = Image.new("L", (int(box[2]) + 4 * letters, int(box[3]) + 4 * letters), paper)
    ImageDraw.Draw(picture).multiline_text((2 * letters, 2 * letters), text, fill=ink, font=font)
    picture.rotate(turned, expand=True).save(path)
    return path


def likeness(run: OperatorRun, text: str = WRITTEN) -> float:
    """How much of the text was read, whatever the white space."""
    spaces = re.compile(r"\s+")
    return SequenceMatcher(None, spaces.sub(" ", run.outputs["text"]), spaces.sub(" ", text), autojunk=False).ratio()


def test_a_page_is_read(tmp_path: Path) -> None:
    run = run_operator(Ocr(), page(tmp_path / "page.png"))
    assert " ".join(run.outputs["text"].split()) == " ".join(WRITTEN.split())
    assert run.outputs["score"] > 0.9
    assert run.artifact("text").data.decode() == run.outputs["text"]
    assert run.artifact("text").media_type == "text/plain; charset=utf-8"
    assert run.outputs["characters"] == len(run.outputs["text"])
    words = run.outputs["words"]
    assert [word["text"] for word in words] == WRITTEN.split()


def test_a_photograph_of_a_printed_page_is_read(media: RealMedia) -> None:
    run = run_operator(Ocr(), media.images["page"])
    assert "markers of the coins and the" in run.outputs["text"]
    assert "pixels that we can label" in run.outputs["text"]
    assert run.outputs["score"] > 0.75


@pytest.mark.parametrize("name", ["coffee", "chelsea", "text"])
def test_pictures_without_print_have_no_text(media: RealMedia, name: str) -> None:
    outputs = run_operator(Ocr(), media.images[name]).outputs
    assert (outputs["text"], outputs["characters"], outputs["score"], outputs["words"]) == ("", 0, 0, [])


@pytest.mark.parametrize("turned", [90, 180, 270])
def test_a_page_that_lies_on_its_side_or_head_is_read(tmp_path: Path, turned: int) -> None:
    path = page(tmp_path / "turned.png", turned=turned)
    run = run_operator(Ocr(), path)
    assert likeness(run) > 0.95
    with Image.open(path) as written:
        ink = written.point(lambda value: 255 - value)
    width, height = ink.size
    for word in run.outputs["words"]:
        left, top, wide, high = word["box"]
        box = (left * width, top * height, (left + wide) * width, (top + high) * height)
        assert ink.crop(tuple(map(round, box))).getextrema()[1] > 200, "there is ink where the word is"
    first = run.outputs["words"][0]["box"]
    assert (first[0] > 0.5, first[1] > 0.5) == {90: (False, True), 180: (True, True), 270: (True, False)}[turned]


def test_only_upright_pages_are_read_where_told(tmp_path: Path) -> None:
    path = page(tmp_path / "turned.png", turned=180)
    assert likeness(run_operator(Ocr(upright=False), path)) < 0.5


def test_small_print_is_enlarged(tmp_path: Path) -> None:
    path = page(tmp_path / "small.png", letters=9)
    plain, enlarged = (run_operator(Ocr(enlarge=enlarge, upright=False), path) for enlarge in (False, True))
    assert likeness(plain) + 0.02 < likeness(enlarged)
    assert likeness(enlarged) > 0.9
    last = enlarged.outputs["words"][-1]["box"]
    assert 0.5 < last[1] < 1


def test_white_on_black_and_grey_on_grey(tmp_path: Path) -> None:
    for paper, ink in ((0, 255), (150, 80)):
        run = run_operator(Ocr(), page(tmp_path / "page.png", paper=paper, ink=ink))
        assert likeness(run) > 0.97


def test_unsure_words_do_not_count(media: RealMedia) -> None:
    counts = [run_operator(Ocr(min_score=score), media.images["page"]).outputs["words"] for score in (0, 0.9)]
    assert len(counts[0]) > len(counts[1]) > 0
    assert all(word["score"] >= 0.9 for word in counts[1])


@pytest.mark.slow
def test_many_words_are_an_artifact(tmp_path: Path) -> None:
    text = "\n".join(" ".join(f"word{row * 18 + column:04}" for column in range(18)) for row in range(60))
    run = run_operator(Ocr(enlarge=False), page(tmp_path / "full.png", text, letters=20))
    assert "words" not in run.outputs
    words = json.loads(run.artifact("words").data)
    assert len(words) > 1000
    assert run.outputs["characters"] > 9000


@pytest.mark.slow
def test_rapidocr_reads_lines_in_bad_pictures(media: RealMedia, tmp_path: Path) -> None:
    pytest.importorskip("rapidocr", reason="pip install 'loom-cortex[rapidocr]'")
    photograph = run_operator(Ocr(engine="rapidocr"), media.images["page"])
    assert "Let us first determine markers of the coins and the\n" in photograph.outputs["text"]
    run = run_operator(Ocr(engine="rapidocr"), page(tmp_path / "page.png"))
    assert likeness(run) > 0.95
    first, *_, last = run.outputs["words"]
    assert first["text"].startswith("The quick brown fox")
    assert first["box"][1] < last["box"][1]
    assert 0.7 < last["box"][2] < 0.9


def test_missing_language_data_names_its_package(media: RealMedia, tmp_path: Path) -> None:
    node = Ocr(languages=["eng", "chi_sim"], data=str(tmp_path))
    assert [one.install for one in node.requirements()[1:]] == [
        "apt-get install tesseract-ocr-eng", "apt-get install tesseract-ocr-chi-sim",
    ]  # fmt: skip
    with pytest.raises(LoomError) as caught:
        run_operator(node, media.images["page"])
    assert caught.value.code == "REQUIREMENT_MISSING"
    assert "apt-get install tesseract-ocr-eng" in caught.value.message


def test_data_that_is_none(media: RealMedia, tmp_path: Path) -> None:
    (tmp_path / "eng.traineddata").write_bytes(b"no data")
    with pytest.raises(LoomError) as caught:
        run_operator(Ocr(data=str(tmp_path)), media.images["page"])
    assert caught.value.code == "REQUIREMENT_MISSING"


def test_broken_files(broken_files: list[Path]) -> None:
    codes = []
    for path in broken_files:
        try:
            assert run_operator(Ocr(), path).state is State.SKIPPED
        except LoomError as error:
            codes.append(error.code)
    assert set(codes) <= {"FILE_TRUNCATED", "FILE_DAMAGED"}
    assert codes


def test_strange_shapes_and_what_is_no_picture(media: RealMedia, tmp_path: Path) -> None:
    for size in ((1, 1), (2, 900), (900, 2)):
        path = tmp_path / "strange.png"
        Image.new("RGB", size, "white").save(path)
        assert run_operator(Ocr(), path).outputs["text"] == ""
    for path in (media.film("h264"), media.paper("pdf")):
        assert run_operator(Ocr(), path).state is State.SKIPPED


@pytest.mark.parametrize("options", [{"languages": []}, {"layout": "poem"}, {"languages": ["../eng"]}])
def test_options_that_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Ocr(**options)


class Turned:
    """Reads a word, and surely in pictures that stand upright."""

    def read(self, picture: Image.Image) -> list[Word]:
        upright = not picture.getpixel((0, 0))
        return [Word("word" * 6, 0.9 if upright else 0.6, (10, 20, 30, 40), 1, 1)]

    def close(self) -> None:
        pass


def test_boxes_are_turned_back() -> None:
    """The black corner is where the upright picture begins."""
    upright = Image.new("L", (100, 60), 255)
    upright.putpixel((0, 0), 0)
    places = {0: (10, 20, 30, 40), 90: (20, 60, 40, 30), 180: (60, 0, 30, 40), 270: (0, 10, 40, 30)}
    for counterclockwise, place in places.items():
        (word,) = read(Turned(), upright.rotate(counterclockwise, expand=True), enlarge=False, upright=True)
        assert word.box == place, counterclockwise


def test_lines_and_blocks() -> None:
    box = (0.0, 0.0, 1.0, 1.0)
    words = [
        Word(text, 1, box, block, line) for text, block, line in (("a", 1, 1), ("b", 1, 1), ("c", 1, 2), ("d", 2, 2))
    ]
    assert text_of(words) == "a b\nc\n\nd"
    assert text_of([]) == ""
