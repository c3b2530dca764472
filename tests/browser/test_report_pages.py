"""The report pages on a phone and on a desk, light and dark, in English and Italian, with and without a script."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, ViewportSize, expect

from tests.browser.conftest import DESKTOP, PHONE
from tests.browser.test_child_list import watched
from tests.browser.test_pages_access import SMALL, wrong
from tests.system.server import PASSWORD, Server

pytestmark = [pytest.mark.daemons, pytest.mark.browser, pytest.mark.timeout(300)]
ADA, BO = "ada@rossi.example", "bo@rossi.example"
PEOPLE = ("carla", "dino", "elio", "franca", "gina")
SHOP = f"""
[[community]]
name = "Rossi"
domains = ["rossi.example"]
[[community]]
name = "Rossi shop"
kind = "business"
domains = ["shop.example"]
[[person]]
address = "ada@rossi.example"
name = "Ada"
password = "{PASSWORD}"
[[person.membership]]
community = "Rossi"
role = "guardian"
[[person.membership]]
community = "Rossi shop"
role = "owner"
[[person]]
address = "bo@rossi.example"
name = "Bo"
password = "{PASSWORD}"
[[person.membership]]
community = "Rossi"
role = "protected"
[[mailbox]]
address = "ada@rossi.example"
[[mailbox]]
address = "bo@rossi.example"
""" + "".join(
    f"""
[[person]]
address = "{name}@shop.example"
name = "{name.title()}"
password = "{PASSWORD}"
[[person.membership]]
community = "Rossi shop"
role = "member"
[[mailbox]]
address = "{name}@shop.example"
"""
    for name in PEOPLE
)
FIGURES = """
import json, random
from datetime import timedelta
from django.utils import timezone
from domains.models import Mailbox
from reports.models import AccessEntry, DomainTally, HourlyTally, Word
AccessEntry.objects.all().delete()
HourlyTally.objects.all().delete()
DomainTally.objects.all().delete()
chance, now = random.Random(7), timezone.now().replace(minute=0, second=0, microsecond=0)
keys = [box.key for box in Mailbox.objects.order_by("address")]
HourlyTally.objects.bulk_create(
    HourlyTally(host="other", mailbox=key, hour=now - timedelta(hours=6 * n), received=chance.randint(0, 9),
                sent=chance.randint(0, 4), away=2, abroad=1, quick=1, home=1, received_bytes=90000, sent_bytes=70000,
                held=n % 9 == 0, asked=n % 20 == 0, failed=n % 11 == 0, deferred=n % 7 == 0, bounced=n % 13 == 0)
    for key in keys for n in range(260))
for n, name in enumerate(["gmail.com", "a-very-long-name-of-a-domain.of-somebody.example", "fornitore.example"]):
    word, made = Word.objects.get_or_create(text=name, defaults={"seen": now})
    for key in keys:
        for month in [now.year * 100 + now.month] + [202001] * (n < 2):
            DomainTally.objects.create(mailbox=key, month=month, domain=word, received=20 - 5 * n, sent=3)
from accounts.models import Community, User
print(json.dumps([Community.objects.get(name="Rossi shop").pk, Community.objects.get(name="Rossi").pk,
                  User.objects.get(name="Bo").pk]))
