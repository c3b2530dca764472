"""Try a letter: what is asked of the host, by whom, and how its answer is shown."""

import base64
from datetime import timedelta
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import User
from accounts.rules import Refused
from accounts.services import join
from accounts.wishes import wishes
from deploy import explain
from deploy.explain import COMMAND, Trial
from deploy.host.dryrun import Outcome
from deploy.models import HostRequest, MailHost
from policies.models import Contact
from tests.household import Household

EVIL, NONNA, EMMA = "evil@other.example", "nonna.rosa@gmail.com", "emma@myfamily.net"
LETTER = {"kind": "in", "mailbox": EMMA, "author": EVIL, "subject": "Ciao", "text": "Come stai?"}
NO_ANSWER = "does not describe a mail host"


@pytest.fixture
def house(household: Household, settings: Any, tmp_path: Path) -> Household:
    """The household with a contact of Emma's; there is no mail host on this machine."""
    settings.MAILADMIN_HOST_CONFIG = tmp_path / "host.json"
    with wishes(household.people["anna"], "page"):
        Contact(person=household.people["emma"], address=NONNA).save()
    return household


def url(house: Household, name: str = "emma") -> str:
    return f"/family/{house.people[name].pk}/try/"


def asked(house: Household, who: str = "anna", whose: str = "emma", **fields: str) -> HostRequest:
    """Fill the form in and send it."""
    answer = house.client(who).post(url(house, whose), {**LETTER, **fields})
    assert answer.status_code == 302, answer.context["form"].errors
    request = HostRequest.objects.latest("pk")
    assert answer["Location"] == f"{url(house, whose)}{request.pk}/"
    return request


def letter_of(request: HostRequest) -> bytes:
    return base64.b64decode(request.arguments["letter"])


def outcome(house: Household, **changes: str) -> dict[str, str]:
    """What the host would say of a stranger's letter."""
    empty = dict.fromkeys(("address", "key", "folder", "entry", "author", "proof", "answer"), "")
    held = {
        "address": EMMA,
        "key": house.mailboxes["emma"].key,
        "verdict": "hold",
        "station": "in-5",
        "reason": "stranger",
    }
    return {**empty, **held, "entry": "*", **changes}


def answered(house: Household, *outcomes: dict[str, str], author: str = "anna", **facts: str) -> HostRequest:
    """A request with the host's answer."""
    request = asked(house, author)
    found = {"From": f"pass {EVIL} dmarc", "Subject": "Ciao", **facts}
    explain.finish(request, {"outcomes": list(outcomes) or [outcome(house)], "facts": found})
    request.refresh_from_db()
    return request


# Asking


def test_a_letter_from_outside_is_written_and_asked_about(house: Household) -> None:
    request = asked(house, proven="on")
    assert (request.verb, request.author, request.state) == ("explain", "anna@myfamily.net", "asked")
    kept = {name: request.arguments[name] for name in ("to", "login", "sender", "trusted")}
    assert kept == {"to": EMMA, "login": "", "sender": EVIL, "trusted": True}
    letter = letter_of(request)
    assert letter.startswith(f"From: {EVIL}\r\nTo: {EMMA}\r\nSubject: Ciao\r\n".encode())
    assert letter.endswith(b"\r\n\r\nCome stai?\r\n")


def test_a_pasted_letter_is_asked_about_as_it_is(house: Household) -> None:
    pasted = f"\nReceived: from x\nFrom: Nonna <{NONNA}>\nX-Odd:  two blanks \n\nCiao! \n"
    request = asked(house, letter=pasted, author="", proven="on")
    assert letter_of(request).replace(b"\r\n", b"\n").decode() == pasted[1:]
    assert (request.arguments["sender"], request.arguments["trusted"]) == (NONNA, False)


