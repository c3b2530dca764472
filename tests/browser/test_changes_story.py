"""An administrator looks at what was changed, goes back, pauses the host and lets it go on."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, ViewportSize, expect

from tests.browser.conftest import in_every_look
from tests.browser.test_pages_access import SMALL, wrong
from tests.host.machine import wait_for
from tests.system.server import HOUSEHOLD, Server

pytestmark = [pytest.mark.daemons, pytest.mark.browser, pytest.mark.timeout(400)]
ADA = "ada@rossi.example"
WORDS = {
    "en": {
        "live": "Everything is live.", "alias": "made the alias nuova@rossi.example lead to",
        "back": "Go back to this …",
        "delete": "Ada deleted the alias nuova@rossi.example.",
        "do": "Go back to this", "done": "It is as it was then.", "undone": "undone",
        "pause": "Pause …", "sure": "Pause",
        "waits": "changes wait, because a mail host is paused", "on": "Go on", "files": "files are different",
    },
    "it": {
        "live": "Tutto è attivo.", "alias": "ha fatto portare l'alias nuova@rossi.example a",
        "back": "Torna a questo stato …",
        "delete": "Ada ha eliminato l'alias nuova@rossi.example.",
        "do": "Torna a questo stato", "done": "È di nuovo com'era allora.", "undone": "annullata",
        "pause": "Metti in pausa …", "sure": "Metti in pausa",
        "waits": "le modifiche aspettano, perché un server di posta è in pausa", "on": "Avanti",
        "files": "file sono diversi",
    },
}  # fmt: skip
ALIAS = '[[alias]]\naddress = "nuova@rossi.example"\nto = ["bo@rossi.example"]\n'
KEPT = """
import json
from deploy.models import Release
print(json.dumps(bool(Release.objects.exclude(author="").first().dump)))
"""
UNPAUSE = """
from deploy.models import MailHost
print(MailHost.objects.update(paused=None))
"""


@pytest.fixture
def unpaused(server: Server):
    """No test leaves the host paused."""
    yield server
    server.ask(UNPAUSE)


def kept(server: Server) -> None:
    """The wishes of the newest release are kept."""
    wait_for(lambda: server.ask(KEPT), "the newest wishes to be kept", 60)


def good(page: Page) -> None:
    """The page is as every page should be."""
    assert wrong(page) == []
    assert page.evaluate(SMALL) == []


@in_every_look
def test_going_back_and_pausing(
    unpaused: Server,
    visit: Callable[..., Page],
    shot: Callable[..., None],
    language: str,
    theme: str,
    size: ViewportSize,
) -> None:
    server, words, name = unpaused, WORDS[language], f"{language}-{theme}"
    server.load(HOUSEHOLD + 'quota = "2G"\n')
    kept(server)
    server.load(HOUSEHOLD + 'quota = "2G"\n' + ALIAS)
    kept(server)
    page = visit(ADA, size=size, color_scheme=theme, language=language)
    page.goto("/changes/")
    expect(page.get_by_role("heading", level=1)).to_contain_text(words["live"])
    first = page.locator(".changes-row").first
    expect(first).to_contain_text(words["alias"])
    good(page)
    shot(page, f"changes_list-{name}")
    first.locator("h3 a").click()
    expect(page.locator("#files")).to_contain_text(re.compile(words["files"]))
    expect(page.locator("#files")).to_contain_text("nuova@rossi.example bo@rossi.example")
    good(page)
    shot(page, f"changes_show-{name}")
    page.goto("/changes/")
    page.locator(".changes-row").nth(1).get_by_role("link", name=words["back"]).click()
    expect(page.locator(".answer")).to_contain_text(words["delete"])
    good(page)
    shot(page, f"changes_undo-{name}")
    page.get_by_role("button", name=words["do"], exact=True).click()
    expect(page.get_by_text(words["done"])).to_be_visible()
    expect(page.locator(".told-state .state.live")).to_be_visible(timeout=60_000)
    page.goto("/changes/")
    expect(page.locator(".changes-row").nth(1)).to_contain_text(words["undone"])
    shot(page, f"changes_undone-{name}")
    page.get_by_role("link", name=words["pause"]).click()
    good(page)
    page.locator("[name=reason]").fill("<b>A test</b>")
    shot(page, f"changes_pause-{name}")
    page.get_by_role("button", name=words["sure"], exact=True).click()
    server.load(HOUSEHOLD + 'quota = "2G"\n' + ALIAS, live=False)
    page.goto("/changes/")
    expect(page.get_by_role("heading", level=1)).to_contain_text(words["waits"])
    good(page)
    shot(page, f"changes_paused-{name}")
    page.goto("/")
    good(page)
    shot(page, f"home_paused-{name}")
    page.goto("/changes/")
    page.get_by_role("button", name=words["on"], exact=True).click()
    expect(page.locator(".told-state .state.live")).to_be_visible(timeout=60_000)
    page.goto("/changes/")
    expect(page.get_by_role("heading", level=1)).to_contain_text(words["live"])


def test_without_javascript_the_files_are_asked_for(server: Server, visit: Callable[..., Page]) -> None:
    page = visit(ADA, java_script_enabled=False)
    page.goto("/changes/")
    page.locator(".changes-row h3 a").first.click()
    page.get_by_role("button", name="Ask the mail host").click()
    while page.get_by_role("link", name="look again").count():
        page.get_by_role("link", name="look again").click()
    expect(page.locator("#files")).to_contain_text(re.compile("different"))
