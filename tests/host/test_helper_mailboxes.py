"""The folder of one mailbox through the helper: its letters' heads, out of the way, back, and gone for good."""

import json
import os
import pwd
import stat
import time
import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from deploy.host.helper import HelperError, ask, fetch
from tests.host.letters import ANNA, HOUSE, KEYS, letter, signs_in, stranger
from tests.host.machine import MailHost, wait_for
from tests.host.test_apply_live import said

pytestmark = pytest.mark.daemons
KEY = "0" * 12 + "b0c5"


@pytest.fixture(autouse=True)
def host(mailhost: MailHost) -> Iterator[MailHost]:
    """The house, and the folder of a mailbox that is gone from the wishes, with a letter in it."""
    mailhost.apply(HOUSE)
    ask(mailhost.layout, "folder", KEY)
    lay(mailhost, KEY, "kept", b"Subject: kept\n\nbody\n", 0)
    yield mailhost
    mailhost.run("rm", "-rf", *(str(mailhost.layout.mail / name / KEY) for name in ("", ".held", ".later", ".gone")))


def lay(host: MailHost, key: str, name: str, data: bytes, age: int) -> None:
    """A letter that has been read."""
    user = pwd.getpwnam(host.layout.mail_user)
    path = host.layout.mail / key / "Maildir" / "cur" / f"{name}:2,S"
    path.parent.mkdir(exist_ok=True)
    os.chown(path.parent, user.pw_uid, user.pw_gid)
    path.write_bytes(data)
    os.chown(path, user.pw_uid, user.pw_gid)
    stamp = time.time() - age
    os.utime(path, (stamp, stamp))


def heads(host: MailHost, key: str) -> list[dict[str, Any]]:
    """What the helper shows."""
    found: list[dict[str, Any]] = json.loads(fetch(host.layout, "heads", key))
    return found


def test_heads_are_shown_and_no_text(host: MailHost) -> None:
    token = uuid.uuid4().hex
    with stranger(host.layout) as dialogue:
        dialogue.sendmail("x@elsewhere.example", [ANNA], letter(token, body="the text"))
    wait_for(lambda: any(token.encode() in one for one in host.letters(KEYS[ANNA])), "the letter", 60)
    newest = next(one for one in heads(host, KEYS[ANNA]) if token in one["head"])
    assert f"Subject: {token}" in newest["head"]
    assert "the text" not in newest["head"]
    assert abs(newest["arrived"] - time.time()) < 60


def test_the_newest_fifty_are_shown_and_of_each_the_beginning(host: MailHost) -> None:
    for number in range(60):
        lay(host, KEY, f"{number:02}", b"Subject: %02d\nX: " % number + b"\x01\xff" * 6000 + b"\n\nbody", number)
    found = heads(host, KEY)
    assert {one["name"] for one in found[:2]} == {"kept:2,S", "00:2,S"}
    assert 10 < len(found) <= 50
    assert all(len(one["head"]) <= 8192 for one in found)


def test_a_mailbox_without_letters_or_without_a_folder_shows_none(host: MailHost) -> None:
    assert heads(host, "0" * 12 + "b0c6") == []


def test_a_mailbox_goes_out_of_the_way_and_comes_back(host: MailHost) -> None:
    mail = host.layout.mail
    assert ask(host.layout, "mailbox-retire", KEY) == "retired"
    assert ask(host.layout, "mailbox-retire", KEY) == "gone"
    assert not (mail / KEY).exists()
    status = (mail / ".gone").stat()
    assert (stat.S_IMODE(status.st_mode), status.st_uid) == (0o700, mail.stat().st_uid)
    assert ask(host.layout, "mailbox-bring-back", KEY) == "back"
    assert ask(host.layout, "mailbox-bring-back", KEY) == "gone"
    assert (mail / KEY / "Maildir/cur/kept:2,S").read_bytes().endswith(b"body\n")


def test_what_lies_in_the_way_is_not_replaced(host: MailHost) -> None:
    ask(host.layout, "mailbox-retire", KEY)
    ask(host.layout, "folder", KEY)
    for verb in ("mailbox-retire", "mailbox-bring-back"):
        with pytest.raises(HelperError, match=r"lies at .* already: move it away"):
            ask(host.layout, verb, KEY)
    assert (host.layout.mail / ".gone" / KEY / "Maildir/cur/kept:2,S").exists()


def test_only_what_was_retired_is_removed_and_then_all_of_it(host: MailHost) -> None:
    assert ask(host.layout, "mailbox-remove", KEY) == "gone"
    assert (host.layout.mail / KEY).is_dir()
    ask(host.layout, "mailbox-retire", KEY)
    assert ask(host.layout, "mailbox-remove", KEY) == "removed"
    assert not list(host.layout.mail.rglob(KEY))


@pytest.mark.parametrize("name", ["mail.log", "dovecot.log"])
def test_logs_that_were_moved_away_are_written_anew(host: MailHost, name: str) -> None:
    path = host.layout.root / "log" / name
    status, moved = path.stat(), path.rename(path.with_suffix(".1"))
    path.touch(stat.S_IMODE(status.st_mode))  # as logrotate(8) does, told to `create`
    os.chown(path, status.st_uid, status.st_gid)
    ask(host.layout, "reopen-logs")
    before, token = moved.read_bytes(), uuid.uuid4().hex

    def written() -> bool:
        signs_in(host.layout, f"{token}@house.test", "no such word")
        said(host, f"{token}@house.test")
        return token in path.read_text()

    wait_for(written, f"a line in the new {name}", 60)
    assert token.encode() not in moved.read_bytes()[len(before) :]
    moved.unlink()
