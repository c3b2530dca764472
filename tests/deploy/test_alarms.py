"""Administrators are told: once, in their language, not in a stream, and later where it cannot be sent now."""

import itertools
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage

import pytest
from hypothesis import given, strategies as st

from accounts.models import Wishes
from accounts.wishes import wishes
from deploy import services
from deploy.alarm_rules import Pace, Told, step
from deploy.models import Alarm, Drift, MailHost
from deploy.services import NotTaken, alarms
from tests.household import Household

pytestmark = pytest.mark.django_db
OWN = "mailadmin@mail.mailadmin.invalid"
NOW = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)
MARCO, ANNA = "marco@myfamily.net", "anna@myfamily.net"
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
SENTENCE = "The release did not answer within 10 s. The release before is live again."


@dataclass
class Host:
    """Takes letters, unless it is `down`, or `refuses` somebody's, or goes down after `most`."""

    got: list[tuple[str, EmailMessage]] = field(default_factory=list)
    refuses: str = ""
    most: int = 99

    def submit(self, letter: EmailMessage, to: str) -> None:
        if to == self.refuses:
            raise NotTaken("refused", refused=True)
        if len(self.got) >= self.most:
            raise NotTaken("down")
        letter.as_bytes()
        self.got.append((to, letter))

    def tell(self, now: datetime) -> list[tuple[str, str]]:
        """Tell whatever is due; who was told what."""
        before = len(self.got)
        MailHost.objects.filter(name="primary").update(seen=now)
        alarms.tell_all("primary", now, OWN, self.submit)
        return [(to, str(letter["Subject"])) for to, letter in self.got[before:]]


@pytest.fixture
def host(household: Household) -> Host:
    return Host()


def fails(sentence: str = SENTENCE) -> None:
    MailHost.objects.update(error=sentence, failed=Wishes.current())


def test_a_release_that_was_given_up_is_told_once(host: Host) -> None:
    assert host.tell(NOW) == []
    fails()
    assert host.tell(NOW) == [(MARCO, "A change could not be made live on primary")]
    assert all(host.tell(NOW + timedelta(minutes=minutes)) == [] for minutes in (0, 1, 70, 6000))
    text = host.got[0][1].get_content()
    assert SENTENCE in text
    assert "http" in text


def test_another_reason_is_told_after_an_hour(host: Host) -> None:
    fails()
    host.tell(NOW)
    fails("postmap is missing.")
    assert host.tell(NOW + 59 * MINUTE) == []
    assert len(host.tell(NOW + 60 * MINUTE)) == 1
    assert "postmap is missing." in host.got[-1][1].get_content()
    fails()
    assert host.tell(NOW + 5 * HOUR) == [], "it was told already"


def test_it_is_told_when_it_is_well_again_for_a_while(host: Host) -> None:
    fails()
    host.tell(NOW)
    fails("")
    assert host.tell(NOW + MINUTE) == []
    assert host.tell(NOW + 10 * MINUTE) == []
    assert host.tell(NOW + 11 * MINUTE) == [(MARCO, "Changes are live again on primary")]
    assert host.tell(NOW + 12 * MINUTE) == []
    fails()
    assert host.tell(NOW + 59 * MINUTE) == []
    assert len(host.tell(NOW + 61 * MINUTE)) == 1
    assert host.got[0][1]["Message-ID"] != host.got[-1][1]["Message-ID"]


def test_what_fails_and_heals_in_turns_makes_no_stream(host: Host) -> None:
    for minute in range(24 * 60):
        fails(SENTENCE if minute % 2 else "")
        host.tell(NOW + minute * MINUTE)
    assert len(host.got) == 1


def test_each_administrator_is_told_in_her_language(host: Host, household: Household) -> None:
    with wishes("test", "test"):
        household.person("anna", administrator=True, language="it")
    fails()
    (anna, marco) = host.tell(NOW)
    assert (anna[0], marco[0]) == (ANNA, MARCO)
    assert anna[1] == "Una modifica non ha potuto entrare in vigore su primary"
    assert SENTENCE in host.got[0][1].get_content()


