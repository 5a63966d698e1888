"""Lists that come in pages."""

from __future__ import annotations

from cortex.paging import everything
from loom.shapes import Page


def test_a_page_with_nothing_does_not_end_a_list() -> None:
    pages = {None: Page(items=[], next="a"), "a": Page(items=[1], next="b"), "b": Page(items=[], next=None)}
    assert list(everything(lambda cursor=None: pages[cursor])) == [1]
