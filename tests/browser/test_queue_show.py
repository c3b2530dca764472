"""An administrator looks at the queue on a phone and on a large screen, has a letter tried again and removes it."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, ViewportSize, expect

from tests.browser.conftest import in_every_look
from tests.browser.test_pages_access import SMALL, wrong
from tests.host.machine import wait_for
from tests.system.server import PASSWORD, Server

pytestmark = [pytest.mark.daemons, pytest.mark.browser, pytest.mark.timeout(300)]
ADA, BO = "ada@rossi.example", "bo@rossi.example"
QUEUE = """
import json
from deploy import services
from deploy.host import queue
print(json.dumps({one["queue"]: one["queue_id"] for one in queue.listed(services.layout())["letters"]}))
"""
WORDS = {
    "en": ("Waits for the next try", "Waits for an answer", "Remove …", "Remove this letter", "It is removed."),
    "it": ("Aspetta il prossimo tentativo", "Aspetta una risposta", "Rimuovi …", "Togli questa lettera", "È tolta."),
}
TRY = {"en": ("Try it now", "It is being tried now."), "it": ("Riprova ora", "Si sta riprovando ora.")}


def fill(server: Server) -> None:
    """One letter that was put off, and one that waits for an answer."""
    server.ask("from deploy.models import HostRequest\nHostRequest.objects.all().delete()\nprint(1)")
    server.send(ADA, "zia@outside.example", "outside", (ADA, PASSWORD))
    server.send(BO, "amica@outside.example", "asks", (BO, PASSWORD))
    wait_for(lambda: {"hold", "deferred"} <= set(server.ask(QUEUE)), "both to be in the queue", 120)


@in_every_look
def test_a_letter_is_tried_again_and_removed(
    server: Server, visit: Callable[..., Page], shot: Callable[..., None], language: str, theme: str, size: ViewportSize
) -> None:
    waits, asks, remove, sure, removed = WORDS[language]
    again, tried = TRY[language]
    fill(server)
    page = visit(ADA, size=size, color_scheme=theme, language=language)
    page.goto("/reports/queue/")
    card = page.locator("article", has_text=waits)
    expect(card.first).to_be_visible()
    held = page.locator("article", has_text=asks)
    expect(held.first).to_be_visible()
    expect(held.get_by_role("button")).to_have_count(0)
    expect(page.locator("#queue")).not_to_contain_text(re.compile("ada@|bo@|zia@|amica@"))
    many = card.count()
    assert wrong(page) == []
    assert page.evaluate(SMALL) == []
    shot(page, f"queue_show-{language}-{theme}")
    card.first.get_by_role("button", name=again).click()
    expect(page.get_by_text(tried)).to_be_visible()
    assert wrong(page) == []
    page.goto("/reports/queue/")
    card.first.get_by_role("link", name=remove).click()
    expect(page.locator(".consequences li")).to_have_count(4)
    assert wrong(page) == []
    assert page.evaluate(SMALL) == []
    shot(page, f"queue_letter_remove-{language}-{theme}")
    page.locator("[name=reason]").fill("<b>A test</b>")
    page.get_by_role("button", name=sure).click()
    expect(page.get_by_text(removed)).to_be_visible()
    shot(page, f"queue_acted-{language}-{theme}")
    page.goto("/reports/queue/")
    expect(held.first).to_be_visible()
    expect(card).to_have_count(many - 1)


def test_the_queue_is_asked_without_javascript(server: Server, visit: Callable[..., Page]) -> None:
    fill(server)
    page = visit(ADA, java_script_enabled=False)
    page.goto("/reports/queue/")
    page.get_by_role("button", name="Ask the mail host").click()
    while page.get_by_role("link", name="look again").count():
        page.get_by_role("link", name="look again").click()
    expect(page.get_by_role("heading", name=re.compile("Waits for an answer")).first).to_be_visible()
