"""The queue, for administrators: what waits without names, tried again, removed with a reason."""

import re
import time
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.wishes import AuditEntry, Wishes, wishes
from deploy import services
from deploy.host import queue
from deploy.host.helper import HelperError
from deploy.models import HostRequest, MailHost
from deploy.services.requests import PATIENCE
from deploy.tasks import answer_asked
from tests.household import Household

ID, HELD, ACTIVE = "4jZjhs6X3VzJsP0", "4jZjht00Y3zJsP2", "4jZjj53qX3zJr3r"
DAY = 86_400  # these moments are said in days: the tests may run an hour after this file was read
ARRIVED = int(time.time()) - 2 * DAY - 3600
TO = [
    {
        "address": "zia@outside.example",
        "reason": "host mx said: 450 <zia@outside.example>: zia is away, come back later",
    }
]
LETTER: dict[str, Any] = {
    "queue_id": ID, "queue": "deferred", "arrived": ARRIVED, "size": 2048, "sender": "emma@myfamily.net", "count": 1,
    "recipients": TO, "due": ARRIVED + 4 * DAY,
}  # fmt: skip
NO_REASON = [{"address": "amica@outside.example", "reason": ""}]
OTHERS = [
    {**LETTER, "queue_id": HELD, "queue": "hold", "recipients": NO_REASON, "due": None},
    {**LETTER, "queue_id": ACTIVE, "queue": "active", "recipients": NO_REASON, "due": None, "sender": ""},
]


