"""Rules for using mail, from the first word to the last reader: on a phone and at a desk, in both languages."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, ViewportSize, expect

from tests.browser.conftest import SMALL_PHONE, in_every_look
from tests.browser.test_child_list import ADA, PLANTED, watched
from tests.browser.test_pages_access import SMALL, wrong
from tests.system.held import family_of
from tests.system.server import Server

pytestmark = [pytest.mark.daemons, pytest.mark.browser, pytest.mark.timeout(300)]
BO = "bo@rossi.example"
NOT_OURS = "main :is(script, style, img, iframe, object, meta, form[action^=http], a[href^=javascript])"
OTHER_LEVEL = """
from accounts.models import Membership
from accounts.wishes import wishes
with wishes("test", "test"):
    row = Membership.objects.get(user__address="bo@rossi.example")
    row.level, row.overrides = "explorer", [{"incoming": "list", "until": "2199-12-31"}]
    row.save()
print(1)
"""


@pytest.fixture
def family(server: Server) -> Server:
    """The server with Ada, Ugo and their child Bo, without rules for using mail."""
    family_of(server)
    return server


def publish(page: Page, before: str, after: str = "") -> None:
    """Write a version as an English reader does."""
    page.goto("/use/")
    page.get_by_role("link", name="Write").click()
    page.get_by_label("Before the rules").fill(before)
    page.get_by_label("After the rules").fill(after)
    page.get_by_role("button", name="Look at it").click()
    page.get_by_role("button", name="Publish it").click()
    expect(page.get_by_text("It is published: everybody is asked to read it.")).to_be_visible()


def test_from_the_first_word_to_the_last_reader(family: Server, visit: Callable[..., Page]) -> None:
    ada = visit(ADA, size=SMALL_PHONE)
    ada.locator("summary", has_text="More").click()
    ada.get_by_role("link", name="Rules for using mail").click()
    expect(ada.locator("main")).to_contain_text("Here you tell everybody how mail is used.")
    publish(ada, "We write kindly.\n\nAsk before you send photos.", "If something is odd: tell us, nobody is angry.")
    expect(ada.locator(".use-unread")).to_have_text("2 people have not read it yet: Bo, Ugo.")
    bo = visit(BO, size=SMALL_PHONE, language="it")
    expect(bo.locator(".notice")).to_have_text("▲ Ci sono nuove regole per usare la posta: leggile")
    bo.goto("/me/")
    bo.get_by_role("link", name="leggile").click()
    expect(bo.get_by_role("heading", level=1)).to_have_text("Regole di casa: Rossi")
    expect(bo.locator(".use-text")).to_contain_text("We write kindly.")
    expect(bo.locator(".use-text")).to_contain_text("Possono scriverti la famiglia e le persone nella tua lista.")
    bo.get_by_role("button", name="Ho letto").click()
    expect(bo.get_by_text("Grazie: è segnato che hai letto.")).to_be_visible()
    expect(bo.get_by_role("button", name="Ho letto")).to_have_count(0)
    bo.goto("/")
    expect(bo.locator(".notice")).to_have_count(0)
    ada.reload()
    expect(ada.locator(".use-unread")).to_have_text("1 person has not read it yet: Ugo.")
    expect(ada.get_by_role("row", name="Bo")).to_contain_text("read on")


def test_it_is_read_with_the_keyboard_alone_and_without_scripts(family: Server, visit: Callable[..., Page]) -> None:
    publish(visit(ADA), "Ciao")
    bo = visit(BO, java_script_enabled=False)
    bo.locator(".notice a").focus()
    bo.keyboard.press("Enter")
    button = bo.get_by_role("button", name="I have read this")
    button.focus()
    bo.keyboard.press("Enter")
    expect(bo.get_by_text("Thank you: it is noted that you have read this.")).to_be_visible()


def test_a_version_published_meanwhile_is_shown_first(family: Server, visit: Callable[..., Page]) -> None:
    ada = visit(ADA)
    publish(ada, "The first words")
    bo = visit(BO, size=SMALL_PHONE)
    bo.goto("/use/")
    publish(ada, "The second words")
    bo.get_by_role("button", name="I have read this").click()
    expect(bo.get_by_text("There is a newer version now, this one")).to_be_visible()
    expect(bo.locator(".use-text")).to_contain_text("The second words")
    bo.get_by_role("button", name="I have read this").click()
    expect(bo.get_by_text("Thank you: it is noted")).to_be_visible()


def test_what_somebody_writes_runs_and_loads_nothing(family: Server, visit: Callable[..., Page]) -> None:
    page = visit(ADA, size=SMALL_PHONE)
    wrongs = watched(page)
    evil = PLANTED.replace("\u202e", "").replace("\u2067", "") + "x" * 300
    publish(page, evil, evil)
    for place in ("/use/", "/use/1/write/"):
        page.goto(page.url if place == "/use/" else f"{page.url.rstrip('/')}/write/", wait_until="networkidle")
        assert page.locator(NOT_OURS).count() == 0
        wrongs += [f"{place} {found}" for found in wrong(page)]
    page.get_by_label("Before the rules").fill("\u202eevil")
    page.get_by_role("button", name="Look at it").click()
    expect(page.locator("#errors")).to_be_focused()
    expect(page.locator("#errors")).to_contain_text("holds a character that cannot be seen")
    assert not wrongs, "\n".join(wrongs)


@in_every_look
def test_every_page_can_be_used_by_everybody(
    family: Server, visit: Callable[..., Page], theme: str, size: ViewportSize, language: str
) -> None:
    english = visit(ADA)
    page = visit(ADA, size=size, color_scheme=theme, language=language)
    child = visit(BO, size=size, color_scheme=theme, language=language)
    watching, wrongs = [watched(page), watched(child)], list[str]()

    def look(page: Page, place: str) -> None:
        page.goto(place, wait_until="networkidle")
        wrongs.extend(f"{place} {found}" for found in wrong(page))
        wrongs.extend(f"{place} small: {found}" for found in page.evaluate(SMALL))

    look(page, "/use/")
    look(child, "/use/")
    publish(english, "We write kindly.", "Ask us.")
    publish(english, "We write kindly, always.", "Ask us.")
    here = english.url.removeprefix(family.url)
    look(child, "/")
    for place in ("/use/", f"{here}1/"):
        look(child, place)
        look(page, place)
    family.ask(OTHER_LEVEL)
    look(child, "/use/")
    look(page, "/use/")
    look(page, f"{here}write/")
    page.locator("main form .btn-primary").click()
    page.wait_for_load_state("networkidle")
    wrongs.extend(f"before it is published: {found}" for found in wrong(page))
    wrongs += [found for complaints in watching for found in complaints]
    assert not wrongs, "\n".join(wrongs)


def test_on_paper_there_is_the_text_and_no_buttons(family: Server, visit: Callable[..., Page]) -> None:
    publish(visit(ADA), "We write kindly.")
    page = visit(BO, color_scheme="dark")
    page.goto("/use/")
    page.emulate_media(media="print")
    expect(page.get_by_text("We write kindly.")).to_be_visible()
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    for gone in (".top", ".use-read", ".use-own"):
        expect(page.locator(gone)).to_be_hidden()
    assert page.locator(".use-text li").first.evaluate("e => getComputedStyle(e).color") == "rgb(0, 0, 0)"
