"""A mailbox's rules, as they are written, moved, switched, removed and taken back; and by whom."""

from datetime import date

import pytest
from django.core.exceptions import PermissionDenied, ValidationError

from accounts.models import AuditEntry
from accounts.wishes import wishes
from domains.services import delete_mailbox
from policies import filing
from policies.models import FilterRule, Forwarding, Spam, Vacation
from policies.rights import may_file

pytestmark = pytest.mark.django_db
SCHOOL = {"field": "subject", "op": "contains", "value": "compiti"}


def rule(folder="Scuola", **values):
    return FilterRule(when=[SCHOOL], then=[{"action": "file", "folder": folder}], **values)


def folders(mailbox):
    return [row.then[0]["folder"] for row in filing.rules_of(mailbox)]


def save(household, who, *rows, mailbox=None):
    mailbox = household.mailboxes[mailbox or who]
    with wishes(household.people[who], "panel"):
        return [filing.save_rule(household.people[who], mailbox, row) for row in rows]


@pytest.mark.parametrize(
    ("moved", "place", "order"),
    [("A", 0, "ABC"), ("A", 1, "BAC"), ("A", 2, "BCA"), ("C", 0, "CAB"), ("C", 1, "ACB"),
     ("B", 9, "ACB"), ("B", -1, "BAC")],
)  # fmt: skip
def test_a_rule_is_moved(household, moved, place, order):
    rows = save(household, "luca", rule("A"), rule("B"), rule("C"))
    luca = household.people["luca"]
    before = AuditEntry.objects.count()
    with wishes(luca, "panel"):
        filing.move_rule(luca, next(row for row in rows if row.then[0]["folder"] == moved), place)
    assert folders(household.mailboxes["luca"]) == list(order)
    assert AuditEntry.objects.count() - before == (order != "ABC"), "one move writes one rule"


def test_rules_can_be_moved_as_often_as_one_likes(household):
    save(household, "luca", rule("A"), rule("B"), rule("C"))
    luca, order = household.people["luca"], list("ABC")
    for _turn in range(40):  # each time the room between two of them is halved, until there is none
        with wishes(luca, "panel"):
            *_others, last = filing.rules_of(household.mailboxes["luca"])
            filing.move_rule(luca, last, 1)
        order = [order[0], order[2], order[1]]
        assert folders(household.mailboxes["luca"]) == order


def test_a_rule_is_switched_removed_and_put_back(household):
    luca, mailbox = household.people["luca"], household.mailboxes["luca"]
    first, _second = save(household, "luca", rule("A"), rule("B"))
    with wishes(luca, "panel"):
        filing.switch_rule(luca, first, False)
    assert [row.active for row in filing.rules_of(mailbox)] == [False, True]
    with wishes(luca, "panel"):
        filing.remove_rule(luca, first)
    assert folders(mailbox) == ["B"]
    gone = AuditEntry.objects.latest("pk")
    with wishes(luca, "panel"):
        filing.restore(luca, mailbox, gone)
    assert folders(mailbox) == ["A", "B"]
    back = filing.rules_of(mailbox)[0]
    assert (back.key, back.active, back.by) == (first.key, False, luca.address)
    with wishes(luca, "panel"), pytest.raises(ValidationError, match="since"):
        filing.restore(luca, mailbox, gone)


def test_what_was_changed_is_put_back(household):
    luca, mailbox = household.people["luca"], household.mailboxes["luca"]
    with wishes(luca, "panel"):
        filing.set_vacation(luca, mailbox, text="Away", first=date(2026, 8, 1), last=date(2026, 8, 9))
    with wishes(luca, "panel"):
        filing.set_vacation(luca, mailbox, text="Back soon", first=date(2026, 8, 1), last=date(2026, 8, 20))
    with wishes(luca, "panel"):
        filing.restore(luca, mailbox, AuditEntry.objects.latest("pk"))
    found = Vacation.objects.get()
    assert (found.text, found.last, found.days) == ("Away", date(2026, 8, 9), 7)


def test_of_another_mailbox_nothing_is_put_back(household):
    anna, luca = household.people["anna"], household.people["luca"]
    (row,) = save(household, "luca", rule("A"))
    with wishes(luca, "panel"):
        filing.remove_rule(luca, row)
    gone = AuditEntry.objects.latest("pk")
    with wishes(anna, "panel"), pytest.raises(PermissionDenied):
        filing.restore(anna, household.mailboxes["emma"], gone)
    with wishes(luca, "panel"), pytest.raises(PermissionDenied):
        filing.restore(luca, household.mailboxes["emma"], gone)
    with wishes(anna, "panel"):
        filing.restore(anna, household.mailboxes["luca"], gone)
    assert folders(household.mailboxes["luca"]) == ["A"]


