"""A headless Chromium, driven as a person would: opened, clicked, typed into, looked at."""

from __future__ import annotations

import base64
import json
import shutil
import time
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from selenium import webdriver
from selenium.common.exceptions import StaleElementReferenceException, WebDriverException
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement

_FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
)
_LOOK_S = 0.03
_NAMED = """
return [...document.querySelectorAll(arguments[0])].filter((one) => one.textContent.includes(arguments[1]));
"""
DESK = (1440, 960)
PHONE = (390, 844)


class Browser:
    """`folder` is for its profile, which must not exist yet."""

    def __init__(self, folder: Path) -> None:
        chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
        if chromium is None or driver is None:
            pytest.skip("needs the system packages chromium and chromium-driver")
        options = webdriver.ChromeOptions()
        options.binary_location = chromium
        for flag in (*_FLAGS, f"--user-data-dir={folder}", f"--window-size={DESK[0]},{DESK[1]}"):
            options.add_argument(flag)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        self.driver = webdriver.Chrome(options, Service(driver))
        self.url = ""

    def close(self) -> None:
        self.driver.quit()

    def open(self, address: str) -> None:
        """An address below `url`, or a whole one."""
        self.driver.get(address if "//" in address else self.url + address)

    def all(self, css: str) -> list[WebElement]:
        return self.driver.find_elements(By.CSS_SELECTOR, css)

    def one(self, css: str, text: str = "") -> WebElement:
        """Waits for an element whose text contains `text`."""
        found: list[WebElement] = []

        def is_there() -> bool:
            # to ask for the text of an element takes the browser as long as much else
            found[:] = islice((element for element in self.all(css) if not text or text in element.text), 1)
            return bool(found)

        self.until(is_there, f"no {css} with {text!r} in:\n{self.text()}")
        return found[0]

    def until(self, condition: Callable[[], object], message: str = "waited in vain", seconds: float = 15) -> None:
        def holds() -> bool:
            try:
                return bool(condition())
            except StaleElementReferenceException:
                return False

        end = time.monotonic() + seconds
        while not holds():
            if time.monotonic() > end:
                pytest.fail(f"{message}\nat {self.path}: {self.text()[:2000]}\n{self.complaints()}")
            time.sleep(_LOOK_S)

    def press(self, label: str, within: str = "main, dialog") -> None:
        """Clicks the button or link with this label."""
        css = ", ".join(f"{part} {kind}" for part in within.split(", ") for kind in ("button", "a"))

        def is_pressed() -> bool:
            named = self.run(_NAMED, css, label)
            found = [one for one in named if one.text.strip() == label and one.is_displayed()]
            if found:
                found[0].click()  # tried again if it was drawn anew just then
            return bool(found)

        self.until(is_pressed, f"nothing to press is named {label!r}")

    def text(self, css: str = "body") -> str:
        try:
            return self.driver.find_element(By.CSS_SELECTOR, css).text
        except WebDriverException:
            return ""

    @property
    def path(self) -> str:
        return self.driver.current_url.removeprefix(self.url)

    def run(self, script: str, *arguments: Any) -> Any:
        return self.driver.execute_script(script, *arguments)  # type: ignore[no-untyped-call]

    def complaints(self) -> list[str]:
        """What the console was told since it was last asked, errors and warnings alike."""
        entries: list[dict[str, Any]] = self.driver.get_log("browser")  # type: ignore[no-untyped-call]
        return [f"{one['level']}: {one['message']}" for one in entries if one["level"] in ("SEVERE", "WARNING")]

    def sized(self, size: tuple[int, int], *, dark: bool = False) -> None:
        width, height = size
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500}
        self._cdp("Emulation.setDeviceMetricsOverride", metrics)
        scheme = {"features": [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]}
        self._cdp("Emulation.setEmulatedMedia", scheme)

    def leave(self) -> None:
        """Leaves the page that is open, which would go on asking."""
        self.driver.get("about:blank")

    def forget_everything(self) -> None:
        self.leave()
        self._cdp("Network.clearBrowserCookies", {})
        self.complaints()

    def give_cookie(self, name: str, value: str) -> None:
        self._cdp("Network.setCookie", {"name": name, "value": value, "url": self.url, "httpOnly": True})

    def picture(self, file: Path) -> None:
        """What is to be seen, as PNG."""
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(base64.b64decode(self._cdp("Page.captureScreenshot", {"format": "png"})["data"]))

    def _cdp(self, command: str, values: dict[str, Any]) -> Any:
        return json.loads(json.dumps(self.driver.execute_cdp_cmd(command, values)))  # type: ignore[no-untyped-call]
