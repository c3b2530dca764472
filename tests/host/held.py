"""Letters that are held, for tests: planted where the dispatcher lays them, and counted wherever they are."""

import os
import pwd
import time
import uuid
from dataclasses import dataclass
from pathlib import Path

from tests.host.family import EMMA, KEYS, NONNA
from tests.host.machine import MailHost

KEY = KEYS[EMMA]
STRANGER = "evil@other.test"
FACTS = (
    "Spam: ham 1.0\nLinks: 0\nAttachments: none\nList: none\nAuto: no\nTo: none\nCc: none\nBody: none\n"
    "From: {}\nReply-To: {}\nSubject: {}"
)


def stored(
    token: str = "", says: str = f"pass {STRANGER} dmarc", reply_to: str = "none", to: str = EMMA, more: str = ""
) -> bytes:
    """A letter as it lies in a folder of ours: with the lines of Postfix, and the facts."""
    token, author = token or uuid.uuid4().hex, says.split(" ")[1] if " " in says else STRANGER
    lines = [
        f"Return-Path: <{author}>",
        f"X-Original-To: {to}",
        f"Delivered-To: {to}",
        "Received: from mx.other.test (mx.other.test [192.0.2.9])",
        "\tby mail.mailadmin.invalid (Postfix) with ESMTP id 4jZR2h2dKKzJDg0",
        f"\tfor <{to}>; Wed, 25 Nov 2026 17:08:12 +0000 (UTC)",
        f"From: A Stranger <{author}>",
        f"Message-ID: <{token}@test.example>",
        "Subject: Ciao",
        *(f"X-Mailadmin-{line}" for line in FACTS.format(says, reply_to, "Ciao").split("\n")),
        *([more] if more else []),
        "",
        "Ciao, \xe0 presto!  ",
        "",
        "From here on\ttabs",
        "no end of line",
    ]
    return "\n".join(lines).encode("utf-8")


@dataclass(frozen=True, slots=True)
class Planted:
    """Where a letter lies, as the helper is told, and its bytes."""

    host: MailHost
    place: str
    file: str
    data: bytes
    key: str = KEY

    @property
    def words(self) -> tuple[str, str, str]:
        """Mailbox, place and file."""
        return self.key, self.place, self.file

    @property
    def path(self) -> Path:
        """The letter itself."""
        return self.host.layout.held / self.key / self.place / "new" / self.file


def plant(host: MailHost, data: bytes, place: str = "in-5.stranger", age: float = 3600.0, key: str = KEY) -> Planted:
    """Lay a letter where the dispatcher lays one that is held."""
    user, group = pwd.getpwnam(host.layout.mail_user), pwd.getpwnam(host.layout.agent).pw_gid
    maildir = host.layout.held / key / place
    for folder in (maildir, *(maildir / name for name in ("cur", "new", "tmp"))):
        folder.mkdir(exist_ok=True)
        os.chown(folder, user.pw_uid, group)
        folder.chmod(0o2750)
    letter = Planted(host, place, f"1795626492.{uuid.uuid4().int % 10**8}_0.vm", data, key)
    letter.path.write_bytes(data)
    os.chown(letter.path, user.pw_uid, group)
    letter.path.chmod(0o640)
    stamp = int(time.time() - age)
    os.utime(letter.path, (stamp, stamp))
    return letter


def found(host: MailHost, data: bytes) -> dict[str, float]:
    """Every copy of a letter below the mail folder, byte for byte: its folder and the date it has."""
    return {str(path.parent.relative_to(host.layout.mail)): path.stat().st_mtime for path in everywhere(host, data)}


def copies(host: MailHost, data: bytes) -> int:
    """How many there are."""
    return len(everywhere(host, data))


def everywhere(host: MailHost, data: bytes) -> list[Path]:
    """The files, but for scratch folders."""
    paths = [path for path in host.layout.mail.rglob("new/*") if not path.is_symlink() and ".again" not in path.parts]
    return [path for path in paths if path.is_file() and same(path, data)]


def same(path: Path, data: bytes) -> bool:
    """True for a file of these bytes; one that has just been moved is none."""
    try:
        return path.read_bytes() == data
    except FileNotFoundError:
        return False


LISTED = f"pass {NONNA} dmarc"
INBOX = f"{KEY}/Maildir/new"
