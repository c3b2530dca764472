"""Who may see the report of a family or a business: POLICY's row "reports with names", as what a browser gets."""

import pytest
from django.test import Client
from django.urls import reverse

from accounts.wishes import wishes
from tests.household import Household
from tests.test_urls_rights import BAD, GONE, NO, ODD, OK


@pytest.fixture(autouse=True)
def ulla(household: Household) -> None:
    """An administrator who belongs nowhere and has a mailbox."""
    with wishes("test", "test"):
        household.settle("ulla", household.home, "guardian")
        household.people["ulla"].memberships.get().delete()
        household.person("ulla", administrator=True)


@pytest.mark.parametrize(
    ("who", "family", "business"),
    [
        ("anna", OK, GONE),
        ("marco", OK, OK),
        ("olivia", GONE, OK),
        ("rita", GONE, OK),
        ("emma", NO, GONE),
        ("sara", GONE, NO),
        ("ulla", NO, NO),  # an administrator
    ],
)
def test_reports_are_for_guardians_owners_and_managers(
    household: Household, who: str, family: int, business: int
) -> None:
    client = household.client(who)
    for community, status in ((household.family, family), (household.business, business)):
        url = reverse("report-community", args=[community.pk])
        assert client.get(url).status_code == status
        assert client.put(url).status_code == ODD
        assert Client().get(url)["Location"].startswith("/sign-in/")
        sends = BAD if status == OK and who in ("marco", "olivia") and community == household.business else status
        assert client.post(url, {}).status_code == (NO if sends == OK else sends)


@pytest.mark.parametrize(
    ("who", "family", "business"),
    [
        ("anna", OK, GONE),
        ("marco", OK, NO),  # an owner says first why he needs names
        ("olivia", GONE, NO),
        ("rita", GONE, NO),
        ("emma", NO, GONE),
        ("sara", GONE, NO),
        ("ulla", NO, NO),
    ],
)
def test_single_letters_are_for_whom_the_level_or_a_purpose_lets(
    household: Household, who: str, family: int, business: int
) -> None:
    client = household.client(who)
    for community, status in ((household.family, family), (household.business, business)):
        url = f"{reverse('letter-list-community', args=[community.pk])}?what=sent"
        own = (
            f"{url}&of={household.people[who].mailboxes.get().pk}"
            if community == household.family and family == OK
            else url
        )
        for mode in ("", "&mode=names"):
            assert client.get(f"{own}{mode}").status_code == status
        assert client.post(url, {}).status_code == ODD
        assert Client().get(url)["Location"].startswith("/sign-in/")