@pytest.mark.parametrize(
    ("fields", "login", "to"),
    [
        ({"kind": "own", "login": "luca@myfamily.net"}, "luca@myfamily.net", EMMA),
        ({"kind": "own", "login": "anna@myfamily.net"}, "anna@myfamily.net", EMMA),
        ({"kind": "out", "to": "Friend@Elsewhere.Example"}, EMMA, "friend@elsewhere.example"),
    ],
)
def test_a_letter_of_a_login_goes_by_its_own_door(
    house: Household, fields: dict[str, str], login: str, to: str
) -> None:
    request = asked(house, **fields)
    arguments = request.arguments
    assert (arguments["login"], arguments["sender"], arguments["to"]) == (login, login, to)
    assert not arguments["trusted"]
    assert letter_of(request).startswith(f"From: {login}\r\n".encode())


@pytest.mark.parametrize(
    ("fields", "field", "sentence"),
    [
        ({"author": ""}, "author", "Write the address that it is from, or paste a whole letter."),
        ({"author": "no address"}, "author", "is not an address"),
        ({"kind": "own"}, "login", "Choose who is signed in."),
        ({"kind": "own", "login": "marco@myfamily.net"}, "login", "Select a valid choice"),
        ({"kind": "own", "login": "gino@mybusiness.com"}, "login", "Select a valid choice"),
        ({"kind": "out"}, "to", "Write the address that it is to."),
        ({"mailbox": "luca@myfamily.net"}, "mailbox", "Select a valid choice"),
        ({"kind": "x"}, "kind", "Select a valid choice"),
        ({"letter": "x" * (1 << 20) + "x"}, "letter", "at most 1048576 characters"),
        ({"letter": "é" * (1 << 20)}, "__all__", "The letter is larger than 1 MB: leave its attachments out."),
        ({"subject": "a\rb"}, "subject", "cannot be seen"),
    ],
)
def test_what_cannot_be_tried_is_refused_with_a_sentence(
    house: Household, fields: dict[str, str], field: str, sentence: str
) -> None:
    answer = house.client("anna").post(url(house), {**LETTER, **fields})
    assert answer.status_code == 422
    assert sentence in str(answer.context["form"].errors[field])
    assert not HostRequest.objects.exists()


def test_five_letters_a_minute_and_no_more(house: Household) -> None:
    for _number in range(5):
        asked(house)
    answer = house.client("anna").post(url(house), LETTER)
    assert "You have tried 5 letters in a minute: wait a moment." in answer.content.decode()
    asked(house, "marco")  # has a pace of his own
    HostRequest.objects.update(asked=timezone.now() - timedelta(minutes=2))
    asked(house)


def test_without_a_mail_host_there_is_a_sentence(house: Household) -> None:
    MailHost.objects.all().delete()
    assert "There is no mail host yet" in house.client("anna").post(url(house), LETTER).content.decode()


def test_who_has_no_address_is_told_so(house: Household) -> None:
    with wishes("test", "test"):
        zoe = User(address="zoe@mybusiness.com", name="Zoe")
        zoe.save()
        join(zoe, house.business, "member")
    answer = house.client("olivia").get(f"/family/{zoe.pk}/try/")
    assert "Zoe has no address" in answer.content.decode()


def test_the_form_offers_whose_logins_may_be_tried_and_no_shared_mailbox(house: Household) -> None:
    form = house.client("olivia").get(url(house, "sara")).context["form"]
    assert [value for value, _label in form.fields["mailbox"].choices] == ["sara@mybusiness.com"]
    names = [value.partition("@")[0] for value, _label in form.fields["login"].choices]
    assert names == ["olivia", "gino", "ivo", "paolo"]


# Answering


def test_the_agent_asks_the_host_for_who_keeps_the_list(house: Household) -> None:
    request = asked(house)
    explain.answer_asked("primary")
    request.refresh_from_db()
    assert request.state == "failed"
    assert NO_ANSWER in str(request.answer)  # it went as far as it can without a mail host
    assert "letter" not in request.arguments


