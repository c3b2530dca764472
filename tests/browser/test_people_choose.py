"""Whose a mailbox is, of many people: found while one types, on a phone and by keyboard; without scripts."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from domains.choosing import TICKED
from tests.browser.conftest import PHONE, in_every_look
from tests.system.server import HOUSEHOLD, Server

pytestmark = [pytest.mark.daemons, pytest.mark.browser, pytest.mark.timeout(300)]
ADA, BO = "ada@rossi.example", "bo@rossi.example"
CROWD = HOUSEHOLD + "".join(
    f'[[person]]\naddress = "cousin{one}@outside.example"\nname = "Cousin {one}"\n'
    f'[[person.membership]]\ncommunity = "Rossi"\nrole = "guardian"\n'
    for one in range(TICKED)
)
PAGE = """
from domains.models import Mailbox
print(Mailbox.objects.get(address="bo@rossi.example").pk)
"""


@pytest.fixture
def crowded(server: Server) -> str:
    """The address of a mailbox's page on a host with many people."""
    server.load(CROWD)
    return f"/mailboxes/{server.ask(PAGE)}/"


def people(server: Server) -> list[str]:
    """Whose the mailbox is."""
    ask = "import json\nfrom domains.models import Mailbox\nbox = Mailbox.objects.get(address='bo@rossi.example')\n"
    found: list[str] = server.ask(f"{ask}print(json.dumps(sorted(box.people.values_list('name', flat=True))))")
    return found


def test_people_are_found_by_typing_and_ticked_by_keyboard(
    server: Server, visit: Callable[..., Page], crowded: str
) -> None:
    page = visit(ADA)
    page.goto(crowded)
    bo, search = page.get_by_label("Bo · bo@rossi.example"), page.get_by_label("Search name or address")
    expect(bo).to_be_checked()
    search.press_sequentially("cousin 1")
    expect(page.locator("#people-said")).to_have_text("More than 10 are found: write more of the name.")
    search.press_sequentially("7")
    expect(page.locator("#people-said")).to_have_text("1 person is found.")
    search.press("Enter")  # does not save
    page.keyboard.press("Tab")
    expect(page.get_by_label("Cousin 17")).to_be_focused()
    page.keyboard.press("Space")
    search.fill("cousin23@")
    page.get_by_label("Cousin 23").check()
    search.fill("nobody of this name")
    expect(page.locator("#people-said")).to_have_text("Nobody else is found.")
    for name in ("Bo ·", "Cousin 17", "Cousin 23"):
        expect(page.get_by_label(name)).to_be_checked()
    bo.uncheck()
    search.fill("bo")
    expect(bo).not_to_be_checked()  # shown all the same: whoever had the mailbox can be ticked again
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".told")).to_contain_text("is saved")
    assert people(server) == ["Cousin 17", "Cousin 23"]


def test_without_scripts_addresses_are_written(server: Server, visit: Callable[..., Page], crowded: str) -> None:
    page = visit(ADA, size=PHONE, java_script_enabled=False)
    page.goto(crowded)
    expect(page.get_by_label("Search name or address")).to_be_hidden()
    page.get_by_text("Add by address").click()
    written = page.get_by_label("Addresses to add")
    written.fill("Cousin3@outside.example, cousin4@outside.example\nzoe@outside.example")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#id_people_error")).to_contain_text(
        "Nobody whom you look after signs in with “zoe@outside.example”"
    )
    expect(written).to_be_visible()  # what is to be corrected is open
    written.fill("Cousin3@outside.example, cousin4@outside.example\n")
    page.get_by_role("button", name="Save").click()
    assert people(server) == ["Bo", "Cousin 3", "Cousin 4"]


@in_every_look
def test_the_field_fits_every_look(
    visit: Callable[..., Page], crowded: str, shot: Callable[[Page, str], None], theme: str, size: object, language: str
) -> None:
    page = visit(ADA, size=size, language=language, color_scheme=theme)
    for name, path in (("edit", crowded), ("add", "/mailboxes/add/")):
        page.goto(path)
        if name == "add":
            page.locator("[name=whose][value=here]").check()
        shot(page, f"people-{name}-before-{theme}-{language}")
        page.locator("#id_people_find").fill("cousin 1")
        expect(page.get_by_label("Cousin 12")).to_be_visible()
        page.locator(".people-written > summary").click()
        shot(page, f"people-{name}-{theme}-{language}")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        small = page.evaluate(
            "[...document.querySelectorAll('.people :is(.form-check, summary, input[type=search], textarea)')]"
            ".filter((one) => one.offsetParent && !one.closest('.visually-hidden')"
            " && one.getBoundingClientRect().height < 44).map((one) => one.outerHTML)"
        )
        assert small == []
