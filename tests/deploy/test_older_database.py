"""Is what is live of this database? The clock's releases are adopted; an older database waits for a person."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.utils import timezone

from accounts.wishes import AuditEntry, Wishes, wishes
from deploy import answers, export
from deploy.gather import gather
from deploy.host import clock, release
from deploy.host.apply import apply
from deploy.models import HostRequest, MailHost
from deploy.render import render
from deploy.services import older
from deploy.snapshot import Snapshot
from deploy.tasks import reconcile
from policies.models import Answer
from tests.deploy.standin import Standin
from tests.household import Household
from tests.policies.letters import held

pytestmark = pytest.mark.daemons


@pytest.fixture
def panel(doors: Standin, household: Household, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Household:
    """The household, whose wishes are live on a scratch mail host, and an alias that ends tomorrow."""
    settings.MAILADMIN_HOST_CONFIG = doors.layout.etc / "host.json"
    settings.MAILADMIN_HOST_CONFIG.write_text(doors.layout.to_json())
    monkeypatch.setattr(export, "LEAST_BETWEEN", 0)
    with wishes("test", "test"):
        alias = household.alias("soon@myfamily.net", "anna")
        alias.expires = timezone.localdate() + timedelta(days=1)
        alias.save()
    reconcile("primary")
    assert host().applied == Wishes.current()
    assert host().error == ""
    return household


def host() -> MailHost:
    """The host's row as it is now."""
    return MailHost.objects.get()


def live(doors: Standin) -> release.Release:
    """The live release."""
    found = release.live(doors.layout)
    assert found
    return found


def save(panel: Household, quota: int) -> int:
    """Somebody saves something; the generation of it."""
    box = panel.mailboxes["emma"].refreshed()
    box.quota = quota << 20
    with wishes("anna@myfamily.net", "page"):
        box.save()
    return Wishes.current()


def rows() -> list[tuple[int | None, int, bool, str]]:
    """Every release of the database, oldest first: folder, generation, whether it is the clock's, its author."""
    return list(host().releases.order_by("pk").values_list("folder", "generation", "clock", "author"))


def later(days: int) -> datetime:
    """A moment from now."""
    return datetime.now(UTC) + timedelta(days=days)


def restore(generation: int, back: int) -> None:
    """What a restored database says: so many generations back, and nothing of what came after."""
    row = Wishes.objects.get()
    row.generation = generation - back
    row.save()
    known = host().releases.filter(generation__lte=row.generation)
    host().releases.exclude(pk__in=known.values("pk")).delete()
    MailHost.objects.update(applied=row.generation, snapshot="0" * 64)


def test_what_the_clock_made_is_adopted_in_one_go_and_asks_nobody(panel: Household, doors: Standin) -> None:
    clock.look(doors.layout, later(3))
    clock.look(doors.layout, later(0))
    clock.look(doors.layout, later(3))
    made = live(doors)
    first = made.number - 3
    reconcile("primary")
    generation = Wishes.current()
    assert [row[:3] for row in rows()] == [
        (first, generation, False),
        *((number, generation, True) for number in range(first + 1, made.number + 1)),
    ]
    assert (host().ahead, host().error, host().applied) == (0, "", generation)
    assert live(doors).number == made.number
    reconcile("primary")
    assert len(rows()) == 4


def test_a_wish_after_the_clocks_release_goes_live_as_ever(panel: Household, doors: Standin) -> None:
    clock.look(doors.layout, later(3))
    generation = save(panel, 50)
    reconcile("primary")
    assert host().applied == live(doors).manifest.generation == generation
    assert [row[2] for row in rows()] == [False, True, False]
    assert rows()[-1][3] == "anna@myfamily.net"


def test_nothing_is_applied_while_the_host_is_ahead(panel: Household, doors: Standin) -> None:
    newest = save(panel, 50)
    reconcile("primary")
    before = live(doors).number
    restore(newest, back=1)
    reconcile("primary")
    assert host().ahead == newest
    assert f"is of generation {newest}, which this database did not make" in host().error
    for quota in (60, 70, 80):  # also when its own numbers have passed the host's
        generation = save(panel, quota)
        reconcile("primary")
        assert host().state(generation) == "failed"
    assert (live(doors).number, host().ahead, host().applied) == (before, newest, newest - 1)
    with pytest.raises(SystemExit) as ended:
        call_command("apply", wait=True)
    assert ended.value.code == 1


