"""Somebody changes main.cf by hand: an administrator sees it, keeps it, has it written anew, reads who changed what."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, ViewportSize, expect

from tests.browser.conftest import in_every_look
from tests.browser.test_pages_access import SMALL, wrong
from tests.host.machine import wait_for
from tests.system.server import PASSWORD, Server

pytestmark = [pytest.mark.daemons, pytest.mark.browser, pytest.mark.timeout(600)]
ADA, BO = "ada@rossi.example", "bo@rossi.example"
LOOK = "from deploy.tasks import poke\npoke('primary', verify_all=True)"
SEEN = (
    "import json\nfrom deploy.models import Drift\nprint(json.dumps(list(Drift.objects.values_list('path', 'kept'))))"
)
WORDS = {
    "en": (
        "1 file of the mail host was changed by hand.", "Keep theirs", "It stays as it is", "Take mine",
        "It is written anew", "Every file is as it was written.", "By whom, where and when", "Who did it",
        "No change is like that", "added: a list entry",
    ),
    "it": (
        "1 file del server di posta è stato cambiato a mano.", "Tieni il loro", "Resta com'è", "Prendi il mio",
        "È riscritto", "Ogni file è com'era stato scritto.", "Da chi, dove e quando", "Chi l'ha fatto",
        "Nessuna modifica è così", "aggiunta: una voce di un elenco",
    ),
}  # fmt: skip


def look(server: Server, found: list[list[object]]) -> None:
    """Have the agent look, and wait until it sees this: it also looks by its own clock."""
    server.execute(LOOK)
    wait_for(lambda: server.ask(SEEN) == found, f"the agent to see {found}", 180)


@in_every_look
def test_a_file_changed_by_hand_is_kept_then_written_anew(
    server: Server, visit: Callable[..., Page], shot: Callable[..., None], language: str, theme: str, size: ViewportSize
) -> None:
    changed, keep, kept, take, taken, whole, *_log = WORDS[language]
    main = server.layout.postfix / "main.cf"
    before = main.read_text()
    look(server, [])
    main.write_text(f"{before}# by hand\nmessage_size_limit = 99000000\n")
    look(server, [["postfix/main.cf", False]])
    page = visit(ADA, size=size, color_scheme=theme, language=language)
    page.get_by_role("link", name=changed).click()
    expect(page.locator(".drift-line.found", has_text="+message_size_limit = 99000000")).to_be_visible()
    assert wrong(page) == []
    assert page.evaluate(SMALL) == []
    shot(page, f"drift_list-{language}-{theme}")
    page.get_by_role("button", name=keep).press("Enter")
    expect(page.get_by_text(kept)).to_be_visible()
    assert wrong(page) == []
    look(server, [["postfix/main.cf", True]])
    page.goto("/")
    expect(page.get_by_role("link", name=changed)).to_have_count(0)
    page.goto("/changes/drift/")
    page.get_by_role("button", name=take).click()
    expect(page.get_by_text(taken)).to_be_visible()
    shot(page, f"drift_acted-{language}-{theme}")
    assert main.read_text() == before
    page.goto("/changes/drift/")
    expect(page.get_by_text(whole)).to_be_visible()
    assert wrong(page) == []


@in_every_look
def test_the_log_is_looked_through(
    server: Server, visit: Callable[..., Page], shot: Callable[..., None], language: str, theme: str, size: ViewportSize
) -> None:
    *_drift, more, who, none, added = WORDS[language]
    page = visit(ADA, size=size, color_scheme=theme, language=language)
    page.goto("/changes/audit/")
    rows = page.locator("details.row-way")
    expect(rows.first).to_be_visible()
    page.keyboard.press("/")
    page.keyboard.type("nonna.rosa@")
    page.wait_for_url(re.compile(r"q=nonna\.rosa(?:@|%40)(?:&|$)"))  # each letter typed is a search
    expect(rows.first).to_contain_text("nonna.rosa@gmail.com")
    row = rows.filter(has_text=added).first
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    row.locator("summary").press("Enter")
    expect(row.get_by_text("nonna.rosa@gmail.com").nth(1)).to_be_visible()
    # Leaving the field asks nothing: the answer would close what was just opened.
    assert [url for url in asked if "?q=" in url] == []
    assert wrong(page) == []
    assert page.evaluate(SMALL) == []
    shot(page, f"audit_list-{language}-{theme}")
    page.get_by_text(more).click()
    page.get_by_label(who).fill("nobody at all")
    expect(page.get_by_text(none)).to_be_visible()
    assert "who=nobody+at+all" in page.url or "who=nobody%20at%20all" in page.url
    assert wrong(page) == []
    page.goto("/changes/audit/")
    with page.expect_download() as saving:
        page.get_by_role("link", name="JSON").click()
    assert saving.value.suggested_filename == "audit.json"


def test_without_javascript_the_log_is_searched_too(server: Server, visit: Callable[..., Page]) -> None:
    page = visit(ADA, java_script_enabled=False)
    page.goto("/changes/audit/")
    page.locator("[name=q]").fill("nonna.rosa@")
    page.locator("main form [type=submit]").first.click()
    expect(page.locator("details.row-way").first).to_contain_text("nonna.rosa@gmail.com")


def test_a_child_has_no_part_in_it(server: Server, visit: Callable[..., Page]) -> None:
    page = visit(BO, PASSWORD)
    assert page.goto("/changes/audit/").status == 403  # type: ignore[union-attr]
    assert page.goto("/changes/drift/").status == 403  # type: ignore[union-attr]
