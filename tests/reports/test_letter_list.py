"""The rows behind the numbers of a report: as many as were counted, and for nobody who may not see them."""

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from html import unescape
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.http import QueryDict
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django.utils.formats import date_format

from accounts.wishes import wishes
from domains.models import Mailbox
from policies.models import Answer, Decision, RuleAct
from reports import figures, ingest, scope as scopes
from reports.forms import RowsForm
from reports.hours import words
from reports.models import AccessEntry, FailedSignIn
from reports.periods import Period
from reports.rows import SIGN_INS, Wanted, rows, sign_ins
from reports.scope import NAMES, Scope
from reports.sections import Cell, Section, sections
from reports.tracing import Own
from reports.views.letters import counted
from tests.policies.letters import asked_out
from tests.reports.biglog import BEGINNING, PEOPLE, BigLog
from tests.reports.conftest import Household, count, mailbox, person
from tests.reports.test_letter_trace import OUT, came_to, held_as, letter, to
from tests.reports.test_report_community import sight, state

pytestmark = pytest.mark.django_db
ROME = ZoneInfo("Europe/Rome")
EMMA = "emma@myfamily.net"


@pytest.fixture
def busy(household: Household, tmp_path: Path) -> Scope:
    """The business with the letters of a few days of its fifty people; all of it, as its owner sees it with names."""
    with wishes("test", "test"):
        for address in PEOPLE:
            mailbox(address, person(address, member=household.communities["business"]))
    log, path = BigLog(7, BEGINNING, pause=90), tmp_path / "mail.log"
    whole = log.lines()
    path.write_bytes(b"".join(next(whole) for _line in range(2_500)))
    while ingest.follow("primary", path, datetime(2026, 11, 23, tzinfo=ROME), zone=ROME):
        pass
    return scopes.business(household.communities["business"], NAMES)


def numbers(found: list[Section]) -> Iterator[tuple[str, Cell]]:
    """Every number that leads somewhere."""
    for section in found:
        for row in section.rows:
            yield from ((f"{section.name} {row[0].shown}", cell) for cell in row if cell.link)


def behind(scope: Scope, cell: Cell) -> int:
    """How many rows there are behind a number: of sign-ins, attempts."""
    form = RowsForm(QueryDict(cell.link), today=datetime(2026, 11, 30, tzinfo=ROME).date())
    assert form.is_valid(), cell.link
    asked = form.cleaned_data
    own = Own.through(Mailbox.objects.filter(key__in=counted(scope, asked)[0]))
    wanted = Wanted(asked["what"], own, form.spans(ROME), asked["domain"])
    if wanted.what in SIGN_INS:
        return sum(row.attempts for row in sign_ins(wanted))
    found = rows(wanted)
    assert len(found[0:100]) == min(len(found), 100)
    return len(found)


def test_there_are_as_many_rows_as_were_counted(busy: Scope) -> None:
    period = Period(datetime(2026, 11, 19, tzinfo=ROME).date(), datetime(2026, 11, 25, tzinfo=ROME).date())
    parts = sections(busy, figures.read(busy.keys, busy.whom, busy.newcomers, period, ROME, period.last), period)
    found = list(numbers(parts))
    assert {part.name for part in parts} == {name.partition(" ")[0] for name, _cell in found}
    wrong = [(name, cell.link, cell.value, n) for name, cell in found if (n := behind(busy, cell)) != cell.value]
    assert not wrong
    assert len(found) > 150


def test_what_stations_did_has_a_row_for_each_letter_at_a_mailbox(household: Household) -> None:
    key, now = household.key(EMMA), timezone.now()
    own = Own.through([household.mailboxes[EMMA]])
    one = came_to(household, EMMA)
    Decision.objects.create(
        host="primary", when=one.opened, queue_id=one.queue_id, key=key, direction="in", verdict="hold", station="in-5"
    )
    let_in = held_as("4jXVLL50s7zJbjw", household, "zia@outside.example")
    with wishes("test", "test"):
        Answer(question=let_in.questions.get(), choice="always").save()
    gone = asked_out(household.mailboxes[EMMA], "friend@outside.example")
    for number in range(2):
        RuleAct.objects.create(host="primary", when=now, queue_id=one.queue_id, key=key, rule=f"{number:016}")
    spans = ((now - timedelta(days=1), now + timedelta(days=1)),)
    found = {what: rows(Wanted(what, own, spans)) for what in ("held", "let", "kept", "waiting", "acts")}
    assert {what: len(one) for what, one in found.items()} == {"held": 2, "let": 1, "kept": 0, "waiting": 2, "acts": 2}
    assert figures.held([key], *spans[0]) == {"let": 1, "kept": 0, "waiting": 2}
    assert [way.letter.queue_id for way in found["held"][0:25]] == [let_in.queue_id, one.queue_id]
    assert {way.letter.queue_id for way in found["waiting"][0:25]} == {let_in.queue_id, gone.name}
    assert [way.deliveries[0].recipient for way in found["acts"][0:25]] == [EMMA, EMMA]


