"""Where letters go on to: in no circle, to addresses that exist, to whom people may write, and to not too many."""

from datetime import UTC, datetime, timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import AuditEntry, Membership
from accounts.services import join
from accounts.wishes import wishes
from domains.models import Alias, Domain
from domains.services import delete_alias, delete_mailbox
from policies import filing
from policies.forwards import misfits
from policies.models import Contact, FilterRule, Forwarding
from policies.services import allow

pytestmark = pytest.mark.django_db
SUBJECT = {"field": "subject", "op": "contains", "value": "x"}


def forward(household, whose, *to, keep=True):
    """The sentence that refuses it, or nothing."""
    mailbox = household.mailboxes[whose]
    person = mailbox.people.first()
    try:
        with wishes(person, "panel"):
            filing.set_forwarding(person, mailbox, to=to, keep=keep)
    except ValidationError as error:
        return error.message_dict["to"][0]
    return ""


def by_rule(household, whose, *to, active=True):
    """The same with a rule."""
    mailbox = household.mailboxes[whose]
    person = mailbox.people.first()
    rule = FilterRule(when=[SUBJECT], then=[{"action": "forward", "to": one} for one in to], active=active)
    try:
        with wishes(person, "panel"):
            filing.save_rule(person, mailbox, rule)
    except ValidationError as error:
        return error.message_dict["then"][0]
    return ""


def level(household, who, name, **overrides):
    membership = Membership.objects.get(user=household.people[who])
    membership.level = name
    membership.overrides = [overrides] if overrides else []
    with wishes("a test", "test"):
        membership.save()


def listed(household, who, address, **values):
    with wishes("a test", "test"):
        Contact(person=household.people[who], address=address, **values).save()


@pytest.mark.parametrize("to", ["marco@myfamily.net", "marco+x@myfamily.net", "MARCO@MyFamily.net"])
def test_nobody_forwards_to_herself(household, to):
    said = "marco@myfamily.net is this mailbox itself: forward to another address."
    assert forward(household, "marco", to) == said
    assert by_rule(household, "marco", to) == said


def test_nobody_forwards_to_herself_by_another_name_of_the_domain(household):
    with wishes("a test", "test"):
        Domain(name="twin.example", kind="alias", alias_of=household.home).save()
    assert "this mailbox itself" in forward(household, "marco", "marco@twin.example")


def test_two_do_not_forward_to_each_other(household):
    assert forward(household, "marco", "anna@myfamily.net") == ""
    said = "The letters would go in a circle: anna@myfamily.net → marco@myfamily.net → anna@myfamily.net."
    assert by_rule(household, "anna", "marco@myfamily.net") == said
    assert by_rule(household, "anna", "marco@myfamily.net", active=False) == ""
    anna, rule = household.people["anna"], FilterRule.objects.get()
    with pytest.raises(ValidationError, match="would go in a circle"), wishes(anna, "panel"):
        filing.switch_rule(anna, rule, True)


def test_an_alias_closes_no_circle(household):
    assert "parents@myfamily.net → marco@" in forward(household, "marco", "parents@myfamily.net")
    assert forward(household, "anna", "kids@myfamily.net") == ""
    assert "emma@myfamily.net → anna@myfamily.net → kids@myfamily.net → emma@" in by_rule(
        household, "emma", "anna@myfamily.net"
    )


def test_an_alias_that_would_close_a_circle_is_refused(household):
    assert forward(household, "anna", "kids@myfamily.net") == ""
    alias = household.aliases["kids@myfamily.net"]
    alias.targets = ["emma@myfamily.net", "anna@myfamily.net"]
    with pytest.raises(ValidationError, match=r"anna@myfamily.net → kids@myfamily.net → anna@"), wishes("x", "test"):
        alias.save()


def test_a_catch_all_that_would_close_a_circle_is_refused(household):
    with wishes("a test", "test"):
        Alias(address="@mybusiness.com", targets=["olivia@mybusiness.com"]).save()
    assert forward(household, "rita", "unknown@mybusiness.com") == ""
    caught = Alias.objects.get(address="@mybusiness.com")
    caught.targets = ["rita@mybusiness.com"]
    with pytest.raises(ValidationError, match=r"rita@mybusiness.com → unknown@"), wishes("x", "test"):
        caught.save()


def test_who_is_nowhere_gets_no_letters(household):
    assert forward(household, "marco", "no@myfamily.net") == "no@myfamily.net is not an address here: add it first."
    assert forward(household, "marco", "no@outside.example") == ""


