"""Whose a mailbox is, where there are too many people to tick: found by name, named by address."""

import re
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from accounts.services import join
from accounts.wishes import wishes
from domains.choosing import FOUND, TICKED
from domains.models import Mailbox
from tests.household import Household

MANY = TICKED + 10
BOX = re.compile(r'<input class="form-check-input" type="checkbox" name="people" value="(\d+)"')


@pytest.fixture
def crowd(household: Household) -> Household:
    """The household, and so many children that nobody ticks them from a list."""
    add(household, 0, MANY)
    return household


def add(house: Household, first: int, last: int) -> None:
    """Children by number."""
    with wishes("test", "test"):
        for number in range(first, last):
            person = User(address=f"child{number:03}@outside.example", name=f"Child {number:03}")
            person.save()
            join(person, house.family, "protected")


def person(number: int) -> User:
    found: User = User.objects.get(address=f"child{number:03}@outside.example")
    return found


def people_of(mailbox: Mailbox) -> set[str]:
    return set(mailbox.people.values_list("name", flat=True))


def page_of(house: Household) -> str:
    return f"/mailboxes/{house.mailboxes['emma'].pk}/"


def saved(house: Household, **typed: object) -> str:
    """Save Emma's mailbox, as Anna; what the page says."""
    return house.client("anna").post(page_of(house), {"quota": "1G", **typed}, follow=True).text


def found(client: Client, text: str, **more: Any) -> list[int]:
    """Whose boxes a search shows."""
    return [int(one) for one in BOX.findall(client.get("/mailboxes/people/", {"q": text, **more}).text)]


def test_a_few_are_ticked(household: Household) -> None:
    text = household.client("anna").get(page_of(household)).text
    assert "Emma · emma@myfamily.net" in text
    assert "Luca · luca@myfamily.net" in text
    assert "people_written" not in text


def test_of_many_those_who_have_it_are_shown(crowd: Household) -> None:
    text = crowd.client("anna").get(page_of(crowd)).text
    assert [int(one) for one in BOX.findall(text)] == [crowd.people["emma"].pk]
    assert " checked" in text
    assert BOX.findall(crowd.client("anna").get("/mailboxes/add/").text) == []


def test_people_are_found_by_name_and_by_address(crowd: Household) -> None:
    client = crowd.client("anna")
    assert found(client, "CHILD 007") == [person(7).pk]
    assert found(client, "child008@") == [person(8).pk]
    assert len(found(client, "child")) == FOUND
    assert "More than 10 are found" in client.get("/mailboxes/people/", {"q": "child"}).text
    assert "1 person is found" in client.get("/mailboxes/people/", {"q": "child 007"}).text
    assert "Nobody else is found" in client.get("/mailboxes/people/", {"q": "zoe"}).text


def test_a_search_keeps_who_is_chosen_and_who_was(crowd: Household) -> None:
    emma, client = crowd.people["emma"].pk, crowd.client("anna")
    ticked, was = person(1).pk, person(2).pk
    assert found(client, "child 003", people=[emma, ticked], had=[was]) == [person(3).pk, ticked, was, emma]
    text = client.get("/mailboxes/people/", {"people": [ticked], "had": [was]}).text
    assert text.count(" checked") == 1
    assert found(client, "", people=["x", "9" * 40, "²"]) == []


@pytest.mark.parametrize("name", ["marco", "anna", "gino"])
def test_nobody_is_found_but_those_below(crowd: Household, name: str) -> None:
    other = crowd.people[name]
    client = crowd.client("anna")
    assert found(client, other.address) == []
    assert found(client, "", people=[other.pk], had=[other.pk]) == []
    said = saved(crowd, people=[crowd.people["emma"].pk], people_written=other.address)
    assert f"Nobody whom you look after signs in with “{other.address}”" in said
    saved(crowd, people=[crowd.people["emma"].pk, other.pk])
    assert people_of(crowd.mailboxes["emma"]) == {"Emma"}


def test_who_looks_after_nobody_searches_nobody(crowd: Household) -> None:
    assert crowd.client("emma").get("/mailboxes/people/", {"q": "luca"}).status_code == 403


