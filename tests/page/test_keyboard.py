"""The page without a mouse, and for those who hear it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from browser import Browser
from selenium.webdriver.common.keys import Keys

_NAMELESS = """
const named = (one) => (one.ariaLabel || one.textContent || one.title || one.labels?.[0]?.textContent || "").trim();
const hidden = (one) => one.closest("[aria-hidden=true], [hidden]");
const used = "button, a[href], input, select, textarea, [role=button], [role=switch], video, audio";
return [...document.querySelectorAll(used)]
  .filter((one) => !hidden(one) && !named(one)).map((one) => one.outerHTML.slice(0, 120));
"""
_FOCUSED = "return document.activeElement.textContent.trim() || document.activeElement.id"


def _press(page: Browser, *keys: str) -> None:
    for key in keys:
        page.driver.switch_to.active_element.send_keys(key)


def test_the_first_tab_skips_to_the_content(page: Browser) -> None:
    page.open("/operators")
    page.one("details")
    _press(page, Keys.TAB)
    assert page.run(_FOCUSED) == "Skip to the content"
    _press(page, Keys.ENTER)
    assert page.run("return document.activeElement.id") == "main"


def test_a_new_view_takes_the_focus_and_names_itself(page: Browser) -> None:
    page.open("/runs")
    page.one("h1", "Runs")
    link = page.one("nav a[href='/operators']")
    link.send_keys(Keys.ENTER)
    page.one("h1", "Operators")
    page.until(lambda: page.run("return document.activeElement.id") == "main")
    assert page.driver.title == "Operators · Loom"
    assert page.one("nav [aria-current=page]").text == "Operators"


def test_a_node_is_chosen_with_enter(page: Browser, runs: dict[str, dict[str, Any]]) -> None:
    page.open(f"/runs/{runs['ingest']['uuid']}")
    page.one("[data-node=metadata] .name")
    page.run("document.querySelector('[data-node=metadata]').focus()")
    _press(page, Keys.ENTER)
    page.one(".panel h2", "metadata")
    assert page.run("return document.querySelector('[data-node=metadata]').getAttribute('aria-pressed')") == "true"
    assert "computed" in page.run("return document.querySelector('[data-node=metadata]').ariaLabel")


def test_the_grid_is_walked_with_arrows(
    page: Browser, runs: dict[str, dict[str, Any]], offers: Callable[[str], None]
) -> None:
    offers("/runs/{uuid}/grid")
    page.open(f"/runs/{runs['ingest']['uuid']}")
    page.one(".grid-row")
    page.run("document.querySelector('.grid-row[tabindex=\"0\"]').focus()")
    _press(page, Keys.ARROW_DOWN, Keys.ARROW_DOWN)
    assert page.run("return document.activeElement.dataset.index") == "2"
    _press(page, Keys.END)
    page.until(
        lambda: page.run(
            "return document.activeElement.ariaRowIndex === document.activeElement.closest('[role=grid]').ariaRowCount"
        )
    )
    name = page.run("return document.activeElement.querySelector('a').textContent")
    _press(page, Keys.ENTER)
    page.one("h1", name)


def test_a_box_takes_the_focus_and_gives_it_back(page: Browser) -> None:
    page.open("/runs")
    page.press("Start a run")
    page.one("dialog[open] h2", "Start a run")
    assert page.run("return document.activeElement.closest('dialog') !== null")
    _press(page, Keys.ESCAPE)
    page.until(lambda: not page.all("dialog"))
    assert page.run(_FOCUSED) == "Start a run"


@pytest.mark.slow
@pytest.mark.parametrize(
    "view",
    [
        "/",
        "/runs",
        "/failures",
        "/library",
        "/duplicates",
        "/sources",
        "/pipelines",
        "/pipelines/photos",
        "/processes",
        "/operators",
        "/system",
    ],
)
def test_everything_has_a_name(page: Browser, view: str) -> None:
    page.open(view)
    page.one("h1")
    page.until(lambda: page.run("return !document.querySelector('main[aria-busy]')"))
    assert page.run(_NAMELESS) == []
    assert len(page.all("main")) == len(page.all("main h1")) == len(page.all("header nav[aria-label]")) == 1
