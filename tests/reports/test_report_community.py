"""The report of a family and of a business: who sees what of whom, on the page and in the sheets alike."""

import re
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Membership
from accounts.wishes import wishes
from domains.models import MailboxPerson
from reports import looks
from reports.models import AccessEntry, DomainTally, Word
from reports.periods import month
from tests.reports.conftest import Household, count

pytestmark = pytest.mark.django_db
TABLES = ("working", "who", "whom", "when", "rules", "wrong")
NAMES = ("Sara", "Paolo", "Rita", "Marco", "sara@", "paolo@", "rita@", "marco@", "info@")
PURPOSE = "The quota of next year is to be planned"
ROME = ZoneInfo("Europe/Rome")


@pytest.fixture
def business(household: Household) -> Household:
    """The household, where everybody wrote something yesterday, and nobody before."""
    for number, (address, box) in enumerate(household.mailboxes.items(), 1):
        hour = timezone.now() - timedelta(days=1)
        for column, letters in (("received", number * 100), ("sent", number), ("away", number), ("quick", 1)):
            count(box.key, column, letters, hour)
        word = Word.objects.create(text=f"partner-of-{address.partition('@')[0]}{number}.example", seen=hour)
        DomainTally.objects.create(
            mailbox=box.key, month=month(timezone.localdate(timezone=ROME)), domain=word, received=number, sent=1
        )
    return household


def url(house: Household, kind: str, **asked: str) -> str:
    words = "&".join(f"{name}={value}" for name, value in asked.items())
    return f"/reports/community/{house.communities[kind].pk}/?{words}"


def texts(client: Client, house: Household, viewer: str, kind: str, **asked: str) -> list[str]:
    """The page and each of its sheets."""
    client.force_login(house.people[viewer])
    answers = [client.get(url(house, kind, **asked))]
    answers += [client.get(url(house, kind, **asked, format="csv", table=table)) for table in TABLES]
    assert [answer.status_code for answer in answers] == [200] * len(answers)
    return [answer.content.decode().replace("Marco</bdi>", "") for answer in answers]  # who is signed in, in the menu


def state(client: Client, house: Household, viewer: str = "marco", purpose: str = PURPOSE) -> int:
    client.force_login(house.people[viewer])
    return client.post(url(house, "business", mode="names"), {"purpose": purpose}).status_code


@pytest.mark.parametrize(
    ("viewer", "kind", "status"),
    [
        ("marco", "business", 200),
        ("rita", "business", 200),
        ("sara", "business", 403),
        ("ada", "business", 403),  # an administrator has the totals of the host
        ("anna", "business", 404),
        ("emma", "business", 404),
        ("rosa", "business", 404),
        ("marco", "family", 200),
        ("anna", "family", 200),
        ("emma", "family", 403),
        ("ada", "family", 403),
        ("rita", "family", 404),
        ("rosa", "family", 404),
    ],
)
@pytest.mark.parametrize("form", ["", "csv"])
def test_it_checks_who_looks(
    client: Client, household: Household, viewer: str, kind: str, status: int, form: str
) -> None:
    client.force_login(household.people[viewer])
    asked = {"format": form, "table": "who"} if form else {}
    assert client.get(url(household, kind, **asked)).status_code == status
    states = viewer == "marco" and kind == "business"
    sent = client.post(url(household, kind), {"purpose": PURPOSE}).status_code
    assert sent == (302 if states else 403 if status == 200 else status)


@pytest.mark.parametrize(
    ("viewer", "mode", "status"),
    [
        ("marco", "totals", 200),
        ("marco", "pseudonyms", 200),
        ("rita", "totals", 200),
        ("rita", "pseudonyms", 403),
        ("rita", "names", 403),
        ("marco", "nonsense", 403),
    ],
)
@pytest.mark.parametrize("form", ["", "csv"])
def test_it_checks_the_mode(
    client: Client, business: Household, viewer: str, mode: str, status: int, form: str
) -> None:
    client.force_login(business.people[viewer])
    asked = {"format": form, "table": "who"} if form else {}
    assert client.get(url(business, "business", mode=mode, **asked)).status_code == status


