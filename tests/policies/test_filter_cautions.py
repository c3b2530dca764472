"""What to know before a rule is saved, and how what was done reads afterwards."""

from datetime import date

import pytest
from django.utils.translation import override

from accounts.models import AuditEntry
from accounts.wishes import wishes
from policies import filing
from policies.filter_words import change, sentence
from policies.models import FilterRule, Forwarding

pytestmark = pytest.mark.django_db


def asks(value, op="contains", field="subject"):
    return {"field": field, "op": op, "value": value}


A, B, NOT_A = asks("a"), asks("b"), asks("a", "not contains")
FLAG, STOP, DISCARD = {"action": "flag"}, {"action": "stop"}, {"action": "discard"}


def rule(when, *then, match="all", **values):
    return FilterRule(when=when, then=list(then or (STOP,)), match=match, **values)


@pytest.mark.parametrize(
    ("first", "second", "never"),
    [
        (rule([]), rule([A]), True),
        (rule([], FLAG), rule([A]), False),
        (rule([], active=False), rule([A]), False),
        (rule([A]), rule([A, B]), True),
        (rule([A, B]), rule([A]), False),
        (rule([A]), rule([]), False),
        (rule([A]), rule([A, B], match="any"), False),
        (rule([A, B], match="any"), rule([A]), True),
        (rule([A, B], match="any"), rule([A, B], match="any"), True),
        (rule([A, B], match="any"), rule([B, NOT_A]), True),
        (rule([A], DISCARD), rule([A], FLAG), True),
        (rule([A]), rule([B]), False),
    ],
)
def test_a_rule_that_never_acts_is_told(household, first, second, never):
    anna, mailbox = household.people["anna"], household.mailboxes["anna"]
    first.pk = second.pk = None
    with wishes(anna, "panel"):
        filing.save_rule(anna, mailbox, first)
    told = [said for said in filing.cautions(mailbox, second) if said.startswith("It can never act: a rule before")]
    assert bool(told) == never
    with wishes(anna, "panel"):
        filing.save_rule(anna, mailbox, second)
        filing.move_rule(anna, second, 0)
    assert not any("a rule before" in said for said in filing.cautions(mailbox, second)), "now it is the first"


def test_a_rule_that_contradicts_itself_is_told(household):
    mailbox = household.mailboxes["anna"]
    said = "It can never act: it asks for something and for its contrary."
    assert filing.cautions(mailbox, rule([A, NOT_A], FLAG)) == [said]
    assert filing.cautions(mailbox, rule([A, NOT_A], FLAG, match="any")) == []


def test_a_rule_for_every_letter_is_told(household):
    said = "This acts on every letter: none will stay in the inbox."
    assert filing.cautions(household.mailboxes["anna"], rule([], DISCARD)) == [said]
    assert filing.cautions(household.mailboxes["anna"], rule([], FLAG)) == []


def test_an_address_outside_may_refuse(household):
    then = [{"action": "forward", "to": to} for to in ("anna@gmail.com", "marco@myfamily.net")]
    told = filing.cautions(household.mailboxes["anna"], rule([A], *then))
    assert len(told) == 1
    assert told[0].startswith("anna@gmail.com is an address outside: its provider may refuse")
    row = Forwarding(mailbox=household.mailboxes["anna"], to=["anna@gmail.com"])
    assert filing.forwarding_cautions(row) == told


def test_a_folder_that_is_new_is_told_where_the_folders_are_known(household):
    then = [{"action": "copy", "folder": "Nuova"}, {"action": "file", "folder": "Trash"}]
    mailbox = household.mailboxes["anna"]
    assert filing.cautions(mailbox, rule([A], *then)) == []
    assert filing.cautions(mailbox, rule([A], *then), {"Scuola"}) == ["The folder “Nuova” is new: it is made for you."]
    assert filing.cautions(mailbox, rule([A], *then), {"Nuova"}) == []


def test_a_stranger_of_a_child_is_told_before_it_is_saved(household):
    row = rule([A], {"action": "forward", "to": "x@outside.example"})
    assert "Emma may not write to x@outside.example" in filing.cautions(household.mailboxes["emma"], row)[-1]


def test_what_was_done_is_read_in_words(household):
    anna, mailbox = household.people["anna"], household.mailboxes["anna"]
    with wishes(anna, "panel"):
        one = filing.save_rule(anna, mailbox, rule([A], FLAG))
    with wishes(anna, "panel"):
        filing.switch_rule(anna, one, False)
    with wishes(anna, "panel"):
        filing.switch_rule(anna, one, True)
    one.when = [B]
    with wishes(anna, "panel"):
        other = filing.save_rule(anna, mailbox, rule([A], FLAG))
        filing.save_rule(anna, mailbox, one)
    with wishes(anna, "panel"):
        filing.move_rule(anna, one, 1)
        filing.set_spam(anna, mailbox, over=7)
        filing.set_vacation(anna, mailbox, text="x", first=date(2026, 8, 1), last=date(2026, 8, 9))
        filing.remove_rule(anna, other)
        filing.set_forwarding(anna, mailbox, to=["x@outside.example"])
    with wishes(anna, "panel"):
        filing.set_forwarding(anna, mailbox, to=["x@outside.example"], keep=False)
    kinds = ("filterrule", "spam", "vacation", "forwarding")
    a, b = (f"When the subject contains “{word}”, flag it." for word in "ab")
    assert [change(entry) for entry in AuditEntry.objects.filter(kind__in=kinds)] == [
        f"Added: {a}",
        f"Switched off: {a}",
        f"Switched on: {a}",
        f"Added: {a}",
        f"Changed: {b}",
        f"Moved: {b}",
        "Added: When the letter has a spam score of at least 7, file it in “Junk”.",
        "Added: letters are answered from 1 Aug 2026 to 9 Aug 2026",
        f"Removed: {a}",
        "Added: With every letter: forward it to x@outside.example.",
        "Changed: With every letter: forward it to x@outside.example and put it in the Trash.",
    ]


def test_a_rule_in_italian(household):
    when = [
        asks("compiti"),
        asks("scuola.it", "not domain", "from"),
        asks("2M", "over", "size"),
        asks("pdf", "is", "attachment"),
    ]
    then = [
        {"action": "forward", "to": "marco@myfamily.net"},
        {"action": "mark-read"},
        {"action": "file", "folder": "Scuola"},
    ]
    row = rule(when, *then)
    with override("it"):
        assert sentence(row) == (
            "Quando l'oggetto contiene “compiti”, il mittente non ha un indirizzo di scuola.it, la lettera pesa più di "
            "2 MB e la lettera ha in allegato un PDF, inoltrala a marco@myfamily.net, segnala come già letta e "
            "archiviala in “Scuola”."
        )
