"""A release goes live whole, is left alone when nothing changed, and is led back when it does not answer."""

import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from deploy.host import build, probe, release
from deploy.host.apply import Applied, ApplyError, apply, lay_first
from deploy.host.layout import Layout
from deploy.render import render
from deploy.snapshot import Domain, Mailbox, Snapshot
from tests.deploy.household import HOUSEHOLD, OTHER_HASH, mailbox
from tests.deploy.standin import Standin

pytestmark = pytest.mark.daemons
AT = datetime(2026, 7, 1, 8, 0, tzinfo=UTC)


def go(doors: Standin, snapshot: Snapshot, at: datetime = AT, log: list[str] | None = None) -> Applied:
    """Apply what a snapshot renders to."""
    layout = doors.layout
    write = (log if log is not None else []).append
    return apply(layout, snapshot, render(snapshot, at, str(layout.mail)), at=at, log=write)


def changed(snapshot: Snapshot, address: str, **facts: object) -> Snapshot:
    """The next generation, with one mailbox changed."""
    boxes = (replace(box, **facts) if box.address == address else box for box in snapshot.mailboxes)  # type: ignore[arg-type]
    return replace(snapshot, generation=snapshot.generation + 1, mailboxes=tuple(boxes))


def live(doors: Standin) -> release.Release:
    """The live release."""
    found = release.live(doors.layout)
    assert found
    return found


def passwd_second(doors: Standin, number: int) -> int:
    """When a release's passwd-file says it was changed."""
    found = release.at_number(doors.layout, number)
    assert found
    return int((found.path / "dovecot/passwd").stat().st_mtime)


def times(doors: Standin) -> dict[Path, tuple[int, int]]:
    """When each file and folder last changed."""
    return {path: (path.lstat().st_mtime_ns, path.lstat().st_ctime_ns) for path in doors.layout.root.rglob("*")}


def test_it_makes_a_release_live(doors: Standin) -> None:
    lay_first(doors.layout, AT)
    assert go(doors, HOUSEHOLD) == Applied(folder=1, changed=True, generation=7)
    assert (doors.layout.root / "current").readlink() == Path("releases/000001")
    assert live(doors).snapshot == HOUSEHOLD
    assert release.drift(doors.layout) == []
    assert {request for request in doors.asked if request.startswith("folder")} == {
        f"folder {box.key}" for box in HOUSEHOLD.mailboxes
    }


def test_it_touches_nothing_when_nothing_changed(doors: Standin) -> None:
    go(doors, HOUSEHOLD)
    before = times(doors)
    assert go(doors, replace(HOUSEHOLD, generation=9)) == Applied(folder=0, changed=False, generation=9)
    assert times(doors) == before


def test_wishes_that_change_no_file_today_are_kept_for_the_clock(doors: Standin) -> None:
    go(doors, HOUSEHOLD)
    later = replace(HOUSEHOLD.aliases[2], expires="2030-01-01T00:00:00+00:00")
    aliases = tuple(later if alias.address == later.address else alias for alias in HOUSEHOLD.aliases)
    assert go(doors, replace(HOUSEHOLD, aliases=aliases)).changed
    assert live(doors).snapshot.aliases == aliases


def test_another_type_of_map_is_built_again(doors: Standin) -> None:
    go(doors, HOUSEHOLD)
    doors.layout = replace(doors.layout, map_type="cdb")
    assert go(doors, HOUSEHOLD).changed
    assert (live(doors).path / "postfix/mailboxes.cdb").exists()


@pytest.mark.parametrize("mask", [0o000, 0o022, 0o007, 0o077])
def test_rights_do_not_depend_on_the_umask(doors: Standin, mask: int) -> None:
    before = os.umask(mask)
    try:
        go(doors, HOUSEHOLD)
    finally:
        os.umask(before)
    modes = {
        str(path.relative_to(live(doors).path)): path.stat().st_mode & 0o777 for path in live(doors).path.rglob("*")
    }
    assert modes["snapshot.json"] == 0o600
    assert {modes[path] for path in modes if path.startswith("postfix/")} == {0o644}
    assert modes["postfix"] == 0o755
    assert modes["dovecot"] == modes["rspamd"] == modes["procmail"] == modes["procmail/myfamily.net"] == 0o750
    assert (
        modes["dovecot/passwd"]
        == modes["rspamd/sender_logins"]
        == modes["dovecot/probe"]
        == modes["procmail/myfamily.net/emma.rc"]
        == 0o640
    )
    assert live(doors).path.stat().st_mode & 0o777 == 0o755


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give a folder to another group")
@pytest.mark.parametrize("mask", [0o022, 0o077])
def test_each_part_gets_its_group_from_its_mould(doors: Standin, mask: int) -> None:
    for part, group in (("dovecot", 60001), ("procmail", 60002)):
        os.chown(doors.layout.root / ".mould" / part, -1, group)
        (doors.layout.root / ".mould" / part).chmod(0o2750)
    before = os.umask(mask)
    try:
        go(doors, HOUSEHOLD)
    finally:
        os.umask(before)
    for part, group in (("dovecot", 60001), ("procmail", 60002)):
        assert {path.stat().st_gid for path in (live(doors).path / part).rglob("*")} == {group}
        assert (live(doors).path / part).stat().st_gid == group