def test_those_ticked_and_those_written_have_it(crowd: Household) -> None:
    typed = f"Child001@Outside.Example, {person(2).address}\r\n\r\n{person(3).address};luca@myfamily.net\r\n"
    assert "is saved" in saved(crowd, people=[crowd.people["emma"].pk, person(4).pk], people_written=typed)
    assert people_of(crowd.mailboxes["emma"]) == {"Emma", "Luca", "Child 001", "Child 002", "Child 003", "Child 004"}
    assert "is saved" in saved(crowd, people=[person(4).pk])
    assert people_of(crowd.mailboxes["emma"]) == {"Child 004"}


@pytest.mark.parametrize("written", ["nobody@myfamily.net", "Luca", "lu\0ca@myfamily.net", "@", "1"])
def test_an_address_of_nobody_is_said_and_kept(crowd: Household, written: str) -> None:
    both = [crowd.people["emma"].pk, person(5).pk]
    answer = crowd.client("anna").post(
        page_of(crowd), {"quota": "1G", "people": both, "people_written": f"luca@myfamily.net\n{written}"}
    )
    assert answer.status_code == 422
    assert 'id="id_people_error"' in answer.text
    assert "Nobody whom you look after signs in with" in answer.text
    assert "signs in with “luca@myfamily.net”" not in answer.text
    assert '<details class="people-written" open>' in answer.text
    assert "luca@myfamily.net\n" in answer.text
    assert {int(one) for one in BOX.findall(answer.text)} == set(both)
    assert people_of(crowd.mailboxes["emma"]) == {"Emma"}


def test_too_many_addresses_are_refused(crowd: Household) -> None:
    assert "more than 500 addresses" in saved(crowd, people_written="\n".join(f"a{n}@b.example" for n in range(501)))


@pytest.mark.parametrize("number", ["x", "9" * 20, "-1", "²"])
def test_a_number_of_nobody_is_refused(crowd: Household, number: str) -> None:
    answer = crowd.client("anna").post(page_of(crowd), {"quota": "1G", "people": [number]})
    assert answer.status_code == 422
    assert 'id="id_people_error"' in answer.text


def test_a_new_mailbox_is_somebodys_by_address(crowd: Household) -> None:
    typed = {"local": "games", "domain": crowd.home.pk, "whose": "here", "quota": "1G"}
    client = crowd.client("anna")
    assert "Tick at least one person" in client.post("/mailboxes/add/", typed).text
    answer = client.post("/mailboxes/add/", {**typed, "people_written": "luca@myfamily.net"}, follow=True)
    assert "The mailbox games@myfamily.net is added." in answer.text
    assert people_of(Mailbox.objects.get(address="games@myfamily.net")) == {"Luca"}


def test_the_link_of_a_person_has_chosen_her(crowd: Household) -> None:
    client = crowd.client("anna")
    assert BOX.findall(client.get("/mailboxes/add/", {"person": person(9).pk}).text) == [str(person(9).pk)]
    for nobodys in ("x", "9" * 40, str(crowd.people["gino"].pk)):
        assert BOX.findall(client.get("/mailboxes/add/", {"person": nobodys}).text) == []


def test_names_are_text(crowd: Household) -> None:
    with wishes("test", "test"):
        crowd.person("luca", name='Luca <b onclick="x">')
    text = crowd.client("anna").get("/mailboxes/people/", {"q": "luca"}).text
    assert "Luca &lt;b onclick=&quot;x&quot;&gt;" in text


@pytest.mark.parametrize("path", ["", "/mailboxes/add/", "/mailboxes/people/?q=child"])
def test_neither_queries_nor_size_grow_with_the_people(crowd: Household, path: str) -> None:
    before = cost(crowd.client("anna"), path or page_of(crowd))
    add(crowd, MANY, 4 * MANY)
    after = cost(crowd.client("anna"), path or page_of(crowd))
    assert after[0] == before[0]
    assert abs(after[1] - before[1]) < 50  # numbers have more digits


def cost(client: Client, path: str) -> tuple[int, int]:
    """How often a page asks the database, and how long it is."""
    client.get(path)
    with CaptureQueriesContext(connection) as asked:
        answer = client.get(path)
    assert answer.status_code == 200
    return len(asked), len(answer.content)
