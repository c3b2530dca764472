"""What a page is for a finger, a keyboard and a screen reader, in the light and in the dark."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, ViewportSize, expect

from tests.browser.conftest import DESKTOP, PHONE
from tests.system.server import Server

pytestmark = [pytest.mark.daemons, pytest.mark.browser]
AXE = Path(__file__).parents[2] / "node_modules" / "axe-core" / "axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
PAGES = [
    "/", "/people/", "/people/add/", "/mailboxes/", "/mailboxes/add/", "/mailboxes/?q=nothing", "/aliases/",
    "/aliases/add/", "/domains/", "/domains/add/", "/communities/", "/me/", "/me/password/", "/reports/host/",
    "/reports/trace/", "/reports/queue/", "/nothing/",
]  # fmt: skip
SMALL = """() => [...document.querySelectorAll('main :is(a.btn, button, input, select), header a, summary')]
    .filter(e => e.checkVisibility() && e.getBoundingClientRect().height < 44)
    .filter(e => !e.matches('[type=checkbox], [type=radio], [type=hidden], .visually-hidden, .menu *'))
    .map(e => e.outerHTML)"""


def wrong(page: Page) -> list[str]:
    """What axe and the ruler find on a page."""
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate("rules => axe.run(document, {runOnly: rules})", RULES)
    assert found["passes"], "axe looked at nothing"
    sentences = [f"{item['id']}: {item['nodes'][0]['html']}" for item in found["violations"]]
    if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
        sentences.append("wider than the screen")
    return sentences


@pytest.mark.parametrize(("theme", "size"), [("light", PHONE), ("dark", DESKTOP)])
def test_every_page_can_be_used_by_everybody(
    server: Server, visit: Callable[..., Page], theme: str, size: ViewportSize
) -> None:
    page = visit("ada@rossi.example", size=size, color_scheme=theme)
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(f"{page.url} {error}"))
    page.on("console", lambda told: complaints.append(f"{page.url} {told.text}") if "Policy" in told.text else None)
    for place in PAGES:
        page.goto(place, wait_until="networkidle")
        complaints += [f"{place} {found}" for found in wrong(page)]
        complaints += [f"{place} small: {found}" for found in page.evaluate(SMALL)]
    assert not complaints, "\n".join(complaints)


def test_what_was_refused_gets_the_focus(server: Server, visit: Callable[..., Page]) -> None:
    page = visit("ada@rossi.example", size=PHONE)
    page.goto("/mailboxes/add/")
    page.get_by_label("Before the @").fill("a b")
    page.get_by_role("button", name="Add this mailbox").click()
    expect(page.locator("#errors")).to_be_focused()
    field = page.get_by_label("Before the @")
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(field).to_have_accessible_description(re.compile("“a b” cannot stand before the @"))
    page.get_by_role("link", name="Before the @").click()
    expect(field).to_be_focused()
    assert wrong(page) == []


def test_keys_save_time(server: Server, visit: Callable[..., Page]) -> None:
    page = visit("ada@rossi.example")
    page.goto("/people/")
    page.keyboard.press("/")
    with page.expect_response(re.compile(r"q=bo(?:@|%40)(?:&|$)")):  # a late answer would take the row from the focus
        page.keyboard.type("bo@")
    expect(page.locator(".row-link")).to_have_count(1)
    page.keyboard.press("ArrowDown")
    expect(page.locator(".row-link")).to_be_focused()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    page.keyboard.press("g")
    page.keyboard.press("h")
    page.wait_for_url(server.url + "/")
    page.locator("summary", has_text="More").click()
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Sign out")).to_be_hidden()


def test_a_form_works_without_javascript(server: Server, visit: Callable[..., Page]) -> None:
    page = visit("ada@rossi.example", java_script_enabled=False)
    page.goto("/communities/add/")
    page.get_by_label("Name").fill("Neri family")
    page.get_by_role("button", name="Add this community").click()
    expect(page.get_by_text("Neri family is saved.")).to_be_visible()
    page.get_by_role("link", name="look again").click()
    expect(page.get_by_role("heading", name="Is it live?")).to_be_visible()
