"""The page with the totals of the host."""

import pytest
from django.test import Client

from tests.reports.conftest import Household, count

pytestmark = pytest.mark.django_db


def test_an_administrator_sees_sums_and_no_names(client: Client, household: Household) -> None:
    for column, letters in (("received", 41), ("sent", 12), ("rejected", 5), ("bounced", 6), ("deferred", 8)):
        for host in ("primary", "second"):
            count("", column, letters, host=host)
    count(household.key("emma@myfamily.net"), "received", 3)
    client.force_login(household.ada)
    text = client.get("/reports/host/", headers={"HX-Request": "true"}).content.decode()
    assert "<strong>82</strong> received and <strong>24</strong> sent in the last 30 days." in text
    for number in ("<dd>10</dd>", "<dd>12</dd>", "<dd>16</dd>"):
        assert number in text
    assert "myfamily" not in text


def test_an_empty_host_says_so(client: Client, household: Household) -> None:
    client.force_login(household.ada)
    assert "No letters yet." in client.get("/reports/host/", headers={"HX-Request": "true"}).content.decode()


@pytest.mark.parametrize("viewer", ["marco", "anna", "emma", "rita", "sara", "rosa"])
def test_it_is_for_administrators(client: Client, household: Household, viewer: str) -> None:
    client.force_login(household.people[viewer])
    assert client.get("/reports/host/", headers={"HX-Request": "true"}).status_code == 403


def test_the_whole_page_has_a_title_and_one_heading(client: Client, household: Household) -> None:
    client.force_login(household.ada)
    text = client.get("/reports/host/").content.decode()
    assert "<title>Letters of the host" in text
    assert text.count("<h1") == 1
