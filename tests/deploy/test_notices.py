"""Parents are told: who gets a letter, once, in which language, and what happens when it cannot be sent."""

import email.policy
import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.parser import BytesParser

import pytest
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone, translation

from accounts.models import User
from accounts.services import join
from accounts.wishes import wishes
from deploy import notices
from deploy.models import MailHost
from deploy.services import NotTaken
from domains.models import Domain, Mailbox, MailboxPerson
from policies import notice_words
from policies.keepers import asked_now
from policies.models import Answer, HeldLetter, Notice, Question
from policies.notices import Letter
from policies.rights import may_answer
from tests.household import Household

pytestmark = pytest.mark.django_db
OWN = "mailadmin@mail.mailadmin.invalid"
NOON = datetime(2026, 11, 23, 11, tzinfo=UTC)  # in Rome
EVENING = datetime(2026, 11, 23, 17, tzinfo=UTC)  # 18:00 there, the hour of the digest
ANNA, MARCO, OLIVIA, RITA = "anna@myfamily.net", "marco@myfamily.net", "olivia@mybusiness.com", "rita@mybusiness.com"
names = itertools.count(1)


@dataclass
class MailHostOfTest:
    """Takes letters, unless it is `down`, or `refuses` somebody's."""

    got: list[tuple[str, EmailMessage]] = field(default_factory=list)
    refuses: str = ""
    down: bool = False
    dies: bool = False

    def submit(self, letter: EmailMessage, to: str) -> None:
        if self.down:
            raise NotTaken("down")
        if to == self.refuses:
            raise NotTaken("refused", refused=True)
        self.got.append((to, BytesParser(policy=email.policy.default).parsebytes(letter.as_bytes())))
        if self.dies:
            raise KeyboardInterrupt

    def tell(self, now: datetime = NOON) -> list[str]:
        """Tell whatever is due; who was told."""
        before = len(self.got)
        notices.tell_everybody(now, OWN, self.submit)
        return [to for to, _letter in self.got[before:]]


@pytest.fixture
def host() -> Iterator[MailHostOfTest]:
    cache.clear()
    yield MailHostOfTest()
    cache.clear()


def held(household: Household, whose: str, address: str, **facts: object) -> Question:
    """A letter that is held for a question about an address."""
    like = str(facts.pop("like", ""))
    given = {"direction": "in", "arrived": NOON - timedelta(minutes=1), "station": "in-5", "reason": "stranger"}
    given |= {"key": household.mailboxes[whose].key, **facts}
    letter = HeldLetter.objects.create(host="primary", name=f"{next(names)}", **given)
    return Question.objects.create(letter=letter, address=address, like=like)


def ask(
    household: Household, whose: str = "emma", address: str = "friend@outside.example", **facts: object
) -> Question:
    """An outgoing letter that is held."""
    return held(household, whose, address, direction="out", station="out-2", **facts)


def test_both_parents_are_told_of_an_ask_at_once_and_once(household: Household, host: MailHostOfTest):
    question = ask(household)
    assert host.tell() == [ANNA, MARCO]
    assert host.tell() == []
    assert host.tell(EVENING) == []
    rows = Notice.objects.order_by("to").values_list("to", "when", "digest", "newest")
    assert list(rows) == [(to, NOON, False, question.pk) for to in (ANNA, MARCO)]


def test_strangers_wait_for_the_hour_and_come_in_one_letter(household: Household, host: MailHostOfTest):
    for number in range(3):
        held(household, "emma", f"stranger{number}@outside.example")
    held(household, "luca", "stranger0@outside.example")
    assert host.tell() == []
    assert host.tell(EVENING - timedelta(seconds=1)) == []
    assert host.tell(EVENING) == [ANNA, MARCO]
    assert host.tell(EVENING + timedelta(seconds=10)) == []
    assert {letter["Subject"] for _to, letter in host.got} == {"4 letters wait for Emma and Luca"}


def test_the_hour_is_the_communitys(household: Household, host: MailHostOfTest):
    with wishes("test", "test"):
        household.family.digest_hour, household.family.timezone = 7, "America/New_York"
        household.family.save()
    held(household, "emma", "stranger@outside.example", arrived=NOON + timedelta(hours=2))
    assert host.tell(EVENING) == []
    assert host.tell(datetime(2026, 11, 24, 12, tzinfo=UTC)) == [ANNA, MARCO]


def test_a_look_alike_is_told_at_once(household: Household, host: MailHostOfTest):
    held(household, "emma", "nonna.r0sa@gmail.com", like="nonna.rosa@gmail.com")
    assert host.tell() == [ANNA, MARCO]
    assert "nonna.rosa@gmail.com" in host.got[0][1].get_content()