def test_recipes_that_stay_the_same_are_linked(doors: Standin) -> None:
    go(doors, HOUSEHOLD)
    first = live(doors).path
    go(doors, changed(HOUSEHOLD, "emma@myfamily.net", key=f"{99:016x}"))
    assert (live(doors).path / "procmail/myfamily.net/anna.rc").samefile(first / "procmail/myfamily.net/anna.rc")
    assert not (live(doors).path / "procmail/myfamily.net/emma.rc").samefile(first / "procmail/myfamily.net/emma.rc")


def test_a_recipe_that_somebody_changed_is_not_taken_over(doors: Standin) -> None:
    go(doors, HOUSEHOLD)
    (live(doors).path / "procmail/myfamily.net/anna.rc").write_text("INCLUDERC=/tmp/evil\n")
    assert "anna.rc is not what was written" in " ".join(release.drift(doors.layout))
    go(doors, changed(HOUSEHOLD, "emma@myfamily.net", quota=0))
    assert release.drift(doors.layout) == []


def test_an_index_is_built_only_where_its_map_says_something_else(
    doors: Standin, monkeypatch: pytest.MonkeyPatch
) -> None:
    built: list[str] = []

    def build_map(layout: Layout, path: Path, entries: Mapping[str, str]) -> Path:
        built.append(path.name)
        return real(layout, path, entries)

    real = build.build_map
    monkeypatch.setattr(build, "build_map", build_map)
    go(doors, HOUSEHOLD)
    first = live(doors)
    assert set(built) == {path.stem for path in release.indexes(first)}
    built.clear()
    second = changed(HOUSEHOLD, HOUSEHOLD.mailboxes[0].address, quota=5 << 30)
    go(doors, second)
    assert built == ["probe"]
    for old, new in zip(release.indexes(first), release.indexes(live(doors)), strict=True):
        assert not old.samefile(new)  # each is told by itself that it is over
        assert old.stem == "probe" or old.read_bytes() == new.read_bytes()
    touched = live(doors).path / "postfix" / "mailboxes.db"
    touched.write_bytes(touched.read_bytes()[:-1])
    built.clear()
    go(doors, changed(second, HOUSEHOLD.mailboxes[0].address, quota=6 << 30))
    assert set(built) == {"mailboxes", "probe"}
    assert release.drift(doors.layout) == []


def test_dovecot_sees_each_new_passwd_file_by_its_second(doors: Standin) -> None:
    go(doors, HOUSEHOLD)
    for number, at in enumerate((AT, AT, AT - timedelta(hours=1), AT), start=1):
        go(doors, changed(HOUSEHOLD, "emma@myfamily.net", quota=number << 20), at)
    seconds = [passwd_second(doors, number) for number in range(5)]
    assert seconds == sorted(set(seconds))
    assert seconds[0] == int(AT.timestamp())


def test_a_passwd_file_that_stays_the_same_keeps_its_second(doors: Standin) -> None:
    go(doors, HOUSEHOLD)
    go(doors, replace(HOUSEHOLD, aliases=()), AT + timedelta(hours=1))
    assert passwd_second(doors, 0) == passwd_second(doors, 1)


def test_postfix_sees_that_the_index_it_holds_open_is_over(doors: Standin) -> None:
    go(doors, HOUSEHOLD)
    with (live(doors).path / "postfix/mailboxes.db").open("rb") as held:
        opened = os.fstat(held.fileno()).st_mtime_ns
        go(doors, changed(HOUSEHOLD, "emma@myfamily.net", quota=0))
        assert os.fstat(held.fileno()).st_mtime_ns > opened
    fresh = live(doors).path / "postfix/mailboxes.db"
    assert fresh.stat().st_mtime <= fresh.stat().st_ctime


def test_a_release_from_before_there_were_lists_is_replaced(doors: Standin) -> None:
    go(doors, replace(HOUSEHOLD, circles=(), senders=(), screens=()))
    path = live(doors).path / "snapshot.json"
    data = json.loads(path.read_text())
    del data["circles"], data["senders"], data["screens"]
    path.write_text(json.dumps(data))
    assert go(doors, HOUSEHOLD).changed
    assert live(doors).snapshot == HOUSEHOLD


def test_postfix_is_reloaded_for_domains_alone(doors: Standin) -> None:
    go(doors, HOUSEHOLD)
    doors.asked.clear()
    more = (*HOUSEHOLD.mailboxes, mailbox("nonna@myfamily.net", 42))
    go(doors, replace(HOUSEHOLD, mailboxes=more))
    assert doors.asked == [f"folder {42:016x}"]
    doors.asked.clear()
    go(doors, replace(HOUSEHOLD, mailboxes=more, domains=(*HOUSEHOLD.domains, Domain("new.example", "mail"))))
    assert doors.asked == ["reload postfix"]


