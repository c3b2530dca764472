"""The report pages on a phone and on a desk, light and dark, in English and Italian, with and without a script."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, ViewportSize, expect

from policies.example import FILE
from tests.browser.conftest import PHONE, in_every_look
from tests.browser.test_child_list import watched
from tests.browser.test_pages_access import SMALL, wrong
from tests.system.server import PASSWORD, Server

pytestmark = [pytest.mark.daemons, pytest.mark.browser, pytest.mark.timeout(300)]
MARCO, EVA, CHIEF = "marco@myfamily.net", "eva@new.example", "chief@busy.example"
NEW = """
[[community]]
name = "New"
domains = ["new.example"]
[[person]]
address = "eva@new.example"
name = "Eva"
[[person.membership]]
community = "New"
role = "guardian"
[[mailbox]]
address = "eva@new.example"
"""
HOUSEHOLDS = (FILE.read_text() + NEW).replace("[[person]]\n", f'[[person]]\npassword = "{PASSWORD}"\n')
FIGURES = f"""
import json
from zoneinfo import ZoneInfo
from django.utils import timezone
from accounts.models import Community, User
from accounts.wishes import wishes
from domains.models import Mailbox
from reports.models import AccessEntry, DailyTally, DomainTally, FailedSignIn, HourlyTally, MonthlyTally
from tests.reports.year import a_year, figures
for model in (AccessEntry, DailyTally, DomainTally, FailedSignIn, HourlyTally, MonthlyTally):
    model.objects.all().delete()
now = timezone.now()
boxes = Mailbox.objects.exclude(address="eva@new.example").order_by("address")
figures([box.key for box in boxes], now, 65, ZoneInfo("Europe/Rome"))
with wishes("test", "test"):
    busy = a_year(now)
    chief = User.objects.get(address="{CHIEF}")
    chief.set_password("{PASSWORD}")
    chief.save()
found = {{one.name: f"/reports/community/{{one.pk}}/" for one in Community.objects.all()}}
found |= {{one.name: f"/reports/person/{{one.pk}}/" for one in User.objects.filter(name__in=["Emma", "Eva"])}}
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def places(shared_server: Server) -> dict[str, str]:
    """A new family, the example household with figures of 65 days, a year of a business of fifty; their reports."""
    shared_server.load(HOUSEHOLDS)
    return dict(shared_server.ask(FIGURES))


@pytest.fixture
def server(shared_server: Server, places: dict[str, str]) -> Server:
    """The shared server with these three households, of which nobody has looked at names."""
    assert places
    shared_server.ask("from reports.models import AccessEntry\nAccessEntry.objects.all().delete()\nprint(1)")
    return shared_server


def drawn(page: Page, charts: int) -> None:
    """So many charts have been drawn."""
    expect(page.locator(".drawing:not([hidden]) canvas")).to_have_count(charts)
    pixels = "canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data"
    for canvas in page.locator(".drawing canvas").all():
        assert canvas.evaluate(f"canvas => {pixels}.some(byte => byte)")


@in_every_look
def test_a_report_can_be_used_by_everybody(
    places: dict[str, str],
    visit: Callable[..., Page],
    shot: Callable[[Page, str], None],
    theme: str,
    size: ViewportSize,
    language: str,
) -> None:
    """Each page with its tables open, of which a picture can be had."""
    complaints: list[str] = []
    for who, seen in {
        EVA: {"/": 0, places["New"]: 0, places["Eva"]: 0},
        MARCO: {
            places["Fioretti family"]: 6, places["Emma"]: 6, places["My Business"]: 5,
            f"{places['My Business']}?mode=names": 0, "/reports/seen/": 0, "/reports/stored/": 0,
            "/reports/schedules/": 0,
        },
        CHIEF: {"/": 1, f"{places['Busy & Sons']}?range=year&mode=pseudonyms": 6},
    }.items():  # fmt: skip
        page = visit(who, size=size, language=language, color_scheme=theme, reduced_motion="reduce")
        wrongs = watched(page)
        for place, charts in seen.items():
            page.goto(place, wait_until="networkidle")
            drawn(page, charts)
            name = f"{who.partition('@')[0]}-{re.sub('[^a-z0-9]+', '-', place).strip('-')}-{theme}-{size['width']}"
            shot(page, name)
            page.locator(".report-table:not([open]) > summary").evaluate_all("all => all.forEach(one => one.click())")
            shot(page, f"{name}-open")
            complaints += [f"{name} {found}" for found in [*wrong(page), *page.evaluate(SMALL)]]
        complaints += wrongs
    assert not complaints, "\n".join(complaints)


