"""The page that says where a letter is: the answer first, the way as steps, and nothing that is another's."""

import re
from datetime import datetime, timedelta
from html import unescape
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import Membership, User
from accounts.wishes import wishes
from domains.models import MailboxPerson
from policies.models import Decision, HeldLetter
from reports import hours
from reports.fields import digest
from reports.models import Delivery, Letter
from tests.policies.letters import asked_out, held
from tests.reports.conftest import Household

pytestmark = pytest.mark.django_db
ANNA, EMMA, OUT = "anna@myfamily.net", "emma@myfamily.net", "zia@outside.example"
ID = "4jXVLL50s7zJbjm"
HOSTILE = "<script>alert(1)</script>\u202eevil\u2066"


def letter(login: str = "", *, name: str = ID, days: float = 0, over: bool = True, **facts: Any) -> Letter:
    """A letter that went into the queue; stored where it is under way."""
    usual = {"queued": True, "sender": login or OUT, "message_id": f"{name}@test.example", "size": 2048}
    opened = (timezone.now() - timedelta(days=days, minutes=5)).replace(microsecond=0)
    row = Letter(host="primary", queue_id=name, opened=opened, login=login, **{**usual, **facts})
    if not over:
        row.save()
    return row


def to(row: Letter, address: str, status: str = "sent", mailbox: str = "", **facts: Any) -> Delivery:
    """What became of it at one recipient, or that it was dropped."""
    texts = {"login": row.login, "sender": row.sender, "recipient": address}
    texts |= {name: facts.pop(name) for name in ("relay", "original") if name in facts}
    known = hours.words(texts.values(), timezone.now())
    one = Delivery(
        host=row.host, queue_id=row.queue_id, opened=row.opened, message=digest(row.message_id), size=row.size,
        status=status, mailbox=mailbox, when=row.opened + timedelta(minutes=1),
        **{f"{name}_id": known.get(text) for name, text in texts.items()}, **facts,
    )  # fmt: skip
    one.save()
    return one


def page(client: Client, viewer: User, url: str = "/reports/trace/", status: int = 200) -> str:
    """What somebody reads, without markup; the markup itself is in `client.answer`."""
    client.force_login(viewer)
    answer = client.get(url)
    assert answer.status_code == status, answer.text
    client.answer = answer  # type: ignore[attr-defined]
    return " ".join(unescape(re.sub(r"<[^>]+>", "", answer.text)).split())


def came_to(house: Household, address: str, **facts: Any) -> Letter:
    """A letter from outside that Postfix handed to a mailbox."""
    row = letter(**facts)
    to(row, address, mailbox=house.key(address))
    return row


def held_as(queue_id: str, house: Household, author: str) -> HeldLetter:
    """The row of a letter to Emma that the stations kept back."""
    row = held(house.mailboxes[EMMA], author)
    row.queue_id = queue_id
    row.save()
    return row


@pytest.mark.parametrize(
    ("status", "over", "reply", "words"),
    [
        ("sent", True, "", f"✓ Delivered to {OUT}"),
        ("deferred", False, "connect to mx: Connection timed out", f"◐ Waits, not yet taken by {OUT}"),
        ("bounced", True, "550 5.1.1 User unknown", f"✕ Came back from {OUT}"),
        ("deferred", True, "connect to mx: Connection timed out", f"✕ Given up for {OUT}"),
    ],
)
def test_the_headline_says_the_answer(
    client: Client, household: Household, status: str, over: bool, reply: str, words: str
) -> None:
    row = letter(ANNA, over=over)
    to(row, OUT, status, reply=reply, relay="mx.outside.example[192.0.2.1]:25")
    text = page(client, household.anna)
    assert words in text
    assert reply in text
    assert "1 letter, the newest first" in text


def test_the_steps_say_why_and_what_can_be_done(client: Client, household: Household) -> None:
    to(letter(ANNA, over=False), OUT, "deferred", reply="connect to mx: Connection timed out")
    text = page(client, household.anna)
    for words in (
        "✓ anna@myfamily.net handed it over to the mail host. done · 5\xa0minutes ago",
        f"◐ It could not be delivered to {OUT} yet. waits · 4\xa0minutes ago",
        "The recipient's mail server does not answer. It is tried again by itself, for five days",
    ):
        assert words.replace("\xa0", " ") in text.replace("\xa0", " "), words


