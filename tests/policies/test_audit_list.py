"""The audit log on a page: who sees what of it, what is found, and what a file of it proves."""

import csv
import html
import io
import itertools
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.http import StreamingHttpResponse
from django.test.utils import CaptureQueriesContext

from accounts.models import AuditEntry
from accounts.wishes import SEALED, note_act, sealed, wishes
from policies import auditing
from policies.models import Contact, FilterRule
from tests.accounts.test_wishes import wish_models
from tests.household import Household

URL = "/changes/audit/"
pytestmark = pytest.mark.django_db


@pytest.fixture
def house(household: Household) -> Household:
    """Something of everybody's was changed. Ulla is an administrator and nobody's parent."""
    with wishes("test", "test"):
        household.settle("ulla", household.home, "guardian")
        household.people["ulla"].memberships.get().refreshed().delete()
        household.person("ulla", administrator=True)
    with wishes("anna@myfamily.net", "page"):
        Contact(person=household.people["emma"], address="nonna.rosa@gmail.com", name="Nonna").save()
        Contact(person=household.people["marco"], address="boss@work.example").save()
        Contact(community=household.family, address="@scuola-verdi.edu.it").save()
        FilterRule(mailbox=household.mailboxes["emma"], then=[{"action": "file", "folder": "Segreti"}]).save()
        FilterRule(mailbox=household.mailboxes["info"], then=[{"action": "file", "folder": "Fatture"}]).save()
        level = household.people["luca"].memberships.get().refreshed()
        level.level = "trusted"
        level.save()
    with wishes("rita@mybusiness.com", "page"):
        household.person("gino", name="Gino Bartali")
    note_act("marco@myfamily.net", "queue", "letter 4XYZ", {"to": ["…@outside.example"]})
    return household


def text(house: Household, who: str, **asked: str) -> str:
    answer = house.client(who).get(URL, asked)
    assert answer.status_code == 200
    return " ".join(html.unescape(re.sub(r"<[^>]*>", "", answer.text)).split())


def body(house: Household, reader: str, save: str, **asked: str) -> bytes:
    answer = house.client(reader).get(URL, {**asked, "save": save})
    assert isinstance(answer, StreamingHttpResponse)
    assert answer["Content-Disposition"] == f'attachment; filename="audit.{save}"'
    content: Iterator[bytes] = answer.streaming_content
    return b"".join(content)


