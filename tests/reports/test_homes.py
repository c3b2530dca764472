"""Where the first page leads: owners see their week, parents the children whose figures they may see."""

import pytest
from django.test import Client

from accounts.models import Membership
from accounts.wishes import wishes
from reports.models import AccessEntry
from tests.reports.conftest import Household, count

pytestmark = pytest.mark.django_db


def home(client: Client, house: Household, name: str) -> str:
    client.force_login(house.people[name])
    return client.get("/").text


def test_an_owner_is_shown_this_week(client: Client, household: Household) -> None:
    page = home(client, household, "marco")
    url = f"/reports/community/{household.communities['business'].pk}/"
    assert f'hx-get="{url}?range=7d"' in page
    assert f'href="{url}"' in page
    assert f'href="/reports/community/{household.communities["family"].pk}/"' in page
    count(household.key("sara@mybusiness.com"), "received", 7)
    part = client.get(f"{url}?range=7d", headers={"HX-Request": "true"}).text
    assert "7 letters were delivered" in part
    assert part.count("<li>") == 4
    assert part.count("<canvas") == 1
    assert "<html" not in part


@pytest.mark.parametrize("name", ["emma", "sara", "ada"])
def test_who_looks_after_nobody_is_led_to_her_own_figures_alone(
    client: Client, household: Household, name: str
) -> None:
    page = home(client, household, name)
    assert "/reports/community/" not in page


def test_of_whom_parents_see_nothing_no_figures_are_offered(client: Client, household: Household) -> None:
    with wishes("test", "test"):
        bond = Membership.objects.get(user=household.luca)
        bond.level = "trusted"
        bond.save()
    page = home(client, household, "anna")
    assert f"/reports/person/{household.emma.pk}/" in page
    assert f"/reports/person/{household.luca.pk}/" not in page
    url = f"/reports/person/{household.luca.pk}/"
    for headers in ({}, {"HX-Request": "true"}):
        assert client.get(url, headers=headers).status_code == 403
    assert client.get(f"{url}?format=csv&table=who").status_code == 403
    client.force_login(household.luca)
    assert client.get(url).status_code == 200


def test_a_parents_look_at_the_first_page_is_written_down(client: Client, household: Household) -> None:
    client.force_login(household.anna)
    for _ in range(2):
        client.get(f"/reports/person/{household.emma.pk}/", headers={"HX-Request": "true"})
    assert AccessEntry.objects.get().person == household.emma
    client.force_login(household.emma)
    client.get(f"/reports/person/{household.emma.pk}/", headers={"HX-Request": "true"})
    assert AccessEntry.objects.count() == 1


def test_the_page_of_what_is_stored_says_what_the_code_does(client: Client, household: Household) -> None:
    client.force_login(household.emma)
    page = client.get("/reports/stored/").text
    for days in (21, 30, 45, 400):
        assert f"Kept for <strong>{days} days</strong>." in page
    assert page.count("There is none now.") == 10
    count(household.key("emma@myfamily.net"), "received", 1)
    assert client.get("/reports/stored/").text.count("There is none now.") == 9
