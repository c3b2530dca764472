"""From the database to the snapshot."""

import json
from datetime import date

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from accounts.wishes import Wishes, wishes
from deploy import snapshot
from deploy.gather import GATES, gather
from deploy.models import MailHost
from domains.models import Alias, Domain, Mailbox
from policies.household import load

HOUSEHOLD = """
[[community]]
name = "Rossi"
timezone = "Europe/Rome"
domains = ["rossi.example"]
[[domain]]
name = "old.example"
alias_of = "rossi.example"
[[domain]]
name = "kept.example"
relay_to = "mx.other.example"
[[person]]
address = "ada@rossi.example"
password = "una parola lunga"
[[person]]
address = "bo@rossi.example"
password = "un'altra parola"
active = false
[[mailbox]]
address = "ada@rossi.example"
[[mailbox]]
address = "ada.lavoro@rossi.example"
people = ["ada@rossi.example"]
quota = "2G"
[[mailbox]]
address = "bo@rossi.example"
[[mailbox]]
address = "casa@rossi.example"
people = ["ada@rossi.example", "bo@rossi.example"]
[[alias]]
address = "estate@rossi.example"
to = ["ada@rossi.example"]
internal = true
expires = 2026-08-31
"""


@pytest.fixture
def rossi(db: None) -> snapshot.Snapshot:
    load(HOUSEHOLD, "a test")
    return gather(MailHost.objects.get())


def test_a_snapshot_says_everything_and_its_generation(rossi):
    assert (rossi.generation, rossi.host, rossi.role) == (Wishes.current(), "primary", "primary")
    assert rossi.domains == (
        snapshot.Domain("kept.example", "backup", "mx.other.example"),
        snapshot.Domain("old.example", "alias", "rossi.example"),
        snapshot.Domain("rossi.example", "mail"),
    )
    assert snapshot.Snapshot.from_json(rossi.to_json()) == rossi


def test_a_person_signs_in_under_each_mailbox_of_her_own(rossi):
    boxes = {box.address: box for box in rossi.mailboxes}
    ada = User.objects.get(address="ada@rossi.example")
    own = ("ada.lavoro@rossi.example", "ada@rossi.example")
    assert boxes["ada@rossi.example"].logins == boxes["ada.lavoro@rossi.example"].logins == own
    assert boxes["ada@rossi.example"].password == boxes["ada.lavoro@rossi.example"].password == ada.password
    assert boxes["ada.lavoro@rossi.example"].quota == 2 << 30


def test_nobody_signs_in_as_a_shared_mailbox_but_its_people_write_as_it(rossi):
    shared = next(box for box in rossi.mailboxes if box.address == "casa@rossi.example")
    assert shared.password == ""
    assert shared.logins == ("ada.lavoro@rossi.example", "ada@rossi.example", "bo@rossi.example")
    assert shared.active


def test_a_person_who_is_disabled_closes_her_mailboxes(rossi):
    assert [box.address for box in rossi.mailboxes if not box.active] == ["bo@rossi.example"]


def test_an_alias_ends_with_its_last_day_where_it_lives(rossi):
    assert rossi.aliases == (
        snapshot.Alias("estate@rossi.example", ("ada@rossi.example",), True, "2026-08-31T22:00:00+00:00"),
    )


def test_a_backup_mx_learns_no_people(rossi):
    snapshot_ = gather(MailHost.objects.create(name="backup", role="backup"))
    assert (snapshot_.mailboxes, snapshot_.aliases) == ((), ())
    assert snapshot_.domains == rossi.domains


def test_the_number_of_queries_does_not_grow(rossi):
    def queries() -> int:
        with CaptureQueriesContext(
            connection,
        ) as captured:
            gather(MailHost.objects.get())
        return len(captured)

    before = queries()
    more = "".join(f'[[mailbox]]\naddress = "x{n}@rossi.example"\npeople = ["ada@rossi.example"]\n' for n in range(20))
    load(more, "a test")
    assert queries() == before
    assert Mailbox.objects.count() == 24


def test_a_suspended_mailbox_is_not_active(rossi):
    box = Mailbox.objects.get(address="ada@rossi.example")
    box.active = False
    with wishes("a test", "test"):
        box.save()
    again = gather(MailHost.objects.get())
    assert {b.address for b in again.mailboxes if not b.active} == {"ada@rossi.example", "bo@rossi.example"}
    assert again.generation == rossi.generation + 1