def test_names_are_shown_for_a_purpose_and_read_by_whom_they_are_about(
    places: dict[str, str], visit: Callable[..., Page], shot: Callable[[Page, str], None]
) -> None:
    page = visit(MARCO, size=PHONE)
    page.goto(places["My Business"])
    expect(page.get_by_text("Sara")).to_have_count(0)
    page.get_by_role("link", name="Names").click()
    page.get_by_label("Why do you need names?").fill("short")
    page.get_by_role("button", name="Show names").click()
    expect(page.locator("#errors")).to_be_focused()
    page.get_by_label("Why do you need names?").fill("To plan the quota of next year")
    page.get_by_role("button", name="Show names").click()
    page.locator("#who-title ~ details summary").click()
    expect(page.get_by_role("rowheader", name="Sara")).to_be_visible()
    page.get_by_role("link", name="7 days").click()
    expect(page.get_by_text("You look at names because")).to_be_visible()
    with page.expect_download() as saved:
        page.locator("#who-title ~ details summary").click()
        page.locator("#who-title ~ details a[href*=csv]").click()
    assert "Sara" in Path(saved.value.path()).read_text(encoding="utf-8-sig")
    is_asked_for_by_mail_and_stopped(page, shot)
    other = visit("sara@mybusiness.com", size=PHONE)
    other.get_by_role("link", name="More about these letters").click()
    other.get_by_role("link", name="Who looked at my figures").click()
    expect(other.get_by_text("To plan the quota of next year")).to_be_visible()


def is_asked_for_by_mail_and_stopped(page: Page, shot: Callable[[Page, str], None]) -> None:
    """The report that is shown with names, saved whole and sent each month."""
    with page.expect_download() as saved:
        page.get_by_role("link", name="Save all of it (PDF)").click()
    assert Path(saved.value.path()).read_bytes().startswith(b"%PDF-")
    page.get_by_text("Get it by mail").press("Enter")
    expect(page.get_by_label("Why do you need names?")).to_have_value("To plan the quota of next year")
    complaints = [*wrong(page), *page.evaluate(SMALL)]
    shot(page, "schedule-folded-out")
    page.get_by_label("Why do you need names?").fill("short")
    page.get_by_role("button", name="Send it each month").click()
    expect(page.locator("#errors")).to_be_focused()
    complaints += [*wrong(page), *page.evaluate(SMALL)]
    shot(page, "schedule-add")
    page.get_by_label("Why do you need names?").fill("To plan the quota of next year")
    page.get_by_role("button", name="Send it each month").click()
    expect(page.get_by_role("listitem").filter(has_text="My Business")).to_contain_text("each month")
    complaints += [*wrong(page), *page.evaluate(SMALL)]
    shot(page, "schedule-list")
    page.get_by_role("button", name="Stop: letters of My Business, each month").click()
    expect(page.get_by_text("No report comes to you by mail.")).to_be_visible()
    assert not complaints, "\n".join(complaints)


def test_without_a_script_the_tables_show(places: dict[str, str], visit: Callable[..., Page]) -> None:
    page = visit(MARCO, java_script_enabled=False)
    page.goto(places["My Business"])
    expect(page.locator(".report-table table:visible")).to_have_count(6)
    expect(page.locator("canvas:visible")).to_have_count(0)
    page.get_by_text("Other days").click()
    page.get_by_label("From", exact=True).fill("2026-02-02")
    page.get_by_label("To", exact=True).fill("2026-02-01")
    page.get_by_role("button", name="Show", exact=True).click()
    expect(page.get_by_text("The first day is after the last one")).to_be_visible()


def test_italian_and_the_owners_first_page(places: dict[str, str], visit: Callable[..., Page]) -> None:
    page = visit(CHIEF, size=PHONE, language="it", reduced_motion="reduce")
    expect(page.get_by_role("heading", name="Questa settimana da Busy & Sons")).to_be_visible()
    drawn(page, 1)
    page.get_by_role("link", name="Tutto il resoconto").click()
    expect(page.get_by_role("heading", name="La posta funziona?")).to_be_visible()
    assert wrong(page) == []
