"""Whether bytes are text, and of what sort."""

from __future__ import annotations

import codecs
import re

from cortex.media.legacy import legacy_encoding

_LOOK = 4096
_BOMS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff", b"\0\0\xfe\xff")
# Control characters that text does not hold; tab, line feed, form feed, carriage return and escape may be there.
_CONTROL = bytes(c for c in range(32) if c not in (8, 9, 10, 12, 13, 27)) + b"\x7f"
_MAIL = re.compile(
    rb"(?:From |(?:[A-Za-z][\w-]{0,40}:[ \t][^\n]*\r?\n(?:[ \t][^\n]*\r?\n)*){0,60}?"
    rb"(?:From|Subject|Message-I[Dd]|Received|Return-Path|Delivered-To):)"
)
_MAIL_FIELDS = re.compile(rb"^(?:Date|From|To|MIME-Version|Message-I[Dd]|Subject|Received):", re.MULTILINE)
_JSON = re.compile(rb'\s*(?:\{\s*(?:"|\})|\[\s*(?:[\[{"\]\d-]|true|false|null))')
_HTML = (b"<!doctype html", b"<html", b"<head", b"<body", b"<title", b"<script")


def text_type(head: bytes, size: int) -> str | None:
    """The media type of text that begins with `head`; None when it is not text."""
    head = head[:_LOOK]
    if head.startswith(_BOMS):
        text = _as_ascii(head)
        return None if text is None else _sort(text)
    if has_no_controls(head):
        return _sort(head) if _is_text(head, size) else None
    wide = _without_zeros(head)
    return None if wide is None else _sort(wide)


def has_no_controls(data: bytes) -> bool:
    """Whether no byte is a control character that text does not hold."""
    return data.translate(None, _CONTROL) == data


def _is_text(head: bytes, size: int) -> bool:
    """UTF-8, or an older encoding in which most bytes are still letters, digits, signs and spaces of ASCII, or one of
    other scripts that is known."""
    if head.isascii():
        return True
    try:
        head.decode("utf-8")
        return True
    except UnicodeDecodeError as error:
        cut = error.start >= len(head) - 3 and size > len(head) and error.reason == "unexpected end of data"
        if cut:
            return True
    spaces = head.count(b" ") + head.count(b"\n")
    letters = len(head) - len(head.translate(None, bytes(range(0x20, 0x7F)) + b"\n\r\t"))
    return (spaces > 0 and letters >= 0.3 * len(head)) or legacy_encoding(head) is not None


def _as_ascii(head: bytes) -> bytes | None:
    """The start of text that has a byte order mark, in bytes in which its ASCII part can be searched."""
    if head.startswith(b"\xef\xbb\xbf"):
        return head[3:] if b"\0" not in head else None
    encoding = "utf-32" if head.startswith((b"\0\0\xfe\xff", b"\xff\xfe\0\0")) else "utf-16"
    try:  # the last character may be cut
        return codecs.getincrementaldecoder(encoding)().decode(head).encode("utf-8", "replace")
    except UnicodeDecodeError:
        return None


def _without_zeros(head: bytes) -> bytes | None:
    """UTF-16 without a mark, told by zeros on one side only."""
    even, odd = head[0::2], head[1::2]
    for wide, zeros in ((even, odd), (odd, even)):
        if len(zeros) > 4 and zeros.count(0) >= 0.9 * len(zeros) and wide.translate(None, _CONTROL) == wide:
            return wide
    return None


def _sort(text: bytes) -> str:
    start = text.lstrip()[:1]
    if start == b"<":
        return _markup(text.lstrip()[:1024].lower())
    if start in (b"{", b"[") and _JSON.match(text):
        return "application/json"
    if text[:1].isalpha() and _MAIL.match(text) and len(set(_MAIL_FIELDS.findall(text))) > 1:
        return "message/rfc822"
    return "text/plain"


def _markup(start: bytes) -> str:
    if start.startswith(_HTML):
        return "text/html"
    declared = start.startswith((b"<?xml", b"<!--", b"<!doctype"))
    if start.startswith(b"<svg") or (declared and b"<svg" in start):
        return "image/svg+xml"
    if start.startswith((b"<?xpacket begin", b"<x:xmpmeta", b"<rdf:rdf")) or (declared and b"<x:xmpmeta" in start):
        return "application/rdf+xml"
    if start.startswith(b"<?xml"):
        return "text/html" if b"<html" in start else "application/xml"
    if declared and any(mark in start for mark in _HTML):
        return "text/html"
    return "application/xml" if start.startswith(b"<!doctype") else "text/plain"
