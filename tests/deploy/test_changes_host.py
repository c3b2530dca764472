"""A paused host, kept wishes, and the files of a release: what the worker does, with stand-ins for the daemons."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import Membership, Wishes
from accounts.wishes import wishes
from deploy import answers, export, services
from deploy.host import release
from deploy.models import HostRequest, MailHost, Release
from deploy.services import history, kept, pausing, released
from deploy.snapshot import Snapshot
from domains.models import Mailbox
from domains.services import delete_mailbox
from policies.household import dump
from policies.models import Contact, FilterRule
from tests.deploy.standin import Standin
from tests.household import Household, hashed

pytestmark = pytest.mark.daemons


@pytest.fixture
def host(household: Household, doors: Standin, monkeypatch: pytest.MonkeyPatch) -> Standin:
    """The household is live on a host whose worker is this test."""
    monkeypatch.setattr(services, "layout", lambda: doors.layout)
    monkeypatch.setattr(export, "LEAST_BETWEEN", 0)
    monkeypatch.setattr(answers, "attend", lambda *_args, **_options: None)
    export.reconcile("primary")
    assert MailHost.objects.get().applied == Wishes.current()
    return doors


def change(row: Any, **values: Any) -> None:
    row = row.refreshed()
    for name, value in values.items():
        setattr(row, name, value)
    with wishes("marco@myfamily.net", "test"):
        row.save()


def live(host: Standin) -> Snapshot:
    found = release.live(host.layout)
    assert found
    return found.snapshot


def box(host: Standin, address: str) -> Any:
    return next(one for one in live(host).mailboxes if one.address == address)


def pause(household: Household, why: str = "moving house") -> None:
    pausing.pause(household.people["marco"], MailHost.objects.get(), why, timezone.now())


def test_a_paused_host_applies_no_new_wish(household: Household, host: Standin) -> None:
    before, applied = live(host), MailHost.objects.get().applied
    pause(household)
    change(household.mailboxes["emma"], quota=5 << 30)
    with wishes("test", "test"):
        household.settle("nina", household.home, "protected")
        household.alias("nuova@myfamily.net", "emma")
    export.reconcile("primary")
    assert (live(host).mailboxes, live(host).aliases) == (before.mailboxes, before.aliases)
    row = MailHost.objects.get()
    assert (row.applied, row.error) == (applied, "")
    assert row.attended == Wishes.current()
    assert row.state(Wishes.current()) == "paused"
    assert services.state(Wishes.current()) == "paused"
    assert services.state(applied) == "live"


def test_what_closes_something_goes_through(household: Household, host: Standin) -> None:
    pause(household)
    applied, new = MailHost.objects.get().applied, hashed()[:-4] + "AAAA"
    change(household.mailboxes["emma"], active=False, quota=5 << 30)
    change(household.people["luca"], active=False)
    change(household.people["anna"], password=new)
    with wishes("test", "test"):
        Contact(person=household.people["gino"], address="bullo@x.example", kind="blocked").save()
    export.reconcile("primary")
    assert not box(host, "emma@myfamily.net").active
    assert box(host, "emma@myfamily.net").quota == 1 << 30
    assert not box(host, "luca@myfamily.net").active
    assert box(host, "anna@myfamily.net").password == new
    assert "kick emma@myfamily.net" in host.asked
    assert MailHost.objects.get().applied == applied
    newest = Release.objects.first()
    assert newest
    assert (newest.generation, newest.dump) == (applied, None)


def test_what_waited_goes_out_when_it_goes_on(household: Household, host: Standin) -> None:
    pause(household)
    change(household.mailboxes["emma"], quota=5 << 30, active=False)
    export.reconcile("primary")
    change(household.mailboxes["emma"], active=True)
    export.reconcile("primary")
    assert not box(host, "emma@myfamily.net").active  # what is opened again waits, too
    pausing.resume(household.people["marco"], MailHost.objects.get())
    export.reconcile("primary", verify=True)
    assert box(host, "emma@myfamily.net").active
    assert box(host, "emma@myfamily.net").quota == 5 << 30
    assert MailHost.objects.get().applied == Wishes.current()
    assert Release.objects.first().dump  # type: ignore[union-attr]


def test_a_mailbox_that_is_deleted_while_paused_is_closed(household: Household, host: Standin) -> None:
    pause(household)
    with wishes("test", "test"):
        delete_mailbox(household.mailboxes["emma"].refreshed())
    export.reconcile("primary")
    gone = box(host, "emma@myfamily.net")
    assert (gone.active, gone.password, gone.logins) == (False, "", ())


def test_the_wishes_of_a_release_are_kept(household: Household, host: Standin) -> None:
    first = Release.objects.get()
    assert kept.unpacked(first) == dump()
    assert "argon2" not in kept.unpacked(first)
    change(household.mailboxes["emma"], quota=5 << 30)
    export.reconcile("primary")
    second = Release.objects.first()
    assert second
    assert second != first
    assert kept.unpacked(second) == dump() != kept.unpacked(first)


def test_the_newest_fifty_that_somebody_wished_are_kept(household: Household, host: Standin) -> None:
    row, now = Release.objects.get(), timezone.now()
    for number in range(60):
        author = "" if number % 2 else "anna@myfamily.net"
        Release.objects.create(host=row.host, generation=1, started=now, ended=now, author=author, status="live",
                               dump=None if number % 2 else b"x")  # fmt: skip
    for _time in range(25):
        one = Release.objects.create(host=row.host, generation=1, started=now, ended=now, author="a@b.c", status="live")
        kept.store(one, "")
    mine = Release.objects.filter(dump__isnull=False)
    assert mine.count() == 50
    assert Release.objects.count() == 86
    assert not mine.filter(pk=row.pk).exists()
    assert set(mine.values_list("pk", flat=True)) == set(
        Release.objects.exclude(author="").values_list("pk", flat=True)[:50]
    )


def test_many_mailboxes_are_written_out_in_a_quiet_moment(
    household: Household, host: Standin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept, "FEW", 0)
    change(household.mailboxes["emma"], quota=5 << 30)
    export.reconcile("primary")
    newest = Release.objects.first()
    assert newest
    assert newest.dump is None
    kept.keep("primary", newest.ended + timedelta(seconds=1))
    assert Release.objects.first().dump is None  # type: ignore[union-attr]
    kept.keep("primary", newest.ended + kept.QUIET)
    assert kept.unpacked(Release.objects.first()) == dump()  # type: ignore[arg-type]


def test_what_was_overtaken_is_not_kept_as_another(household: Household, host: Standin) -> None:
    Release.objects.update(dump=None)
    change(household.mailboxes["emma"], quota=5 << 30)
    kept.keep("primary", timezone.now())
    assert Release.objects.get().dump is None


SECRET = "nonna.segreta@x.example"


def asked(household: Household, who: str) -> dict[str, Any]:
    """What the host says to somebody of the newest release."""
    row = Release.objects.first()
    assert row
    request = released.ask(household.people[who], row, timezone.now())
    released.answer_asked("primary")
    found: dict[str, Any] = HostRequest.objects.get(pk=request.pk).answer or {}
    return found


def lines(answer: dict[str, Any], path: str) -> list[str]:
    return [" ".join(line) for file in answer["files"] if file["path"] == path for line in file["lines"]]


@pytest.fixture
def private(household: Household, host: Standin) -> Household:
    """Emma gets a list, a rule, a level and a new password; and there is an administrator who is nobody's parent."""
    emma = household.people["emma"]
    with wishes("anna@myfamily.net", "test"):
        household.settle("ulla", household.home, "guardian")
        household.people["ulla"].memberships.get().refreshed().delete()
        household.person("ulla", administrator=True)
    export.reconcile("primary")
    with wishes("anna@myfamily.net", "test"):
        row = Membership.objects.get(user=emma)
        row.level, row.overrides = "starter", [{"hours": "always", "until": "2199-12-31"}]  # also at night
        row.save()
        Contact(person=emma, address=SECRET).save()
        FilterRule(
            mailbox=household.mailboxes["emma"],
            when=[{"field": "body", "op": "contains", "value": "segretissimo"}],
            then=[{"action": "file", "folder": "Segreti"}],
        ).save()
        emma = household.person("emma", password=hashed()[:-4] + "AAAA")
        household.alias("nuova@myfamily.net", "emma")
    export.reconcile("primary")
    assert MailHost.objects.get().error == ""
    return household