def test_a_backup_restored_between_a_look_and_the_next_step_takes_nothing_back(
    panel: Household, doors: Standin, monkeypatch: pytest.MonkeyPatch
) -> None:
    newest = save(panel, 50)
    reconcile("primary")
    monkeypatch.setattr(export, "wait_a_moment", lambda _host: restore(newest, back=1))
    export.reconcile("primary", verify=True)
    assert (host().ahead, live(doors).manifest.generation) == (newest, newest)


def test_what_a_worker_wrote_into_a_database_restored_meanwhile_is_not_believed(
    panel: Household, doors: Standin
) -> None:
    newest = save(panel, 50)
    reconcile("primary")
    row = Wishes.objects.get()
    row.generation = newest - 1
    row.save()
    reconcile("primary")
    assert host().ahead == newest


def test_saves_before_the_worker_looks_hide_nothing(panel: Household, doors: Standin) -> None:
    for quota in (50, 60, 70):
        newest = save(panel, quota)
        reconcile("primary")
    restore(newest, back=2)
    for quota in (51, 61, 71):
        save(panel, quota)
    assert Wishes.current() > newest
    reconcile("primary")
    assert host().ahead == newest
    assert live(doors).manifest.generation == newest


def test_the_same_generation_of_another_database_is_not_taken_over(panel: Household, doors: Standin) -> None:
    foreign, now = replace(gather(host()), aliases=()), datetime.now(UTC)
    apply(doors.layout, foreign, render(foreign, now, str(doors.layout.mail)), at=now, log=lambda _line: None)
    reconcile("primary")
    assert host().ahead == Wishes.current()
    assert live(doors).snapshot == foreign


def test_the_clock_goes_on_by_the_live_release_meanwhile(panel: Household, doors: Standin) -> None:
    newest = save(panel, 50)
    reconcile("primary")
    restore(newest, back=1)
    reconcile("primary")
    before = live(doors).number
    clock.look(doors.layout, later(3))
    reconcile("primary")
    assert live(doors).number == before + 1
    assert host().ahead == newest
    assert before + 1 not in [row[0] for row in rows()]


def test_whoever_confirms_makes_the_database_count_and_numbers_grow(panel: Household, doors: Standin) -> None:
    newest = save(panel, 50)
    reconcile("primary")
    folder = live(doors).number
    restore(newest, back=1)
    letter = held(panel.mailboxes["emma"], "zia@outside.example")
    with wishes("anna@myfamily.net", "page"):
        Answer(question=letter.questions.get(), choice="no").save()
    HostRequest.objects.create(
        host=host(), verb="queue", author="marco@myfamily.net", asked=timezone.now(), expires=later(1)
    )
    save(panel, 70)
    reconcile("primary")
    answers.attend("primary", again=True)
    letter.refresh_from_db()
    assert letter.state == "waiting"  # an answer of yesterday is carried out by nobody
    older.confirm(host().pk, panel.people["marco"], newest)
    assert Wishes.current() > newest
    assert not Answer.objects.exists()
    assert not HostRequest.objects.exists()
    act = AuditEntry.objects.latest("pk")
    assert (act.kind, act.what, act.who) == ("act", "mail host primary", panel.people["marco"].address)
    reconcile("primary")
    assert (host().ahead, host().error) == (0, "")
    assert live(doors).manifest.generation == host().applied == Wishes.current()
    assert live(doors).number == folder + 1