def link(house: Household, whose: str, **asked: Any) -> str:
    """Where a number leads: of a community, or of a person."""
    kind = "community" if whose in house.communities else "person"
    pk = (house.communities if kind == "community" else house.people)[whose].pk
    today = f"{timezone.localdate(timezone=ROME)}"
    query = QueryDict(mutable=True)
    query.update({"what": "received", "since": today, "until": today, **asked})
    return f"/reports/{kind}/{pk}/letters/?{query.urlencode()}"


@pytest.mark.parametrize(
    ("viewer", "whose", "mode", "status", "words"),
    [
        ("emma", "emma", "", 200, OUT),
        ("anna", "emma", "", 200, OUT),
        ("marco", "sara", "", 403, "for her and for her parents to see"),
        ("rosa", "emma", "", 404, ""),
        ("emma", "luca", "", 404, ""),
        ("ada", "emma", "", 403, ""),  # an administrator has the totals of the host
        ("anna", "family", "", 200, OUT),
        ("emma", "family", "", 403, ""),
        ("ada", "family", "", 403, ""),
        ("rosa", "family", "", 404, ""),
        ("marco", "business", "", 403, "Single letters tell names: choose “Names”"),
        ("marco", "business", "totals", 403, "Single letters tell names: choose “Names”"),
        ("marco", "business", "pseudonyms", 403, "Single letters tell names: choose “Names”"),
        ("rita", "business", "", 403, "You see totals here, without names."),
        ("rita", "business", "names", 403, "You see totals here, without names."),
        ("sara", "business", "", 403, ""),
        ("ada", "business", "", 403, ""),
    ],
)
def test_it_checks_who_looks(
    client: Client, household: Household, viewer: str, whose: str, mode: str, status: int, words: str
) -> None:
    came_to(household, EMMA)
    came_to(household, "sara@mybusiness.com", name="4jXVLL50s7zJbjn")
    client.force_login(household.people[viewer])
    answer = client.get(link(household, whose, **({"mode": mode} if mode else {})))
    assert answer.status_code == status
    assert words in unescape(answer.text)
    assert status == 200 or OUT not in answer.text


def test_an_owner_says_first_why(client: Client, household: Household) -> None:
    came_to(household, "sara@mybusiness.com")
    url = link(household, "business", mode="names")
    client.force_login(household.marco)
    answer = client.get(url)
    assert (answer.status_code, "Say first, on the report&#x27;s page, why" in answer.text) == (403, True)
    state(client, household)
    assert f'<bdi class="address">{OUT}</bdi>' in client.get(url).text
    sara = household.mailboxes["sara@mybusiness.com"].pk
    assert "1 row, the newest first." in client.get(f"{url}&of={sara}").text
    assert "Nothing of it is kept" in client.get(f"{url}&of={household.mailboxes['rita@mybusiness.com'].pk}").text
    assert client.get(f"{url}&of={household.mailboxes[EMMA].pk}").status_code == 404


@pytest.mark.parametrize(("level", "whom"), [("explorer", "Luca"), ("trusted", "Luca"), ("learner", "")])
def test_parents_see_what_the_level_lets_them(client: Client, household: Household, level: str, whom: str) -> None:
    """Neither by herself, nor among others; and no number leads there."""
    sight(household, "luca", level)
    luca = "luca@myfamily.net"
    came_to(household, luca)
    for address in (luca, EMMA):
        count(household.key(address), "received", 1)
    client.force_login(household.anna)
    assert (client.get(link(household, "luca")).status_code == 403) == bool(whom)
    assert (client.get(link(household, "family", of=household.mailboxes[luca].pk)).status_code != 200) == bool(whom)
    assert (client.get(link(household, "family")).status_code == 403) == bool(whom)
    page = client.get(f"/reports/community/{household.communities['family'].pk}/?range=7d").text
    links = re.findall(r'href="(/reports/community/\d+/letters/[^"]+)"', page)
    assert {client.get(unescape(url)).status_code for url in links} == {200}
    assert (f"of={household.mailboxes[luca].pk}" in str(links)) == (not whom)
    assert any(f"of={household.mailboxes[EMMA].pk}" in url for url in links)


