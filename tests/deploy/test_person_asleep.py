"""A child and her parents read that her mail is closed now, and when it opens: what the mail host is told too."""

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.wishes import wishes
from deploy.gather import gather
from deploy.models import MailHost
from deploy.render.hours import sleeping
from deploy.services.sleeping import asleep
from domains.models import MailboxPerson
from tests.household import Household

pytestmark = pytest.mark.django_db
ROME, HOUR = ZoneInfo("Europe/Rome"), timedelta(hours=1)
# A school night of the winter, its evening before, a holiday and a summer's day, by Emma's and Luca's clock.
MOMENTS = [
    datetime(2026, 11, 26, 6, 59, tzinfo=ROME),
    datetime(2026, 11, 26, 7, 0, tzinfo=ROME),
    datetime(2026, 11, 26, 20, 30, tzinfo=ROME),
    datetime(2026, 11, 26, 22, 30, tzinfo=ROME),
    datetime(2026, 11, 28, 23, 0, tzinfo=ROME),
    datetime(2026, 12, 28, 23, 0, tzinfo=ROME),
    datetime(2026, 7, 1, 0, 0, tzinfo=ROME),
    datetime(2026, 3, 29, 2, 30, tzinfo=ROME),
]


def hours(household: Household, who: str, setting: str, level: str = "starter") -> None:
    with wishes("test", "test"):
        row = household.people[who].memberships.get().refreshed()
        row.level, row.overrides = level, [{"hours": setting, "until": "2199-12-31"}]
        row.save()


def closed_now(household: Household, who: str) -> str:
    """Close her mail now; the hour at which it opens."""
    now = timezone.now().astimezone(ROME)
    opens, closes = (f"{now + later:%H:%M}" for later in (HOUR, 2 * HOUR))
    hours(household, who, f"{opens}-{closes}")
    return opens


def text(household: Household, who: str, url: str, **headers: Any) -> str:
    answer = household.client(who).get(url, **headers)
    assert answer.status_code == 200
    return " ".join(answer.text.split())


def test_she_and_her_parents_read_when_it_opens(household: Household) -> None:
    url = f"/family/{household.people['emma'].pk}/"
    for who in ("emma", "luca"):
        hours(household, who, "always")  # the test may run at night
    for who, page in (("emma", "/"), ("anna", "/"), ("anna", f"{url}asleep/")):
        assert "Asleep now" not in text(household, who, page, headers={"HX-Request": "true"})
    assert "It is open." in text(household, "anna", f"{url}asleep/")
    opens = closed_now(household, "emma")
    for who, page in (("emma", "/"), ("anna", "/"), ("anna", f"{url}asleep/")):
        assert f"Asleep now, opens at {opens}" in text(household, who, page)
    piece = text(household, "anna", f"{url}asleep/", headers={"HX-Request": "true"})
    assert f"Asleep now, opens at {opens}" in piece
    assert "<html" not in piece
    assert f'hx-get="{url}asleep/"' in text(household, "anna", url)
    assert f"Ora dorme, apre alle {opens}" in text(household, "emma", "/", headers={"Accept-Language": "it"})
    assert "Asleep now" not in text(household, "luca", "/")


@pytest.mark.parametrize("at", MOMENTS, ids=str)
def test_it_is_what_the_mail_host_is_told(household: Household, at: datetime) -> None:
    with wishes("test", "test"):
        family = household.family.refreshed()
        family.school_days, family.holidays = ["mon", "tue", "wed", "thu", "fri"], [["2026-12-23", "2027-01-06"]]
        family.save()
    hours(household, "luca", "07:00-22:30", "explorer")
    told = sleeping(gather(MailHost.objects.get()).hours, at)
    found = asleep([person.pk for person in household.people.values()], at)
    names = {person.pk: f"{name}@myfamily.net" for name, person in household.people.items()}
    assert {names[person]: hour for person, hour in found.items()} == told


def test_a_mailbox_of_several_people_never_sleeps(household: Household) -> None:
    closed_now(household, "emma")
    emma = household.people["emma"].pk
    assert set(asleep([emma], timezone.now())) == {emma}
    with wishes("test", "test"):
        MailboxPerson(mailbox=household.mailboxes["emma"], user=household.people["anna"]).save()
    assert asleep([emma], timezone.now()) == {}


def test_it_is_one_query_for_everybody(household: Household) -> None:
    with CaptureQueriesContext(connection) as captured:
        asleep([person.pk for person in household.people.values()], timezone.now())
    assert len(captured) == 1
