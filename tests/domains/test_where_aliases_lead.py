"""A change elsewhere must not leave an alias that leads nowhere, or in a circle: neither would reach the mail host."""

import pytest
from django.core.exceptions import ValidationError

from accounts.wishes import wishes
from domains.models import Alias, Domain
from domains.services import delete_alias, delete_mailbox
from tests.household import Household


@pytest.fixture
def taken(household: Household) -> Household:
    """The family's catch-all leads to Anna; `old.example` is another name of its domain."""
    with wishes("test", "test"):
        household.alias("@myfamily.net", "anna@myfamily.net")
        Domain(name="old.example", kind="alias", alias_of=household.home).save()
    return household


@pytest.mark.parametrize("target", ["typo@myfamily.net", "typo@old.example", "typo+x@myfamily.net"])
def test_a_catch_all_does_not_lead_to_what_only_it_takes(taken: Household, target: str) -> None:
    answer = taken.client("marco").post(f"/aliases/{taken.aliases['@myfamily.net'].pk}/", {"targets": target})
    assert answer.status_code == 422
    assert "in a circle: typo@myfamily.net → typo@myfamily.net" in answer.text


def test_a_catch_all_does_not_come_back_through_another_alias(taken: Household) -> None:
    with wishes("test", "test"):
        taken.alias("x@myfamily.net", "typo@myfamily.net")
    catch_all = taken.aliases["@myfamily.net"]
    catch_all.targets = ["x@myfamily.net"]
    with pytest.raises(ValidationError, match="circle"), wishes("test", "test"):
        catch_all.save()


@pytest.mark.parametrize("target", ["luca+games@myfamily.net", "luca@old.example", "luca+games@old.example"])
def test_a_mailbox_takes_along_what_leads_to_it_in_other_words(taken: Household, target: str) -> None:
    with wishes("test", "test"):
        taken.alias("x@myfamily.net", target)
        taken.alias("y@myfamily.net", target, "emma@myfamily.net")
    page = taken.client("marco").get(f"/mailboxes/{taken.mailboxes['luca'].pk}/delete/").text
    assert "x@myfamily.net" in page
    with wishes("test", "test"):
        delete_mailbox(taken.mailboxes["luca"])
    assert not Alias.objects.filter(address="x@myfamily.net").exists()
    assert Alias.objects.get(address="y@myfamily.net").targets == ["emma@myfamily.net"]


@pytest.mark.parametrize("target", ["typo@myfamily.net", "typo@old.example"])
def test_a_catch_all_stays_while_an_alias_needs_it(taken: Household, target: str) -> None:
    with wishes("test", "test"):
        taken.alias("x@myfamily.net", target)
    with pytest.raises(ValidationError, match="typo@"), wishes("test", "test"):
        delete_alias(taken.aliases["@myfamily.net"])


@pytest.mark.parametrize("kind", ["mail", "alias"])
def test_a_domain_that_comes_here_brings_no_dead_end(household: Household, kind: str) -> None:
    with wishes("test", "test"):
        household.alias("x@myfamily.net", "a@new.example")
    typed = {"name": "new.example", "kind": kind, "community": household.family.pk, "alias_of": household.home.pk}
    answer = household.client("marco").post("/domains/add/", typed)
    assert answer.status_code == 422
    assert "a@new.example is not an address here" in answer.text


def test_a_domain_that_comes_here_closes_no_circle(household: Household) -> None:
    with wishes("test", "test"):
        household.alias("x@myfamily.net", "a@new.example")
        household.alias("a@myfamily.net", "x@myfamily.net")
    with pytest.raises(ValidationError, match="circle"), wishes("test", "test"):
        Domain(name="new.example", kind="alias", alias_of=household.home).save()