@pytest.mark.parametrize(
    "facts", [{"password": OTHER_HASH}, {"password": ""}, {"active": False}, {"key": f"{77:016x}"}], ids=str
)
def test_who_may_no_longer_sign_in_is_signed_out(doors: Standin, facts: dict[str, object]) -> None:
    go(doors, HOUSEHOLD)
    doors.asked.clear()
    go(doors, changed(HOUSEHOLD, "emma@myfamily.net", **facts))
    # Of the suspended the filter takes no letter; who knows the old password may have signed in to hand one in.
    others = ["hang-up"] if "password" in facts else []
    assert [request for request in doors.asked if "folder" not in request] == ["kick emma@myfamily.net", *others]


def test_who_is_gone_is_signed_out_and_nobody_else(doors: Standin) -> None:
    go(doors, HOUSEHOLD)
    doors.asked.clear()
    left = tuple(
        box for box in HOUSEHOLD.mailboxes if box.address not in ("sara@mybusiness.com", "gino@mybusiness.com")
    )
    go(doors, replace(HOUSEHOLD, mailboxes=left))
    assert doors.asked == ["kick sara@mybusiness.com"]


def test_sessions_end_only_when_the_old_password_no_longer_opens_a_new_one(doors: Standin) -> None:
    go(doors, HOUSEHOLD)
    kicked: list[float] = []
    doors.on_ask = lambda request: kicked.append(datetime.now(UTC).timestamp())
    before = datetime.now(UTC).timestamp()
    go(doors, changed(HOUSEHOLD, "emma@myfamily.net", active=False))
    assert int(kicked[0]) > int(before)


def test_what_does_not_answer_is_led_back(doors: Standin, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probe, "PATIENCE", 0.2)
    go(doors, HOUSEHOLD)
    doors.deaf, log = True, list[str]()
    with pytest.raises(ApplyError, match="Postfix does not answer with the new release: it said 454"):
        go(doors, replace(HOUSEHOLD, aliases=(), generation=8), log=log)
    assert live(doors).number == 0
    assert release.verify(live(doors).path) == []
    assert doors.asked[-1] == "reload postfix"
    given_up = release.releases(doors.layout)[-1]
    assert (given_up.number, "Postfix" in given_up.failed) == (1, True)
    doors.deaf = False
    assert go(doors, replace(HOUSEHOLD, aliases=(), generation=8)) == Applied(folder=2, changed=True, generation=8)


def test_to_lead_back_opens_no_closed_door(doors: Standin, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probe, "PATIENCE", 0.2)
    go(doors, HOUSEHOLD)
    doors.deaf = True
    newest = changed(changed(HOUSEHOLD, "emma@myfamily.net", active=False), "rita@mybusiness.com", password=OTHER_HASH)
    newest = replace(newest, mailboxes=tuple(box for box in newest.mailboxes if box.address != "ivo@mybusiness.com"))
    with pytest.raises(ApplyError):
        go(doors, newest)
    boxes: dict[str, Mailbox] = {box.address: box for box in live(doors).snapshot.mailboxes}
    assert (live(doors).number, live(doors).snapshot.generation) == (2, 7)
    assert not boxes["emma@myfamily.net"].active
    assert boxes["rita@mybusiness.com"].password == OTHER_HASH
    assert not boxes["ivo@mybusiness.com"].active
    assert boxes["sara@mybusiness.com"] in HOUSEHOLD.mailboxes
    assert "emma@myfamily.net 550" in (live(doors).path / "postfix/refused").read_text()
    assert release.verify(live(doors).path) == []


def test_to_lead_back_forgets_no_list(doors: Standin, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probe, "PATIENCE", 0.3)
    open_ = replace(HOUSEHOLD, senders=HOUSEHOLD.senders[1:])
    go(doors, open_)
    doors.deaf = True
    with pytest.raises(ApplyError):
        go(doors, replace(HOUSEHOLD, generation=8))
    assert "emma@myfamily.net out_" in (live(doors).path / "postfix/sasl_class").read_text()


@pytest.mark.parametrize("verb", ["folder", "reload"])
def test_a_helper_that_fails_leaves_the_old_release(doors: Standin, verb: str) -> None:
    go(doors, HOUSEHOLD)
    doors.helper_fails = verb
    newest = replace(
        HOUSEHOLD,
        mailboxes=(*HOUSEHOLD.mailboxes, mailbox("nonna@myfamily.net", 42)),
        domains=(*HOUSEHOLD.domains, Domain("new.example", "mail")),
    )
    with pytest.raises(ApplyError, match="on purpose"):
        go(doors, newest)
    assert live(doors).number == 0
    doors.helper_fails = ""
    assert go(doors, newest).changed
    assert {path.name for path in doors.layout.root.glob(".*")} == {".mould", ".lock"}


def test_fifty_releases_are_kept_and_the_live_one(doors: Standin) -> None:
    go(doors, HOUSEHOLD)
    shutil.rmtree(live(doors).path / "procmail")
    for number in range(1, 60):
        shutil.copytree(live(doors).path, doors.layout.root / "releases" / release.name_of(number))
    release.prune(doors.layout)
    assert [one.number for one in release.releases(doors.layout)] == [0, *range(10, 60)]
