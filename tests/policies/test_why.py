"""Why a held letter was held, with what the database knows of entries, levels and who chose them."""

from datetime import UTC, datetime
from typing import Any

import pytest
from django.utils import translation
from django.utils.translation import gettext

from accounts.wishes import wishes
from policies import cases, why
from policies.models import Contact, Decision, HeldLetter, Question
from tests.household import Household

EVIL, NONNA = "evil@other.example", "nonna.rosa@gmail.com"


@pytest.fixture
def home(household: Household) -> Household:
    """Emma's list, written by Anna."""
    emma = household.people["emma"]
    with wishes(household.people["anna"], "page"):
        Contact(person=emma, address=NONNA, name="Nonna").save()
        Contact(person=emma, address="@scuola-verdi.edu.it").save()
        Contact(person=emma, address="bully@other.example", kind="blocked").save()
        Contact(community=household.family, address="doctor@clinic.example", assurance="unproven").save()
    return household


def letter(house: Household, author: str, station: str, reason: str, **more: Any) -> HeldLetter:
    """A letter to Emma, held a moment ago."""
    facts = {"From": more.pop("proof", f"pass {author} dmarc"), "Reply-To": "none", "List": more.pop("through", "none")}
    values: dict[str, Any] = {
        "host": "primary", "direction": "in", "key": house.mailboxes["emma"].key, "name": f"{station}.{reason}/new/1",
        "arrived": datetime.now(UTC), "station": station, "reason": reason, "author": author, "facts": facts,
        "queue_id": "4Xyz", "sender": "envelope@other.example", "client": "192.0.2.7",
    }  # fmt: skip
    return HeldLetter.objects.create(**{**values, **more})


def decided(held: HeldLetter, entry: str) -> HeldLetter:
    """What the log said of it."""
    Decision.objects.create(
        host=held.host, when=held.arrived, queue_id=held.queue_id, key=held.key, direction=held.direction,
        verdict="hold", station=held.station, reason=held.reason, entry=entry,
    )  # fmt: skip
    return held


def test_a_strangers_letter_names_the_level_and_who_chose_it(home: Household) -> None:
    with wishes(home.people["marco"], "page"):
        membership = home.people["emma"].memberships.get()
        membership.level = "learner"
        membership.save()
    told = why.why(decided(letter(home, EVIL, "in-5", "stranger"), "*"))
    assert told.fact == f"Held because nobody on Emma's list has the address {EVIL}."
    assert told.rule.startswith("Marco chose ‘Learner’ for Emma on ")
    assert told.remedy == f"Add {EVIL} to Emma's list to let such letters in."
    assert [tick.state for tick in told.ticks].index("decided") == 4
    assert f"X-Mailadmin-From: pass {EVIL} dmarc" in told.raw
    assert any("queue=4Xyz" in line and "client=192.0.2.7" in line for line in told.raw)


def test_the_level_that_counts_is_that_of_the_day_it_came(home: Household) -> None:
    held = letter(home, EVIL, "in-5", "stranger")
    with wishes(home.people["marco"], "page"):
        membership = home.people["emma"].memberships.get()
        membership.level = "trusted"
        membership.save()
    assert "‘Starter’" in why.why(held).rule
    assert "only the family and people on the list" in why.why(held).rule


@pytest.mark.parametrize(
    ("author", "station", "reason", "entry", "said"),
    [
        (NONNA, "in-3", "unproven", NONNA, f"Anna put {NONNA} on Emma's list on "),
        ("x@scuola-verdi.edu.it", "in-3", "unproven", "@scuola-verdi.edu.it", "Anna put @scuola-verdi.edu.it on"),
        ("x@scuola-verdi.edu.it", "in-3", "unproven", "", "Anna put @scuola-verdi.edu.it on"),
        ("bully+x@other.example", "in-2", "blocked", "bully+@other.example", "Anna blocked bully@other.example on"),
        ("doctor@clinic.example", "in-6", "content", "doctor@clinic.example", "At this level such letters are held"),
        ("anna@myfamily.net", "in-3", "unproven", "anna@myfamily.net", "the same for everybody"),
    ],
)
def test_the_entry_that_spoke_is_named(
    home: Household, author: str, station: str, reason: str, entry: str, said: str
) -> None:
    held = letter(home, author, station, reason, proof=f"fail {author} dmarc")
    assert said in why.why(decided(held, entry) if entry else held).rule


def test_a_letter_that_goes_out_names_the_strangers(home: Household) -> None:
    held = letter(
        home, "emma@myfamily.net", "out-2", "stranger", direction="out", recipients=[NONNA, EVIL], name="4Xyz"
    )
    Question.objects.create(letter=held, address=EVIL)
    told = why.why(held)
    assert told.fact == f"Held because it is to somebody who is not on Emma's list: {EVIL}."
    assert told.remedy == f"Add {EVIL} to the list to let such letters go."


@pytest.mark.parametrize(("readable", "subject"), [(True, "Ciao"), (False, "Ciao"), (True, "")])
def test_a_subject_is_for_who_may_read_the_letter_as_long_as_it_waits(
    home: Household, readable: bool, subject: str
) -> None:
    held = letter(home, EVIL, "in-5", "stranger", subject=subject)
    held.facts |= {"Subject": "Ciao"}
    told = why.why(held, readable=readable)
    assert ("Ciao" in str(told)) == (readable and bool(subject))


def test_a_level_that_a_command_gave_names_nobody(home: Household) -> None:
    assert why.why(letter(home, EVIL, "in-5", "stranger")).rule.startswith("Emma has the level ‘Starter’.")


def test_a_look_alike_is_told(home: Household) -> None:
    assert f"it looks like {NONNA}" in why.why(letter(home, "nonna.r0sa@gmail.com", "in-5", "stranger")).fact


def test_an_entry_that_is_gone_leaves_a_sentence(home: Household) -> None:
    held = decided(letter(home, NONNA, "in-3", "unproven", proof=f"none {NONNA} -"), NONNA)
    with wishes(home.people["anna"], "page"):
        Contact.objects.get(address=NONNA).delete()
    told = why.why(held)
    assert told.fact.startswith(f"Held because it is not proven that {NONNA} wrote this letter.")
    assert told.remedy


def test_a_mailbox_that_is_gone_leaves_a_sentence(home: Household) -> None:
    assert "this mailbox" in why.why(letter(home, EVIL, "in-5", "stranger", key="0" * 16)).fact


def test_a_tried_letter_of_a_child_goes_out_and_then_in(home: Household) -> None:
    outcome = dict.fromkeys(("reason", "folder", "author", "proof", "answer"), "")
    outcome |= {
        "verdict": "deliver",
        "station": "in-8",
        "key": home.mailboxes["luca"].key,
        "entry": "emma@myfamily.net",
    }
    facts = {"From": "pass emma@myfamily.net login"}
    found = cases.of_trial(outcome, "emma@myfamily.net", "luca@myfamily.net", facts, datetime.now(UTC))
    told = why.tried(found, [])
    assert [tick.state for tick in told.ticks] == ["passed"] * 10 + ["decided"]
    assert told.fact == "Delivered because emma@myfamily.net is one of us, and signed in."


def test_the_words_are_in_the_readers_language(home: Household) -> None:
    held = letter(home, EVIL, "in-5", "stranger")
    with translation.override("it"):
        told = why.why(held)
        text = gettext("Held because nobody on %(name)s's list has the address %(author)s.")
    assert told.fact == text % {"name": "Emma", "author": EVIL}