@pytest.mark.parametrize(
    ("fates", "words"),
    [
        (("sent", "sent", "sent"), "Delivered to all 3 addresses"),
        (("sent", "deferred", "sent"), "Waits, not yet taken by 1 of 3 addresses"),
        (("sent", "deferred", "bounced"), "Came back from 1 of 3 addresses"),
    ],
)
def test_of_several_the_worst_is_said(client: Client, household: Household, fates: tuple[str, ...], words: str) -> None:
    row = letter(ANNA, over=False)
    for number, status in enumerate(fates):
        to(row, f"x{number}@outside.example", status)
    assert words in page(client, household.anna)


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({"queued": True, "over": False}, "◐ On its way"),
        ({"queued": False, "over": False, "late": True}, "◐ Held until somebody says that it may go"),
        ({"queued": False, "over": False}, "✕ It has not come in whole"),
    ],
)
def test_a_letter_that_went_nowhere_says_so(
    client: Client, household: Household, facts: dict[str, Any], words: str
) -> None:
    letter(ANNA, **facts)
    assert words in page(client, household.anna)


def test_a_letter_that_was_not_let_go_is_gone(client: Client, household: Household) -> None:
    to(letter(ANNA), "", "dropped")
    assert "✕ Not let go, and gone" in page(client, household.anna)


def test_a_held_letter_is_held_and_leads_those_who_answer_to_it(client: Client, household: Household) -> None:
    came_to(household, EMMA)
    row = held_as(ID, household, OUT)
    text = page(client, household.emma)
    assert f"◐ Held, not given to {EMMA}" in text
    assert "Somebody is asked whether it may come in" in text
    assert f"/waiting/{row.pk}/" not in client.answer.text  # type: ignore[attr-defined]
    text = page(client, household.anna, f"/reports/trace/{household.emma.pk}/")
    assert f"◐ Held, not given to {EMMA}" in text
    assert f'href="/waiting/{row.pk}/"' in client.answer.text  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("outcome", "words"),
    [("It was delivered.", "Somebody let it in."), ("It was not let through.", "It was not let in.")],
)
def test_what_was_answered_ends_the_way(client: Client, household: Household, outcome: str, words: str) -> None:
    came_to(household, EMMA)
    row = held_as(ID, household, OUT)
    row.end("done", timezone.now(), outcome)
    text = page(client, household.emma)
    assert f"It was held before the mailbox of {EMMA}." in text
    assert words in text


@pytest.mark.parametrize(("reason", "words"), [("stranger", "Somebody is asked"), ("spam", "Nobody is asked")])
def test_what_the_stations_decided_counts_without_a_row(
    client: Client, household: Household, reason: str, words: str
) -> None:
    row = came_to(household, EMMA)
    facts = {"verdict": "hold", "station": "in-5", "reason": reason, "direction": "in", "when": row.opened}
    Decision(host="primary", queue_id=ID, key=household.key(EMMA), **facts).save()
    assert words in page(client, household.emma)


def test_a_sender_is_not_told_what_anothers_rules_do(client: Client, household: Household) -> None:
    row = letter("sara@mybusiness.com")
    to(row, EMMA, mailbox=household.key(EMMA))
    held_as(ID, household, "sara@mybusiness.com")
    assert f"✓ Delivered to {EMMA}" in page(client, household.sara)


@pytest.mark.parametrize("late", [True, False])  # the log does not always say that a letter was held
def test_a_letter_that_asks_leads_the_parents_to_it(client: Client, household: Household, late: bool) -> None:
    letter(EMMA, queued=False, over=False, late=late)
    row = asked_out(household.mailboxes[EMMA], OUT)
    row.name = ID
    row.save()
    text = page(client, household.emma)
    assert "◐ Held until somebody says that it may go" in text
    assert "Whoever looks after the sender is asked." in text
    page(client, household.marco, f"/reports/trace/{household.emma.pk}/")
    assert f'href="/waiting/{row.pk}/"' in client.answer.text  # type: ignore[attr-defined]
    row.end("done", timezone.now(), "It was sent.")
    Letter.objects.update(queued=True)
    assert "Somebody said that it may go." in page(client, household.emma)


def test_the_rules_of_the_mailbox_are_offered(client: Client, household: Household) -> None:
    came_to(household, EMMA)
    assert "Not in the inbox?" in page(client, household.emma)
    assert f'href="/rules/{household.mailboxes[EMMA].pk}/"' in client.answer.text  # type: ignore[attr-defined]


