"""Puts a file into a store that fsspec knows, and finds out what lies there."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable
from contextlib import closing
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from blake3 import blake3

from cortex.media.file import OpenFile
from loom.errors import LoomError

if TYPE_CHECKING:
    from cortex.media import Media

T = TypeVar("T")

_PIECE = 1024 * 1024
_FIRST_PAUSE_S = 0.5
_MAX_PAUSE_S = 10.0
_HOPELESS = (FileNotFoundError, PermissionError, NotADirectoryError, IsADirectoryError)
_NO_CREDENTIALS = frozenset({"NoCredentialsError", "PartialCredentialsError", "ProfileNotFound"})

Progress = Callable[[float], None]


class Content(NamedTuple):
    """What is to lie there."""

    size: int
    blake3: bytes
    md5: str


def content_of(media: Media, progress: Progress) -> Content:
    """Reads the file once more. Raises `CHANGED_WHILE_READ` when it is not the asset any more."""
    digest, md5 = blake3(), hashlib.md5(usedforsecurity=False)
    with closing(OpenFile(os.fsencode(media.local))) as file:
        file.feed([digest.update, md5.update, lambda _: progress(0.0)])
    if digest.digest() != media.asset.blake3:
        raise LoomError("CHANGED_WHILE_READ")
    return Content(media.size, digest.digest(), md5.hexdigest())


def content_of_bytes(data: bytes) -> Content:
    return Content(len(data), blake3(data).digest(), hashlib.md5(data, usedforsecurity=False).hexdigest())


def lies_there(store: Any, target: str, content: Content, progress: Progress) -> bool | None:
    """Whether the content lies at `target`; False: another does, None: nothing does. The etag of S3 is often the MD5
    of the content; where it says nothing, what lies there is read."""
    try:
        told = store.info(target)
    except FileNotFoundError:
        return None
    if told.get("type") == "directory":
        return None
    if told.get("size") != content.size:
        return False
    if str(told.get("ETag", "")).strip('"') == content.md5:
        return True
    digest = blake3()
    with store.open(target, "rb") as file:
        while piece := file.read(_PIECE):
            digest.update(piece)
            progress(0.0)
    return digest.digest() == content.blake3


def upload(store: Any, media: Media, target: str, progress: Progress) -> None:
    """In parts where the store takes large files so; it is there whole or not at all."""
    from fsspec.callbacks import Callback

    class Told(Callback):  # type: ignore[misc]
        """Hears how much was sent."""

        def call(self, hook_name: str | None = None, **kwargs: Any) -> None:
            progress(min(self.value / media.size, 1.0) if media.size else 1.0)

    store.put_file(media.local, target, callback=Told(), **_prepared(store, target, media.mime))


def upload_bytes(store: Any, data: bytes, media_type: str, target: str) -> None:
    store.pipe_file(target, data, **_prepared(store, target, media_type))


def _prepared(store: Any, target: str, media_type: str) -> dict[str, str]:
    """Makes folders, where the store has some; returns what else to say of a file there."""
    if not {"s3", "gs", "gcs", "memory"} & _protocols(store):
        store.makedirs(target.rpartition("/")[0], exist_ok=True)
    return {"ContentType": media_type} if "s3" in _protocols(store) else {}


def _protocols(store: Any) -> set[str]:
    return {store.protocol} if isinstance(store.protocol, str) else set(store.protocol)


def trying(what: str, attempts: int, work: Callable[[], T]) -> T:
    """What the work gives, tried again after 0.5, 1, 2 … seconds, at most 10. Raises `EFFECT_FAILED` with what the
    store said last, and at once where trying again is in vain."""
    pause = _FIRST_PAUSE_S
    for attempt in range(1, attempts + 1):
        try:
            return work()
        except LoomError:
            raise
        except Exception as error:
            said = " ".join(f"{type(error).__name__}: {error}".split())[:300]
            hopeless = isinstance(error, _HOPELESS) or type(error).__name__ in _NO_CREDENTIALS
            if hopeless or attempt == attempts:
                raise LoomError("EFFECT_FAILED", f"{what}: {said}, attempt {attempt}") from error
        time.sleep(pause)
        pause = min(pause * 2, _MAX_PAUSE_S)
    raise LoomError("INTERNAL", "no attempt was made")