@pytest.mark.parametrize("mode", ["totals", "pseudonyms"])
def test_without_names_no_number_leads_anywhere(client: Client, household: Household, mode: str) -> None:
    count(household.key("sara@mybusiness.com"), "received", 7)
    client.force_login(household.marco)
    page = client.get(f"/reports/community/{household.communities['business'].pk}/?range=7d&mode={mode}").text
    assert ">7</td>" in page
    assert "/letters/" not in page


def test_a_look_is_written_down_for_whom_it_is_about(client: Client, household: Household) -> None:
    client.force_login(household.anna)
    for _look in range(2):
        client.get(link(household, "family", of=household.mailboxes[EMMA].pk))
    assert AccessEntry.objects.values_list("who", "person__name").get() == ("anna@myfamily.net", "Emma")
    client.force_login(household.emma)
    client.get(link(household, "emma"))
    assert AccessEntry.objects.count() == 1


def test_a_row_says_when_from_whom_to_whom_how_big_and_what_became_of_it(client: Client, household: Household) -> None:
    row = letter(EMMA, days=1)
    to(row, OUT, relay="mx.outside.example[192.0.2.1]:25", abroad=True, milliseconds=3_240)
    to(row, "zio@outside.example", "bounced", abroad=True)
    client.force_login(household.emma)
    yesterday = f"{timezone.localdate(timezone=ROME) - timedelta(days=1)}"
    page = client.get(link(household, "emma", what="sent", since=yesterday)).text
    text = " ".join(unescape(re.sub(r"<[^>]+>", "", page)).split())
    assert f"{EMMA} → {OUT}, zio@outside.example · 2.0 KB" in text
    assert "✕ Came back from 1 of 2 addresses" in text
    assert "took 3.2 s" in text
    assert row.opened.astimezone(ROME).strftime("%H:%M") in text
    one = client.get(link(household, "emma", what="delivered", since=yesterday)).text
    assert "1 row, the newest first." in one
    assert "zio@" not in one


def test_it_says_what_is_gone(client: Client, household: Household) -> None:
    came_to(household, EMMA, days=3)
    came_to(household, EMMA, name="4jXVLL50s7zJbjn", days=30)
    client.force_login(household.emma)
    today = timezone.localdate(timezone=ROME)
    month = client.get(link(household, "emma", since=str(today - timedelta(days=60)))).text
    gone = today - timedelta(days=21)
    assert f"The letters themselves are kept 21 days; those before {date_format(gone)} are gone." in month
    assert "The oldest here is from" in month
    assert "1 row, the newest first." in month
    week = client.get(link(household, "emma", since=str(today - timedelta(days=6)))).text
    assert "are gone" not in week
    old = client.get(link(household, "emma", since="2026-01-01", until="2026-01-31")).text
    assert "Nothing of it is kept any more" in old


def test_sign_ins_that_failed_are_listed(client: Client, household: Household) -> None:
    known = words(["203.0.113.9"], timezone.now())
    FailedSignIn.objects.create(
        host="primary",
        when=timezone.now(),
        door="imap",
        mailbox=household.key(EMMA),
        client_id=known["203.0.113.9"],
        attempts=4,
    )
    client.force_login(household.emma)
    page = client.get(link(household, "emma", what="failed")).text
    assert "1 row, the newest first. 4 attempts in all." in page
    assert "203.0.113.9" in page


@pytest.mark.parametrize(
    "asked", [{"what": "x"}, {"of": "0"}, {"hour": "24"}, {"domain": "x"}, {"since": "x"}, {"what": "came"}]
)
def test_what_is_no_number_is_not_found(client: Client, household: Household, asked: dict[str, str]) -> None:
    client.force_login(household.emma)
    assert client.get(link(household, "emma", **asked)).status_code == 404


def test_many_rows_are_pages_and_no_more_queries(client: Client, household: Household) -> None:
    came_to(household, EMMA)
    client.force_login(household.anna)
    client.get(link(household, "emma"))  # it is written down once
    with CaptureQueriesContext(connection) as few:
        client.get(link(household, "emma"))
    for number in range(30):
        came_to(household, EMMA, name=f"4jXVLL50s7zJbj{number:02}")
    for page, shown in ((1, 25), (2, 6)):
        with CaptureQueriesContext(connection) as many:
            text = client.get(link(household, "emma", page=page)).text
        assert len(many) == len(few)
        assert "31 rows, the newest first." in text
        assert text.count('class="card row-way"') == shown


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_it_only_shows(client: Client, household: Household, method: str) -> None:
    client.force_login(household.emma)
    assert getattr(client, method)(link(household, "emma")).status_code == 405
    assert Client().get(link(household, "emma"))["Location"].startswith("/sign-in/")
