from __future__ import annotations

import zlib

import pytest

from cortex.media import pdf

TREE = b"<< /Type /Pages /Kids [3 0 R] /Count 12 >> << /Type/Pages/Count 4 /Parent 1 0 R >>"


@pytest.mark.parametrize(
    ("data", "pages"),
    [
        (b"%PDF-1.7\n1 0 obj " + TREE, 12),
        (b"%PDF-1.7\n1 0 obj << /Linearized 1 /L 100 /N 7 /O 3 >> " + TREE, 7),
        (b"%PDF-1.7\n<< /Type /Page >> << /Type /Page /Contents 4 0 R >>", 2),
        (b"%PDF-1.7\n<< /Type /ObjStm /N 9 >> stream\r\n" + zlib.compress(TREE) + b"\nendstream", 12),
        (b"%PDF-1.7\n<< /Type /ObjStm /N 9 >> stream\nnonsense\nendstream", None),
        (b"%PDF-1.7\n", None),
    ],
)
def test_pages(data: bytes, pages: int | None) -> None:
    assert pdf.fields(data).get("pages") == pages
    assert pdf.fields(data)["format"] == "pdf-1.7"


def test_encryption() -> None:
    assert pdf.fields(b"%PDF-1.4 trailer << /Encrypt 5 0 R >>")["encrypted"]
    assert not pdf.fields(b"%PDF-1.4 trailer <<>>")["encrypted"]


def test_the_packet() -> None:
    assert pdf.packet(b"%PDF <x:xmpmeta a='b'><c/></x:xmpmeta>") == b"<x:xmpmeta a='b'><c/></x:xmpmeta>"
    assert pdf.packet(b"%PDF") is None
