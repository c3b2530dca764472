"""What can be wrong on a mail host: one sentence that names the thing and the remedy, and mail goes on as before."""

import os
import pwd
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from deploy.host import files, release
from deploy.host.apply import Applied, ApplyError, apply, lay_first
from deploy.host.commands import run
from deploy.render import render
from deploy.snapshot import Snapshot
from tests.deploy.household import HOUSEHOLD
from tests.deploy.standin import Standin, scratch_layout, standin

pytestmark = pytest.mark.daemons
AT = datetime(2026, 7, 1, 8, 0, tzinfo=UTC)
NEWEST = replace(HOUSEHOLD, generation=8, aliases=())


def go(doors: Standin, snapshot: Snapshot = NEWEST) -> Applied:
    """Apply what a snapshot renders to."""
    layout = doors.layout
    return apply(layout, snapshot, render(snapshot, AT, str(layout.mail)), at=AT, log=lambda _line: None)


def problem(doors: Standin, snapshot: Snapshot = NEWEST) -> str:
    """The one sentence of an apply that fails."""
    with pytest.raises(ApplyError) as caught:
        go(doors, snapshot)
    sentence = str(caught.value)
    assert sentence.isprintable()
    assert sentence.endswith(".")
    return sentence


def live_number(doors: Standin) -> int:
    """The live release."""
    found = release.live(doors.layout)
    assert found
    assert release.verify(found.path) == []
    return found.number


@pytest.fixture
def host(doors: Standin) -> Standin:
    """A host with a live release."""
    go(doors, HOUSEHOLD)
    return doors


@contextmanager
def mounted(path: Path, options: str) -> Iterator[None]:
    """A small disk of its own."""
    run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(path)], timeout=10)
    try:
        yield
    finally:
        run(["umount", "-l", str(path)], timeout=10)


@pytest.mark.parametrize(
    "text", ["", "{}", "[]", "null", '{"format": 2}', '{"format": 1, "folder": "x"}', "\0", "é" * 9]
)
def test_a_manifest_that_cannot_be_read(host: Standin, text: str) -> None:
    (host.layout.root / "current/MANIFEST.json").write_text(text)
    sentence = problem(host)
    assert "000000/MANIFEST.json cannot be read" in sentence
    assert "let " in sentence
    assert (host.layout.root / "current").readlink() == Path("releases/000000")


def test_a_snapshot_that_cannot_be_read(host: Standin) -> None:
    (host.layout.root / "current/snapshot.json").unlink()
    assert "snapshot.json cannot be read" in problem(host)


@pytest.mark.parametrize("target", ["/tmp", "releases/../releases/000000", "releases/000000/postfix", "releases", "x"])
def test_current_leads_elsewhere(host: Standin, target: str) -> None:
    files.point(host.layout.root / "current", target)
    assert "which is no release" in problem(host)


def test_current_leads_to_a_release_that_is_gone(host: Standin) -> None:
    files.point(host.layout.root / "current", "releases/000099")
    assert "is gone" in problem(host)


def test_current_is_no_link(host: Standin) -> None:
    (host.layout.root / "current").unlink()
    (host.layout.root / "current").mkdir()
    assert "is no symbolic link" in problem(host)


def test_a_note_that_cannot_be_read(host: Standin) -> None:
    (host.layout.root / ".switch").write_text("x")
    assert ".switch cannot be read: remove it" in problem(host)


def test_postfix_is_not_configured(host: Standin) -> None:
    (host.layout.postfix / "main.cf").unlink()
    assert "main.cf" in problem(host)
    assert live_number(host) == 0


def test_postmap_is_not_installed(host: Standin, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("deploy.host.commands.PATH", "/nonexistent")
    monkeypatch.setattr("deploy.host.commands.program", run.__globals__["program"].__wrapped__)
    assert "is not installed" in problem(host)
    assert live_number(host) == 0


def test_a_type_of_map_that_is_not_there(host: Standin) -> None:
    host.layout = replace(host.layout, map_type="sdbm")  # type: ignore[arg-type]
    assert problem(host)
    assert live_number(host) == 0


def test_a_mould_is_missing(host: Standin) -> None:
    (host.layout.root / ".mould/dovecot").rmdir()
    assert ".mould/dovecot is missing: run the installer again." in problem(host)
    assert live_number(host) == 0


def test_the_helper_is_not_there(doors: Standin) -> None:
    lay_first(doors.layout, AT)
    doors.layout = replace(doors.layout, helper=doors.layout.helper.with_name("gone.sock"))
    assert "root helper" in problem(doors)
    assert live_number(doors) == 0
    assert not list(doors.layout.root.glob("releases/000001"))


def test_dovecot_is_not_there(host: Standin, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("deploy.host.probe.PATIENCE", 0.1)
    host.layout = replace(host.layout, auth=host.layout.auth.with_name("gone.sock"))
    assert problem(host).startswith("Dovecot does not answer with the new release")
    assert live_number(host) == 0


def test_somebody_else_runs_it(host: Standin) -> None:
    other = next(user.pw_name for user in pwd.getpwall() if user.pw_uid != os.geteuid())
    host.layout = replace(host.layout, agent=other)
    assert f"Releases are written by {other}" in problem(host)


def test_two_at_once_wait_for_each_other(host: Standin) -> None:
    done: list[Applied] = []
    with files.locked(host.layout.root / ".lock"):
        one = threading.Thread(target=lambda: done.append(go(host)))
        one.start()
        with pytest.raises(files.Busy, match="try again later"), files.locked(host.layout.root / ".lock", 0.1):
            pass
        assert not done
    one.join()
    assert done[0].changed


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount")
def test_a_disk_that_is_full(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    with mounted(tmp_path / "disk", "size=2m"), standin(scratch_layout(tmp_path / "disk", "root")) as doors:
        go(doors, HOUSEHOLD)
        left = os.statvfs(tmp_path / "disk")
        (tmp_path / "disk/filler").write_bytes(b"x" * (left.f_bavail * left.f_frsize - 80_000))
        assert any(word in problem(doors) for word in ("full", "No space left", "does not answer as it was written"))
        assert live_number(doors) == 0
        (tmp_path / "disk/filler").unlink()
        assert {path.name for path in doors.layout.root.glob("releases/*")} == {"000000"}
        assert go(doors).changed


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount")
def test_a_disk_that_is_read_only(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    with mounted(tmp_path / "disk", "size=4m"), standin(scratch_layout(tmp_path / "disk", "root")) as doors:
        go(doors, HOUSEHOLD)
        run(["mount", "-o", "remount,ro", str(tmp_path / "disk")], timeout=10)
        assert "read-only" in problem(doors)
        assert live_number(doors) == 0
        run(["mount", "-o", "remount,rw", str(tmp_path / "disk")], timeout=10)
        assert go(doors).changed