@pytest.mark.parametrize(
    ("who", "name", "to", "said"),
    [
        ("emma", "starter", "x@outside.example", "Emma may not write to x@outside.example: it has to be on the list"),
        ("emma", "starter", "nonna@gmail.com", ""),
        ("emma", "starter", "nonna+x@gmail.com", "Emma may not write to nonna+x@gmail.com"),
        ("emma", "starter", "zio@scuola.example", ""),
        ("emma", "starter", "x@sub.scuola.example", "Emma may not write"),
        ("emma", "starter", "in@outside.example", "Emma may not write"),
        ("emma", "starter", "anna@myfamily.net", ""),
        ("emma", "starter", "marco+x@myfamily.net", ""),
        ("emma", "starter", "parents@myfamily.net", ""),
        ("emma", "starter", "out@myfamily.net", "Emma may not write to everybody whom out@myfamily.net leads to"),
        ("emma", "starter", "sara@mybusiness.com", "Emma may not write"),
        ("emma", "explorer", "x@outside.example", ""),
        ("emma", "explorer", "bullo@outside.example", "bullo@outside.example is blocked for Emma"),
        ("emma", "explorer", "bullo+2@outside.example", "bullo+2@outside.example is blocked for Emma"),
        ("ivo", "inside", "sara@mybusiness.com", ""),
        ("ivo", "inside", "x@outside.example", "Ivo may write to own people only"),
        ("ivo", "inside", "listed@partner.example", "Ivo may write to own people only"),
        ("ivo", "inside", "boss@customer.example", ""),
        ("ivo", "partners", "listed@partner.example", ""),
        ("ivo", "partners", "x@outside.example", "Ivo may not write"),
        ("ivo", "standard", "x@outside.example", ""),
        ("marco", "", "x@outside.example", ""),
    ],
)
def test_letters_go_on_only_to_whom_one_may_write(household, who, name, to, said):
    if name:
        level(household, who, name)
    listed(household, "emma", "nonna@gmail.com")
    listed(household, "emma", "@scuola.example")
    listed(household, "emma", "in@outside.example", direction="in")
    listed(household, "emma", "bullo@outside.example", kind="blocked")
    with wishes("a test", "test"):
        Contact(community=household.business, address="@partner.example").save()
        Contact(community=household.business, address="boss@customer.example", kind="always").save()
        Alias(address="out@myfamily.net", targets=["anna@myfamily.net", "x@outside.example"]).save()
    for found in (forward(household, who, to), by_rule(household, who, to)):
        assert found.startswith(said) if said else found == ""


def test_an_exception_holds_until_its_last_day(household):
    today = datetime.now(UTC).date()
    level(household, "emma", "starter", outgoing="anyone", until=str(today + timedelta(days=2)))
    assert forward(household, "emma", "x@outside.example") == ""
    level(household, "emma", "starter", outgoing="anyone", until=str(today - timedelta(days=2)))
    assert "Emma may not write" in by_rule(household, "emma", "x@outside.example")


def test_of_a_shared_mailbox_each_person_counts(household):
    level(household, "sara", "standard")
    level(household, "paolo", "inside")
    assert forward(household, "info", "x@outside.example").startswith("Paolo may write to own people only")


def test_nobody_but_the_child_has_her_letters_sent_on(household):
    """Else a parent would read them all, where she may only ask to read one."""
    anna, person, emma = household.people["anna"], household.people["emma"], household.mailboxes["emma"]
    then = [{"action": "forward", "to": "anna@myfamily.net"}]
    for put in (
        lambda: filing.set_forwarding(anna, emma, to=["anna@myfamily.net"]),
        lambda: filing.save_rule(anna, emma, FilterRule(then=then)),
    ):
        with pytest.raises(ValidationError, match="Only Emma can have these letters sent on"), wishes(anna, "panel"):
            put()
    with wishes(person, "panel"):
        filing.set_forwarding(person, emma, to=["anna@myfamily.net"])
        rule = filing.save_rule(person, emma, FilterRule(then=then))
    with wishes(anna, "panel"):
        filing.clear_forwarding(anna, emma)
        filing.switch_rule(anna, rule, False)
    change = filing.changes(emma, "forwarding", emma.address).latest("pk")
    with pytest.raises(ValidationError, match="Only Emma"), wishes(anna, "panel"):
        filing.restore(anna, emma, change)
    rule.when = []
    with pytest.raises(ValidationError, match="Only Emma"), wishes(anna, "panel"):
        filing.save_rule(anna, emma, rule)
    assert not Forwarding.objects.exists()


def test_what_is_barred_since_stays_and_can_be_moved_and_switched_off(household):
    emma, mailbox = household.people["emma"], household.mailboxes["emma"]
    listed(household, "emma", "zia@outside.example")
    assert forward(household, "emma", "zia@outside.example") == by_rule(household, "emma", "zia@outside.example") == ""
    assert misfits([*FilterRule.objects.all(), *Forwarding.objects.all()]) == []
    with wishes("a test", "test"):
        Contact.objects.get().delete()
    rule = FilterRule.objects.get()
    said = {type(row): sentence for row, sentence in misfits([rule, Forwarding.objects.get()])}
    assert said.keys() == {FilterRule, Forwarding}
    assert all("Emma may not write to zia@outside.example" in sentence for sentence in said.values())
    assert filing.cautions(mailbox, rule)[-1] == said[FilterRule]
    with wishes(emma, "panel"):
        filing.save_rule(emma, mailbox, FilterRule(then=[{"action": "flag"}]))
    with wishes(emma, "panel"):
        filing.move_rule(emma, rule, 1)
    with wishes(emma, "panel"):
        filing.switch_rule(emma, rule, False)
    with pytest.raises(ValidationError, match="may not write"), wishes(emma, "panel"):
        filing.switch_rule(emma, rule, True)


