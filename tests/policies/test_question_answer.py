"""The answers: what each does, which stands, and who may give it."""

from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError

from accounts.models import AuditEntry, Membership
from accounts.wishes import Wishes, wishes
from policies import services
from policies.models import Answer, Contact, HeldLetter, Question
from tests.policies.letters import STRANGER, asked_out, held

pytestmark = pytest.mark.django_db
NONNA = "nonna.rosa@gmail.com"
EVIDENCE = "ip:192.0.2.0/24"


def send(household, letter, choice, who="anna", about="", **more):
    question = letter.questions.get(address=about) if about else letter.questions.get()
    return household.client(who).post(f"/waiting/questions/{question.pk}/", {"choice": choice, **more})


def told(household, answer, who="anna"):
    """The page that an answer leads to."""
    client = household.client(who)
    client.cookies = answer.client.cookies
    return " ".join(answer.client.get(answer["Location"]).text.split())


def listed(owner, address=STRANGER, **facts):
    whose = "community" if hasattr(owner, "kind") else "person"
    with wishes("marco@myfamily.net", "test"):
        row = Contact(address=address, **{whose: owner}, **facts)
        row.save()
    return row


def answers():
    return {(one.question.letter.pk, one.question.address): one.choice for one in Answer.objects.all()}


def entry(address=STRANGER):
    row = Contact.objects.get(address=address)
    return row.direction, row.kind, row.assurance, row.evidence


def test_let_this_one_in_is_about_this_letter_alone(household):
    one, other = (held(household.mailboxes["emma"], STRANGER) for _ in range(2))
    answer = send(household, one, "once")
    assert answer.status_code == 302
    assert f"generation={Wishes.current()}" in answer["Location"]
    text = told(household, answer)
    assert "The letter goes on to Emma." in text
    assert f'hx-get="/state/{Wishes.current()}/"' in text  # and the page follows it until it is live
    assert answers() == {(one.pk, STRANGER): "once"}
    assert not Contact.objects.exists()
    assert send(household, other, "no").status_code == 302
    assert answers()[other.pk, STRANGER] == "no"
    assert not Contact.objects.exists()


def test_an_answer_is_written_down_with_who_gave_it(household):
    send(household, held(household.mailboxes["emma"], STRANGER), "once")
    row = Answer.objects.get()
    assert (row.by, row.when is not None) == ("anna@myfamily.net", True)
    log = AuditEntry.objects.filter(kind="answer").get()
    assert (log.who, log.door, log.after["choice"]) == ("anna@myfamily.net", "page", "once")  # type: ignore[index]


def test_always_writes_the_entry_and_answers_what_it_answers(household):
    emma, luca = household.mailboxes["emma"], household.mailboxes["luca"]
    one, other = held(emma, STRANGER), held(emma, STRANGER)
    hers = held(luca, STRANGER)
    out, stranger = asked_out(emma, STRANGER), held(emma, "altra@example.org")
    answer = send(household, one, "always")
    assert "zia.carla@gmail.com may write to Emma from now on. 2 letters go on now." in told(household, answer)
    assert answers() == {(one.pk, STRANGER): "always", (other.pk, STRANGER): "always"}
    assert entry() == ("in", "allowed", "proven", "")
    row = Contact.objects.get()
    assert (row.person, row.by) == (household.people["emma"], "anna@myfamily.net")
    waiting = Question.objects.filter(answer=None).values_list("letter", flat=True)
    assert set(waiting) == {hers.pk, out.pk, stranger.pk}


def test_what_the_entry_does_not_let_in_still_waits(household):
    emma = household.mailboxes["emma"]
    proven, claims = held(emma, STRANGER), held(emma, STRANGER, fact="none {} -")
    content = held(emma, STRANGER, station="in-6", reason="content")
    through = held(emma, STRANGER, facts={"List": "news.lists.example"})
    send(household, proven, "always")
    assert list(answers()) == [(proven.pk, STRANGER)]
    assert claims.questions.filter(answer=None).exists()
    assert content.questions.filter(answer=None).exists()
    assert through.questions.filter(answer=None).exists()


@pytest.mark.parametrize(
    ("fact", "sure", "assurance", "evidence"),
    [
        ("pass {} spf", {}, "proven", ""),
        (f"none {{}} {EVIDENCE}", {}, "pinned", EVIDENCE),
        ("none {} dkim:mailer.example", {}, "pinned", "dkim:mailer.example"),
        ("none {} -", {"sure": "on"}, "unproven", ""),
        ("fail {} dmarc", {"sure": "on"}, "unproven", ""),
    ],
)
def test_the_entry_asks_for_what_this_letter_shows(household, fact, sure, assurance, evidence):
    letter = held(household.mailboxes["emma"], STRANGER, fact=fact)
    assert send(household, letter, "always", **sure).status_code == 302
    assert entry() == ("in", "allowed", assurance, evidence)


