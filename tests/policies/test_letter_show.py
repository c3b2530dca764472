"""The page of one held letter: strangers' text as text, and nothing more than the level lets be seen."""

import pytest

from accounts.wishes import wishes
from policies.models import Answer
from tests.policies.letters import STRANGER, asked_out, held

pytestmark = pytest.mark.django_db
HOSTILE = "<script>alert(1)</script><img src=http://evil.example/x.png onerror=alert(2)>"


def page(household, letter, who="anna"):
    answer = household.client(who).get(f"/waiting/{letter.pk}/")
    assert answer.status_code == 200
    return " ".join(answer.text.split())


def test_it_shows_the_letter_its_envelope_and_what_the_filter_found(household):
    facts = {"Reply-To": "other", "Links": "3", "Attachments": "pdf program", "Auto": "yes", "Spam": "spam 9.0"}
    letter = held(
        household.mailboxes["emma"],
        STRANGER,
        sender="bounce@mailer.example",
        client="192.0.2.7",
        recipients=["kids@myfamily.net"],
        facts={**facts, "List": "news.lists.example"},
    )
    text = page(household, letter)
    for words in (
        "Tanti auguri",
        "It waits for your answer.",
        "quanti anni compi domenica?",
        "bounce@mailer.example",
        "kids@myfamily.net",
        "192.0.2.7",
        "go to another address",
        "a program, not a person",
        "news.lists.example",
        "a PDF, a program",
        "advertising or fraud",
        "2.0 KB",
        "Why was this held?",
        "because nobody on",
    ):
        assert words in text.replace("\xa0", " "), words
    assert 'value="once"' in text


def test_a_letter_out_names_who_wrote_it_and_all_it_is_to(household):
    letter = asked_out(household.mailboxes["emma"], "giulia@libero.it", "marta@libero.it")
    text = page(household, letter)
    assert "emma@myfamily.net" in text
    assert text.count("wants to write to") == 2
    assert text.count('value="once"') == 2


def test_strangers_text_is_text(household):
    letter = held(household.mailboxes["emma"], STRANGER, subject=HOSTILE, called=HOSTILE, excerpt=HOSTILE)
    client = household.client("anna")
    for url in (f"/waiting/{letter.pk}/", "/waiting/", f"/waiting/questions/{letter.questions.get().pk}/"):
        text = client.get(url).text
        assert "&lt;script&gt;alert(1)" in text
        assert "<script>alert" not in text
        assert "<img" not in text


def test_what_turns_text_around_is_seen(household):
    turned = "\u202egnp.exe\u2066 \u200bx\x07"
    letter = held(household.mailboxes["emma"], STRANGER, subject=turned, called=turned, excerpt=turned)
    text = household.client("anna").get(f"/waiting/{letter.pk}/").text
    assert not set("\u202e\u2066\u200b\x07") & set(text)
    assert text.count("<bdi>\ufffdgnp.exe\ufffd \ufffdx\ufffd</bdi>") >= 3


def test_an_answer_stands_beside_the_question(household):
    letter = held(household.mailboxes["emma"], STRANGER)
    with wishes(household.people["marco"], "test"):
        Answer(question=letter.questions.get(), choice="no").save()
    text = page(household, letter)
    assert "<bdi>Marco</bdi> answered “No”" in text
    assert "the mail host does it in a moment" in text
    assert 'value="once"' not in text


@pytest.mark.parametrize(
    ("state", "words"),
    [("done", "It waits no more."), ("expired", "It waited for 30 days and is gone."), ("gone", "It is gone.")],
)
def test_of_a_letter_that_waits_no_more_the_rest_is_shown(household, state, words):
    letter = held(household.mailboxes["emma"], STRANGER, state=state, subject="", excerpt="", called="", outcome="ok.")
    text = page(household, letter)
    assert words in text
    assert "What was in it is not kept." in text
    assert STRANGER in text
    assert 'value="once"' not in text


def test_of_spam_nobody_is_asked(household):
    text = page(household, held(household.mailboxes["emma"], STRANGER, reason="spam"))
    assert "It is kept back, and nobody is asked." in text
    assert 'value="once"' not in text


def test_the_text_of_a_letter_stays_with_whom_the_level_trusts(household):
    with wishes("a test", "test"):
        row = household.people["luca"].memberships.get()
        row.level = "explorer"
        row.save()
    letter = held(household.mailboxes["luca"], STRANGER)
    text = page(household, letter)
    assert "A letter to <bdi>Luca</bdi>" in text
    assert "stays with <bdi>Luca</bdi>" in text
    assert "quanti anni" not in text
    assert "Tanti auguri" not in text
    assert "192.0.2" not in text


def test_an_exception_can_open_it_for_a_while(household):
    with wishes("a test", "test"):
        row = household.people["luca"].memberships.get()
        row.level, row.overrides = "explorer", [{"sight": "held", "until": "2199-12-31"}]
        row.save()
    assert "quanti anni" in page(household, held(household.mailboxes["luca"], STRANGER))


@pytest.mark.parametrize(
    "facts", [{}, {"From": ""}, {"From": "pass"}, {"Links": "many", "Attachments": "x y", "List": ""}]
)
def test_facts_that_cannot_be_read_break_no_page(household, facts):
    letter = held(household.mailboxes["emma"], STRANGER)
    letter.facts = facts
    letter.save()
    page(household, letter)
    assert household.client("anna").get("/waiting/").status_code == 200