def test_a_worker_killed_before_it_wrote_down_what_is_live_is_no_older_database(
    panel: Household, doors: Standin, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        """Here the worker dies."""

    def dies(*_: object, **_more: object) -> None:
        raise Killed

    before, first = host().applied, save(panel, 50)
    with monkeypatch.context() as patched:
        patched.setattr(export, "succeeded", dies)
        with pytest.raises(Killed):
            export.reconcile("primary")
    assert (live(doors).manifest.generation, host().applied) == (first, before)
    second = save(panel, 60)
    with monkeypatch.context() as patched:  # and its successor before it has done anything
        patched.setattr(export, "apply", dies)
        with pytest.raises(Killed):
            export.reconcile("primary")
    assert host().expected == second
    reconcile("primary")
    assert (host().ahead, host().applied) == (0, second)
    save(panel, 60)
    assert rows()[-1][1] == second


def test_a_record_that_a_killed_worker_did_not_write_is_made_up_for(
    panel: Household, doors: Standin, monkeypatch: pytest.MonkeyPatch
) -> None:
    generation = save(panel, 50)
    with monkeypatch.context() as patched:
        patched.setattr(export, "succeeded", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            export.reconcile("primary")
    reconcile("primary")
    assert rows()[-1] == (live(doors).number, generation, False, "anna@myfamily.net")


def test_an_upgrade_that_gathers_otherwise_alarms_nobody(
    panel: Household, doors: Standin, monkeypatch: pytest.MonkeyPatch
) -> None:
    def otherwise(row: MailHost) -> Snapshot:
        return replace(gather(row), circles=(), senders=(), screens=(), hours=())

    monkeypatch.setattr(export, "gather", otherwise)
    before = live(doors).number
    export.reconcile("primary", verify=True)
    assert (host().ahead, host().error, live(doors).number) == (0, "", before + 1)
    clock.look(doors.layout, later(3))
    reconcile("primary")
    assert (host().ahead, host().error) == (0, "")


def test_where_a_release_was_led_back_nobody_is_alarmed(
    panel: Household, doors: Standin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("deploy.host.probe.PATIENCE", 0.2)
    before = live(doors).number
    with wishes("anna@myfamily.net", "page"):
        panel.alias("new@myfamily.net", "anna")
        box = panel.mailboxes["emma"].refreshed()
        box.active = False
        box.save()
    doors.deaf = True
    with monkeypatch.context() as patched:
        patched.setattr(export, "failed", lambda *_: 1 / 0)  # and the worker is killed before it could say so
        with pytest.raises(ZeroDivisionError):
            export.reconcile("primary")
    assert live(doors).number == before + 2  # the release before, but Emma is suspended in it
    reconcile("primary")
    assert host().ahead == 0
    assert "The release before is live again" in host().error
    doors.deaf = False
    reconcile("primary")
    assert (host().error, host().applied) == ("", Wishes.current())


def test_whoever_points_at_an_older_release_by_hand_alarms_nobody(panel: Household, doors: Standin) -> None:
    old = live(doors).number
    save(panel, 50)
    reconcile("primary")
    host().releases.filter(folder=old).delete()  # forgotten long ago
    release.switch(doors.layout, old)
    export.reconcile("primary", verify=True)
    assert (host().ahead, host().error) == (0, "")
    assert live(doors).manifest.generation == Wishes.current()


@pytest.mark.parametrize("snapshot", ["", "0" * 64])
def test_a_database_that_never_looked_at_this_host_waits(panel: Household, snapshot: str) -> None:
    host().releases.all().delete()
    MailHost.objects.update(applied=0, snapshot=snapshot)
    reconcile("primary")
    assert host().ahead == Wishes.current()


def test_a_database_from_before_this_was_recorded_goes_on(panel: Household, doors: Standin) -> None:
    MailHost.objects.update(snapshot="")
    clock.look(doors.layout, later(3))
    reconcile("primary")
    assert host().snapshot == live(doors).manifest.snapshot
    assert [row[2] for row in rows()] == [False, True]


def test_the_newest_database_restored_after_all_ends_it(panel: Household) -> None:
    MailHost.objects.update(ahead=Wishes.current() + 1, error="It is older.", failed=Wishes.current())
    reconcile("primary")
    assert (host().ahead, host().error) == (0, "")


@pytest.mark.parametrize(
    ("damage", "why"),
    [('"format": 2', "of format 2, and this version of Mailadmin knows 1"), ("{", "cannot be read")],
)
def test_a_manifest_that_nobody_understands_is_said_and_left_alone(
    panel: Household, doors: Standin, damage: str, why: str
) -> None:
    clock.look(doors.layout, later(3))
    path = live(doors).path / "MANIFEST.json"
    whole = path.read_text()
    path.write_text(whole.replace('"format": 1', damage) if ":" in damage else damage)
    save(panel, 50)
    number = live(doors).number
    for _ in range(3):
        reconcile("primary")
        answers.attend("primary")
    assert why in host().error
    assert live(doors).number == number
    assert len([row for row in rows() if row[0] is None]) == 1  # said once
    path.write_text(whole)
    reconcile("primary")
    assert (host().error, host().applied) == ("", Wishes.current())


def test_a_foreign_link_is_said_and_left_alone(panel: Household, doors: Standin, tmp_path: Path) -> None:
    link = doors.layout.root / "current"
    link.unlink()
    link.symlink_to(tmp_path)
    reconcile("primary")
    assert "which is no release" in host().error
    assert link.readlink() == tmp_path
