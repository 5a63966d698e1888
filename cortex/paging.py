"""Lists of Loom, which come in pages."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from loom.shapes import Page

T = TypeVar("T")


def everything(list_page: Callable[..., Page[T]]) -> Iterator[T]:
    """All items of a list that comes in pages."""
    page = list_page()
    yield from page.items
    while page.next is not None:
        page = list_page(cursor=page.next)
        yield from page.items
