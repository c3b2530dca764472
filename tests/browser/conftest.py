"""Debian's Chromium, driven by Playwright, looking at the shared server."""

import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, ViewportSize, expect, sync_playwright

from tests.system.server import PASSWORD, Server

FLAGS = [
    "--no-sandbox",  # the tests run as root
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PHONE: ViewportSize = {"width": 390, "height": 844}
DESKTOP: ViewportSize = {"width": 1280, "height": 900}
SMALL_PHONE: ViewportSize = {"width": 360, "height": 740}
PATIENCE = 15_000  # milliseconds
expect.set_options(timeout=PATIENCE)
# Every theme, size and language with each other; two of the four only among the long proofs.
LOOKS = [
    pytest.param("light", SMALL_PHONE, "it"),
    pytest.param("dark", DESKTOP, "en"),
    pytest.param("dark", SMALL_PHONE, "en", marks=pytest.mark.nightly(0.5)),
    pytest.param("light", DESKTOP, "it", marks=pytest.mark.nightly(0.5)),
]
in_every_look = pytest.mark.parametrize(("theme", "size", "language"), LOOKS)


@pytest.fixture
def chromium() -> Iterator[Browser]:
    """A browser of this test's own: while Playwright's loop lives, Django refuses queries."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def shot() -> Callable[[Page, str], None]:
    """Take a picture of a whole page, where somebody has said into which folder (`MAILADMIN_SHOTS`)."""

    def take(page: Page, name: str) -> None:
        if folder := os.environ.get("MAILADMIN_SHOTS"):
            page.screenshot(path=f"{folder}/{name}.png", full_page=True)

    return take


@pytest.fixture
def visit(chromium: Browser, server: Server) -> Callable[..., Page]:
    """Open the panel in a window of its own, signed in as somebody where an address is given."""

    def open_page(
        address: str = "",
        password: str = PASSWORD,
        *,
        size: ViewportSize | None = None,
        language: str = "en",
        **options: Any,
    ) -> Page:
        context = chromium.new_context(base_url=server.url, viewport=size or DESKTOP, locale=language, **options)
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        page.goto("/")
        if address:
            page.locator("[autocomplete=username]").fill(address)
            page.locator("[name=password]").fill(password)
            page.locator("main form [type=submit]").click()
            page.wait_for_url(server.url + "/")
        return page

    return open_page
