"""A real browser for tests: the machine's own Chromium, driven by playwright."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Locator, Page, expect, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome")
INSTALL = ("no Chromium on this machine, and the tests of Prefect's pages need one: install it with "
           "`apt-get install chromium fonts-noto-cjk`, or run `make browser` as root")
FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync",
         "--disable-dev-shm-usage", "--no-first-run")
WIDTH, HEIGHT = 1360, 900
HANGS_AFTER_SECONDS = 300
"""A page that shows nothing new for so long hangs: what it waits for has been waited for in the record or by the server before."""


def installed() -> str | None:
    """Where a Chromium is, if this machine has one."""
    return next((found for name in NAMES if (found := shutil.which(name))), None)


@contextmanager
def browser() -> Iterator[Page]:
    """A browser with one empty tab, and nothing of anybody's in it. What is waited for on a page comes, or hangs."""
    with sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=installed(), headless=True, args=list(FLAGS), timeout=HANGS_AFTER_SECONDS * 1000)
        page = chromium.new_page(viewport={"width": WIDTH, "height": HEIGHT}, locale="zh-CN")
        page.set_default_timeout(HANGS_AFTER_SECONDS * 1000)
        expect.set_options(timeout=HANGS_AFTER_SECONDS * 1000)
        yield page
        chromium.close()


def see(page: Page | Locator, *words: str) -> None:
    """Waits until all these words can be read."""
    place = page.locator("body") if isinstance(page, Page) else page
    for word in words:
        expect(place).to_contain_text(word, use_inner_text=True)


def shot(page: Page, folder: Path, name: str) -> None:
    """A picture of the page."""
    page.screenshot(path=folder / f"{name}.png")