def test_nothing_in_the_database_is_forgotten(rossi):
    assert {d.name for d in rossi.domains} == set(Domain.objects.values_list("name", flat=True))
    assert {b.address for b in rossi.mailboxes} == set(Mailbox.objects.values_list("address", flat=True))
    assert {a.address for a in rossi.aliases} == set(Alias.objects.values_list("address", flat=True))
    assert Alias.objects.get().expires == date(2026, 8, 31)


LISTS = """
[[community]]
name = "Verdi"
language = "it"
domains = ["verdi.example"]
[[community.contact]]
address = "doctor@clinic.example"
kind = "always"
direction = "out"
[[community]]
name = "Shop"
kind = "business"
domains = ["shop.example"]
[[community.contact]]
address = "@partner.example"
[[community.contact]]
address = "spy@partner.example"
kind = "blocked"
[[person]]
address = "mum@verdi.example"
[[person.membership]]
community = "Verdi"
role = "guardian"
[[person.membership]]
community = "Shop"
role = "owner"
[[person]]
address = "kid@verdi.example"
[[person.membership]]
community = "Verdi"
role = "protected"
level = "starter"
override = [{ outgoing = "anyone", until = 2026-12-31 }]
[[person.contact]]
address = "nonna@gmail.com"
[[person.contact]]
address = "zio@gmail.com"
direction = "in"
[[person.contact]]
address = "bully@x.example"
kind = "blocked"
[[person]]
address = "teen@verdi.example"
[[person.membership]]
community = "Verdi"
role = "protected"
level = "trusted"
[[person]]
address = "ivo@shop.example"
[[person.membership]]
community = "Shop"
role = "member"
level = "inside"
[[person]]
address = "sara@shop.example"
[[person.membership]]
community = "Shop"
role = "member"
level = "standard"
[[mailbox]]
address = "mum@verdi.example"
[[mailbox]]
address = "kid@verdi.example"
[[mailbox]]
address = "kid.school@verdi.example"
people = ["kid@verdi.example"]
[[mailbox]]
address = "teen@verdi.example"
[[mailbox]]
address = "both@verdi.example"
people = ["kid@verdi.example", "ivo@shop.example"]
[[mailbox]]
address = "ivo@shop.example"
[[mailbox]]
address = "sara@shop.example"
"""


@pytest.fixture
def lists(db: None) -> snapshot.Snapshot:
    load(LISTS, "a test")
    return gather(MailHost.objects.get())


def test_a_circle_is_its_own_people_and_its_list(lists):
    own = ("kid.school@verdi.example", "kid@verdi.example", "mum@verdi.example", "teen@verdi.example")
    assert lists.circles == (
        snapshot.Circle(
            "Shop",
            ("ivo@shop.example", "mum@verdi.example", "sara@shop.example"),
            allowed=("@partner.example",),
            blocked=("spy@partner.example",),
            entries=(
                snapshot.Entry("@partner.example", "allowed"),
                snapshot.Entry("spy@partner.example", "blocked"),
            ),
        ),
        snapshot.Circle("Verdi", own, ("mum@verdi.example",), always=("doctor@clinic.example",)),
    )
    assert snapshot.Snapshot.from_json(lists.to_json()) == lists


def test_who_is_bound_is_bound_under_every_login_by_level_exception_and_list(lists):
    people = {sender.logins[0]: sender for sender in lists.senders}
    assert list(people) == ["ivo@shop.example", "kid.school@verdi.example", "sara@shop.example"]
    kid = people["kid.school@verdi.example"]
    assert kid.logins == ("kid.school@verdi.example", "kid@verdi.example")
    assert kid.bonds == (snapshot.Bond("Verdi", (("2026-12-31T23:00:00+00:00", "anyone"), ("", "ask"))),)
    assert (kid.allowed, kid.blocked) == (("nonna@gmail.com",), ("bully@x.example",))
    ivo, sara = people["ivo@shop.example"].bonds[0], people["sara@shop.example"].bonds[0]
    assert (ivo.strangers, ivo.listed, "own people only" in ivo.sentence) == ((("", "refuse"),), False, True)
    assert (sara.strangers, sara.sentence) == ((("", "anyone"),), "")  # bound by the business's blocked spy alone


