"""“Where is my letter?” on a phone and on a large screen: letters that were delivered, that wait and that are held."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, ViewportSize, expect

from tests.browser.conftest import PHONE, in_every_look
from tests.browser.test_pages_access import SMALL, wrong
from tests.host.machine import wait_for
from tests.system.server import PASSWORD, Server

pytestmark = [pytest.mark.daemons, pytest.mark.browser, pytest.mark.timeout(300)]
ADA, BO = "ada@rossi.example", "bo@rossi.example"
TOLD = """
import json
from policies.models import HeldLetter
from reports.models import Delivery, Letter
theirs = ["bo@rossi.example", "zia@outside.example"]
tried = Delivery.objects.filter(recipient__text__in=theirs, login__text="ada@rossi.example")
asks = Letter.objects.filter(login="bo@rossi.example", queued=False)
print(json.dumps([tried.count(), asks.count(), HeldLetter.objects.filter(direction="out", state="waiting").count()]))
"""
FORGET = """
from reports.models import Delivery, Letter
print([model.objects.all().delete()[0] for model in (Delivery, Letter)])
"""
WORDS = {
    "en": (
        "Where is my letter?",
        "Delivered to",
        "Waits, not yet taken by",
        "Held until",
        "Choose days",
        "Word for word:",
    ),
    "it": (
        "Dov'è la mia lettera?",
        "Consegnata a",
        "In attesa",
        "Trattenuta",
        "Scegli i giorni",
        "Parola per parola:",
    ),
}


def send_all(server: Server) -> None:
    """One that arrives, one that cannot leave this host, and one that asks; the log has told of them."""
    server.ask(FORGET)
    server.send(ADA, BO, "inside", (ADA, PASSWORD))
    server.send(ADA, "zia@outside.example", "outside", (ADA, PASSWORD))
    server.send(BO, "amica@outside.example", "asks", (BO, PASSWORD))
    wait_for(lambda: server.ask(TOLD) == [2, 1, 1], "the log to tell of three letters", 120)


@in_every_look
def test_everybody_finds_her_letters(
    server: Server, visit: Callable[..., Page], shot: Callable[..., None], language: str, theme: str, size: ViewportSize
) -> None:
    title, delivered, waits, held, days, word = WORDS[language]
    send_all(server)
    page = visit(ADA, size=size, color_scheme=theme, language=language)
    page.goto("/reports/trace/")
    expect(page.get_by_role("heading", level=1)).to_have_text(title)
    expect(page.get_by_role("heading", name=re.compile(f"{delivered} {BO}"))).to_be_visible()
    expect(page.get_by_role("heading", name=re.compile(f"{waits}.* zia@outside.example"))).to_be_visible()
    page.locator(".way .waiting summary").first.click()
    expect(page.get_by_text(word)).to_be_visible()
    page.get_by_text(days).click()
    assert wrong(page) == []
    assert page.evaluate(SMALL) == []
    shot(page, f"letter_trace-{language}-{theme}")
    page.get_by_role("searchbox").fill("zia@")
    expect(page.locator(".way")).to_have_count(1)
    page.get_by_role("searchbox").fill("nobody")
    expect(page.locator("#results .empty")).to_be_visible()
    assert wrong(page) == []
    shot(page, f"letter_trace_nothing-{language}-{theme}")
    child = visit(BO, size=size, color_scheme=theme, language=language)
    child.goto("/reports/trace/")
    expect(child.get_by_role("heading", name=re.compile(held))).to_be_visible()
    assert wrong(child) == []
    shot(child, f"letter_trace_child-{language}-{theme}")


def test_a_parent_goes_from_a_childs_letter_to_the_question(server: Server, visit: Callable[..., Page]) -> None:
    send_all(server)
    page = visit(ADA, size=PHONE)
    page.get_by_role("region", name="Bo").get_by_role("link", name="Where is a letter?").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Where is a letter of Bo?")
    page.get_by_role("link", name="See why, and what was answered").first.click()
    expect(page.get_by_role("button", name="Always")).to_be_visible()


def test_a_letter_is_found_without_javascript_and_by_keys(server: Server, visit: Callable[..., Page]) -> None:
    send_all(server)
    page = visit(ADA, java_script_enabled=False)
    page.goto("/reports/trace/")
    page.get_by_role("searchbox").fill("outside")
    page.get_by_role("button", name="Search").click()
    expect(page.locator(".way")).to_have_count(1)
    page = visit(ADA)
    page.goto("/reports/trace/")
    page.keyboard.press("/")
    with page.expect_response(re.compile(r"=outside(?:&|$)")):  # each letter typed is a search; its answer closes steps
        page.keyboard.type("outside")
    expect(page.locator(".way")).to_have_count(1)
    step = page.locator(".way-steps summary").first
    step.focus()
    page.keyboard.press("Enter")
    expect(page.locator(".way-steps details[open]")).to_have_count(1)
