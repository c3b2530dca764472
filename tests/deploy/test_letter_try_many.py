"""Try a letter, where there are too many people for a list of those who may be signed in: the address is written."""

import pytest
from django.test import Client

from domains.choosing import TICKED
from tests.household import Household
from tests.policies.test_many_kept import hire

SARA = "sara@mybusiness.com"
OWN = {"kind": "own", "mailbox": "gino@mybusiness.com", "subject": "Ciao", "text": "Come va?"}


@pytest.fixture
def office(household: Household) -> Household:
    """A business with so many members that nobody chooses from them."""
    hire(household, 0, TICKED + 10)
    return household


def url(house: Household) -> str:
    return f"/family/{house.people['gino'].pk}/try/"


def errors(client: Client, house: Household, login: str) -> str:
    """What is wrong with this login; nothing when the host was asked."""
    answer = client.post(url(house), {**OWN, "login": login})
    return str(answer.context["form"].errors["login"]) if answer.status_code == 422 else ""


def test_a_few_are_chosen_from(household: Household) -> None:
    assert f'<option value="{SARA}">' in household.client("olivia").get(url(household)).text


def test_of_many_the_address_is_written(office: Household) -> None:
    client = office.client("olivia")
    text = client.get(url(office)).text
    assert '<input type="text" name="login"' in text
    assert SARA not in text
    for login in ("olivia@mybusiness.com", " Sara@MyBusiness.com ", "m7@mybusiness.com"):
        assert errors(client, office, login) == ""


@pytest.mark.parametrize(
    "login",
    [
        "gino@mybusiness.com",  # whose letters are tried
        "info@mybusiness.com",  # shared, nobody signs in with it
        "marco@myfamily.net",
        "luca@myfamily.net",
        "nobody@mybusiness.com",
        "nobody@elsewhere.example",
    ],
)
def test_no_other_login_is_tried(office: Household, login: str) -> None:
    assert f"Nobody whose list you keep signs in as “{login}”" in errors(office.client("olivia"), office, login)


def test_what_is_no_address_is_refused(office: Household) -> None:
    assert "is not an address" in errors(office.client("olivia"), office, "sara")
    assert "Choose who is signed in" in errors(office.client("olivia"), office, "")


def test_the_page_does_not_grow_with_the_people(office: Household) -> None:
    client = office.client("olivia")
    before = len(client.get(url(office)).content)
    hire(office, TICKED + 10, 4 * TICKED)
    assert abs(len(client.get(url(office)).content) - before) < 50