class Host:
    """A mail host that has these letters in its queue, and what it was asked."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.letters: list[dict[str, Any]] = [LETTER, *OTHERS]
        self.done: list[tuple[Any, ...]] = []
        self.says: str | Exception = ""
        monkeypatch.setattr(services, "layout", lambda: None)
        monkeypatch.setattr(
            queue, "listed", lambda _here: self.say({"all": len(self.letters), "letters": self.letters})
        )
        monkeypatch.setattr(queue, "retry_all", lambda _here: self.act("all"))
        monkeypatch.setattr(queue, "retry", lambda _here, *which: self.act("retry", *which) or "tried")
        monkeypatch.setattr(queue, "remove", lambda _here, *which: self.act("remove", *which) or "removed")

    def say(self, found: Any) -> Any:
        """The answer, or a failure."""
        if isinstance(self.says, Exception):
            raise self.says
        return self.says or found

    def act(self, *words: Any) -> Any:
        """Note what was asked."""
        self.done.append(words)
        return self.say("")


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch) -> Host:
    """The host of this household."""
    return Host(monkeypatch)


def words(html: str) -> str:
    """A page without markup."""
    return " ".join(unescape(re.sub(r"<[^>]+>", "", html)).replace("\xa0", " ").split())


def shown(client: Client) -> tuple[str, str]:
    """The page with the queue as the host tells it, and where it is."""
    url = client.post("/reports/queue/ask/")["Location"]
    answer_asked("primary")
    answer = client.get(url)
    assert answer.status_code == 200
    return answer.text, url


def follow(client: Client, url: str, **sent: str) -> str:
    """Send an act, have it done, and read what became of it."""
    answer = client.post(url, sent)
    assert answer.status_code == 302, answer.text
    before = words(client.get(answer["Location"]).text)
    assert "Asking the mail host …" in before
    answer_asked("primary")
    return words(client.get(answer["Location"]).text)


def test_it_says_what_waits_and_why_without_names(household: Household, host: Host) -> None:
    html, url = shown(household.client("marco"))
    text = words(html)
    for sentence in (
        "3 letters are in the queue, the oldest first",
        "◐ Waits for the next try …@myfamily.net → …@outside.example",
        "asks everybody it does not know yet to come back a little later.",
        "For 2 days, ",
        "in the queue · 2.0 KB · next try in 1 day",
        "host mx said: 450 <…@outside.example>: … is away, come back later",
        "‖ Waits for an answer",
        "only their answer lets it go",
        "◐ Is being tried right now a report of this host → …@outside.example",
    ):
        assert sentence in text, sentence
    for name in ("emma", "zia", "amica"):
        assert name not in html.lower()
        assert name not in str(HostRequest.objects.get().answer).lower()
    assert f"{url}{ID}/remove/" in html
    for other in (HELD, ACTIVE):
        assert f"{url}{other}/" not in html
    assert f'href="/reports/trace/?q={HELD}"' in html


def test_the_page_asks_by_itself_and_waits(household: Household, host: Host) -> None:
    client = household.client("marco")
    assert 'hx-post="/reports/queue/ask/"' in client.get("/reports/queue/").text
    url = client.post("/reports/queue/ask/")["Location"]
    assert client.post("/reports/queue/ask/")["Location"] == url  # it is about to be answered
    first = client.get(url, headers={"HX-Request": "true", "HX-Trigger": "queue"})
    assert f'hx-get="{url}"' in first.text
    assert client.get(url, headers={"HX-Request": "true", "HX-Trigger": "asked"}).status_code == 204
    answer_asked("primary")
    found = client.get(url, headers={"HX-Request": "true", "HX-Trigger": "asked"})
    assert "3 letters" in found.text
    assert "<html" not in found.text


def test_an_empty_queue_says_so(household: Household, host: Host) -> None:
    host.letters = []
    assert "Nothing waits: every letter was handed over" in shown(household.client("marco"))[0]


def test_a_long_queue_says_that_it_is_cut(household: Household, host: Host) -> None:
    host.says = {"all": 5000, "letters": [LETTER, {**LETTER, "queue_id": "4jZjhs6X3VzJsP1", "count": 12}]}  # type: ignore[assignment]
    text = words(shown(household.client("marco"))[0])
    assert "5000 letters are in the queue, the oldest first (2 are shown)" in text
    assert "…@outside.example and 11 more" in text


@pytest.mark.parametrize("due", [0, 3600])
def test_a_try_that_is_due_is_due_any_moment(household: Household, host: Host, due: int) -> None:
    host.letters = [{**LETTER, "due": int(time.time()) + due - 1}]
    assert ("next try: any moment now" in shown(household.client("marco"))[0]) == (due == 0)


def test_all_are_tried_now(household: Household, host: Host) -> None:
    assert "Every letter that waits for its next try is being tried now." in follow(
        household.client("marco"), "/reports/queue/try/"
    )
    assert host.done == [("all",)]


def test_one_is_tried_now(household: Household, host: Host) -> None:
    client = household.client("marco")
    _html, url = shown(client)
    assert "✓ It is being tried now." in follow(client, f"{url}{ID}/try/")
    assert host.done == [("retry", ID, ARRIVED)]
    assert not AuditEntry.objects.filter(kind="act").exists()


def test_a_letter_is_removed_with_a_reason_that_stays(household: Household, host: Host) -> None:
    client = household.client("marco")
    _html, url = shown(client)
    text = words(client.get(f"{url}{ID}/remove/").text)
    for sentence in (
        "…@myfamily.net → …@outside.example",
        "1 address never gets it. What the letter says is gone for good.",
        "Those who have got it already keep it.",
        "Whoever wrote it gets no report and thinks that it arrived",
    ):
        assert sentence in text, sentence
    assert client.post(f"{url}{ID}/remove/", {"reason": " "}).status_code == 422
    generation = Wishes.current()
    assert "It is removed. Nobody gets it, and nobody was told." in follow(
        client, f"{url}{ID}/remove/", reason="A loop of two programs"
    )
    assert host.done == [("remove", ID, ARRIVED)]
    entry = AuditEntry.objects.latest("pk")
    assert (entry.who, entry.kind, entry.what) == ("marco@myfamily.net", "act", f"letter {ID}")
    assert entry.after["reason"] == "A loop of two programs"  # type: ignore[index]
    assert entry.after["to"] == ["…@outside.example"]  # type: ignore[index]
    assert Wishes.current() == generation
    before = AuditEntry.objects.filter(pk__lt=entry.pk).latest("pk")
    assert entry.digest == entry.sealed(before.digest)


def test_a_letter_that_is_gone_is_said(household: Household, host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    client = household.client("marco")
    _html, url = shown(client)
    monkeypatch.setattr(queue, "remove", lambda *_words: "gone")
    assert "It was in the queue no longer" in follow(client, f"{url}{ID}/remove/", reason="x")


@pytest.mark.parametrize("other", [HELD, ACTIVE, "4jZjhs6X3VzJsPx"])
def test_what_waits_for_an_answer_has_no_page(household: Household, host: Host, other: str) -> None:
    client = household.client("marco")
    _html, url = shown(client)
    assert client.get(f"{url}{other}/remove/").status_code == 404
    for act in ("try", "remove"):
        assert client.post(f"{url}{other}/{act}/", {"reason": "x"}).status_code == 404
    assert host.done == []


def test_each_act_is_done_once(household: Household, host: Host) -> None:
    client = household.client("marco")
    _html, url = shown(client)
    client.post(f"{url}{ID}/remove/", {"reason": "x"})
    HostRequest.objects.filter(verb="queue-remove").update(state="running")
    answer_asked("primary")  # another agent is at it
    assert host.done == []
    HostRequest.objects.filter(verb="queue-remove").update(asked=timezone.now() - PATIENCE)
    answer_asked("primary")  # it was killed: perhaps it has done it
    assert host.done == []
    assert "stopped before it had an answer" in str(HostRequest.objects.get(verb="queue-remove").answer)


def test_the_agent_looks_at_the_rights_once_more(household: Household, host: Host) -> None:
    client = household.client("marco")
    _html, url = shown(client)
    asked = [client.post(f"{url}{ID}/remove/", {"reason": "x"}), client.post("/reports/queue/try/")]
    client.post("/reports/queue/ask/")
    with wishes("test", "test"):
        household.person("marco", administrator=False)
        household.person("anna", administrator=True)
    answer_asked("primary")
    assert host.done == []
    assert {str(one.answer) for one in HostRequest.objects.exclude(pk=int(url.split("/")[3]))} == {
        "{'error': 'The queue is for administrators.'}"
    }
    assert not AuditEntry.objects.filter(kind="act").exists()
    for answer in asked:
        assert client.get(answer["Location"]).status_code == 403


def test_a_host_that_does_not_do_it_says_so(household: Household, host: Host) -> None:
    client = household.client("marco")
    _html, url = shown(client)
    host.says = HelperError("The root helper failed: it waits for an answer.")
    assert "✕ The mail host did not do it." in follow(client, f"{url}{ID}/remove/", reason="x")
    assert "The mail host does not answer just now" in shown(client)[0]


def test_what_another_asked_is_not_there(household: Household, host: Host) -> None:
    _html, url = shown(household.client("marco"))
    with wishes("test", "test"):
        household.person("anna", administrator=True)
    anna = household.client("anna")
    assert anna.get(url).status_code == 404
    assert anna.get(f"{url}{ID}/remove/").status_code == 404
    HostRequest.objects.update(expires=timezone.now() - timedelta(seconds=1))
    assert household.client("marco").get(url).status_code == 404
    answer_asked("primary")
    assert not HostRequest.objects.exists()


def test_without_a_host_nothing_is_asked(household: Household) -> None:
    MailHost.objects.all().delete()
    answer = household.client("marco").post("/reports/queue/ask/")
    assert answer.status_code == 422
    assert "There is no mail host yet" in answer.text


def test_strangers_words_are_text(household: Household, host: Host) -> None:
    evil = "<script>alert(1)</script>\u202eevil"
    host.letters = [{**LETTER, "sender": f"{evil}@x", "recipients": [{"address": f"a@{evil}", "reason": evil}]}]
    client = household.client("marco")
    html, url = shown(client)
    for text in (html, client.get(f"{url}{ID}/remove/").text):
        assert "<script>alert" not in text
        assert "\u202e" not in text
    assert "&lt;script&gt;" in html


@pytest.mark.parametrize("who", ["anna", "emma", "olivia", "rita", "sara"])
def test_the_queue_is_for_administrators(household: Household, host: Host, who: str) -> None:
    _html, url = shown(household.client("marco"))
    client = household.client(who)
    for path in ("/reports/queue/", url, f"{url}{ID}/remove/", url.replace("queue/", "queue/acts/")):
        assert client.get(path).status_code == 403, path
    for path in ("/reports/queue/ask/", "/reports/queue/try/", f"{url}{ID}/try/", f"{url}{ID}/remove/"):
        assert client.post(path).status_code == 403, path
    assert Client().post("/reports/queue/try/")["Location"].startswith("/sign-in/")
    assert HostRequest.objects.count() == 1


@pytest.mark.parametrize(
    ("path", "look", "send"),
    [("", 200, 405), ("ask/", 405, 302), ("try/", 405, 302), ("acts/9/", 404, 405), ("9/x/try/", 405, 404)],
)
def test_methods(household: Household, path: str, look: int, send: int) -> None:
    client = household.client("marco")
    assert client.get(f"/reports/queue/{path}").status_code == look
    assert client.post(f"/reports/queue/{path}").status_code == send
    assert client.put(f"/reports/queue/{path}").status_code == 405