def test_a_contact_that_comes_in_the_same_block_counts(household):
    anna, emma, mailbox = household.people["anna"], household.people["emma"], household.mailboxes["emma"]
    with wishes(anna, "panel"):
        filing.set_forwarding(emma, mailbox, to=["zia@outside.example"])
        allow(anna, [Contact(person=household.people["emma"], address="zia@outside.example")])
    assert Forwarding.objects.exists()


@pytest.mark.parametrize(("who", "limit"), [("luca", 3), ("sara", 5), ("info", 5), ("rita", 20), ("marco", 20)])
def test_a_mailbox_forwards_to_so_many_addresses(household, who, limit):
    if who == "luca":
        level(household, "luca", "trusted")
    names = [f"x{number}@outside.example" for number in range(limit + 1)]
    assert forward(household, who, *names[: limit // 2]) == ""
    for start in range(0, limit, 10):
        assert by_rule(household, who, *names[start : min(limit, start + 10)]) == ""
    said = f"This mailbox would forward to {limit + 1} addresses: at most {limit}."
    assert by_rule(household, who, names[limit]) == said
    assert by_rule(household, who, names[0], names[1]) == "", "the same again is no more"


def test_who_is_protected_is_so_wherever_the_mailbox_is(household):
    with wishes("a test", "test"):
        household.mailboxes["work"] = household.mailbox("luca", household.work, "luca")
    names = [f"x{number}@outside.example" for number in range(4)]
    level(household, "luca", "trusted")
    assert forward(household, "work", *names) == "This mailbox would forward to 4 addresses: at most 3."


def test_a_member_is_nobody_special_at_home(household):
    with wishes("a test", "test"):
        join(household.people["anna"], household.business, "member")
    assert forward(household, "anna", *(f"x{number}@outside.example" for number in range(6))) == ""


def test_nothing_is_forwarded_to_an_address_that_is_gone(household):
    """Whoever gets the address next is another."""
    assert forward(household, "rita", "sara@mybusiness.com", "paolo@mybusiness.com") == ""
    assert forward(household, "olivia", "sara@mybusiness.com", keep=False) == ""
    rules = {
        "kept": [{"action": "forward", "to": "sara+x@mybusiness.com"}, {"action": "flag"}],
        "gone": [{"action": "forward", "to": "sara@mybusiness.com"}],
        "handed over": [{"action": "forward", "to": "sara@mybusiness.com"}, {"action": "discard"}],
        "other": [{"action": "forward", "to": "paolo@mybusiness.com"}],
    }
    rita = household.people["rita"]
    with wishes(rita, "panel"):
        rows = {
            name: filing.save_rule(rita, household.mailboxes["rita"], FilterRule(then=then))
            for name, then in rules.items()
        }
    with wishes("a test", "test"):
        delete_mailbox(household.mailboxes["sara"])
    assert Forwarding.objects.get().to == ["paolo@mybusiness.com"]
    left = {row.key: row.then for row in FilterRule.objects.all()}
    assert left == {rows["kept"].key: [{"action": "flag"}], rows["other"].key: rules["other"]}
    assert AuditEntry.objects.filter(kind="filterrule", what=rows["gone"].label()).latest("pk").after is None


def test_nothing_is_forwarded_to_an_alias_that_is_gone(household):
    assert forward(household, "marco", "kids@myfamily.net") == ""
    with wishes("a test", "test"):
        delete_alias(household.aliases["kids@myfamily.net"])
    assert not Forwarding.objects.exists()


def test_a_save_asks_no_more_where_more_forward(household):
    counts = []

    def queries(number):
        rita, mailbox = household.people["rita"], household.mailboxes["rita"]
        with CaptureQueriesContext(connection) as captured, wishes(rita, "panel"):
            filing.set_forwarding(rita, mailbox, to=[f"x{number}@outside.example", "team@mybusiness.com"])
        return len(captured)

    for who, others in (("sara", ()), ("paolo", ("sara", "ivo", "gino"))):
        for one in (who, *others):
            assert forward(household, one, "olivia@mybusiness.com") == ""
            assert by_rule(household, one, "out@outside.example") == ""
        queries(0)
        counts.append(queries(1))
    assert counts[0] == counts[1]