def test_nobody_is_let_in_without_proof_by_one_click(household):
    letter = held(household.mailboxes["emma"], STRANGER, fact="none {} -")
    answer = send(household, letter, "always")
    assert answer.status_code == 422
    assert "Nothing proves this address." in answer.text
    assert 'name="sure" value="on"' in answer.text
    assert not Contact.objects.exists()
    assert not Answer.objects.exists()


@pytest.mark.parametrize("choice", ["once", "always"])
def test_a_look_alike_is_let_in_by_the_second_click_only(household, choice):
    letter = held(household.mailboxes["emma"], "nonna.r0sa@gmail.com", like=NONNA)
    answer = send(household, letter, choice)
    assert answer.status_code == 422
    assert "<mark>0</mark>" in answer.text
    assert not Answer.objects.exists()
    assert send(household, letter, choice, sure="on").status_code == 302


@pytest.mark.parametrize("choice", ["no", "block"])
def test_a_look_alike_is_kept_out_by_one_click(household, choice):
    letter = held(household.mailboxes["emma"], "nonna.r0sa@gmail.com", like=NONNA)
    assert send(household, letter, choice).status_code == 302


def test_both_ways_when_it_was_the_other_way_already(household):
    listed(household.people["emma"], direction="out")
    send(household, held(household.mailboxes["emma"], STRANGER, fact=f"none {{}} {EVIDENCE}"), "always")
    assert entry() == ("both", "allowed", "pinned", EVIDENCE)


def test_a_letter_out_makes_an_entry_for_that_way(household):
    letter = asked_out(household.mailboxes["emma"], STRANGER, "altra@example.org")
    answer = send(household, letter, "always", about=STRANGER)
    assert "Emma may write to zia.carla@gmail.com from now on." in told(household, answer)
    assert entry() == ("out", "allowed", "proven", "")
    assert letter.questions.filter(answer=None).count() == 1
    text = told(household, send(household, letter, "once", about="altra@example.org"))
    assert "The letter goes on to altra@example.org." in text


def test_a_letter_out_waits_until_every_stranger_is_answered(household):
    letter = asked_out(household.mailboxes["emma"], STRANGER, "altra@example.org")
    text = told(household, send(household, letter, "once", about=STRANGER))
    assert "the letter goes when the others are answered, too" in text


def test_a_proof_that_an_entry_has_is_not_weakened_by_a_better_letter(household):
    listed(household.people["emma"], assurance="pinned", evidence=EVIDENCE, direction="in")
    letter = held(household.mailboxes["emma"], STRANGER, station="in-3", reason="unproven", fact="pass {} dmarc")
    send(household, letter, "always")
    assert entry() == ("in", "allowed", "pinned", EVIDENCE)


def test_a_borrowed_name_can_be_accepted_and_its_owner_cannot_be_blocked_by_it(household):
    listed(household.people["emma"], NONNA)
    letter = held(household.mailboxes["emma"], NONNA, station="in-3", reason="unproven", fact="fail {} dmarc")
    assert 'value="block"' not in household.client("anna").get("/waiting/").text
    answer = send(household, letter, "block")
    assert answer.status_code == 422
    assert "This is no answer to this letter" in answer.text
    assert send(household, letter, "always", sure="on").status_code == 302
    assert entry(NONNA) == ("both", "allowed", "unproven", "")


def test_an_address_with_an_extension_is_somebody_else_unless_it_is_blocked(household):
    emma = household.mailboxes["emma"]
    plain, extended = held(emma, STRANGER), held(emma, "zia.carla+x@gmail.com")
    send(household, plain, "always")
    assert list(answers()) == [(plain.pk, STRANGER)]
    assert extended.questions.filter(answer=None).exists()


def test_block_writes_a_blocked_entry_and_answers_the_others(household):
    emma = household.mailboxes["emma"]
    one, other, extended = (
        held(emma, STRANGER),
        held(emma, STRANGER, fact="none {} -"),
        held(emma, "zia.carla+x@gmail.com"),
    )
    answer = send(household, one, "block")
    assert "zia.carla@gmail.com is blocked" in told(household, answer)
    assert entry() == ("in", "blocked", "proven", "")
    assert set(answers().values()) == {"block"}
    assert {letter for letter, _address in answers()} == {one.pk, other.pk, extended.pk}


def test_who_is_always_heard_cannot_be_blocked(household):
    listed(household.family, "doctor@clinic.example", kind="always", direction="out")
    letter = held(household.mailboxes["emma"], "doctor@clinic.example")
    answer = send(household, letter, "block")
    assert answer.status_code == 422
    assert "it cannot be blocked" in answer.text
    assert not Answer.objects.exists()