SPY = '[[community.contact]]\naddress = "spy@partner.example"\nkind = "blocked"\n'
STANDARD = 'role = "member"\nlevel = "standard"\n'


@pytest.mark.django_db
@pytest.mark.parametrize("setting", ["list", "proven", "anyone"])
def test_an_exception_alone_has_somebodys_letters_looked_at(setting):
    """At `standard` nobody is kept out, and nobody is blocked here."""
    exception = f'{STANDARD}override = [{{ incoming = "{setting}", until = 2026-12-31 }}]\n'
    assert SPY in LISTS
    load(LISTS.replace(SPY, "").replace(STANDARD, exception), "a test")
    screens = {screen.mailbox: screen.gates for screen in gather(MailHost.objects.get()).screens}
    assert ("sara@shop.example" in screens) == (setting != "anyone")
    if setting != "anyone":
        (gate,) = screens["sara@shop.example"]
        assert gate.strangers == (("2026-12-31T23:00:00+00:00", GATES[setting]), ("", GATES["anyone"]))


def test_a_backup_mx_learns_no_lists(lists):
    told = gather(MailHost.objects.create(name="backup", role="backup"))
    assert (told.circles, told.senders) == ((), ())


def test_a_snapshot_from_before_there_were_lists_is_read(rossi):
    data = json.loads(rossi.to_json())
    del data["circles"], data["senders"]
    assert snapshot.Snapshot.from_json(json.dumps(data)) == rossi


def test_the_number_of_queries_does_not_grow_with_lists(lists):
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            gather(MailHost.objects.get())
        return len(captured)

    before = queries()
    people = "".join(
        f'[[person]]\naddress = "x{n}@shop.example"\n[[person.membership]]\ncommunity = "Shop"\nrole = "member"\n'
        f'level = "partners"\n[[person.contact]]\naddress = "p{n}@x.example"\n' for n in range(9)
    )  # fmt: skip
    load(people + "".join(f'[[mailbox]]\naddress = "x{n}@shop.example"\n' for n in range(9)), "a test")
    assert queries() == before
    assert len(gather(MailHost.objects.get()).senders) == 12


def test_hours_are_schedules_of_each_person_with_the_calendar_where_it_counts(db):
    text = """
[[community]]
name = "Bianchi"
kind = "family"
timezone = "Europe/Rome"
domains = ["bianchi.example"]
[community.calendar]
school_days = ["mon", "tue"]
holidays = [["2026-12-23", "2027-01-06"]]
[[person]]
address = "eva@bianchi.example"
password = "una parola lunga"
[[person.membership]]
community = "Bianchi"
role = "protected"
level = "starter"
override = [{ hours = "always", until = 2026-12-31 }]
[[person]]
address = "leo@bianchi.example"
password = "un'altra parola"
[[person.membership]]
community = "Bianchi"
role = "protected"
level = "explorer"
[[person]]
address = "zoe@bianchi.example"
[[person.membership]]
community = "Bianchi"
role = "protected"
level = "trusted"
[[mailbox]]
address = "eva@bianchi.example"
[[mailbox]]
address = "eva.scuola@bianchi.example"
people = ["eva@bianchi.example"]
[[mailbox]]
address = "leo@bianchi.example"
[[mailbox]]
address = "due@bianchi.example"
people = ["eva@bianchi.example", "leo@bianchi.example"]
[[mailbox]]
address = "zoe@bianchi.example"
"""
    load(text, "a test")
    eva, leo = gather(MailHost.objects.get()).hours
    midnight = "2026-12-31T23:00:00+00:00"
    assert eva == snapshot.Hours(
        "Bianchi",
        ("eva.scuola@bianchi.example", "eva@bianchi.example"),
        "Europe/Rome",
        ((midnight, "always"), ("", "07:00-20:00")),
    )
    assert leo == snapshot.Hours(
        "Bianchi",
        ("leo@bianchi.example",),
        "Europe/Rome",
        (("", "07:00-22:30"),),
        before_school=True,
        school_days=("mon", "tue"),
        holidays=(("2026-12-23", "2027-01-06"),),
    )