def test_an_administrator_reads_addresses_and_no_lists_of_others(private: Household) -> None:
    answer = asked(private, "ulla")
    assert "+ nuova@myfamily.net emma@myfamily.net" in lines(answer, "postfix/aliases")
    text = str(answer)
    for secret in (SECRET, "segretissimo", "Segreti", "argon2", "ask_first", "starter"):
        assert secret not in text, secret
    hidden = {file["path"] for file in answer["files"] if file["hidden"]}
    assert "procmail/myfamily.net/emma.rc" in hidden
    assert any(path.startswith("procmail/lists/") for path in hidden)
    assert any(path.startswith("procmail/rules/") for path in hidden)
    assert {line[:5] for line in lines(answer, "postfix/sasl_class")} <= {"+ •••", "- •••"}
    assert all("•••" in line for line in lines(answer, "dovecot/passwd"))
    assert lines(answer, "dovecot/passwd")


def test_a_parent_who_is_administrator_reads_the_child_s(private: Household) -> None:
    answer = asked(private, "marco")
    text = str(answer)
    for shown in (SECRET, "segretissimo", "Segreti", "ask_first"):
        assert shown in text, shown
    assert "argon2" not in text


def test_in_an_older_release_it_must_be_the_same_mailbox(private: Household) -> None:
    """Emma's address has another mailbox now: of the one before, her guardian reads nothing here."""
    key = "f" * 16
    change(Mailbox.objects.get(address="emma@myfamily.net"), key=key)
    assert SECRET not in str(asked(private, "marco"))
    assert "segretissimo" not in str(asked(private, "marco"))