def test_the_agent_asks_again_whether_the_author_may(house: Household) -> None:
    request = asked(house)
    with wishes("test", "test"):
        house.people["anna"].memberships.get().delete()
    explain.answer_asked("primary")
    request.refresh_from_db()
    assert request.answer == {"error": "You may try letters from and to the people whose lists you keep."}


def test_nobody_who_is_disabled_is_answered(house: Household) -> None:
    request = asked(house)
    with wishes("test", "test"):
        house.person("anna", active=False)
    explain.answer_asked("primary")
    request.refresh_from_db()
    assert "people whose lists you keep" in str(request.answer)


@pytest.mark.parametrize(
    ("who", "login", "to", "may"),
    [
        ("anna", "", EMMA, True),
        ("anna", "", "luca@myfamily.net", True),
        ("anna", "", "anna@myfamily.net", False),
        ("anna", "", "marco@myfamily.net", False),
        ("anna", "", "sara@mybusiness.com", False),
        ("anna", "", "kids@myfamily.net", False),
        ("anna", EMMA, "anybody@elsewhere.example", True),
        ("anna", "anna@myfamily.net", EMMA, True),
        ("anna", "anna@myfamily.net", "marco@myfamily.net", False),
        ("anna", "marco@myfamily.net", EMMA, False),
        ("emma", "", EMMA, False),
        ("emma", EMMA, "luca@myfamily.net", False),
        ("luca", "", EMMA, False),
        ("olivia", "", "info@mybusiness.com", True),
        ("rita", "", "sara@mybusiness.com", True),
        ("sara", "", "info@mybusiness.com", False),
    ],
)
def test_whose_letters_may_be_tried(house: Household, who: str, login: str, to: str, may: bool) -> None:
    assert explain.may_try(house.people[who], login, to) is may
    request = explain.ask(house.people[who], Trial(b"From: x@y.example\r\n\r\n", to, login))
    assert (NO_ANSWER in explain.answer(request)["error"]) is may


def test_what_somebody_elses_policy_says_is_not_told(house: Household) -> None:
    box = house.mailboxes["gino"]
    there = Outcome(box.address, box.key, "hold", "in-5", "stranger", "folder", "*", EMMA, "pass/dmarc")
    assert explain.shown(house.people["anna"], there) == Outcome(box.address, "", "deliver", "out-2")
    assert explain.shown(house.people["olivia"], there) == there
    held = Outcome("x@y.example", "", "hold", "out-2", "stranger")
    assert explain.shown(house.people["anna"], held) == held


def test_a_request_is_answered_once_and_forgotten_after_an_hour(house: Household) -> None:
    request = answered(house)
    explain.answer_asked("primary")
    request.refresh_from_db()
    assert request.state == "done"
    HostRequest.objects.update(expires=timezone.now())
    explain.answer_asked("primary")
    assert not HostRequest.objects.exists()


def test_a_request_that_a_worker_left_behind_is_given_up(house: Household) -> None:
    request = asked(house)
    HostRequest.objects.update(state="running", asked=timezone.now() - timedelta(minutes=3))
    explain.answer_asked("primary")
    request.refresh_from_db()
    assert request.answer == {"error": "The mail host stopped before it had an answer: ask again."}


def test_a_request_of_another_verb_or_host_is_left_alone(house: Household) -> None:
    other = MailHost.objects.create(name="second", role="backup")
    request = asked(house)
    for changes in ({"host": other}, {"host": request.host, "verb": "retry"}):
        HostRequest.objects.update(**changes)
        explain.answer_asked("primary")
        request.refresh_from_db()
        assert request.state == "asked"


def test_a_command_may_ask_as_often_as_it_likes_and_sees_everything(house: Household) -> None:
    for _number in range(7):
        request = explain.ask(COMMAND, Trial(b"x", "gino@mybusiness.com"))
    assert NO_ANSWER in explain.answer(request)["error"]
    with pytest.raises(Refused):
        explain.ask(COMMAND, Trial(b"x" * (explain.LONGEST + 1), EMMA))