@pytest.mark.parametrize(
    ("viewer", "mode"), [("marco", ""), ("rita", ""), ("marco", "totals"), ("marco", "pseudonyms")]
)
def test_without_the_mode_of_names_there_is_no_name(
    client: Client, business: Household, viewer: str, mode: str
) -> None:
    for text in texts(client, business, viewer, "business", mode=mode):
        body = text.partition("<main")[2] or text
        assert not [name for name in NAMES if name in body.replace("partner-of-", "")], body


def test_totals_are_sums_of_the_business_alone(client: Client, business: Household) -> None:
    _page, working, who, *_rest = texts(client, business, "rita", "business")
    theirs = [n for n, a in enumerate(business.mailboxes, 1) if a.endswith("@mybusiness.com")]
    assert f"In all,{sum(theirs) * 100},0,{sum(theirs)}" in who
    assert working.count("In all") == 1
    assert f"In all,{sum(theirs) * 101},{len(theirs)},0,0,0" in working


def test_pseudonyms_are_stable_and_sorted_by_themselves(client: Client, business: Household) -> None:
    first, again = (texts(client, business, "marco", "business", mode="pseudonyms")[2] for _ in range(2))
    assert first == again
    rows = [line.split(",")[0] for line in first.splitlines()[1:-1]]
    assert len(rows) == 5
    assert sum(row.startswith("Person ") for row in rows) == 4
    assert sum(row.startswith("Shared mailbox ") for row in rows) == 1
    numbers = [int(row.split()[-1]) for row in rows]
    assert numbers == sorted(numbers)


def test_with_few_people_a_pseudonym_is_a_fig_leaf(client: Client, business: Household) -> None:
    page = texts(client, business, "marco", "business", mode="pseudonyms")[0]
    assert "There are 4 people here: a pseudonym is a fig leaf" in page
    with wishes("test", "test"):
        box = business.mailboxes["info@mybusiness.com"]
        MailboxPerson(mailbox=box, user=business.anna).save()
    assert "fig leaf" not in texts(client, business, "marco", "business", mode="pseudonyms")[0]


def test_names_ask_for_a_purpose_first(client: Client, business: Household) -> None:
    client.force_login(business.marco)
    answer = client.get(url(business, "business", mode="names"))
    assert "Why do you need names?" in answer.text
    assert "Sara" not in answer.text
    assert client.get(url(business, "business", mode="names", format="csv", table="who")).status_code == 403
    assert state(client, business, purpose="too short") == 422
    assert state(client, business, purpose="x" * 201) == 422
    assert not AccessEntry.objects.exists()
    assert state(client, business) == 302
    page, _working, who, *_rest = texts(client, business, "marco", "business", mode="names")
    assert "Sara" in page
    assert PURPOSE in page
    assert "info@mybusiness.com" in who
    entry = AccessEntry.objects.get()
    assert (entry.who, entry.person, entry.mode, entry.purpose) == (business.marco.address, None, "names", PURPOSE)


def test_a_purpose_is_the_owners_own_and_holds_for_an_hour(client: Client, business: Household) -> None:
    state(client, business)
    AccessEntry.objects.update(who="paolo@mybusiness.com")
    client.force_login(business.marco)
    assert "Why do you need names?" in client.get(url(business, "business", mode="names")).text
    AccessEntry.objects.update(who=business.marco.address, when=timezone.now() - timedelta(minutes=61))
    assert "Why do you need names?" in client.get(url(business, "business", mode="names")).text
    AccessEntry.objects.update(when=timezone.now() - timedelta(minutes=59))
    assert "Sara" in client.get(url(business, "business", mode="names")).text


@pytest.mark.parametrize(("viewer", "status"), [("rita", 403), ("sara", 403), ("anna", 404)])
def test_nobody_else_states_a_purpose(client: Client, business: Household, viewer: str, status: int) -> None:
    assert state(client, business, viewer) == status
    assert client.post(url(business, "business"), {"purpose": PURPOSE}).status_code == status
    assert not AccessEntry.objects.exists()


def test_who_is_about_it_reads_who_looked(client: Client, business: Household) -> None:
    state(client, business, purpose="<b>to plan</b> the quota")
    texts(client, business, "marco", "business", mode="names")
    texts(client, business, "marco", "business", mode="pseudonyms")
    client.force_login(business.sara)
    seen = client.get("/reports/seen/").text
    assert "Somebody looked 2 times." in seen
    assert "&lt;b&gt;to plan&lt;/b&gt; the quota" in seen
    assert business.marco.address in seen
    for name in ("marco", "anna", "rosa"):  # oneself, and who is not in it
        client.force_login(business.people[name])
        assert "Nobody has looked at your figures" in client.get("/reports/seen/").text


