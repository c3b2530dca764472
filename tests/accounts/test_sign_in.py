import pytest
from django.core.cache import cache
from django.test import Client

from accounts.wishes import wishes
from tests.household import PASSWORD, Household

URL = "/sign-in/"
WRONG = "Address or password is wrong"


@pytest.fixture(autouse=True)
def no_guesses_yet() -> None:
    cache.clear()


def typed(address: str, password: str = PASSWORD, **more: str) -> dict[str, str]:
    return {"username": address, "password": password, **more}


def test_it_lets_somebody_in_however_the_address_is_typed(household: Household) -> None:
    client = Client()
    assert client.post(URL, typed(" Emma@MyFamily.NET ")).headers["Location"] == "/"
    assert "Hello Emma" in client.get("/").text


@pytest.mark.parametrize(
    ("address", "password"),
    [
        ("emma@myfamily.net", "not her password"),
        ("nobody@myfamily.net", PASSWORD),
        ("emma@myfamily.net\n", PASSWORD + "x"),
        ("|x@myfamily.net", PASSWORD),
        ("a" * 320 + "@myfamily.net", PASSWORD),
    ],
)
def test_it_does_not_say_which_of_the_two_is_wrong(household: Household, address: str, password: str) -> None:
    answer = Client().post(URL, typed(address, password))
    assert answer.status_code == 422
    assert WRONG in answer.text
    assert password not in answer.text


def test_a_nul_is_refused_in_a_sentence(household: Household) -> None:
    answer = Client().post(URL, typed("emma\0@myfamily.net"))
    assert answer.status_code == 422
    assert "Null characters are not allowed." in answer.text


def test_somebody_who_is_disabled_stays_outside(household: Household) -> None:
    signed_in = household.client("gino")
    with wishes("test", "test"):
        household.person("gino", active=False)
    assert WRONG in Client().post(URL, typed("gino@mybusiness.com")).text
    assert signed_in.get("/").headers["Location"].startswith(URL)  # and is put outside


def test_guessing_has_to_wait(household: Household) -> None:
    client = Client()
    for _guess in range(5):
        assert client.post(URL, typed("emma@myfamily.net", "a guess")).status_code == 422
    answer = client.post(URL, typed("emma@myfamily.net"))
    assert answer.status_code == 429
    assert "wait five minutes" in answer.text
    assert answer.headers["Retry-After"] == "300"
    assert client.post(URL, typed("luca@myfamily.net")).status_code == 302  # others may come in


def test_one_client_cannot_try_everybody(household: Household) -> None:
    client = Client()
    for guess in range(50):
        client.post(URL, typed(f"guess{guess}@myfamily.net", "\0"))  # refused before it is counted
    assert client.post(URL, typed("emma@myfamily.net")).status_code == 302
    other = Client()
    cache.clear()
    for guess in range(50):
        other.post(URL, typed(f"guess{guess}@elsewhere", "a guess"))
    assert other.post(URL, typed("emma@myfamily.net")).status_code == 429


@pytest.mark.parametrize("place", ["https://evil.example/", "//evil.example", "javascript:alert(1)", "/\\evil.example"])
def test_it_leads_to_no_other_site(household: Household, place: str) -> None:
    assert Client().post(URL, typed("emma@myfamily.net", next=place)).headers["Location"] == "/"
    assert "evil" not in Client().get(URL, {"next": place}).text


def test_it_leads_on_to_the_page_that_was_asked_for(household: Household) -> None:
    client = Client()
    door = client.get("/me/password/").headers["Location"]
    assert 'value="/me/password/"' in client.get(door).text
    assert client.post(door, typed("emma@myfamily.net", next="/me/password/")).headers["Location"] == "/me/password/"


def test_a_form_from_elsewhere_is_refused_with_a_remedy(household: Household) -> None:
    answer = Client(enforce_csrf_checks=True).post(URL, typed("emma@myfamily.net"))
    assert answer.status_code == 403
    assert "nothing was changed" in answer.text