def test_what_is_no_change_of_a_rule_is_not_put_back(household):
    anna, mailbox = household.people["anna"], household.mailboxes["anna"]
    save(household, "anna", rule("A"))
    for entry in (AuditEntry.objects.filter(kind="filterrule").latest("pk"), AuditEntry.objects.earliest("pk")):
        with wishes(anna, "panel"), pytest.raises(PermissionDenied):
            filing.restore(anna, mailbox, entry)


def test_what_a_mailbox_has_once_is_set_and_cleared(household):
    luca, mailbox = household.people["luca"], household.mailboxes["luca"]
    with wishes(luca, "panel"):
        filing.set_spam(luca, mailbox, over=8, tag="[Spam]")
        filing.set_spam(luca, mailbox, over=9)
        filing.set_forwarding(luca, mailbox, to=["anna@myfamily.net"], keep=False)
    assert [(row.over, row.folder, row.tag) for row in Spam.objects.all()] == [(9, "Junk", "")]
    assert [(row.to, row.keep) for row in Forwarding.objects.all()] == [(["anna@myfamily.net"], False)]
    with wishes(luca, "panel"):
        filing.clear_spam(luca, mailbox)
        filing.clear_forwarding(luca, mailbox)
        filing.clear_vacation(luca, mailbox)
    assert not Spam.objects.exists()
    assert not Forwarding.objects.exists()


def test_a_mailbox_takes_its_rules_along(household):
    luca, mailbox = household.people["luca"], household.mailboxes["luca"]
    save(household, "luca", rule("A"))
    with wishes(luca, "panel"):
        filing.set_spam(luca, mailbox, over=8)
        filing.set_forwarding(luca, mailbox, to=["anna@myfamily.net"])
        filing.set_vacation(luca, mailbox, text="Away", first=date(2026, 8, 1), last=date(2026, 8, 9))
    with wishes("command line", "test"):
        delete_mailbox(mailbox, with_people=True)
    for model in (FilterRule, Spam, Forwarding, Vacation):
        assert not model.objects.exists()
    kinds = [entry.kind for entry in AuditEntry.objects.all() if entry.after is None]
    assert {"filterrule", "spam", "forwarding", "vacation", "mailbox", "user"} <= set(kinds)


@pytest.mark.parametrize(
    ("who", "whose", "may"),
    [
        ("emma", "emma", True),
        ("anna", "emma", True),
        ("anna", "marco", False),
        ("luca", "emma", False),
        ("emma", "anna", False),
        ("rita", "sara", True),
        ("olivia", "rita", True),
        ("olivia", "info", True),
        ("sara", "info", True),
        ("ivo", "info", False),
        ("sara", "paolo", False),
        ("rita", "olivia", False),
        ("rita", "emma", False),
        ("anna", "sara", False),
    ],
)
def test_who_may_write_whose_rules(household, who, whose, may):
    actor, mailbox = household.people[who], household.mailboxes[whose]
    assert may_file(actor, mailbox) == may
    with wishes(actor, "panel"):
        if may:
            filing.save_rule(actor, mailbox, rule())
        else:
            with pytest.raises(PermissionDenied):
                filing.save_rule(actor, mailbox, rule())


def test_an_administrator_writes_nobody_elses_rules(household):
    household.people["anna"].administrator = True
    with wishes("command line", "test"):
        household.people["anna"].save()
    assert may_file(household.people["anna"], household.mailboxes["emma"]), "she is Emma's guardian"
    assert not may_file(household.people["anna"], household.mailboxes["sara"])


def test_who_stands_above_an_administrator_does_not_write_her_rules(household):
    with wishes("command line", "test"):
        household.person("sara", administrator=True)
    assert not may_file(household.people["rita"], household.mailboxes["sara"])
    assert not may_file(household.people["rita"], household.mailboxes["info"])


def test_a_guardian_writes_a_childs_rules_wherever_the_mailbox_is(household):
    with wishes("command line", "test"):
        work = household.mailbox("luca", household.work, "luca")
    assert may_file(household.people["anna"], work)
    assert not may_file(household.people["rita"], work), "he is nothing in the business"


def test_of_a_shared_mailbox_one_stands_above_all(household):
    with wishes("command line", "test"):
        shared = household.mailbox("sales", household.work, "sara", "olivia")
    assert not may_file(household.people["rita"], shared)
    assert not may_file(household.people["paolo"], shared)
    assert may_file(household.people["marco"], household.mailboxes["info"])
