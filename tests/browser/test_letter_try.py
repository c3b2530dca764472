"""A parent tries a letter on her phone, and the mail host says what would become of it."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, ViewportSize, expect

from tests.browser.conftest import DESKTOP, PHONE
from tests.browser.test_pages_access import SMALL, wrong
from tests.system.server import Server

pytestmark = [pytest.mark.daemons, pytest.mark.browser]


def open_form(server: Server, page: Page) -> None:
    """Go to the page where a letter with Bo can be tried; nobody has tried one this minute."""
    code = (
        "import json\nfrom accounts.models import User\nfrom deploy.models import HostRequest\n"
        "HostRequest.objects.all().delete()\nprint(json.dumps(User.objects.get(name='Bo').pk))"
    )
    page.goto(f"/family/{server.ask(code)}/try/")


@pytest.mark.parametrize(("theme", "size"), [("light", PHONE), ("dark", DESKTOP)])
def test_a_stranger_and_nonna_are_tried(
    server: Server, visit: Callable[..., Page], theme: str, size: ViewportSize
) -> None:
    page = visit("ada@rossi.example", size=size, color_scheme=theme)
    open_form(server, page)
    assert wrong(page) == []
    assert page.evaluate(SMALL) == []
    page.get_by_label("From the address").fill("someone@example.org")
    page.get_by_role("button", name="Try it").click()
    expect(page.get_by_text("Held because nobody on Bo's list has the address someone@example.org.")).to_be_visible()
    expect(page.locator(".stations .decided")).to_have_text(re.compile("may write to Bo"))
    assert wrong(page) == []
    assert page.evaluate(SMALL) == []
    page.get_by_text("Lines of the mail host").click()
    expect(page.get_by_text("X-Mailadmin-From: pass someone@example.org dmarc")).to_be_visible()
    page.get_by_role("link", name="Try another letter").click()
    page.get_by_label("From the address").fill("nonna.rosa@gmail.com")
    page.get_by_role("button", name="Try it").click()
    expect(page.get_by_text("Delivered because nonna.rosa@gmail.com is on Bo's list.")).to_be_visible()


def test_only_what_a_choice_needs_is_shown(server: Server, visit: Callable[..., Page]) -> None:
    page = visit("ada@rossi.example", size=PHONE)
    open_form(server, page)
    expect(page.get_by_label("To the address")).to_be_hidden()
    page.get_by_label("Bo writes to somebody").check()
    expect(page.get_by_label("From the address")).to_be_hidden()
    page.get_by_label("To the address").fill("someone@example.org")
    page.get_by_role("button", name="Try it").click()
    expect(page.get_by_text("Held because it is to somebody who is not on Bo's list")).to_be_visible()


def test_a_letter_is_tried_without_javascript(server: Server, visit: Callable[..., Page]) -> None:
    page = visit("ada@rossi.example", java_script_enabled=False)
    open_form(server, page)
    page.get_by_label("One of us writes to Bo").check()
    page.get_by_label("Who is signed in").select_option("ada@rossi.example")
    page.get_by_role("button", name="Try it").click()
    told = page.get_by_text("Delivered because ada@rossi.example is one of us, and signed in.")
    while page.get_by_role("link", name="look again").count():
        page.get_by_role("link", name="look again").click()
    expect(told).to_be_visible()