"""


@pytest.fixture
def places(server: Server) -> dict[str, str]:
    """The server with a shop of five people, a family of two, and figures of 65 days; where their reports are."""
    server.load(SHOP)
    shop, family, child = server.ask(FIGURES)
    return {
        "shop": f"/reports/community/{shop}/",
        "family": f"/reports/community/{family}/",
        "child": f"/reports/person/{child}/",
    }


def drawn(page: Page, charts: int) -> None:
    """So many charts have been drawn."""
    expect(page.locator(".drawing:not([hidden]) canvas")).to_have_count(charts)
    pixels = "canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data"
    for canvas in page.locator(".drawing canvas").all():
        assert canvas.evaluate(f"canvas => {pixels}.some(byte => byte)")


@pytest.mark.parametrize(("theme", "size"), [("light", PHONE), ("dark", PHONE), ("light", DESKTOP), ("dark", DESKTOP)])
def test_a_report_can_be_used_by_everybody(
    places: dict[str, str], visit: Callable[..., Page], theme: str, size: ViewportSize, tmp_path: Path
) -> None:
    page = visit(ADA, size=size, color_scheme=theme, reduced_motion="reduce")
    wrongs = watched(page)
    complaints: list[str] = []
    for name, charts in (("shop", 5), ("family", 6), ("child", 6)):
        page.goto(places[name], wait_until="networkidle")
        drawn(page, charts)
        complaints += [f"{name} {found}" for found in [*wrong(page), *page.evaluate(SMALL)]]
        page.screenshot(path=tmp_path / f"{name}-{theme}-{size['width']}.png", full_page=True)
        page.locator(".report-table:not([open]) > summary").evaluate_all("all => all.forEach(one => one.click())")
        page.screenshot(path=tmp_path / f"{name}-{theme}-{size['width']}-open.png", full_page=True)
        complaints += [f"{name} open {found}" for found in [*wrong(page), *page.evaluate(SMALL)]]
    for place in ("/", "/reports/seen/", "/reports/stored/", f"{places['shop']}?mode=names"):
        page.goto(place, wait_until="networkidle")
        complaints += [f"{place} {found}" for found in [*wrong(page), *page.evaluate(SMALL)]]
        page.screenshot(
            path=tmp_path / f"{place.strip('/?').replace('/', '-') or 'home'}-{theme}-{size['width']}.png",
            full_page=True,
        )
    assert not complaints + wrongs, "\n".join(complaints + wrongs)


def test_names_are_shown_for_a_purpose_and_read_by_whom_they_are_about(
    places: dict[str, str], visit: Callable[..., Page]
) -> None:
    page = visit(ADA, size=PHONE)
    page.goto(places["shop"])
    expect(page.get_by_text("Carla")).to_have_count(0)
    page.get_by_role("link", name="Names").click()
    page.get_by_label("Why do you need names?").fill("short")
    page.get_by_role("button", name="Show names").click()
    expect(page.locator("#errors")).to_be_focused()
    page.get_by_label("Why do you need names?").fill("To plan the quota of next year")
    page.get_by_role("button", name="Show names").click()
    page.locator("#who-title ~ details summary").click()
    expect(page.get_by_role("rowheader", name="Carla")).to_be_visible()
    page.get_by_role("link", name="7 days").click()
    expect(page.get_by_text("You look at names because")).to_be_visible()
    with page.expect_download() as saved:
        page.locator("#who-title ~ details summary").click()
        page.locator("#who-title ~ details a").click()
    assert "Carla" in Path(saved.value.path()).read_text(encoding="utf-8-sig")
    other = visit("carla@shop.example", size=PHONE)
    other.get_by_role("link", name="More about these letters").click()
    other.get_by_role("link", name="Who looked at my figures").click()
    expect(other.get_by_text("To plan the quota of next year")).to_be_visible()


def test_without_a_script_the_tables_show(places: dict[str, str], visit: Callable[..., Page]) -> None:
    page = visit(ADA, java_script_enabled=False)
    page.goto(places["shop"])
    expect(page.locator(".report-table table:visible")).to_have_count(6)
    expect(page.locator("canvas:visible")).to_have_count(0)
    page.get_by_text("Other days").click()
    page.get_by_label("From", exact=True).fill("2026-02-02")
    page.get_by_label("To", exact=True).fill("2026-02-01")
    page.get_by_role("button", name="Show", exact=True).click()
    expect(page.get_by_text("The first day is after the last one")).to_be_visible()


def test_italian_and_the_owners_first_page(places: dict[str, str], visit: Callable[..., Page], tmp_path: Path) -> None:
    page = visit(ADA, size=PHONE, language="it", reduced_motion="reduce")
    expect(page.get_by_role("heading", name="Questa settimana da Rossi shop")).to_be_visible()
    drawn(page, 1)
    page.screenshot(path=tmp_path / "home-it.png", full_page=True)
    page.get_by_role("link", name="Tutto il resoconto").click()
    expect(page.get_by_role("heading", name="La posta funziona?")).to_be_visible()
    assert wrong(page) == []
    page.screenshot(path=tmp_path / "shop-it.png", full_page=True)
