"""The page that says what an older database would take back, and the button that lets it count."""

from datetime import UTC, datetime
from typing import Any

import pytest

from accounts.wishes import AuditEntry, Wishes, wishes
from deploy.models import MailHost
from deploy.services import older
from policies.models import Answer
from tests.household import Household
from tests.policies.letters import held

SENTENCE = "The live release on primary is of generation 900, which this database did not make."


@pytest.fixture
def ahead(household: Household) -> Household:
    """A host that knows more than the household's database."""
    MailHost.objects.update(ahead=900, error=SENTENCE, failed=Wishes.current(), applied=Wishes.current())
    MailHost.objects.update(seen=datetime.now(UTC))
    return household


def address() -> str:
    """Where the page is."""
    return f"/hosts/{MailHost.objects.get().pk}/confirm/"


def test_the_first_page_says_so_and_leads_there(ahead: Household) -> None:
    text = ahead.client("marco").get("/").text
    assert "This database is older than the mail host." in text
    assert "Mail is working." not in text
    assert "Everything you saved is live." not in text
    assert address() in text
    assert address() not in ahead.client("anna").get("/").text


def test_the_page_says_what_will_happen_and_does_nothing(ahead: Household) -> None:
    letter = held(ahead.mailboxes["emma"], "zia@outside.example")
    with wishes("anna@myfamily.net", "page"):
        Answer(question=letter.questions.get(), choice="no").save()
    newest = Wishes.current()
    text = ahead.client("marco").get(address()).text
    for words in ("up to number 900", f"up to number {newest}", "passwords, suspensions and blocks", "1 answer to"):
        assert words in text
    assert (MailHost.objects.get().ahead, Wishes.current()) == (900, newest)
    assert Answer.objects.exists()


def test_whoever_sends_it_lets_this_database_count(ahead: Household, monkeypatch: pytest.MonkeyPatch) -> None:
    poked: list[str] = []
    monkeypatch.setattr("deploy.views.hosts.poke", poked.append)
    answer = ahead.client("marco").post(address(), {"ahead": "900"})
    assert (answer.status_code, answer.headers["Location"]) == (302, "/?generation=901")
    host = MailHost.objects.get()
    assert (host.ahead, host.error, host.expected, Wishes.current()) == (0, "", 900, 901)
    assert poked == ["primary"]
    assert AuditEntry.objects.latest("pk").who == "marco@myfamily.net"


@pytest.mark.parametrize("sent", [{}, {"ahead": "899"}, {"ahead": "x"}])
def test_what_does_not_name_what_was_shown_is_refused(ahead: Household, sent: dict[str, Any]) -> None:
    answer = ahead.client("marco").post(address(), sent)
    assert answer.status_code == 422
    assert MailHost.objects.get().ahead == 900


def test_it_is_for_administrators_and_only_while_there_is_something_to_confirm(ahead: Household) -> None:
    for name in ("anna", "emma", "olivia", "rita", "sara"):
        for method in ("get", "post"):
            assert getattr(ahead.client(name), method)(address(), {"ahead": "900"}).status_code == 403
    MailHost.objects.update(ahead=0)
    for method in ("get", "post"):
        assert getattr(ahead.client("marco"), method)(address(), {"ahead": "900"}).status_code == 404


def test_a_worker_that_looked_a_moment_before_does_not_take_it_back(ahead: Household) -> None:
    looked = MailHost.objects.get()
    older.confirm(looked.pk, ahead.people["marco"], 900)
    older.stop(looked, 900)
    assert MailHost.objects.get().ahead == 0