@pytest.mark.parametrize(
    ("whose", "told"),
    [
        ("emma", [ANNA, MARCO]),
        ("gino", [MARCO, OLIVIA, RITA]),
        ("info", [MARCO, OLIVIA, RITA]),
        ("rita", [MARCO, OLIVIA]),  # a manager with a level: above her are the owners
        ("anna", []),
        ("olivia", []),
    ],
)
def test_those_who_stand_above_are_told_and_nobody_else(household: Household, host: MailHostOfTest, whose, told):
    with wishes("test", "test"):
        rita = household.people["rita"].memberships.get()
        rita.level = "standard"
        rita.save()
        household.person("sara", administrator=True)
        household.person("luca", administrator=True)
    held(household, whose, "stranger@outside.example")
    assert host.tell(EVENING) == told


@pytest.mark.parametrize("whose", ["emma", "luca", "gino", "info", "rita", "anna", "olivia", "shared"])
def test_told_is_who_may_answer(household: Household, whose: str):
    """Luca, who helps in the business too, is answered for by who stands above him in both."""
    with wishes("test", "test"):
        join(household.people["luca"], household.business, "member")
        household.mailboxes["shared"] = household.mailbox("shared", household.home, "emma", "luca", "anna")
    question = held(household, whose, "stranger@outside.example")
    may = {person.address for person in User.objects.all() if may_answer(person, question.letter)}
    assert set(asked_now()) == may
    assert (ANNA in may) == (whose == "emma")


def test_another_familys_parents_are_not_told(household: Household, host: MailHostOfTest):
    with wishes("test", "test"):
        other = type(household.family).objects.create(name="Rossi family")
        home = Domain.objects.create(name="rossi.example", community=other)
        household.settle("ada", home, "guardian")
        household.settle("bo", home, "protected")
    ask(household)
    assert host.tell() == [ANNA, MARCO]
    ask(household, "bo")
    assert host.tell() == ["ada@rossi.example"]


def test_what_asks_nobody_and_what_waits_no_more_is_not_told(household: Household, host: MailHostOfTest):
    for reason in ("blocked", "spam"):
        held(household, "emma", f"{reason}@outside.example", reason=reason)
    for state in HeldLetter.State.values[1:]:
        held(household, "emma", f"{state}@outside.example", state=state)
    answered = held(household, "emma", "answered@outside.example")
    with wishes("anna", "test"):
        Answer.objects.create(question=answered, choice="no")
    held(household, "emma", "gone@outside.example").letter.delete()
    held(household, "emma", "no@mailbox.example", key="f" * 16)
    assert host.tell(EVENING) == []


def test_who_writes_again_after_a_once_is_news_again(household: Household, host: MailHostOfTest):
    first = ask(household, arrived=timezone.now() - timedelta(hours=2))
    now = timezone.now() - timedelta(hours=1)
    assert host.tell(now) == [ANNA, MARCO]
    ask(household, arrived=now)
    assert host.tell(now) == []
    with wishes("anna", "test"):
        Answer.objects.create(question=first, choice="once")
    assert host.tell(timezone.now()) == []
    ask(household, arrived=timezone.now())
    assert host.tell(timezone.now()) == [ANNA, MARCO]


def test_the_letter_says_who_it_is_from_and_that_a_program_wrote_it(
    household: Household, host: MailHostOfTest, settings
):
    settings.MAILADMIN_URL = "https://panel.example"
    ask(household)
    host.tell()
    letter = host.got[0][1]
    assert letter["From"] == f"Mailadmin <{OWN}>"
    assert letter["To"] == f"Anna <{ANNA}>"
    assert letter["Auto-Submitted"] == "auto-generated"
    assert letter["Date"].datetime == NOON
    assert letter.get_content_type() == "text/plain"
    assert re.fullmatch(r"<[0-9a-f]{32}@mail\.mailadmin\.invalid>", letter["Message-ID"])
    assert re.findall(r"\S*://\S*", letter.get_content()) == ["https://panel.example/waiting/"]
    assert not {"Reply-To", "Sender", "Return-Path"} & set(letter.keys())
    assert host.got[1][1]["Message-ID"] != letter["Message-ID"]


def test_the_link_shows_what_waits_to_who_signs_in_and_does_nothing(household: Household, host: MailHostOfTest, client):
    question = ask(household)
    host.tell()
    path = re.findall(r"://[^/]+(/\S*)", host.got[0][1].get_content())[0]
    assert client.get(path).url == f"/sign-in/?next={path}"
    page = household.client("anna").get(path)
    assert page.status_code == 200
    assert "friend@outside.example" in page.content.decode()
    assert not Answer.objects.filter(question=question).exists()


