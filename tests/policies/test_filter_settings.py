"""What a mailbox has once: the answer while somebody is away, spam, forwarding; set, seen, taken away, put back."""

import re
from datetime import date, timedelta
from html import unescape
from zoneinfo import ZoneInfo

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.models import AuditEntry
from accounts.wishes import Wishes, wishes
from policies import builder_words, filing
from policies.models import Forwarding, Spam, Vacation
from tests.policies.filed import plain, text_of

pytestmark = pytest.mark.django_db
AWAY = {
    "first": "2026-12-24",
    "last": "2027-01-02",
    "text": "Sono in montagna.\r\n\r\nAnna",
    "subject": "",
    "days": "7",
}
SORTED = {"over": "6", "folder": "Junk", "tag": ""}
FORWARD = {"to": "zia@outside.example\nmarco@myfamily.net", "keep": "yes"}
SETTINGS = {"vacation": (Vacation, AWAY), "spam": (Spam, SORTED), "forwarding": (Forwarding, FORWARD)}


def url(household, kind, verb="edit", who="anna"):
    return reverse(f"{kind}-{verb}", args=[household.mailboxes[who].pk])


def listing(household, who="anna", viewer=None):
    return text_of(household.client(viewer or who).get(reverse("rule-list", args=[household.mailboxes[who].pk])))


def card(household, kind, who="anna"):
    """What the card of a setting says."""
    found = re.search(rf'<article class="card" aria-labelledby="{kind}-title">.*?</article>', listing(household, who))
    assert found
    return plain(found[0])


@pytest.mark.parametrize("kind", SETTINGS)
def test_it_is_set_and_shown_again(household, kind):
    model, typed = SETTINGS[kind]
    client, before = household.client("anna"), Wishes.current()
    answer = client.post(url(household, kind), typed)
    assert answer.status_code == 302, answer.context["form"].errors
    assert answer["Location"].endswith(f"?generation={before + 1}")
    assert model.objects.get().mailbox == household.mailboxes["anna"]
    assert AuditEntry.objects.latest("pk").who == "anna@myfamily.net"
    form = client.get(url(household, kind)).context["form"]
    shown = {name: form[name].value() for name in typed}
    again = {name: value.isoformat() if isinstance(value, date) else str(value) for name, value in shown.items()}
    assert client.post(url(household, kind), again).status_code == 302
    assert Wishes.current() == before + 1  # the same once more is no change


def test_what_was_typed_is_what_is_kept(household):
    client = household.client("anna")
    for kind, (_model, typed) in SETTINGS.items():
        client.post(url(household, kind), typed)
    away, spam, forward = Vacation.objects.get(), Spam.objects.get(), Forwarding.objects.get()
    assert (away.text, away.first, away.last) == ("Sono in montagna.\n\nAnna", date(2026, 12, 24), date(2027, 1, 2))
    assert (spam.over, spam.folder, spam.tag) == (6, "Junk", "")
    assert (forward.to, forward.keep) == (["marco@myfamily.net", "zia@outside.example"], True)


@pytest.mark.parametrize("kind", SETTINGS)
def test_it_is_taken_away_and_put_back(household, kind):
    model, typed = SETTINGS[kind]
    client = household.client("anna")
    client.post(url(household, kind), typed)
    before = model.objects.get().values()
    answer = client.post(url(household, kind, "remove"))
    assert not model.objects.exists()
    text = client.get(answer["Location"]).text
    undo = re.search(r'action="(/rules/\d+/restore/\d+/)"', text)
    assert undo
    client.post(undo[1])
    assert model.objects.get().values() == before


def test_taking_away_what_is_not_there_changes_nothing(household):
    before = Wishes.current()
    for kind in SETTINGS:
        answer = household.client("anna").post(url(household, kind, "remove"))
        assert answer.status_code == 302
        assert "/restore/" not in household.client("anna").get(answer["Location"]).text
    assert Wishes.current() == before


@pytest.mark.parametrize("kind", SETTINGS)
def test_a_change_is_taken_back(household, kind):
    model, typed = SETTINGS[kind]
    other = {"vacation": {"text": "Ciao"}, "spam": {"over": "12"}, "forwarding": {"keep": "no"}}[kind]
    client = household.client("anna")
    client.post(url(household, kind), typed)
    before = model.objects.get().values()
    answer = client.post(url(household, kind), {**typed, **other})
    assert model.objects.get().values() != before
    undo = re.search(r'action="(/rules/\d+/restore/\d+/)"', client.get(answer["Location"]).text)
    assert undo
    client.post(undo[1])
    assert model.objects.get().values() == before


