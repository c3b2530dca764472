"""Bo's bedtime: his open session ends, his own page and his mother's say that he sleeps and when the mailbox opens.

The family moves to where it is night, so that nobody waits for the evening. (What the host's clock does by itself at a
moment is in tests/host/test_clock_live.py.)
"""

import imaplib
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import PHONE
from tests.host.letters import ended, reading
from tests.host.machine import wait_for
from tests.system.server import HOUSEHOLD, PASSWORD, Server
from tests.system.zones import zone

pytestmark = [pytest.mark.daemons, pytest.mark.browser, pytest.mark.timeout(300)]
ADA, BO = "ada@rossi.example", "bo@rossi.example"
NOON, NIGHT = 12, 23
EARLY = HOUSEHOLD.replace('hours = "always"', 'hours = "07:00-20:00"').replace(
    'role = "protected"', 'role = "protected"\nlevel = "starter"'
)

WHO = "from accounts.models import User\nprint(User.objects.get(name='Bo').pk)"


def refusal(server: Server) -> str:
    """What IMAP says to Bo; nothing when it lets him in."""
    try:
        with reading(server.layout, BO, PASSWORD):
            return ""
    except imaplib.IMAP4.error as error:
        return str(error)


def moves(page: Page, hour: int) -> None:
    """Ada writes down where the family lives now."""
    page.goto("/communities/")
    page.get_by_role("link", name="Rossi").click()
    page.get_by_label("Time zone").select_option(zone(hour))
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#state .state.live")).to_be_visible()


def test_at_his_hour_the_session_ends_and_the_pages_say_when_it_opens(
    server: Server, visit: Callable[..., Page], shot: Callable[[Page, str], None]
) -> None:
    server.load(EARLY.replace('name = "Rossi"', f'name = "Rossi"\ntimezone = "{zone(NOON)}"'))
    child = f"/family/{server.ask(WHO)}/"
    mother, bo = visit(ADA), visit(BO, size=PHONE, language="it")
    with reading(server.layout, BO, PASSWORD) as his, reading(server.layout, ADA, PASSWORD) as hers:
        assert his.noop()[0] == "OK"
        expect(bo.locator("main")).not_to_contain_text("Ora dorme")
        mother.goto(child)
        expect(mother.locator("main")).not_to_contain_text("Is the mail open now?")  # htmx has asked
        expect(mother.locator("main")).not_to_contain_text("Asleep now")

        moves(mother, NIGHT)
        wait_for(lambda: ended(his), "the end of Bo's session")
        assert hers.noop()[0] == "OK"
        assert "Asleep.Opens.at.07:00" in refusal(server)
        bo.reload()
        expect(bo.locator("main")).to_contain_text("Ora dorme, apre alle 07:00")
        shot(bo, "bedtime-child")
        for page in (child, "/"):
            mother.goto(page)
            expect(mother.locator("main")).to_contain_text("Asleep now, opens at 07:00")
        shot(mother, "bedtime-mother")

    moves(mother, NOON)
    assert refusal(server) == ""
    bo.reload()
    expect(bo.locator("main")).not_to_contain_text("Ora dorme")
    mother.goto("/")
    expect(mother.locator("main")).not_to_contain_text("Asleep now")
