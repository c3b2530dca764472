"""What doctor asks of releases: is each what was written, and did anybody change the live one by hand?"""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from deploy.host import release
from deploy.host.apply import apply, lay_first
from deploy.render import render
from tests.deploy.household import HOUSEHOLD
from tests.deploy.standin import Standin

pytestmark = pytest.mark.daemons
AT = datetime(2026, 7, 1, 8, 0, tzinfo=UTC)


def test_there_is_no_release_at_first(doors: Standin) -> None:
    assert release.live(doors.layout) is None
    assert release.releases(doors.layout) == []
    assert release.drift(doors.layout) == []


def test_the_first_release_holds_nobody_and_is_laid_once(doors: Standin) -> None:
    lay_first(doors.layout, AT)
    lay_first(doors.layout, AT)
    current = release.live(doors.layout)
    assert current
    assert (current.number, current.manifest.generation, current.snapshot.mailboxes) == (0, 0, ())
    assert release.verify(current.path) == []
    assert doors.asked == []


def test_whatever_is_changed_by_hand_is_named(doors: Standin) -> None:
    apply(doors.layout, HOUSEHOLD, render(HOUSEHOLD, AT, str(doors.layout.mail)), at=AT, log=lambda _line: None)
    folder = doors.layout.root / "current"
    (folder / "postfix/aliases").write_text("kids@myfamily.net evil@outside.example\n")
    (folder / "postfix/mailboxes.db").write_bytes(b"")
    (folder / "procmail/myfamily.net/emma.rc").unlink()
    (folder / "procmail/myfamily.net/evil.rc").write_text("")
    (folder / "dovecot/passwd").unlink()
    (folder / "dovecot/passwd").symlink_to("/etc/passwd")
    (doors.layout.postfix / "main.cf").write_text("# by hand\n")
    found = " ".join(release.drift(doors.layout))
    for name in (
        "aliases is not",
        "mailboxes.db is not",
        "emma.rc is missing",
        "evil.rc was put",
        "passwd is not",
        "main.cf is not",
    ):
        assert name in found


def test_what_the_installer_lays_anew_is_no_drift(doors: Standin) -> None:
    lay_first(doors.layout, AT)
    doors.layout.dovecot.write_text("# a newer version\n")
    assert len(release.drift(doors.layout)) == 1
    (doors.layout.etc / release.LAID).write_text(release.laid_text(doors.layout))
    assert release.drift(doors.layout) == []


def test_the_digest_of_a_snapshot_does_not_count_generations() -> None:
    digest = release.snapshot_digest(HOUSEHOLD.to_json())
    assert digest == release.snapshot_digest(replace(HOUSEHOLD, generation=99).to_json())
    assert digest != release.snapshot_digest(replace(HOUSEHOLD, aliases=()).to_json())