def test_each_is_told_in_her_language(household: Household, host: MailHostOfTest):
    with wishes("test", "test"):
        household.person("anna", language="it")
    question = ask(household)
    seen = dict[str, str]()

    def submit(letter: EmailMessage, to: str) -> None:
        seen[to] = letter["Subject"]

    notices.tell_everybody(NOON, OWN, submit)
    keeper = asked_now()[ANNA]
    facts = Letter(False, (keeper.asked[question.pk],), 0, question.pk)
    assert keeper.language == "it"
    for to, language in ((ANNA, "it"), (MARCO, "en")):
        with translation.override(language):
            assert seen[to] == notice_words.subject(facts)


def test_who_has_chosen_no_language_is_told_in_the_communitys(household: Household):
    with wishes("test", "test"):
        household.family.language = "it"
        household.family.save()
        household.person("marco", language="en")
    ask(household)
    assert {to: keeper.language for to, keeper in asked_now().items()} == {ANNA: "it", MARCO: "en"}


def test_a_mail_host_that_is_down_is_tried_again(household: Household, host: MailHostOfTest):
    ask(household)
    host.down = True
    with pytest.raises(NotTaken):
        host.tell()
    assert not Notice.objects.exists()
    host.down = False
    assert host.tell() == [ANNA, MARCO]


def test_one_who_is_refused_keeps_no_letter_from_the_others(household: Household, host: MailHostOfTest):
    ask(household)
    host.refuses = ANNA
    assert host.tell() == [MARCO]
    host.refuses = ""
    assert host.tell() == []  # not every ten seconds
    cache.clear()  # ten minutes later
    assert host.tell() == [ANNA]


def test_who_dies_after_the_letter_was_taken_sends_it_again_as_the_same(household: Household, host: MailHostOfTest):
    ask(household)
    host.dies = True
    with pytest.raises(KeyboardInterrupt):
        host.tell()
    assert not Notice.objects.exists()
    host.dies = False
    assert host.tell(NOON + timedelta(seconds=10)) == [ANNA, MARCO]
    first, again, _marcos = (letter["Message-ID"] for _to, letter in host.got)
    assert first == again


def test_nobody_is_told_where_somebody_else_reads(household: Household, host: MailHostOfTest):
    with wishes("test", "test"):
        household.person("marco", active=False)
        MailboxPerson(mailbox=household.mailboxes["anna"], user=household.people["luca"]).save()
    ask(household)
    assert host.tell() == []
    with wishes("test", "test"):
        household.mailbox("anna.own", household.home, "anna")
    assert host.tell() == ["anna.own@myfamily.net"]


def test_a_parent_who_reads_elsewhere_is_told_there_and_a_closed_mailbox_is_left_alone(household, host):
    with wishes("test", "test"):
        household.person("marco", address="marco@elsewhere.example")
        anna = Mailbox.objects.get(address=ANNA)
        anna.active = False
        anna.save()
    ask(household)
    assert host.tell() == ["marco@elsewhere.example"]


def test_a_guardian_who_comes_later_is_told_of_what_waits(household: Household, host: MailHostOfTest):
    ask(household)
    assert host.tell() == [ANNA, MARCO]
    with wishes("test", "test"):
        join(household.people["olivia"], household.family, "guardian")
    assert host.tell() == [OLIVIA]


def test_five_a_day_are_enough(household: Household, host: MailHostOfTest):
    for number in range(12):
        now = NOON + timedelta(minutes=number)
        ask(household, address=f"friend{number}@outside.example", arrived=now)
        host.tell(now)
    assert len(host.got) == 2 * 4
    assert host.tell(EVENING) == [ANNA, MARCO]
    assert host.got[-1][1]["Subject"] == "8 letters wait for Emma"
    assert host.tell(EVENING + timedelta(days=1)) == []


def test_the_queries_do_not_grow(household: Household, host: MailHostOfTest):
    def count() -> int:
        with CaptureQueriesContext(
            connection,
        ) as queries:
            notices.tell_everybody(NOON - timedelta(hours=1), OWN, host.submit)
        return len(queries)

    held(household, "emma", "one@outside.example")
    few = count()
    for number in range(30):
        held(household, ("emma", "luca", "gino", "info")[number % 4], f"{number}@outside.example")
    assert count() == few < 14
    assert host.got == []


@pytest.mark.parametrize("role", ["primary", "backup"])
def test_the_primary_host_tells(household: Household, role: str, tmp_path, settings, caplog):
    settings.MAILADMIN_HOST_CONFIG = tmp_path / "host.json"
    MailHost.objects.update(name="here", role=role)
    notices.tell("here", NOON)
    assert ("Nobody was told" in caplog.text) == (role == "primary")  # there is no mail host here
