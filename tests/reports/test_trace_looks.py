"""Looking where a child's letters are is written down for the child to read."""

from django.test import Client

from reports.models import AccessEntry
from tests.reports.conftest import Household
from tests.reports.test_letter_trace import ANNA, page


def test_a_child_can_read_who_looked_where_its_letters_are(client: Client, household: Household) -> None:
    page(client, household.emma, f"/reports/trace/{household.emma.pk}/")
    assert not AccessEntry.objects.exists()
    for _look in range(2):
        page(client, household.anna, f"/reports/trace/{household.emma.pk}/")
    assert AccessEntry.objects.values_list("who", "person").get() == (ANNA, household.emma.pk)
    assert ANNA in page(client, household.emma, "/reports/seen/")
