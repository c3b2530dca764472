"""Whom a stranger may make himself a look-alike of: who is listed, and the family; not who is blocked."""

import pytest

from accounts.wishes import wishes
from deploy.services.questions import entries
from policies.lookalike import like
from policies.models import Contact
from tests.household import Household

pytestmark = pytest.mark.django_db


def test_mum_and_nonna_are_imitated_and_a_bully_is_not(household: Household):
    emma = household.people["emma"]
    with wishes("anna", "test"):
        Contact(person=emma, address="nonna.rosa@gmail.com").save()
        Contact(person=emma, address="bully@outside.example", kind="blocked").save()
        Contact(person=emma, address="pen.pal@outside.example", direction="out").save()
        Contact(community=household.family, address="@scuola-verdi.edu.it").save()
        Contact(person=household.people["luca"], address="friend@outside.example").save()
    listed = entries(household.mailboxes["emma"], "out")
    family = [f"{name}@myfamily.net" for name in ("anna", "emma", "luca", "marco")]
    assert listed == sorted(["@scuola-verdi.edu.it", "nonna.rosa@gmail.com", *family])
    assert like("anna@myfami1y.net", listed) == "anna@myfamily.net"
    assert like("bully1@outside.example", listed) == ""


def test_a_mailbox_that_is_gone_has_no_list():
    assert entries(None, "out") == []