def test_a_parent_sees_children_by_name_and_no_other_adult(client: Client, business: Household) -> None:
    page, _working, who, *_rest = texts(client, business, "anna", "family")
    assert "Emma,300," in who
    assert "Luca,400," in who
    assert "Anna,200," in who  # herself
    assert "Marco" not in who
    assert "Everybody else" not in who  # it would be Marco alone
    assert "In all,900," in who
    assert "one more person" in page


def test_two_others_are_told_together(client: Client, business: Household) -> None:
    sight(business, "luca", "trusted")
    page, _working, who, whom, *_rest = texts(client, business, "anna", "family")
    assert "Luca" not in page
    assert "Luca" not in who
    assert '"Everybody else, together",500,' in who
    assert "In all,1000," in who
    assert "partner-of-emma" in whom
    assert "partner-of-luca" not in whom
    assert "partner-of-marco" not in whom


def test_of_an_explorer_new_domains_are_named_alone(client: Client, business: Household) -> None:
    sight(business, "luca", "explorer")
    assert "partner-of-luca" in texts(client, business, "anna", "family")[3]  # it is new
    row = DomainTally.objects.get(mailbox=business.key("luca@myfamily.net"))
    DomainTally.objects.create(mailbox=row.mailbox, month=202001, domain_id=row.domain_id, sent=1)
    assert "partner-of-luca" not in texts(client, business, "anna", "family")[3]


def sight(house: Household, name: str, level: str) -> None:
    """Give a child another level."""
    bond = Membership.objects.get(user=house.people[name])
    with wishes("test", "test"):
        bond.level = level
        bond.save()


def test_a_parents_look_is_written_down_once_a_day(client: Client, business: Household) -> None:
    for _ in range(2):
        texts(client, business, "anna", "family")
    assert sorted(AccessEntry.objects.values_list("who", "person__name", "mode")) == [
        ("anna@myfamily.net", "Emma", "names"),
        ("anna@myfamily.net", "Luca", "names"),
    ]
    AccessEntry.objects.update(when=timezone.now() - timedelta(hours=25))
    client.get(f"/reports/person/{business.emma.pk}/")
    assert AccessEntry.objects.filter(person=business.emma).count() == 2
    client.force_login(business.emma)
    assert "as somebody who looks after you" in client.get("/reports/seen/").text


def test_whom_a_family_protects_has_no_row_in_a_business(client: Client, business: Household) -> None:
    with wishes("test", "test"):
        MailboxPerson(mailbox=business.mailboxes["sara@mybusiness.com"], user=business.emma).save()
    state(client, business)
    who = texts(client, business, "marco", "business", mode="names")[2]
    assert "sara@" not in who
    assert "Everybody else, together" in who


@pytest.mark.parametrize("mode", ["totals", "pseudonyms", "names"])
def test_of_one_protected_person_in_a_business_nothing_is_counted(
    client: Client, business: Household, mode: str
) -> None:
    with wishes("test", "test"):
        link = business.mailboxes["sara@mybusiness.com"].mailboxperson_set.get()
        link.user = business.emma
        link.save()
    state(client, business)
    page, _working, who, whom, *_rest = texts(client, business, "marco", "business", mode=mode)
    assert "The letters of one more person are left out" in page
    assert "Everybody else" not in who  # it would be Emma alone
    assert "partner-of-sara" not in whom
    assert "partner-of-paolo" in whom


def test_hostile_names_are_text_and_no_formula(client: Client, business: Household) -> None:
    with wishes("test", "test"):
        business.sara.name = "=cmd|' /C calc'!A0<script>alert(1)</script>"
        business.sara.save()
    Word.objects.filter(text__startswith="partner-of-info").update(text="@evil</script><img src=x>")
    state(client, business)
    page, _working, who, whom, *_rest = texts(client, business, "marco", "business", mode="names")
    assert "<script>alert" not in page
    assert "<img" not in page
    assert "\"'=cmd" in who or "'=cmd" in who
    assert "\n=cmd" not in who
    assert "'@evil" in whom