@pytest.mark.parametrize("who", ["anna", "emma", "olivia", "sara"])
def test_the_agent_asks_again_who_it_is(private: Household, who: str) -> None:
    assert asked(private, who) == {"error": released.FORBIDDEN}


def test_a_release_that_is_gone_and_one_that_cannot_be_read_say_so(private: Household, host: Standin) -> None:
    Release.objects.update(folder=77)
    assert asked(private, "marco") == {"error": released.GONE}
    current = release.live(host.layout)
    assert current
    Release.objects.update(folder=current.number)
    HostRequest.objects.all().delete()
    (current.path / "MANIFEST.json").write_text("{")
    assert asked(private, "marco") == {"error": released.SILENT}


def test_a_foreign_link_in_a_release_is_not_followed(private: Household, host: Standin) -> None:
    current = release.live(host.layout)
    assert current
    (current.path / "postfix/aliases").unlink()
    (current.path / "postfix/aliases").symlink_to("/etc/passwd")
    assert "root:" not in str(asked(private, "marco"))


def test_a_release_says_who_what_and_how_long(private: Household) -> None:
    row = history.rows(private.people["marco"], list(history.wished()), first=True)[0]
    assert (row.state, row.authors) == ("live", "Anna")
    assert f"Anna let {SECRET} and Emma write to each other." in [line.text for line in row.words]
    assert row.took is not None
    assert timedelta() < row.took < timedelta(minutes=5)
    masked = history.rows(private.people["ulla"], list(history.wished()), first=True)[0]
    assert SECRET not in str(masked.words)
    assert "Anna changed the list of Emma." in [line.text for line in masked.words]


def test_what_the_hour_did_is_folded_into_a_line(private: Household) -> None:
    now, host = datetime.now(UTC), MailHost.objects.get()
    for _time in range(3):
        host.releases.create(generation=host.applied, started=now, ended=now, status="live")
    rows = history.rows(private.people["marco"], list(history.wished()), first=True)
    assert [row.ticks for row in rows[:2]] == [3, 0]
    assert rows[0].state == "live"
