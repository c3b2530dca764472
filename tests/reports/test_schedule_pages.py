"""Reports by mail on their pages: who may ask for which, what comes, and that it can be stopped."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import Membership
from accounts.wishes import wishes
from reports.models import AccessEntry, ReportSchedule
from reports.sending import farewell, farewell_title
from tests.reports.conftest import Household, count

pytestmark = pytest.mark.django_db
PURPOSE = "The quota of next year is to be planned"


def url(house: Household, kind: str, mode: str = "") -> str:
    return f"/reports/community/{house.communities[kind].pk}/mail/?mode={mode}"


@pytest.mark.parametrize(
    ("who", "kind", "mode", "status"),
    [
        ("marco", "business", "totals", 302),
        ("marco", "business", "pseudonyms", 302),
        ("marco", "business", "names", 422),  # without a purpose
        ("rita", "business", "", 302),
        ("rita", "business", "pseudonyms", 403),
        ("sara", "business", "", 403),
        ("ada", "business", "", 403),
        ("rosa", "business", "", 404),
        ("anna", "family", "", 302),
        ("emma", "family", "", 403),
    ],
)
def test_it_checks_who_asks(client: Client, household: Household, who: str, kind: str, mode: str, status: int) -> None:
    client.force_login(household.people[who])
    assert client.get(url(household, kind, mode)).status_code == (200 if status in (302, 422) else status)
    assert client.post(url(household, kind, mode), {"every": "week"}).status_code == status
    assert ReportSchedule.objects.count() == (status == 302)


@pytest.mark.parametrize(
    ("who", "whose", "status"),
    [("emma", "emma", 302), ("anna", "emma", 302), ("sara", "emma", 404), ("anna", "marco", 403)],
)
def test_it_checks_who_asks_for_a_persons(
    client: Client, household: Household, who: str, whose: str, status: int
) -> None:
    client.force_login(household.people[who])
    address = f"/reports/person/{household.people[whose].pk}/mail/"
    assert client.get(address).status_code == (200 if status == 302 else status)
    assert client.post(address, {"every": "month"}).status_code == status
    assert ReportSchedule.objects.count() == (status == 302)


def test_names_need_a_purpose_that_is_kept_and_shown(client: Client, household: Household) -> None:
    client.force_login(household.marco)
    assert 'name="purpose"' in client.get(url(household, "business", "names")).text
    assert 'name="purpose"' not in client.get(url(household, "business", "totals")).text
    short = client.post(url(household, "business", "names"), {"every": "week", "purpose": "why"})
    assert short.status_code == 422
    assert not ReportSchedule.objects.exists()
    client.post(url(household, "business", "names"), {"every": "week", "purpose": PURPOSE})
    assert ReportSchedule.objects.get().purpose == PURPOSE
    assert PURPOSE in client.get("/reports/schedules/").text
    assert not AccessEntry.objects.exists()  # nothing was seen yet


@pytest.mark.parametrize("sent", [{}, {"every": "day"}])
def test_how_often_is_to_be_chosen(client: Client, household: Household, sent: dict[str, str]) -> None:
    client.force_login(household.rita)
    assert client.post(url(household, "business"), sent).status_code == 422
    assert not ReportSchedule.objects.exists()


def test_who_has_no_mailbox_of_her_own_is_told_what_to_do(client: Client, household: Household) -> None:
    with wishes("test", "test"):
        Membership(user=household.ada, community=household.communities["business"], role="manager").save()
    client.force_login(household.ada)
    answer = client.post(url(household, "business"), {"every": "week"})
    assert answer.status_code == 422
    assert "You have no mailbox here that you alone read: ask whoever runs this host for one" in answer.text


def test_the_report_itself_has_the_form_and_the_links(client: Client, household: Household) -> None:
    count(household.key("rita@mybusiness.com"), "sent", 3, timezone.now() - timedelta(days=1))
    client.force_login(household.rita)
    page = client.get(f"/reports/community/{household.communities['business'].pk}/").text
    assert f'action="/reports/community/{household.communities["business"].pk}/mail/?mode=totals"' in page
    assert 'href="?format=pdf"' in page
    own = client.get(f"/reports/person/{household.rita.pk}/").text
    assert f'action="/reports/person/{household.rita.pk}/mail/"' in own


def test_what_comes_is_listed_for_its_reader_and_can_be_stopped(client: Client, household: Household) -> None:
    client.force_login(household.marco)
    assert "No report comes to you by mail." in client.get("/reports/schedules/").text
    for _twice in range(2):
        client.post(url(household, "business", "pseudonyms"), {"every": "week"})
    answer = client.post(url(household, "family"), {"every": "month"}, follow=True)
    assert "It is noted: the first one comes when this week or month is over." in answer.text
    assert answer.text.count(">Stop</button>") == 2
    assert "marco@myfamily.net" in answer.text
    first = ReportSchedule.objects.get(every="week")
    assert first.sent < timezone.now().date() + timedelta(days=1)
    stop = f"/reports/schedules/{first.pk}/stop/"
    assert client.get(stop).status_code == 405
    client.force_login(household.anna)
    assert client.post(stop).status_code == 404
    assert "No report comes to you by mail." in client.get("/reports/schedules/").text
    client.force_login(household.marco)
    assert "That report comes no more." in client.post(stop, follow=True).text
    assert ReportSchedule.objects.get().every == "month"


def test_what_she_may_not_see_any_more_is_not_listed(client: Client, household: Household) -> None:
    client.force_login(household.marco)
    client.post(url(household, "business", "pseudonyms"), {"every": "week"})
    with wishes("test", "test"):
        Membership.objects.get(user=household.marco, community=household.communities["business"]).delete()
    assert "Fioretti &amp; Co" not in client.get("/reports/schedules/").text


def test_the_last_letter_keeps_a_hostile_name_on_its_line(household: Household) -> None:
    household.luca.name = "Lu\r\nBcc: evil@outside.example\u202e"
    schedule = ReportSchedule(reader=household.people["anna"], person=household.luca, every="week")
    assert farewell_title(schedule) == "No more report: letters of Lu Bcc: evil@outside.example\ufffd"
    first, _second = farewell(schedule).split(" You may ")
    assert first == "You asked for a report about the letters of Lu Bcc: evil@outside.example\ufffd each week."
