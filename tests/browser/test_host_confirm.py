"""An administrator finds that the database is older than the mail host, reads what that means, and lets it count."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, ViewportSize, expect

from tests.browser.conftest import in_every_look
from tests.browser.test_pages_access import SMALL, wrong
from tests.host.machine import wait_for
from tests.system.server import Server

pytestmark = [pytest.mark.daemons, pytest.mark.browser, pytest.mark.timeout(300)]
# As the worker writes it down; that the worker does so is told in tests/system/test_older_database.py.
AHEAD = """
import json
from accounts.wishes import Wishes
from deploy.models import MailHost
ahead = Wishes.current() + 5
MailHost.objects.update(ahead=ahead, error="It is older.", failed=Wishes.current())
print(json.dumps(ahead))
"""
WORDS = {
    "en": ("This database is older than the mail host.", "See what to do", "Let this database count", "go live now."),
    "it": (
        "Questa base di dati è più vecchia del server di posta.",
        "Vedi che cosa fare",
        "Fai valere questa base di dati",
        "Ora entra in vigore",
    ),
}


@in_every_look
def test_an_older_database_is_said_explained_and_confirmed(
    server: Server, visit: Callable[..., Page], shot: Callable[..., None], language: str, theme: str, size: ViewportSize
) -> None:
    older, see, confirm, done = WORDS[language]
    page = visit("ada@rossi.example", size=size, color_scheme=theme, language=language)
    server.control("stop", "worker")
    try:
        ahead = server.ask(AHEAD)
        page.goto("/")
        expect(page.get_by_role("heading", level=1)).to_contain_text(older)
        assert wrong(page) == []
        shot(page, f"home-older-{language}-{theme}")
        page.get_by_role("link", name=see).focus()
        page.keyboard.press("Enter")
        expect(page.locator(".answer")).to_contain_text(str(ahead))
        assert wrong(page) == []
        assert page.evaluate(SMALL) == []
        shot(page, f"host_confirm-{language}-{theme}")
        page.get_by_role("button", name=confirm).click()
        expect(page.get_by_text(done)).to_be_visible()
        assert server.state()["wished"] == ahead + 1
    finally:
        server.control("start", "worker")
    wait_for(lambda: server.state()["applied"] == ahead + 1, "the wishes of this database", 90)
