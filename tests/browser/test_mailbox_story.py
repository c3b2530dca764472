"""From a click in the browser to a letter in the mailbox, and back as a figure."""

import imaplib
import poplib
import re
import smtplib
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.host.machine import wait_for
from tests.system.server import HOUSEHOLD, PASSWORD, Server
from tests.system.zones import zone

pytestmark = [pytest.mark.daemons, pytest.mark.browser, pytest.mark.timeout(300)]

CLEO = "cleo@rossi.example"
WORD = "il cane di Cleo"
NOON = 12  # a child's mailbox sleeps at night


def add_cleo(page: Page) -> None:
    """Fill in the page as a parent would."""
    page.goto("/mailboxes/add/")
    page.get_by_label("Before the @").fill("cleo")
    page.get_by_label("Name", exact=True).fill("Cleo")
    page.get_by_label("Role").select_option("protected")
    page.get_by_label("Password").fill(WORD)
    page.get_by_role("button", name="Add this mailbox").click()


def goes_live(page: Page) -> None:
    """The page says that the change is on its way or live, and live in the end, by itself."""
    expect(page.locator("#state .state")).to_have_text(re.compile("on its way|live"))
    expect(page.locator("#state .state.live")).to_be_visible()


def refusal(server: Server, recipient: str) -> tuple[int, str]:
    """What Postfix answers a stranger who names a recipient."""
    with smtplib.SMTP("127.0.0.1", server.layout.smtp, timeout=20) as smtp:
        smtp.ehlo()
        smtp.mail("zia@outside.example")
        code, text = smtp.rcpt(recipient)
    return code, text.decode()


def test_a_mailbox_is_added_read_suspended_deleted_and_made_anew(server: Server, visit: Callable[..., Page]):
    server.load(HOUSEHOLD.replace('name = "Rossi"', f'name = "Rossi"\ntimezone = "{zone(NOON)}"'))
    page = visit("ada@rossi.example")
    add_cleo(page)
    goes_live(page)

    server.send("ada@rossi.example", CLEO, "the first", login=("ada@rossi.example", PASSWORD))
    server.arrives(CLEO, "the first", WORD)
    assert server.popped(CLEO, WORD) == 1
    own = visit(CLEO, WORD)
    expect(own.locator("main")).to_contain_text(re.compile(r"\b1\s+received"), timeout=20_000)

    page.goto("/mailboxes/")
    page.get_by_role("link", name=CLEO).first.click()
    page.get_by_role("button", name=re.compile("Suspend")).click()
    goes_live(page)
    code, text = refusal(server, CLEO)
    assert (code, text[:5]) == (550, "5.2.1")
    with pytest.raises(imaplib.IMAP4.error):
        server.subjects(CLEO, WORD)
    with pytest.raises(poplib.error_proto):
        server.popped(CLEO, WORD)
    with pytest.raises(smtplib.SMTPAuthenticationError):
        server.send(CLEO, "ada@rossi.example", "never", login=(CLEO, WORD))

    page.get_by_role("link", name=re.compile("Delete")).first.click()
    page.get_by_label("Type the address").fill(CLEO)
    page.get_by_label("Remove the person too").check()
    page.get_by_role("button", name="Delete this mailbox").click()
    goes_live(page)
    assert refusal(server, CLEO)[0] == 550

    add_cleo(page)
    goes_live(page)
    assert server.subjects(CLEO, WORD) == []
    server.send("ada@rossi.example", CLEO, "the second", login=("ada@rossi.example", PASSWORD))
    server.arrives(CLEO, "the second", WORD)
    assert wait_for(lambda: server.popped(CLEO, WORD), "the letter over POP3") == 1