def saved(house: Household, reader: str, **asked: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(body(house, reader, "json", **asked))
    return found


def test_every_kind_is_open_or_private() -> None:
    kinds = {str(model._meta.model_name) for model in wish_models()} | {"act"}
    assert kinds == auditing.OPEN | auditing.PRIVATE
    assert not auditing.OPEN & auditing.PRIVATE


@pytest.mark.parametrize("who", ["emma", "luca", "rita", "sara", "gino"])
def test_others_have_no_part_in_it(house: Household, who: str) -> None:
    answer = house.client(who).get(URL)
    assert answer.status_code == 403
    assert "Who changed what" not in house.client(who).get("/").text


def test_an_administrator_sees_that_lists_and_rules_changed_and_not_what_they_say(house: Household) -> None:
    page = text(house, "ulla")
    for word in ("nonna.rosa", "Nonna", "boss@", "scuola-verdi", "Segreti", "Fatture", "trusted"):
        assert word not in page, word
    for word in ("… · emma@myfamily.net", "… · Fioretti family", "Gino Bartali", "letter 4XYZ", "•••"):
        assert word in page, word


def test_a_guardian_sees_what_is_her_childrens_and_her_familys(house: Household) -> None:
    page = text(house, "anna")
    for word in ("nonna.rosa@gmail.com · emma@", "@scuola-verdi.edu.it · Fioretti family", "Segreti", "trusted"):
        assert word in page, word
    for word in ("boss@", "Fatture", "gino", "4XYZ", "mybusiness.com "):
        assert word not in page, word
    assert "… · marco@myfamily.net" in page


def test_an_owner_sees_her_business(house: Household) -> None:
    page = text(house, "olivia")
    assert "Gino Bartali" in page
    assert "info@mybusiness.com" in page
    for word in ("emma@", "nonna", "boss@", "Fatture", "4XYZ"):
        assert word not in page, word  # a mailbox of several has rules that are theirs


def test_somebody_may_be_both(house: Household) -> None:
    page = text(house, "marco")
    for word in ("nonna.rosa@gmail.com · emma@", "boss@work.example", "Gino Bartali", "letter 4XYZ"):
        assert word in page, word
    assert "Fatture" not in page


@pytest.mark.parametrize("word", ["nonna", "rosa@gmail.com", "boss", "scuola"])
def test_what_is_hidden_cannot_be_looked_for(house: Household, word: str) -> None:
    assert saved(house, "ulla", q=word) == []
    assert saved(house, "anna", q=word) == saved(house, "anna", q=word.upper())
    assert len(saved(house, "anna", q=word)) == (word != "boss")
    assert len(saved(house, "marco", q=word)) == 1


def test_what_concerns_nobodys_community_is_the_administrators_alone(house: Household) -> None:
    with wishes("ulla@myfamily.net", "page"):
        house.home.__class__(name="backup.example", kind="backup", relay_to="mx.other.example").save()
    assert "backup.example" in text(house, "ulla")
    assert "backup.example" not in text(house, "anna") + text(house, "olivia")


def test_what_was_written_before_it_said_whom_it_concerns_is_so_too(house: Household) -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE accounts_auditentry SET person = NULL, communities = '', whose = ''")
    assert saved(house, "anna") == []
    page = text(house, "ulla")
    assert "nonna" not in page
    assert saved(house, "ulla", q="nonna") == []


def test_who_has_left_is_no_longer_looked_after(house: Household) -> None:
    with wishes("marco@myfamily.net", "page"):
        house.people["emma"].memberships.get().refreshed().delete()
    page = text(house, "anna")
    assert "nonna" not in page
    assert "… · emma@myfamily.net" in page


def test_it_is_narrowed(house: Household) -> None:
    def kinds(**asked: str) -> set[str]:
        return {row["kind"] for row in saved(house, "marco", **asked)}

    assert kinds(kind="contact") == {"contact"}
    assert kinds(who="rita@") == {"user"}
    assert kinds(door="queue") == {"act"}
    assert kinds(q="gino bartali") == set()
    today = datetime.now(UTC).date()
    assert kinds(since=str(today + timedelta(days=2))) == set()
    assert kinds(until=str(today - timedelta(days=2))) == set()
    assert "user" in kinds(since=str(today - timedelta(days=2)), until=str(today + timedelta(days=2)))
    assert kinds(since="nonsense", kind="nonsense") == kinds()
    assert kinds(since="0001-01-01", until="9999-12-31") == kinds()


def test_a_page_has_fifty_and_asks_the_database_no_more(house: Household) -> None:
    client = house.client("anna")
    client.get(URL)
    with CaptureQueriesContext(connection) as few:
        client.get(URL, {"kind": "contact"})
    with wishes("anna@myfamily.net", "page"):
        for number in range(60):
            Contact(person=house.people["emma"], address=f"friend{number}@outside.example").save()
    with CaptureQueriesContext(connection) as many:
        page = client.get(URL, {"kind": "contact"}).text
    assert page.count('<details class="card row-way">') == 50
    assert len(many) <= len(few)
    assert "friend0@" in client.get(URL, {"kind": "contact", "page": "2"}).text


def test_a_stranger_verifies_what_he_may_see(house: Household) -> None:
    rows = saved(house, "marco")
    assert [row["number"] for row in rows] == sorted((row["number"] for row in rows), reverse=True)
    for newer, older in itertools.pairwise(rows):
        assert newer["previous"] == older["digest"]
    for row in rows:
        values = [datetime.fromisoformat(row["when"]), *(row[name] for name in SEALED[1:])]
        assert (sealed(row["previous"], values) == row["digest"]) != row["hidden"]
    assert {row["hidden"] for row in rows} == {True, False}
    assert all(bool(row["salt"]) != row["hidden"] for row in rows)


def test_a_sheet_holds_no_formula(house: Household) -> None:
    with wishes("=HYPERLINK(1)", "page"):
        house.person("emma", name="=1+1")
    rows = list(csv.reader(io.StringIO(body(house, "anna", "csv").decode("utf-8-sig"))))
    assert rows[0][:5] == ["number", "when", "generation", "who", "door"]
    assert rows[1][3] == "'=HYPERLINK(1)"
    assert json.loads(rows[1][8]) == {"name": "=1+1"}
    assert not [cell for row in rows for cell in row if cell[:1] in ("=", "+", "-", "@")]


def test_a_file_of_nothing_is_whole(house: Household) -> None:
    assert saved(house, "ulla", q="there is no such thing") == []
    assert body(house, "ulla", "csv", q="there is no such thing").decode("utf-8-sig") == ""


def test_the_page_in_italian_and_empty(house: Household) -> None:
    client = house.client("anna")
    page = client.get(URL, headers={"accept-language": "it"}).text
    assert "Chi ha cambiato che cosa" in page
    assert "No change is like that" in text(house, "anna", q="there is no such thing")
    assert AuditEntry.objects.count() > 20