def test_a_request_that_cannot_be_read_is_a_sentence(house: Household) -> None:
    request = asked(house)
    request.arguments = {"letter": "%"}
    assert explain.answer(request) == {"error": "The request cannot be read: ask again."}


# Showing


def test_until_there_is_an_answer_the_page_asks_again(house: Household) -> None:
    request, client = asked(house), house.client("anna")
    address = f"{url(house)}{request.pk}/"
    page = client.get(address).content.decode()
    assert "Asking the mail host" in page
    assert f'href="{address}">look again' in page
    assert client.get(address, headers={"HX-Request": "true"}).status_code == 204


@pytest.mark.parametrize("htmx", [True, False])
def test_the_answer_shows_stations_sentence_and_facts(house: Household, htmx: bool) -> None:
    request = answered(house, author="anna")
    headers = {"HX-Request": "true"} if htmx else {}
    page = unescape(house.client("anna").get(f"{url(house)}{request.pk}/", headers=headers).content.decode())
    assert ("<h1>" in page) is not htmx
    assert f"Held because nobody on Emma's list has the address {EVIL}." in page
    assert f"Add {EVIL} to Emma's list to let such letters in." in page
    assert page.count('class="passed"') == 4
    assert page.count('class="decided"') == 1
    assert "Really other.example: the provider confirms it" in page
    assert f"X-Mailadmin-From: pass {EVIL} dmarc" in page


def test_a_letter_that_goes_out_and_comes_in_shows_both_ways(house: Household) -> None:
    request = asked(house, kind="out", to="luca@myfamily.net")
    key = house.mailboxes["luca"].key
    there = outcome(
        house, address="luca@myfamily.net", key=key, verdict="deliver", station="in-8", reason="", entry=EMMA
    )
    explain.finish(request, {"outcomes": [there], "facts": {"From": f"pass {EMMA} login"}})
    page = house.client("anna").get(f"{url(house)}{request.pk}/").content.decode()
    assert "To people whom Emma may write to" in page
    assert "Delivered to Luca" in page


def test_an_answer_that_failed_says_why(house: Household) -> None:
    request = asked(house)
    explain.finish(request, {"error": "rspamd does not answer at <b>x</b>."})
    page = house.client("anna").get(f"{url(house)}{request.pk}/").content.decode()
    assert "The mail host could not say:" in page
    assert "&lt;b&gt;x&lt;/b&gt;" in page


def test_a_strangers_text_is_text(house: Household) -> None:
    evil: dict[str, Any] = {"Subject": "<script>alert(1)</script>\N{RIGHT-TO-LEFT OVERRIDE}", "From": "<img src=x> y z"}
    request = answered(house, outcome(house, answer='"><svg onload=x>', author="<b>"), **evil)
    page = house.client("anna").get(f"{url(house)}{request.pk}/").content.decode()
    for tag in ("<script>alert", "<img", "<svg onload", "<b>"):
        assert tag not in page


def test_an_answer_is_its_authors_alone(house: Household) -> None:
    request = answered(house)
    address = f"{url(house)}{request.pk}/"
    assert house.client("anna").get(address).status_code == 200
    assert house.client("marco").get(address).status_code == 404
    assert house.client("emma").get(address).status_code == 404
    assert house.client("anna").get(f"{url(house, 'luca')}{request.pk}/").status_code == 404
    with wishes("test", "test"):
        house.people["anna"].memberships.get().delete()
    assert house.client("anna").get(address).status_code == 404


def test_an_answer_of_an_hour_ago_is_gone(house: Household) -> None:
    request = answered(house)
    HostRequest.objects.update(expires=timezone.now() - timedelta(seconds=1))
    assert house.client("anna").get(f"{url(house)}{request.pk}/").status_code == 404
