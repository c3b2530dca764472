from datetime import UTC, datetime

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.wishes import Wishes, wishes
from deploy.models import MailHost
from deploy.views import pages
from tests.household import Household


def hosts(**values: object) -> None:
    """What the worker wrote about the mail host."""
    MailHost.objects.update(**{"seen": datetime.now(UTC), "applied": Wishes.current(), **values})


def test_the_first_line_says_that_mail_is_working(household: Household) -> None:
    hosts()
    text = household.client("marco").get("/").text
    assert "Mail is working." in text
    assert "Everything you saved is live." in text


def test_it_says_when_a_host_is_silent(household: Household) -> None:
    hosts(seen=datetime(2026, 1, 1, tzinfo=UTC))
    text = household.client("marco").get("/").text
    assert "A mail host does not answer." in text
    assert "Mail is working." not in text


def test_it_says_why_a_change_failed(household: Household) -> None:
    hosts(error="postmap could not read <aliases>.", failed=Wishes.current(), applied=0)
    text = household.client("marco").get("/").text
    assert "A change could not be made live." in text
    assert "postmap could not read &lt;aliases&gt;." in text


def test_a_parent_sees_the_children(household: Household) -> None:
    text = household.client("anna").get("/").text
    assert "Hello Anna" in text
    assert "emma@myfamily.net" in text
    assert "Mail is working" not in text
    assert "emma@" not in household.client("luca").get("/").text


def asked(client: Client, generation: int) -> str:
    """What the page that follows a generation gets."""
    answer = client.get(f"/state/{generation}/", headers={"HX-Request": "true"})
    return "" if answer.status_code == 204 else answer.text


def test_a_change_is_on_its_way_then_live(household: Household) -> None:
    now, client = Wishes.current(), household.client("emma")
    hosts(applied=now - 1)
    assert asked(client, now) == ""
    assert "on its way" in client.get(f"/state/{now}/").text  # without JavaScript
    hosts(applied=now)
    assert "live" in asked(client, now)
    assert "hx-trigger" not in asked(client, now)
    assert client.get(f"/state/{now + 1}/").status_code == 404
    assert client.get(f"/state/{now + 1}/", headers={"HX-Request": "true"}).status_code == 286  # asks no more


def test_a_failure_says_why_to_the_administrator_alone(household: Household) -> None:
    now = Wishes.current()
    hosts(applied=now - 1, failed=now, error="secret@mybusiness.com cannot be written.")
    assert "secret@mybusiness.com" in asked(household.client("marco"), now)
    text = asked(household.client("anna"), now)
    assert "failed" in text
    assert "secret@" not in text


@pytest.mark.parametrize("page", ["/mailboxes/", "/aliases/", "/people/", "/domains/", "/communities/", "/"])
def test_a_longer_list_asks_the_database_no_more(household: Household, page: str) -> None:
    client = household.client("marco")
    client.get(page)
    with CaptureQueriesContext(
        connection,
    ) as few:
        client.get(page)
    with wishes("test", "test"):
        for number in range(12):
            household.settle(f"child{number}", household.home, "protected")
            household.alias(f"alias{number}@mybusiness.com", "ivo", "sara")
            domain = household.home.__class__(name=f"d{number}.example", kind="alias", alias_of=household.home)
            domain.save()
    with CaptureQueriesContext(connection) as many:
        assert client.get(page).status_code == 200
    assert len(many) <= len(few)
    assert len(many) <= (23 if page == "/" else 17)  # home also says what waits, and whose figures there are


def test_every_answer_keeps_scripts_to_our_own_files(household: Household) -> None:
    for page in ("/", "/mailboxes/", "/nothing/"):
        answer = household.client("marco").get(page)
        assert "script-src 'self'" in answer.headers["Content-Security-Policy"]
        assert " style=" not in answer.text
        assert "onclick" not in answer.text


def test_a_page_that_is_not_here_says_so_in_our_look(household: Household) -> None:
    answer = household.client("emma").get("/nothing/")
    assert answer.status_code == 404
    assert "There is no such page" in answer.text


def test_a_request_that_is_none_is_answered_in_our_look(household: Household) -> None:
    answer = household.client("emma").get("/", headers={"host": "evil.example"})
    assert answer.status_code == 400
    assert "was not understood" in answer.text


def test_a_mistake_of_ours_says_that_it_is_ours(household: Household, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_person: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(pages, "children_of", broken)
    client = household.client("emma")
    client.raise_request_exception = False
    answer = client.get("/")
    assert answer.status_code == 500
    assert "our mistake, not yours" in answer.text
    assert "ZeroDivisionError" not in answer.text
