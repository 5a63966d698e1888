"""E-mail (RFC 5322 and MIME): what is written in it, and what is attached."""

from __future__ import annotations

from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any

from cortex.media.documents.manuscript import Manuscript
from cortex.media.documents.markup import read_page
from cortex.media.text import decode
from cortex.media.values import clean_text
from loom.errors import LoomError

MAX_PARTS = 1000
_MAX_ATTACHMENTS = 200
_SEALED = frozenset({"multipart/encrypted", "application/pkcs7-mime", "application/x-pkcs7-mime"})
_SHOWN = ("subject", "from", "to", "cc", "date")


def read_mail(data: bytes, manuscript: Manuscript) -> None:
    """Who wrote what to whom, the body (plain text where there is a choice), and the bodies of forwarded mail.
    Attachments are named, not opened. Raises `FILE_ENCRYPTED` for an encrypted body, `FILE_TOO_LARGE` for more than
    1000 parts."""
    message = message_from_bytes(data, policy=default)
    if not message.keys():
        raise LoomError("FILE_DAMAGED", "the mail has no header")
    manuscript.tell(
        title=_header(message, "subject"),
        author=_header(message, "from"),
        language=_header(message, "content-language"),
    )
    reader = _Reader(manuscript)
    reader.read(message)
    if reader.is_sealed and not reader.has_body:
        raise LoomError("FILE_ENCRYPTED")
    manuscript.tell(attachments=reader.attachments[:_MAX_ATTACHMENTS])


class _Reader:
    def __init__(self, manuscript: Manuscript) -> None:
        self._manuscript = manuscript
        self._left = MAX_PARTS
        self.attachments: list[dict[str, Any]] = []
        self.has_body = self.is_sealed = False

    def read(self, message: EmailMessage) -> None:
        for name in _SHOWN:
            if (value := _header(message, name)) is not None:
                self._manuscript.add(f"{name.capitalize()}: {value}\n")
        self._manuscript.add("\n")
        self._part(message)

    def _part(self, part: EmailMessage) -> None:
        self._left -= 1
        if self._left < 0:
            raise LoomError("FILE_TOO_LARGE", f"the mail has more than {MAX_PARTS} parts")
        kind = part.get_content_type()
        if kind in _SEALED:
            self.is_sealed = True
        elif kind == "multipart/alternative":
            choices = _inner(part)
            plain = [one for one in choices if one.get_content_type() == "text/plain"]
            for one in plain[:1] or choices[-1:]:
                self._part(one)
        elif part.is_multipart() and kind != "message/rfc822":
            for one in _inner(part):
                self._part(one)
        elif kind == "message/rfc822":
            for one in _inner(part):
                self.read(one)
        elif kind in ("text/plain", "text/html") and not part.is_attachment():
            self._body(part, kind)
        else:
            self._attachment(part, kind)

    def _body(self, part: EmailMessage, kind: str) -> None:
        text = _text(part)
        self.has_body = True
        if kind == "text/plain":
            self._manuscript.add(f"{text}\n")
        elif text.strip():
            page = Manuscript(len(text))
            read_page(text, page)
            self._manuscript.add(f"{page.text()}\n")

    def _attachment(self, part: EmailMessage, kind: str) -> None:
        body = part.get_payload(decode=True)
        self.attachments.append(
            {
                "name": clean_text(_file_name(part)) or "",
                "mime": kind[:255],
                "size": len(body) if isinstance(body, bytes) else 0,
            }
        )


def _inner(part: EmailMessage) -> list[EmailMessage]:
    payload: Any = part.get_payload()
    return payload if isinstance(payload, list) else []


def _text(part: EmailMessage) -> str:
    body = part.get_payload(decode=True)
    data = body if isinstance(body, bytes) else b""
    charset = part.get_content_charset()
    if charset is not None:
        try:
            return data.decode(charset)
        except (LookupError, UnicodeError):
            pass
    return decode(data).text


def _header(message: EmailMessage, name: str) -> str | None:
    """Broken headers can make the parser raise anything."""
    try:
        value = message.get(name)
        return None if value is None else clean_text(" ".join(str(value).split()))
    except Exception:
        return None


def _file_name(part: EmailMessage) -> str:
    try:
        return part.get_filename() or ""
    except Exception:
        return ""
