"""The page with a person's letters by day."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from accounts.wishes import wishes
from tests.reports.conftest import Household, count
from tests.reports.test_report_community import sight

pytestmark = pytest.mark.django_db
EMMA = "emma@myfamily.net"
EMPTY = "No letters yet. The first one shows up here within a few seconds."


def counted(mailbox: str, column: str, letters: int, days_ago: float = 0) -> None:
    count(mailbox, column, letters, timezone.now() - timedelta(days=days_ago))


def page(client: Client, viewer: User, person: User, *, fragment: bool = True) -> tuple[int, str]:
    client.force_login(viewer)
    headers = {"HX-Request": "true"} if fragment else {}
    response = client.get(f"/reports/person/{person.pk}/", headers=headers)
    return response.status_code, response.content.decode()


def test_it_says_how_many_letters(client: Client, household: Household) -> None:
    counted(household.key(EMMA), "received", 7)
    counted(household.key(EMMA), "sent", 3)
    counted(household.key(EMMA), "received", 2, days_ago=5)
    counted(household.key(EMMA), "received", 90, days_ago=31)
    counted(household.key("luca@myfamily.net"), "received", 50)
    status, text = page(client, household.emma, household.emma)
    assert status == 200
    assert "<strong>9</strong> received and <strong>3</strong> sent in the last 30 days." in text
    assert '<svg class="chart"' in text
    assert text.count('class="chart-received"') == 3  # two days and the key
    assert "hx-trigger" not in text
    assert EMMA in text


def test_without_letters_it_says_so_and_looks_again(client: Client, household: Household) -> None:
    _status, text = page(client, household.emma, household.emma)
    assert EMPTY in text
    assert f'hx-get="/reports/person/{household.emma.pk}/"' in text
    assert "<svg" not in text


def test_a_guardian_sees_her_child(client: Client, household: Household) -> None:
    counted(household.key(EMMA), "received", 7)
    assert "<strong>7</strong> received" in page(client, household.anna, household.emma)[1]


@pytest.mark.parametrize(
    ("viewer", "person", "status"),
    [
        ("emma", "emma", 200),
        ("sara", "sara", 200),
        ("marco", "emma", 200),
        ("marco", "anna", 403),  # another guardian's letters are her own
        ("anna", "marco", 403),
        ("marco", "sara", 403),  # an owner's reports with names ask for a purpose first
        ("rita", "sara", 403),
        ("ada", "emma", 403),  # an administrator has the totals of the host
        ("ada", "rosa", 403),
        ("emma", "luca", 404),
        ("emma", "anna", 404),
        ("sara", "paolo", 404),
        ("sara", "emma", 404),
        ("rosa", "emma", 404),
        ("anna", "rosa", 404),
        ("anna", "sara", 404),
    ],
)
def test_it_checks_who_looks(client: Client, household: Household, viewer: str, person: str, status: int) -> None:
    assert page(client, household.people[viewer], household.people[person])[0] == status


def test_nobody_is_not_found(client: Client, household: Household) -> None:
    client.force_login(household.marco)
    assert client.get("/reports/person/999999/").status_code == 404


def test_who_is_not_signed_in_is_led_to_the_door(client: Client, household: Household) -> None:
    response = client.get(f"/reports/person/{household.emma.pk}/")
    assert response.status_code == 302
    assert response["Location"].startswith("/sign-in/")


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_it_only_shows(client: Client, household: Household, method: str) -> None:
    client.force_login(household.emma)
    assert getattr(client, method)(f"/reports/person/{household.emma.pk}/").status_code == 405


def test_all_mailboxes_of_a_person_are_summed(client: Client, household: Household) -> None:
    for address in ("sara@mybusiness.com", "info@mybusiness.com"):
        counted(household.key(address), "received", 4)
    text = page(client, household.sara, household.sara)[1]
    assert "<strong>8</strong> received" in text
    assert "info@mybusiness.com" in text


def test_a_day_leads_to_its_letters_for_who_may_see_them(client: Client, household: Household) -> None:
    with wishes("test", "test"):
        household.mailboxes[EMMA].mailboxperson_set.create(user=household.marco)
    counted(household.key(EMMA), "received", 1)
    door = f'href="/reports/person/{household.emma.pk}/letters/?what=received&amp;since='
    assert door in page(client, household.emma, household.emma)[1]
    assert door in page(client, household.marco, household.emma)[1]
    assert door not in page(client, household.anna, household.emma)[1]  # some of them are another grown-up's


def test_a_guardian_sees_the_mailboxes_of_the_family_alone(client: Client, household: Household) -> None:
    with wishes("test", "test"):
        box = household.mailboxes["info@mybusiness.com"]
        box.mailboxperson_set.create(user=household.emma)
    counted(box.key, "received", 4)
    counted(household.key(EMMA), "received", 1)
    text = page(client, household.anna, household.emma)[1]
    assert "<strong>1</strong> received" in text
    assert "info@" not in text
    assert "<strong>5</strong> received" in page(client, household.emma, household.emma)[1]


def test_a_person_without_a_mailbox(client: Client, household: Household) -> None:
    assert "No mailbox here" in page(client, household.ada, household.ada)[1]


def test_the_whole_page_has_a_title_and_one_heading(client: Client, household: Household) -> None:
    counted(household.key(EMMA), "received", 7)
    status, text = page(client, household.anna, household.emma, fragment=False)
    assert status == 200
    assert "<title>Letters of Emma" in text
    assert text.count("<h1") == 1


def test_it_asks_the_database_a_few_times(
    client: Client, household: Household, django_assert_max_num_queries: object
) -> None:
    for days in range(20):
        counted(household.key(EMMA), "received", 7, days_ago=days)
    client.force_login(household.anna)
    with django_assert_max_num_queries(16):  # type: ignore[operator]
        client.get(f"/reports/person/{household.emma.pk}/", headers={"HX-Request": "true"})


def test_a_name_is_text(client: Client, household: Household) -> None:
    with wishes("test", "test"):
        household.emma.name = "<script>alert(1)</script>"
        household.emma.save()
    assert "<script>alert" not in page(client, household.emma, household.emma, fragment=False)[1]


def test_no_page_leads_a_parent_to_figures_that_the_level_hides(client: Client, household: Household) -> None:
    door = f"/reports/person/{household.emma.pk}/"
    client.force_login(household.anna)
    assert door in client.get(f"/people/{household.emma.pk}/").text
    sight(household, "emma", "trusted")
    assert page(client, household.anna, household.emma)[0] == 403
    assert door not in client.get(f"/people/{household.emma.pk}/").text