def test_days_are_those_of_the_community(client: Client, household: Household) -> None:
    letter(ANNA, over=False)
    Letter.objects.update(opened=datetime.fromisoformat("2026-11-20T23:30:00+00:00"))  # half past midnight in Rome
    url = "/reports/trace/?since={}&until={}"
    assert "1 letter" in page(client, household.anna, url.format("2026-11-21", "2026-11-21"))
    assert "21 November 2026, 00:30:00 CET" in page(client, household.anna).replace("Nov. ", "November ").replace(
        "November 21, 2026", "21 November 2026"
    )
    for since, until in (("2026-11-22", ""), ("", "2026-11-20")):
        assert "There was no letter in these days." in page(client, household.anna, url.format(since, until))


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("since=yesterday", "That is no day"),
        ("since=2026-11-21&until=2026-11-20", "This day is before the first one"),
        ("until=9999-99-99", "That is no day"),
    ],
)
def test_a_day_that_is_none_is_said(client: Client, household: Household, query: str, words: str) -> None:
    letter(ANNA, over=False)
    text = page(client, household.anna, f"/reports/trace/?{query}", 422)
    assert words in text
    assert "Choose the days again" in text


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31"])
def test_a_day_that_is_too_far_is_none(client: Client, household: Household, day: str) -> None:
    for name in ("since", "until"):
        assert "That is no day" in page(client, household.anna, f"/reports/trace/?{name}={day}", 422)


def test_nothing_found_says_what_to_try(client: Client, household: Household) -> None:
    letter(ANNA, over=False)
    text = page(client, household.anna, "/reports/trace/?q=nobody")
    assert "No letter has to do with “nobody” in these days." in text
    assert "Write only a part of the address" in text


def test_an_empty_page_says_what_it_is_for(client: Client, household: Household) -> None:
    text = page(client, household.anna)
    assert "Here stands the way of each letter" in text
    assert "kept for 21 days, without its subject and text." in text
    assert "The oldest letter" not in text
    letter("paolo@mybusiness.com", over=False)
    assert "The oldest letter that is known here came on" in page(client, household.anna)


@pytest.mark.parametrize(
    ("viewer", "person", "status"),
    [
        ("emma", "emma", 200),
        ("anna", "emma", 200),
        ("marco", "emma", 200),
        ("anna", "luca", 403),  # explorer: with whom he writes is his to see
        ("marco", "anna", 403),
        ("marco", "sara", 403),  # not as owner
        ("rita", "sara", 403),
        ("ada", "emma", 403),  # not as administrator
        ("ada", "ada", 200),
        ("emma", "luca", 404),
        ("emma", "anna", 404),
        ("rosa", "emma", 404),
    ],
)
def test_it_checks_who_looks(client: Client, household: Household, viewer: str, person: str, status: int) -> None:
    with wishes("test", "test"):
        row = Membership.objects.get(user=household.luca)
        row.level = "explorer"
        row.save()
    text = page(client, household.people[viewer], f"/reports/trace/{household.people[person].pk}/", status)
    assert ("Ask her to look" in text) == (status == 403)


@pytest.mark.parametrize(("sight", "status"), [("held", 200), ("contacts", 403), ("nothing", 403)])
def test_parents_see_as_far_as_the_level_says(client: Client, household: Household, sight: str, status: int) -> None:
    came_to(household, EMMA)
    with wishes("test", "test"):
        row = Membership.objects.get(user=household.emma)
        row.overrides = [{"sight": sight, "until": (timezone.now() + timedelta(days=9)).date().isoformat()}]
        row.save()
    text = page(client, household.anna, f"/reports/trace/{household.emma.pk}/", status)
    assert (OUT in text) == (status == 200)


@pytest.mark.parametrize(("whose", "shared"), [("marco", False), ("anna", True), ("luca", True)])
def test_a_mailbox_that_is_another_grown_ups_too_is_not_shown(
    client: Client, household: Household, whose: str, shared: bool
) -> None:
    """Anna looks: what Marco gets is his own, her own is hers, and of both children she may know."""
    came_to(household, EMMA)
    with wishes("test", "test"):
        MailboxPerson(mailbox=household.mailboxes[EMMA], user=household.people[whose]).save()
    assert (OUT in page(client, household.anna, f"/reports/trace/{household.emma.pk}/")) == shared


def test_parents_see_no_mailbox_outside_the_family(client: Client, household: Household) -> None:
    box = household.mailboxes["info@mybusiness.com"]
    with wishes("test", "test"):
        box.mailboxperson_set.all()[0].refreshed().delete()
        MailboxPerson(mailbox=box, user=household.emma).save()
    came_to(household, box.address)
    assert OUT in page(client, household.emma)
    assert OUT not in page(client, household.anna, f"/reports/trace/{household.emma.pk}/")