def test_an_empty_household_says_so(client: Client, household: Household) -> None:
    for viewer, kind in (("marco", "business"), ("anna", "family")):
        page = texts(client, household, viewer, kind)[0]
        assert "No letter was delivered" not in page  # it says one thing
        assert "Nothing was counted in these days." in page


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ({"since": "2026-02-02", "until": "2026-02-01"}, "The first day is after the last one"),
        ({"since": "2026-02-02"}, "Say both days"),
        ({"since": "2024-01-01", "until": "2026-01-01"}, "more than 400 days"),
        ({"since": "0001-01-01", "until": "0001-01-02"}, "so long ago"),
        ({"since": "2026-01-01", "until": "9999-12-31"}, "yet to come"),
        ({"since": "x", "until": "2026-01-01"}, "Enter a valid date"),
        ({"range": "x"}, "is not one of the available choices"),
    ],
)
def test_days_that_are_none_are_refused_in_a_sentence(
    client: Client, household: Household, asked: dict[str, str], sentence: str
) -> None:
    client.force_login(household.rita)
    answer = client.get(url(household, "business", **asked))
    assert answer.status_code == 422
    assert sentence in answer.text


def test_it_says_how_it_was_before(client: Client, household: Household) -> None:
    today = datetime.now(ROME).replace(hour=12)
    key = household.key("sara@mybusiness.com")
    count(key, "received", 112, today)
    count(key, "received", 100, today - timedelta(days=7))
    count(key, "received", 999, today - timedelta(days=14))
    client.force_login(household.rita)
    page = client.get(url(household, "business", range="7d")).text
    assert "112 letters were delivered" in page
    assert "+12 %: more than in the 7 days before (100)." in page


def test_hours_are_those_of_the_time_zone(client: Client, household: Household) -> None:
    key = household.key("sara@mybusiness.com")
    for day in (22, 29):  # a Thursday in summer, one in winter: both at 7:30 UTC
        count(key, "sent", 5, datetime(2026, 10, day, 7, 30, tzinfo=ZoneInfo("UTC")))
    client.force_login(household.rita)
    asked = {"since": "2026-10-20", "until": "2026-10-31", "format": "csv", "table": "when"}
    rows = client.get(url(household, "business", **asked)).content.decode("utf-8-sig").splitlines()
    assert rows[1 + 8] == "08,0,0,0,5,0,0,0"
    assert rows[1 + 9] == "09,0,0,0,5,0,0,0"


def test_a_table_that_is_none_is_not_found(client: Client, household: Household) -> None:
    client.force_login(household.rita)
    assert client.get(url(household, "business", format="csv", table="x")).status_code == 404


@pytest.mark.parametrize(
    ("viewer", "mode", "who"), [("marco", "pseudonyms", "Person "), ("marco", "names", "Sara"), ("rita", "totals", "")]
)
def test_who_sends_very_much_within_an_hour(
    client: Client, household: Household, viewer: str, mode: str, who: str
) -> None:
    key, now = household.key("sara@mybusiness.com"), timezone.now()
    for days, letters in ((1, 29), (2, 30), (3, 45), (40, 99)):
        count(key, "sent", letters, now - timedelta(days=days))
    looks.state_purpose(household.marco, household.communities["business"], "A purpose of ours", now)
    client.force_login(getattr(household, viewer))
    page = client.get(url(household, "business", mode=mode)).text
    assert "1 mailbox sent very many letters within an hour." in page
    assert re.search(r"Hours with very many letters from one mailbox.{1,400}?>2<", page, re.DOTALL)
    said = page.find(" sent at least 30 letters an hour in 2 hours, and at most 45: if nobody")
    assert (said != -1) == bool(who)
    assert who in page[said - 20 : said]


def test_the_number_of_queries_depends_on_nothing(client: Client, household: Household) -> None:
    client.force_login(household.rita)
    with CaptureQueriesContext(connection) as empty:
        client.get(url(household, "business", range="year"))
    for days in range(40):
        for box in household.mailboxes.values():
            count(box.key, "sent", 3, timezone.now() - timedelta(days=days))
    with CaptureQueriesContext(connection) as full:
        client.get(url(household, "business", range="year"))
    assert len(full) == len(empty) <= 30
