"""`text.extract` on documents that other programs' libraries write, whole, sealed, damaged and hostile."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import pytest
from paperwork import AUTHOR, PAPERS, TITLE, WORDS, replaced, sealed_office, sealed_pages, slides, word
from sandboxes import in_child

from cortex.engine import confine
from cortex.media.documents.parts import MAX_UNPACKED
from cortex.operators.text.extract import LEAD, TextExtract
from cortex.testing import OperatorRun, run_operator
from loom.errors import LoomError
from loom.model import State


def extracted(path: Path, **options: Any) -> OperatorRun:
    return run_operator(TextExtract(**options), path)


def text_of(run: OperatorRun) -> str:
    return run.artifact("text").data.decode()


def refused(path: Path) -> str:
    with pytest.raises(LoomError) as caught:
        extracted(path)
    return caught.value.code


@pytest.mark.parametrize("name", PAPERS)
def test_the_words_of_every_format(tmp_path: Path, name: str) -> None:
    found = extracted(PAPERS[name](tmp_path / name))
    assert all(words in text_of(found) for words in WORDS)
    assert found.outputs["text"] == text_of(found)
    assert found.outputs["characters"] == len(text_of(found))
    assert found.artifact("text").media_type == "text/plain; charset=utf-8"
    assert found.outputs["truncated"] is False


@pytest.mark.parametrize("name", ["word.docx", "sheets.xlsx", "slides.pptx", "text.odt", "pages.pdf", "rich.rtf",
                                  "page.html"])  # fmt: skip
def test_title_and_author(tmp_path: Path, name: str) -> None:
    outputs = extracted(PAPERS[name](tmp_path / name)).outputs
    assert (outputs["title"], outputs["author"]) == (TITLE, AUTHOR)


@pytest.mark.parametrize("name", ["word.docx", "text.odt", "pages.pdf", "page.html"])
def test_the_language_that_is_declared(tmp_path: Path, name: str) -> None:
    assert extracted(PAPERS[name](tmp_path / name)).outputs["declared_language"] == "en-GB"


@pytest.mark.parametrize(
    ("name", "key", "count"),
    [("pages.pdf", "pages", 2), ("sheets.xlsx", "sheets", 2), ("slides.pptx", "slides", 2), ("old.xls", "sheets", 1)],
)
def test_what_is_counted(tmp_path: Path, name: str, key: str, count: int) -> None:
    assert extracted(PAPERS[name](tmp_path / name)).outputs[key] == count


def test_what_stands_beside_the_text_of_a_letter(tmp_path: Path) -> None:
    found = text_of(extracted(word(tmp_path / "word.docx")))
    assert found.endswith("left\nright\n\nWhich dog?\n\nConfidential")


def test_deleted_words_are_not_text(tmp_path: Path) -> None:
    made = replaced(
        word(tmp_path / "word.docx"),
        "word/document.xml",
        lambda xml: xml.replace(b"<w:p>", b"<w:p><w:del><w:r><w:delText>gone</w:delText></w:r></w:del>", 1),
    )
    assert "gone" not in text_of(extracted(made))


def test_slides_in_the_order_in_which_they_are_shown(tmp_path: Path) -> None:
    second, first = text_of(extracted(slides(tmp_path / "slides.pptx"))).split("\f")
    assert first == f"{WORDS[0]}\nsay: {WORDS[0]}"
    assert second == f"{WORDS[1]}\nsay: {WORDS[1]}"


def test_cells_as_a_person_sees_them(tmp_path: Path) -> None:
    animals, far = text_of(extracted(PAPERS["sheets.xlsx"](tmp_path / "sheets.xlsx"))).split("\f")
    assert animals == f"Animals\n{WORDS[0]}\t12.5\t2024-05-17\tTRUE\n{WORDS[1]}\t2024-05-17 14:03:21"
    assert far == "Far\nthe last cell"


def test_mail_with_what_is_attached_and_forwarded(tmp_path: Path) -> None:
    found = extracted(PAPERS["mail.eml"](tmp_path / "mail.eml"))
    assert found.outputs["title"] == TITLE
    assert found.outputs["attachments"] == [{"name": "fox – 1.pdf", "mime": "application/pdf", "size": 8}]
    assert "Subject: The dog answers\nFrom: dog@example.org\n\nI sleep." in text_of(found)
    assert "in HTML" not in text_of(found)


def test_scripts_are_not_text(tmp_path: Path) -> None:
    found = text_of(extracted(PAPERS["page.html"](tmp_path / "page.html")))
    assert "let fox" not in found
    assert "left\tright" in found


def test_a_long_text_is_cut(tmp_path: Path) -> None:
    path = tmp_path / "long.txt"
    path.write_text("fox €\n" * 10_000)
    found = extracted(path, max_characters=30_000)
    assert found.outputs["truncated"] is True
    assert len(found.outputs["text"]) == LEAD
    assert len(text_of(found)) in range(29_990, 30_001)


@pytest.mark.parametrize("name", ["word.docx", "text.odt"])
def test_what_is_over_the_limit_is_not_even_read(tmp_path: Path, name: str) -> None:
    part, mark = {"word.docx": ("word/document.xml", b"</w:t>"), "text.odt": ("content.xml", b"</text:p>")}[name]
    made = replaced(PAPERS[name](tmp_path / name), part, lambda xml: xml.replace(mark, b" fox" * 50_000 + mark, 1))
    found = extracted(made, max_characters=1000)
    assert found.outputs["truncated"] is True
    assert 900 < found.outputs["characters"] <= 1000


def test_other_kinds_are_left_alone(real_image: Path, tmp_path: Path) -> None:
    archive = tmp_path / "some.zip"
    with zipfile.ZipFile(archive, "w") as made:
        made.writestr("one.txt", "fox")
    for path in (real_image, archive):
        assert extracted(path).state is State.SKIPPED


def test_sealed_documents(tmp_path: Path) -> None:
    assert refused(sealed_pages(tmp_path / "sealed.pdf", password="fox")) == "FILE_ENCRYPTED"
    assert refused(sealed_office(tmp_path / "sealed.docx")) == "FILE_ENCRYPTED"
    odt = replaced(
        PAPERS["text.odt"](tmp_path / "text.odt"),
        "META-INF/manifest.xml",
        lambda xml: xml.replace(b"</manifest:manifest>", b"<manifest:encryption-data/></manifest:manifest>"),
    )
    assert refused(odt) == "FILE_ENCRYPTED"


def test_what_opens_without_a_password_is_read(tmp_path: Path) -> None:
    assert extracted(sealed_pages(tmp_path / "sealed.pdf", password="")).outputs["text"].startswith(WORDS[0])


@pytest.mark.parametrize("name", ["word.docx", "sheets.xlsx", "slides.pptx", "text.odt", "pages.pdf"])
def test_documents_that_end_early(tmp_path: Path, name: str) -> None:
    path = PAPERS[name](tmp_path / name)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) * 9 // 10])
    assert refused(path) == "FILE_DAMAGED"


@pytest.mark.parametrize("name", ["word.docx", "sheets.xlsx", "slides.pptx", "text.odt"])
def test_damaged_parts(tmp_path: Path, name: str) -> None:
    main = {"word.docx": "word/document.xml", "sheets.xlsx": "xl/worksheets/sheet1.xml",
            "slides.pptx": "ppt/slides/slide1.xml", "text.odt": "content.xml"}[name]  # fmt: skip
    made = replaced(PAPERS[name](tmp_path / name), main, lambda xml: xml[: len(xml) // 2])
    assert refused(made) == "FILE_DAMAGED"


def test_entities_are_not_expanded(tmp_path: Path) -> None:
    bomb = b'<!DOCTYPE d [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;">]>'
    made = replaced(
        word(tmp_path / "word.docx"),
        "word/document.xml",
        lambda xml: xml.replace(b"<w:document", bomb + b"<w:document", 1),
    )
    assert refused(made) == "FILE_DAMAGED"


def test_a_small_file_that_unpacks_to_much(tmp_path: Path) -> None:
    path = tmp_path / "bomb.docx"
    with zipfile.ZipFile(word(tmp_path / "word.docx")) as old, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
        for info in old.infolist():
            if info.filename != "word/document.xml":
                new.writestr(info, old.read(info))
        with new.open("word/document.xml", "w") as part:
            part.write(b"<document>")
            for _ in range(MAX_UNPACKED >> 20):
                part.write(b" " * (1 << 20))
            part.write(b"</document>")
    assert path.stat().st_size < 1024 * 1024
    assert refused(path) == "FILE_TOO_LARGE"


def test_a_mail_of_endless_parts(tmp_path: Path) -> None:
    path = tmp_path / "mail.eml"
    parts = b"--x\nContent-Type: text/plain\n\nfox\n" * 1100
    path.write_bytes(b"From: a@example.org\nTo: b@example.org\nMIME-Version: 1.0\n"
                     b"Content-Type: multipart/mixed; boundary=x\n\n" + parts + b"--x--\n")  # fmt: skip
    assert refused(path) == "FILE_TOO_LARGE"


def test_all_of_it_within_the_sandbox(tmp_path: Path) -> None:
    """Without writing, sockets and programs: no library needs a file of its own."""
    paths = [PAPERS[name](tmp_path / name) for name in PAPERS]

    def read_all() -> bool:
        confine.refuse_calls()
        return all(WORDS[0] in text_of(extracted(path)) for path in paths)

    assert in_child(read_all) == 0
