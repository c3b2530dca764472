"""What is wrong on the mail host is one sentence, on the dashboard and in doctor, and the release before stays live."""

import html
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta, tzinfo
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.test import override_settings

from accounts.wishes import Wishes, wishes
from deploy.export import reconcile
from deploy.host import release
from deploy.host.commands import program, run
from deploy.models import MailHost
from deploy.services.doctor import examine
from domains.models import Mailbox
from tests.deploy.standin import Standin, scratch_layout, standin
from tests.deploy.test_apply_errors import mounted
from tests.household import Household

pytestmark = [
    pytest.mark.daemons,
    pytest.mark.django_db,
    pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount"),
]
NAME = "primary"


class Host:
    """A stand-in host with a disk of its own, on which the household is live."""

    def __init__(self, disk: Path, doors: Standin, household: Household) -> None:
        """Make it live."""
        self.disk, self.doors, self.household = disk, doors, household
        (doors.layout.etc / "host.json").write_text(doors.layout.to_json())
        reconcile(NAME, verify=True)
        assert (self.row.error, self.row.applied) == ("", Wishes.current())

    @property
    def row(self) -> MailHost:
        """The host as the database knows it."""
        return MailHost.objects.get(name=NAME)

    @property
    def root(self) -> Path:
        """Where its releases are."""
        return self.doors.layout.root

    def wish(self) -> None:
        """Something new to make live."""
        box = Mailbox.objects.get(address="emma@myfamily.net")
        box.quota += 1 << 20
        with wishes("a test", "test"):
            box.save()

    def sentence(self) -> str:
        """Try to make a new wish live; the one sentence that the dashboard and doctor tell."""
        self.wish()
        before = (self.root / "current").readlink(), self.row.applied
        reconcile(NAME)
        assert ((self.root / "current").readlink(), self.row.applied) == before
        said = self.row.error
        assert said.isprintable()
        assert said.endswith(".")
        assert said in html.unescape(self.household.client("marco").get("/").text)
        assert {check.name: check.sentence for check in examine() if not check.ok}[f"wishes on {NAME}"] == said
        return said

    def mended(self) -> bool:
        """Whether the newest wishes are live by themselves, now that nothing is wrong."""
        reconcile(NAME)
        found = release.live(self.doors.layout)
        assert found
        assert release.verify(found.path) == []
        return (self.row.error, self.row.applied) == ("", Wishes.current())


@pytest.fixture
def host(tmp_path: Path, household: Household) -> Iterator[Host]:
    """The household, live."""
    disk = tmp_path / "disk"
    disk.mkdir()
    config = disk / "etc" / "host.json"
    told = override_settings(MAILADMIN_HOST_CONFIG=config)
    with mounted(disk, "size=6m"), standin(scratch_layout(disk, "root")) as doors, told:
        yield Host(disk, doors, household)


@contextmanager
def read_only(host: Host) -> Iterator[None]:
    """Nothing can be written."""
    run(["mount", "-o", "remount,ro", str(host.disk)], timeout=10)
    try:
        yield
    finally:
        run(["mount", "-o", "remount,rw", str(host.disk)], timeout=10)


@contextmanager
def full(host: Host) -> Iterator[None]:
    """There is no room."""
    filler, left = host.disk / "filler", os.statvfs(host.disk)
    filler.write_bytes(b"x" * (left.f_bavail * left.f_frsize - 40_000))
    try:
        yield
    finally:
        filler.unlink()


@contextmanager
def changed(path: Path, change: Callable[[Path], object]) -> Iterator[None]:
    """Something else stands in the place of a file or link, and then the same again."""
    kept = path.rename(path.with_name("kept-aside"))
    change(path)
    try:
        yield
    finally:
        path.unlink()
        kept.rename(path)


def test_a_manifest_that_is_broken(host: Host) -> None:
    with changed(host.root / "current/MANIFEST.json", lambda path: path.write_text('{"format": 1, "fol')):
        assert "MANIFEST.json cannot be read" in host.sentence()
    assert host.mended()


def test_a_foreign_link_as_current(host: Host) -> None:
    with changed(host.root / "current", lambda path: path.symlink_to("/etc")):
        assert "leads to '/etc', which is no release" in host.sentence()
    assert host.mended()


def test_a_root_that_is_read_only(host: Host) -> None:
    with read_only(host):
        assert "is read-only: mount it for writing" in host.sentence()
    assert host.mended()


def test_a_disk_that_is_full(host: Host) -> None:
    with full(host):
        said = host.sentence()
        assert "full" in said or "No space left" in said or "does not answer as it was written" in said
    assert host.mended()


def test_a_clock_that_is_set_back(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing to tell: every wish goes live, and each passwd-file is later than those before it."""

    class Back(datetime):
        """An hour ago."""

        @classmethod
        def now(cls, tz: tzinfo | None = None) -> "Back":
            """What the clock says."""
            return super().now(tz) - timedelta(hours=1)

    first = (host.root / "current/dovecot/passwd").stat().st_mtime
    for turn in (Back, datetime, Back):
        monkeypatch.setattr("deploy.export.datetime", turn)
        host.wish()
        assert host.mended()
    seconds = [int((one.path / "dovecot/passwd").stat().st_mtime) for one in release.releases(host.doors.layout)]
    assert seconds[0] == int(first)
    assert seconds == sorted(set(seconds))
    assert len(seconds) == 4


def test_postmap_is_gone(host: Host, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/postconf").symlink_to(program("postconf"))
    with monkeypatch.context() as patch:
        patch.setattr("deploy.host.commands.PATH", str(tmp_path / "bin"))
        patch.setattr("deploy.host.commands.program", run.__globals__["program"].__wrapped__)
        assert host.sentence() == "The program postmap is not installed."
    assert host.mended()


@pytest.mark.parametrize("at", ["0001-01-01T00:00", "9999-12-31T23:59"])
def test_a_moment_at_the_end_of_the_calendar_is_refused(household: Household, tmp_path: Path, at: str) -> None:
    told = StringIO()
    with pytest.raises(SystemExit) as ended:
        call_command("render", str(tmp_path / "out"), "--at", at, stderr=told)
    assert (ended.value.code, told.getvalue()) == (2, "date value out of range.\n")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("words", [("apply",), ("render", "out")])
def test_a_name_that_is_no_text_is_refused(household: Household, words: tuple[str, ...]) -> None:
    with pytest.raises(CommandError, match="argument --host: invalid line value"):
        call_command(*words, "--host", "\udcff")