def test_who_is_blocked_is_not_let_in_by_the_way(household):
    listed(household.people["emma"], kind="blocked", direction="out")
    letter = held(household.mailboxes["emma"], STRANGER)
    answer = send(household, letter, "always")
    assert answer.status_code == 422
    assert "is blocked in the list of Emma: take that entry away first" in answer.text
    assert Contact.objects.get().kind == "blocked"
    assert not Answer.objects.exists()


def test_an_entry_made_by_always_can_be_taken_back(household):
    client = household.client("anna")
    letter = held(household.mailboxes["emma"], STRANGER)
    answer = client.post(f"/waiting/questions/{letter.questions.get().pk}/", {"choice": "always"})
    row = Contact.objects.get()
    undo = f"/family/{household.people['emma'].pk}/people/{row.pk}/remove/"
    assert f'action="{undo}"' in client.get(answer["Location"]).text
    assert client.post(undo).status_code == 302
    assert not Contact.objects.exists()


def test_an_entry_is_written_for_everybody_of_a_shared_mailbox(household):
    with wishes("a test", "test"):
        for name in ("sara", "paolo"):
            row = household.people[name].memberships.get()
            row.level = "partners"
            row.save()
    letter = held(household.mailboxes["info"], STRANGER)
    alone = held(household.mailboxes["sara"], STRANGER)
    send(household, letter, "always", "olivia")
    people = set(Contact.objects.values_list("person__name", flat=True))
    assert people == {"Sara", "Paolo"}
    assert {pk for pk, _address in answers()} == {letter.pk, alone.pk}


def test_the_first_answer_stands_and_the_second_is_told_whose_it_was(household):
    letter = held(household.mailboxes["emma"], STRANGER)
    assert send(household, letter, "no", "marco").status_code == 302
    answer = send(household, letter, "always", "anna")
    assert answer.status_code == 422
    text = " ".join(answer.text.split())
    assert "<bdi>Marco</bdi> has answered already: No" in text
    assert "The first answer stands." in text
    assert answers() == {(letter.pk, STRANGER): "no"}
    assert not Contact.objects.exists()
    question = letter.questions.get()
    with (
        pytest.raises(ValidationError, match="Marco has answered already: no"),
        wishes(household.people["anna"], "test"),
    ):
        services.answer(household.people["anna"], question, "always")


def test_what_was_answered_by_an_entry_is_answered(household):
    one, other = (held(household.mailboxes["emma"], STRANGER) for _ in range(2))
    send(household, one, "always", "marco")
    answer = send(household, other, "block", "anna")
    assert answer.status_code == 422
    assert "<bdi>Marco</bdi> has answered already: Always" in " ".join(answer.text.split())


@pytest.mark.parametrize("state", ["done", "expired", "gone"])
def test_a_letter_that_waits_no_more_is_not_answered(household, state):
    letter = held(household.mailboxes["emma"], STRANGER, state=state)
    assert send(household, letter, "once").status_code == 422
    assert not Answer.objects.exists()


@pytest.mark.parametrize("choice", ["", "maybe", "ALWAYS"])
def test_what_is_no_answer_is_refused(household, choice):
    letter = held(household.mailboxes["emma"], STRANGER)
    assert send(household, letter, choice).status_code == 422
    assert not Answer.objects.exists()


def test_looking_answers_nothing(household):
    letter = held(household.mailboxes["emma"], STRANGER)
    before = Wishes.current()
    for url in (
        "/waiting/",
        f"/waiting/{letter.pk}/",
        f"/waiting/questions/{letter.questions.get().pk}/?choice=always",
    ):
        assert household.client("anna").get(url).status_code == 200
    assert Wishes.current() == before
    assert not Answer.objects.exists()


def test_rights_are_asked_again_when_it_is_answered(household):
    question = held(household.mailboxes["emma"], STRANGER).questions.get()
    for who in ("emma", "luca", "olivia", "sara"):
        actor = household.people[who]
        with pytest.raises(PermissionDenied), wishes(actor, "test"):
            services.answer(actor, question, "once")
    anna = household.people["anna"]
    with wishes("a test", "test"):
        Membership.objects.get(user=anna).refreshed().delete()
    with pytest.raises(PermissionDenied), wishes(anna, "test"):
        services.answer(anna, question, "once")
    assert not Answer.objects.exists()


def test_a_malformed_letter_goes_on_alone_or_not_at_all(household):
    facts: dict[str, Any] = {"station": "in-1", "reason": "malformed", "fact": "malformed"}
    letter = held(household.mailboxes["emma"], **facts)
    text = household.client("anna").get("/waiting/").text
    assert 'value="once"' in text
    assert 'value="always"' not in text
    assert 'value="block"' not in text
    assert send(household, letter, "always").status_code == 422
    assert send(household, letter, "once").status_code == 302
    assert HeldLetter.objects.get().questions.get().answer.choice == "once"