@pytest.mark.parametrize("text", [ID, f"{ID}@test.example", f"<{ID}@test.example>"])
def test_an_administrator_follows_one_letter_without_names(client: Client, household: Household, text: str) -> None:
    row = letter(EMMA, over=False)
    said = "host mx said: 450 <zia@outside.example>: zia is away, emma@myfamily.net may try again later"
    to(row, OUT, "deferred", reply=said, relay="mx.outside.example[192.0.2.1]:25")
    to(row, ANNA, mailbox=household.key(ANNA), original="kids@myfamily.net")
    found = page(client, household.ada, f"/reports/trace/?q={text}")
    assert "On this host, without names" in found
    assert "◐ Waits, not yet taken by 1 of 2 addresses" in found
    assert "…@outside.example" in found
    assert "host mx said: 450 <…@outside.example>: … is away, …@myfamily.net may try again later" in found
    for name in ("emma", "zia", "anna", "kids"):
        assert name not in client.answer.text.lower().replace(text.lower(), ""), name  # type: ignore[attr-defined]


def test_an_administrator_sees_that_a_letter_waits_for_an_answer(client: Client, household: Household) -> None:
    letter(EMMA, queued=False, over=False)
    row = asked_out(household.mailboxes[EMMA], OUT)
    row.name = ID
    row.save()
    assert "◐ Held until somebody says that it may go" in page(client, household.ada, f"/reports/trace/?q={ID}")
    assert "/waiting/" not in client.answer.text  # type: ignore[attr-defined]


@pytest.mark.parametrize("text", ["myfamily.net", "emma@myfamily.net", "test.example", ID[:-1], "", "%", "_"])
def test_an_administrator_looks_for_nobodys_letters(client: Client, household: Household, text: str) -> None:
    to(letter(EMMA), OUT)
    assert "without names </h2>" not in page(client, household.ada, f"/reports/trace/?q={text}")
    assert "outside.example" not in client.answer.text  # type: ignore[attr-defined]


@pytest.mark.parametrize("text", [ID, f"{ID}@test.example"])
def test_nobody_else_follows_others_letters(client: Client, household: Household, text: str) -> None:
    to(letter(EMMA), OUT)
    for who in ("anna", "sara", "marco"):
        page(client, household.people[who], f"/reports/trace/?q={text}")
        assert "outside.example" not in client.answer.text  # type: ignore[attr-defined]


def test_own_letters_of_an_administrator_keep_their_names(client: Client, household: Household) -> None:
    with wishes("test", "test"):
        household.anna.administrator = True
        household.anna.save()
    to(letter(ANNA), OUT)
    found = page(client, household.anna, f"/reports/trace/?q={ID}")
    assert f"Delivered to {OUT}" in found
    assert "On this host" not in found


def test_strangers_words_are_text(client: Client, household: Household) -> None:
    row = letter(ANNA, message_id=f"{HOSTILE}@x", sender=f"{HOSTILE}@x")
    to(row, f"{HOSTILE}@outside.example", reply=HOSTILE, relay=f"{HOSTILE}[192.0.2.1]:25")
    to(row, "p\u0430ypal@outside.example", "bounced", reply=HOSTILE)
    page(client, household.anna, f"/reports/trace/?q={HOSTILE}")
    page(client, household.anna)
    html = client.answer.text  # type: ignore[attr-defined]
    assert "<script>alert" not in html
    assert not re.search("[\u202a-\u202e\u2066-\u2069]", html)
    assert "&lt;script&gt;alert(1)&lt;/script&gt;\N{REPLACEMENT CHARACTER}evil" in html
    assert "<mark>" in html  # a letter of another alphabet
    for piece in re.findall(r"[^>]*alert\(1\)", html):
        assert re.search(r'<bdi(?: class="address")?>' + re.escape(piece), html), piece


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_it_only_shows(client: Client, household: Household, method: str) -> None:
    client.force_login(household.emma)
    for url in ("/reports/trace/", f"/reports/trace/{household.emma.pk}/"):
        assert getattr(client, method)(url).status_code == 405


def test_who_is_not_signed_in_is_led_to_the_door(client: Client, household: Household) -> None:
    for url in ("/reports/trace/", f"/reports/trace/{household.emma.pk}/"):
        assert client.get(url)["Location"].startswith("/sign-in/")