@pytest.mark.parametrize(
    ("kind", "wrong", "field", "sentence"),
    [
        ("vacation", {"text": " \n "}, "text", "The answer says nothing"),
        ("vacation", {"text": "a\u202eb"}, "text", "cannot be seen"),
        ("vacation", {"text": "x" * 5001}, "text", "at most 5000"),
        ("vacation", {"last": "2026-12-23"}, "last", "The last day is before the first one"),
        ("vacation", {"first": "soon"}, "first", "is not a date"),
        ("vacation", {"days": "0"}, "days", "greater than or equal to 1"),
        ("vacation", {"days": "91"}, "days", "less than or equal to 90"),
        ("vacation", {"subject": "a\r\nBcc: x@y.example"}, "subject", "cannot be seen"),
        ("spam", {"over": "0"}, "over", "greater than or equal to 1"),
        ("spam", {"over": "51"}, "over", "less than or equal to 50"),
        ("spam", {"folder": "a.b"}, "folder", "no dots"),
        ("spam", {"tag": "[Späm]"}, "tag", "cannot stand before a subject"),
        ("forwarding", {"to": ""}, "to", "This field is required"),
        ("forwarding", {"to": " , \n ; "}, "to", "leads nowhere"),
        ("forwarding", {"to": "zia"}, "to", "is not an address"),
        ("forwarding", {"to": "anna@myfamily.net"}, "to", "this mailbox itself"),
        ("forwarding", {"keep": "maybe"}, "keep", "Select a valid choice"),
    ],
)
def test_what_cannot_be_is_refused_beside_its_field(household, kind, wrong, field, sentence):
    model, typed = SETTINGS[kind]
    answer = household.client("anna").post(url(household, kind), {**typed, **wrong})
    text = text_of(answer, 422)
    found = re.search(rf'<li><a href="#[^"]*{field}[^"]*">[^<]*</a>: ([^<]*)</li>', text)
    assert found, text
    assert sentence in unescape(found[1])
    assert not model.objects.exists()


def test_two_that_forward_to_each_other_are_refused_with_the_way(household):
    with wishes("test", "test"):
        filing.set_forwarding(household.people["marco"], household.mailboxes["marco"], to=["anna@myfamily.net"])
    typed = {"to": "marco@myfamily.net", "keep": "yes"}
    text = text_of(household.client("anna").post(url(household, "forwarding"), typed), 422)
    assert "anna@myfamily.net → marco@myfamily.net → anna@myfamily.net" in text
    assert Forwarding.objects.count() == 1


# The cards


def away(household, start, end):
    today = timezone.localdate()
    with wishes("test", "test"):
        filing.set_vacation(
            household.people["anna"],
            household.mailboxes["anna"],
            text="<b>Via</b>",
            first=today + timedelta(days=start),
            last=today + timedelta(days=end),
        )


@pytest.mark.parametrize(
    ("start", "end", "word"), [(-9, -2, "ended"), (-3, 3, "answers now"), (3, 5, "for later"), (-9, 9, "answers now")]
)
def test_the_card_says_whether_who_writes_is_answered(household, start, end, word):
    away(household, start, end)
    text = card(household, "vacation")
    assert word in text
    assert "&lt;b&gt;Via&lt;/b&gt;" in text
    assert ("who writes is answered until" in plain(household.client("anna").get("/").text)) == (start < 0 < end)


def test_the_first_and_the_last_day_are_days_of_the_community(household, monkeypatch):
    with wishes("test", "test"):
        household.family.timezone = "Pacific/Kiritimati"  # 14 hours ahead
        household.family.save()
    noon = timezone.now().replace(year=2026, month=12, day=23, hour=12, minute=0)
    monkeypatch.setattr(timezone, "now", lambda: noon)
    household.client("anna").post(url(household, "vacation"), AWAY)
    assert "answers now" in card(household, "vacation")


@pytest.mark.parametrize(
    ("over", "word"), [(1, "very strict"), (5, "strict"), (6, "usual"), (12, "lenient"), (50, "very lenient")]
)
def test_spam_is_said_in_words(household, over, word):
    household.client("anna").post(url(household, "spam"), {**SORTED, "over": str(over), "tag": "[Spam]"})
    text = card(household, "spam")
    assert f"Letters with more than {over} spam point" in text
    assert word in text.lower()
    assert "“[Spam]” stands before their subject." in text
    assert builder_words.strictness(over).startswith(word)


@pytest.mark.parametrize(
    ("keep", "words"), [("yes", "and stay in the inbox, too."), ("no", "and into the Trash here.")]
)
def test_a_forwarding_is_said_in_words(household, keep, words):
    answer = household.client("anna").post(url(household, "forwarding"), {**FORWARD, "keep": keep})
    assert words in card(household, "forwarding")
    text = household.client("anna").get(answer["Location"]).text
    assert "marco@myfamily.net" in text


def test_outside_is_warned_of_before_and_after(household):
    client = household.client("anna")
    assert "may refuse what is forwarded" in client.get(url(household, "forwarding")).text
    answer = client.post(url(household, "forwarding"), FORWARD)
    text = client.get(answer["Location"]).text
    assert "zia@outside.example is an address outside" in text
    assert "marco@myfamily.net is an address outside" not in text


def test_a_child_forwards_only_to_whom_she_may_write(household):
    client = household.client("emma")
    text = text_of(client.post(url(household, "forwarding", who="emma"), FORWARD), 422)
    assert "zia@outside.example" in text
    inside = {"to": "anna@myfamily.net", "keep": "yes"}
    assert client.post(url(household, "forwarding", who="emma"), inside).status_code == 302


# Before it is saved


def test_the_answer_is_seen_before_it_is_saved(household):
    before = Wishes.current()
    typed = {**AWAY, "text": "Ciao <b>bella</b>", "subject": "Sono via", "look": "yes"}
    text = text_of(household.client("anna").post(url(household, "vacation"), typed))
    seen = re.search(r'<section id="reads".*?</section>', text)
    assert seen
    assert "Sono via" in seen[0]
    assert "Ciao &lt;b&gt;bella&lt;/b&gt;" in seen[0]
    assert Wishes.current() == before


def test_a_new_answer_begins_today(household):
    form = household.client("anna").get(url(household, "vacation")).context["form"]
    today = timezone.now().astimezone(ZoneInfo("Europe/Rome")).date()
    assert form["first"].value() == today
    assert form["last"].value() == today + timedelta(days=7)