def test_while_the_mail_host_is_down_it_waits_and_nobody_gets_it_twice(host: Host, household: Household) -> None:
    with wishes("test", "test"):
        household.person("anna", administrator=True)
    fails()
    host.most = 1
    with pytest.raises(NotTaken):
        host.tell(NOW)
    assert [to for to, _letter in host.got] == [ANNA]
    host.most = 99
    assert [to for to, _subject in host.tell(NOW + MINUTE)] == [MARCO]
    assert host.tell(NOW + 2 * MINUTE) == []
    assert Alarm.objects.get().reached == []


def test_one_who_cannot_be_told_keeps_it_from_nobody(host: Host, household: Household) -> None:
    with wishes("test", "test"):
        household.person("anna", administrator=True)
    host.refuses = ANNA
    fails()
    assert [to for to, _subject in host.tell(NOW)] == [MARCO]
    assert host.tell(NOW + MINUTE) == []


def test_another_host_that_is_silent_is_told_and_that_it_answers_again(host: Host) -> None:
    other = MailHost.objects.create(name="second", role="backup", seen=NOW)
    assert host.tell(NOW + 4 * MINUTE) == []
    assert host.tell(NOW + 6 * MINUTE) == [(MARCO, "The mail host second does not answer")]
    MailHost.objects.filter(pk=other.pk).update(seen=NOW + HOUR)
    host.tell(NOW + HOUR)
    MailHost.objects.filter(pk=other.pk).update(seen=NOW + HOUR + 11 * MINUTE)
    assert host.tell(NOW + HOUR + 11 * MINUTE) == [(MARCO, "The mail host second answers again")]


def test_files_changed_by_hand_are_told_once_a_day(host: Host) -> None:
    primary = MailHost.objects.get(name="primary")
    main = Drift.objects.create(host=primary, path="postfix/main.cf", installed=True, found="a" * 64, since=NOW)
    assert host.tell(NOW) == [(MARCO, "Files were changed by hand on primary")]
    text = host.got[-1][1].get_content()
    assert "    postfix/main.cf\n" in text
    assert "/changes/drift/" in text
    assert "a" * 64 not in text
    Drift.objects.create(host=primary, path="dovecot.conf", installed=True, found="b" * 64, since=NOW)
    assert host.tell(NOW + 23 * HOUR) == []
    assert len(host.tell(NOW + 24 * HOUR)) == 1
    Drift.objects.filter(pk=main.pk).update(kept=True)
    assert host.tell(NOW + 49 * HOUR) == []
    Drift.objects.filter(pk=main.pk).update(kept=False, found="c" * 64)
    assert len(host.tell(NOW + 50 * HOUR)) == 1
    Drift.objects.all().delete()
    assert all(host.tell(NOW + hours * HOUR) == [] for hours in (51, 80, 200))


def test_the_primary_tells_and_whatever_happens_stays_with_it(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    fails()
    MailHost.objects.create(name="second", role="backup")
    alarms.tell("second", NOW)
    for error in (services.LayoutError("no host"), NotTaken("down"), services.Busy("busy")):

        def broken(_what: str, error: Exception = error) -> None:
            raise error

        monkeypatch.setattr(services, "alone", broken)
        alarms.tell("primary", NOW)
    assert not Alarm.objects.exists()


PACE = Pace(HOUR, 10 * MINUTE, tells_end=True)
REASONS = st.frozensets(st.sampled_from(["a", "b", "c"]))


@given(st.lists(st.tuples(REASONS, st.integers(1, 5000)), max_size=60))
def test_whatever_happens_there_is_at_most_one_letter_of_trouble_an_hour(
    course: list[tuple[frozenset[str], int]],
) -> None:
    told, now, letters, open_ = Told(), NOW, [], False
    for reasons, seconds in course:
        now += timedelta(seconds=seconds)
        found = step(reasons, told, PACE, now)
        told = found.told
        assert not (found.news and found.over)
        assert set(found.news) <= reasons
        if found.news:
            letters.append(now)
            open_ = True
        if found.over:
            assert open_, "an end of what nobody was told of"
            open_ = False
    assert all(later - earlier >= HOUR for earlier, later in itertools.pairwise(letters))
