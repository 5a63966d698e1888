"""Documents as the programs of this world write them, each with the same words, made by libraries for their formats."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from datetime import date, datetime
from email.message import EmailMessage
from pathlib import Path
from typing import Any

WORDS = ("The quick brown fox", "jumps över the lazy dog — €5")
TITLE, AUTHOR = "A tale of a fox", "Ada Löwe"


def word(path: Path) -> Path:
    """Two paragraphs, a table, a header and a comment of Word's."""
    import docx

    document = docx.Document()
    document.core_properties.title, document.core_properties.author = TITLE, AUTHOR
    document.core_properties.language = "en-GB"
    for words in WORDS:
        paragraph = document.add_paragraph(words)
    table = document.add_table(1, 2)
    table.cell(0, 0).text, table.cell(0, 1).text = "left", "right"
    document.sections[0].header.paragraphs[0].text = "Confidential"
    document.add_comment(paragraph.runs, text="Which dog?", author=AUTHOR)
    document.save(str(path))
    return path


def sheets(path: Path) -> Path:
    """Two sheets: texts, numbers, a day, a moment, and a cell far away."""
    import openpyxl

    book = openpyxl.Workbook()
    book.properties.title, book.properties.creator = TITLE, AUTHOR
    first = book.active
    first.title = "Animals"
    first.append([WORDS[0], 12.5, date(2024, 5, 17), True])
    first.append([None, WORDS[1], datetime(2024, 5, 17, 14, 3, 21)])
    far = book.create_sheet("Far")
    far["XFD1048576"] = "the last cell"
    book.save(path)
    return path


def slides(path: Path) -> Path:
    """Two slides with notes, the second of which was moved before the first."""
    import pptx

    deck = pptx.Presentation()
    deck.core_properties.title, deck.core_properties.author = TITLE, AUTHOR
    for words in WORDS:
        slide = deck.slides.add_slide(deck.slide_layouts[5])
        slide.shapes.title.text = words
        slide.notes_slide.notes_text_frame.text = f"say: {words}"
    order: Any = deck.slides._sldIdLst
    order.insert(0, order[1])
    deck.save(str(path))
    return path


def old_sheets(path: Path) -> Path:
    """One sheet in the binary form of before 2007."""
    import xlwt

    book = xlwt.Workbook()
    sheet = book.add_sheet("Animals")
    for row, words in enumerate(WORDS):
        sheet.write(row, 0, words)
    sheet.write(0, 1, 12.5)
    book.save(str(path))
    return path


def sealed_office(path: Path) -> Path:
    """As an encrypted document looks from outside: a compound file with an entry of that name."""
    data = bytearray(old_sheets(path).read_bytes())
    name, former = "EncryptedPackage".encode("utf-16-le"), "Workbook".encode("utf-16-le")
    at = data.index(former)
    data[at : at + len(name)] = name
    data[at + 64 : at + 66] = (len(name) + 2).to_bytes(2, "little")
    path.write_bytes(data)
    return path


def open_text(path: Path) -> Path:
    import odfdo

    document = odfdo.Document("text")
    document.meta.title, document.meta.language = TITLE, "en-GB"
    document.meta.initial_creator = AUTHOR
    document.body.clear()
    for words in WORDS:
        document.body.append(odfdo.Paragraph(words))
    document.save(str(path))
    return path


def open_sheets(path: Path) -> Path:
    import odfdo

    document = odfdo.Document("spreadsheet")
    document.body.clear()
    table = odfdo.Table("Animals")
    table.set_values([[WORDS[0], 12], [WORDS[1], 13]])
    document.body.append(table)
    document.save(str(path))
    return path


def pages(path: Path) -> Path:
    """Two pages with title, author and language, its streams compressed."""
    from reportlab.pdfgen.canvas import Canvas

    canvas = Canvas(str(path), pageCompression=1, invariant=1, lang="en-GB")
    canvas.setTitle(TITLE)
    canvas.setAuthor(AUTHOR)
    for words in WORDS:
        canvas.drawString(72, 720, words)
        canvas.showPage()
    canvas.save()
    return path


def sealed_pages(path: Path, *, password: str) -> Path:
    """The same, encrypted."""
    from pypdf import PdfWriter

    writer = PdfWriter(io.BytesIO(pages(path).read_bytes()))
    writer.encrypt(password, owner_password="owner", algorithm="RC4-128")
    writer.write(path)
    return path


def rich(path: Path) -> Path:
    body = "".join(one if one.isascii() else rf"\u{ord(one)}?" for one in "\\par ".join(WORDS))
    info = rf"{{\info{{\title {TITLE}}}{{\author Ada L\'f6we}}}}"
    path.write_bytes(rf"{{\rtf1\ansi\ansicpg1252{info}{{\fonttbl{{\f0 Arial;}}}}\f0 {body}\par}}".encode("ascii"))
    return path


def page(path: Path) -> Path:
    """In an encoding that only the page itself names."""
    text = (
        f'<html lang="en-GB"><head><meta charset="windows-1252"><title>{TITLE}</title>'
        f'<meta name="author" content="{AUTHOR}"><style>p {{}}</style></head><body><script>let fox</script>'
        f"<p>{WORDS[0]}</p><div>{WORDS[1]}<table><tr><td>left</td><td>right</td></tr></table></div></body></html>"
    )
    path.write_bytes(text.encode("cp1252"))
    return path


def mail(path: Path) -> Path:
    """Plain and as HTML, with a PDF attached and another mail forwarded."""
    inner = EmailMessage()
    inner["Subject"], inner["From"] = "The dog answers", "dog@example.org"
    inner.set_content("I sleep.")
    message = EmailMessage()
    message["Subject"], message["From"], message["To"] = TITLE, f"{AUTHOR} <ada@example.org>", "dog@example.org"
    message["Date"] = "Fri, 17 May 2024 14:03:21 +0200"
    message.set_content("\n".join(WORDS), charset="cp1252")
    message.add_alternative(f"<p>{WORDS[0]}</p><p>in HTML</p>", subtype="html")
    message.add_attachment(b"%PDF-1.4", maintype="application", subtype="pdf", filename="fox – 1.pdf")
    message.add_attachment(inner)
    path.write_bytes(bytes(message))
    return path


PAPERS: dict[str, Callable[[Path], Path]] = {
    "word.docx": word,
    "sheets.xlsx": sheets,
    "slides.pptx": slides,
    "old.xls": old_sheets,
    "text.odt": open_text,
    "table.ods": open_sheets,
    "pages.pdf": pages,
    "rich.rtf": rich,
    "page.html": page,
    "mail.eml": mail,
}


def replaced(path: Path, part: str, change: Callable[[bytes], bytes]) -> Path:
    """A copy of a document that is a ZIP archive, one part of which is another."""
    made = path.with_name(f"changed-{path.name}")
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as new:
        for info in old.infolist():
            data = old.read(info)
            new.writestr(info, change(data) if info.filename == part else data)
    return made
