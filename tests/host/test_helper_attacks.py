"""Every verb of the root helper is attacked: words, callers, links. Whatever is asked, the helper goes on serving.

A verb without an example here fails these tests: so a new one cannot be without its attacks.
"""

import os
import pwd
import socket
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from deploy.host.helper import VERBS, HelperError, ask, fetch
from tests.host.letters import ANNA, HOUSE, KEYS
from tests.host.machine import MailHost, wait_for

pytestmark = [pytest.mark.daemons, pytest.mark.timeout(300)]
KEY, QUEUE_ID, ARRIVED = "0" * 13 + "5af", "4jZR2h2dKKzJDg0", "1795626492"
LETTER = f"{KEY} in-5.stranger 1795626492.1_0.vm"
# What each verb may be asked for; of a mailbox that nobody has and a letter that is not there, so that it does no harm.
EXAMPLES = {
    "reload": "dovecot",
    "reopen-logs": "",
    "kick": "nobody@house.test",
    "hang-up": "",
    "folder": KEY,
    "deliver": f"{LETTER} in-5",
    "drop": LETTER,
    "folders": "nobody@house.test",
    "make-folder": "nobody@house.test 53",
    "heads": KEY,
    "mailbox-retire": f"{'0' * 12}5afe",
    "mailbox-bring-back": KEY,
    "mailbox-remove": KEY,
    "wake": KEY,
    "quota-list": "",
    "dkim-key": "house.test s1",
    "lay": "tag.awk",
    "keep": f"tag.awk {'0' * 64}",
    "queue-waiting": "",
    "queue-show": QUEUE_ID,
    "queue-release": f"{QUEUE_ID} {ARRIVED} nobody@house.test",
    "queue-drop": f"{QUEUE_ID} {ARRIVED} nobody@house.test",
    "queue-list": "",
    "queue-retry": f"{QUEUE_ID} {ARRIVED}",
    "queue-retry-all": "",
    "queue-remove": f"{QUEUE_ID} {ARRIVED}",
}
HOSTILE = (
    b"..", b"../..", b"/", b"/etc/passwd", b"-x", b"--help", b"-A", b"*", b"?", b"%s%n", b"%u", b"$(id)", b"`id`",
    b";id", b"|id", b"'", b'"', b"\\", b"\0", b"\t", b"\r", b"\x0b", b"\x7f", b"\xff\xfe", "é".encode(), "٣".encode(),
    "\u202e".encode(), b"~root", b"a" * 900, b"a" * 2000,
)  # fmt: skip
ASKING = """
import socket, sys
for request in sys.argv[2:]:
    line = socket.socket(socket.AF_UNIX)
    line.connect(sys.argv[1])
    line.sendall(request.encode() + b"\\n")
    print(line.makefile().readline(), end="")
"""


@pytest.fixture(scope="module", autouse=True)
def _house(mailhost: MailHost) -> None:
    mailhost.apply(HOUSE)


@pytest.fixture(autouse=True)
def _serving(mailhost: MailHost) -> Iterator[None]:
    """After each attack it serves on, and is the same process as before."""
    before = mailhost.running.control("pid", "helper").text
    yield
    assert ask(mailhost.layout, "kick", "nobody@house.test") == ""
    assert mailhost.running.control("pid", "helper").text == before


def say(host: MailHost, request: bytes) -> bytes:
    """All that the helper answers; nothing where it hung up on what is too long."""
    with socket.socket(socket.AF_UNIX) as line:
        line.settimeout(40)
        line.connect(str(host.layout.helper))
        try:
            line.sendall(request)
            line.shutdown(socket.SHUT_WR)
            return line.makefile("rb").read()
        except (BrokenPipeError, ConnectionResetError):
            assert len(request) > 1000
            return b"refused by hanging up\n"


def attacks(verb: str) -> Iterator[bytes]:
    """Requests that are nearly right."""
    words = EXAMPLES[verb].encode().split()
    whole = b" ".join([verb.encode(), *words])
    for place, word in enumerate(words):
        behind = (word + bad for bad in HOSTILE if bad[:1] not in b".-")  # names may end so
        for bad in (*HOSTILE, *behind, *(bad + word for bad in HOSTILE)):
            yield b" ".join([verb.encode(), *words[:place], bad, *words[place + 1 :]]) + b"\n"
        yield b" ".join([verb.encode(), *words[:place], b"", *words[place:]]) + b"\n"
        yield b" ".join([verb.encode(), *words[:place], *words[place + 1 :]]) + b"\n"
    yield from (whole + bad + b"\n" for bad in (b" ", b" x", b" " + KEY.encode(), b"\n" + whole, b"\r", b"\0"))
    yield from (bad + whole + b"\n" for bad in (b" ", b"\n", b"\0", b"-"))
    yield from (whole.upper() + b"\n", "\u0435".encode() + whole[1:] + b"\n", whole, whole[:-1], verb.encode())
    yield verb.encode() + b" " + b"x" * 10_000_000 + b"\n"
    yield verb.encode() + b" " + b"0" * 10_000_000


def tree(host: MailHost) -> dict[str, tuple[int, int, int]]:
    """Whatever lies where the helper could change something, but for logs, sockets and what mail does by itself."""
    places = [host.layout.mail, host.layout.root / "releases", host.layout.etc]
    paths = [path for place in places for path in place.rglob("*")]
    facts = ((path, path.lstat()) for path in paths if path.name != "lock" and "dovecot" not in path.name)
    return {str(path): (status.st_mode, status.st_uid, status.st_size) for path, status in facts}


def test_each_verb_has_an_example_that_is_one_of_ours() -> None:
    assert set(EXAMPLES) == set(VERBS)
    for verb, words in EXAMPLES.items():
        assert VERBS[verb][0].match(words), verb


@pytest.mark.parametrize("verb", sorted(VERBS))
def test_words_that_are_nearly_right_are_refused(mailhost: MailHost, verb: str) -> None:
    before, started = tree(mailhost), time.monotonic()
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda request: (request, say(mailhost, request)), attacks(verb)))
    for request, answer in answers:
        assert answer.startswith(b"refused "), request[:200]
        assert answer.count(b"\n") == 1, request[:200]
        assert len(answer) <= 1000
    assert tree(mailhost) == before
    assert time.monotonic() - started < 100


@pytest.mark.parametrize("group", ["mailadmin-agent", ""])
@pytest.mark.parametrize("user", ["vmail", "nobody", "mailadmin"])
def test_nobody_else_may_ask_for_anything(mailhost: MailHost, user: str, group: str) -> None:
    before, ids = tree(mailhost), pwd.getpwnam(user)
    gid = pwd.getpwnam(group).pw_gid if group else ids.pw_gid
    words = ["setpriv", f"--reuid={ids.pw_uid}", f"--regid={gid}", "--clear-groups", "--"]
    requests = [f"{verb} {EXAMPLES[verb]}".strip() for verb in sorted(VERBS)]
    done = mailhost.run(*words, sys.executable, "-c", ASKING, str(mailhost.layout.helper), *requests)
    if group:
        assert done.stdout.decode().splitlines() == [f"refused user {ids.pw_uid} may not ask"] * len(VERBS)
    else:
        assert b"PermissionError" in done.stderr
    assert tree(mailhost) == before


def test_all_verbs_at_once(mailhost: MailHost) -> None:
    requests = [f"{verb} {EXAMPLES[verb]}".strip().encode() + b"\n" for verb in sorted(VERBS)] * 3
    with ThreadPoolExecutor(len(requests)) as pool:
        answers = list(pool.map(lambda request: say(mailhost, request), requests))
    for request, answer in zip(requests, answers, strict=True):
        first = answer.partition(b"\n")[0]
        assert first.startswith((b"ok", b"failed ", b"refused ")), (request, answer[:200])
        assert b"Traceback" not in answer


@pytest.mark.parametrize("verb", sorted(VERBS))
def test_who_hangs_up_does_no_harm(mailhost: MailHost, verb: str) -> None:
    whole = f"{verb} {EXAMPLES[verb]}".strip().encode() + b"\n"
    for length in (0, 1, len(whole) // 2, len(whole) - 1, len(whole)):
        with socket.socket(socket.AF_UNIX) as line:
            line.connect(str(mailhost.layout.helper))
            line.sendall(whole[:length])


def test_who_never_ends_is_sent_away_and_keeps_nobody_waiting(mailhost: MailHost) -> None:
    started, lines = time.monotonic(), list[socket.socket]()
    for verb in sorted(VERBS)[:10]:
        line = socket.socket(socket.AF_UNIX)
        line.connect(str(mailhost.layout.helper))
        line.sendall(verb.encode())
        lines.append(line)

    def served() -> bool:
        assert ask(mailhost.layout, "folder", KEY) == ""
        for line in lines:
            line.send(b" ", socket.MSG_DONTWAIT | socket.MSG_NOSIGNAL)
        return time.monotonic() - started > 2

    wait_for(served, "two seconds of service")
    for line in lines:
        line.settimeout(30)
        assert line.recv(600).startswith(b"refused ")
        line.close()


class Planted:
    """A secret outside, and links to it."""

    def __init__(self, host: MailHost, folder: Path) -> None:
        """A folder of root's and a file in it, both out of bounds."""
        self.host, self.folder, self.links = host, folder, list[Path]()
        folder.chmod(0o755)
        (folder / "secret").write_text("Subject: outside\n\noutside\n")
        (folder / "secret").chmod(0o600)
        self.before = self.facts()

    def facts(self) -> list[tuple[str, os.stat_result]]:
        """All that is outside."""
        return [(str(path), path.lstat()) for path in sorted([self.folder, *self.folder.rglob("*")])]

    def link(self, path: Path, target: Path | None = None) -> None:
        """Plant one, as the mail user could."""
        path.parent.mkdir(parents=True, exist_ok=True)
        user = pwd.getpwnam(self.host.layout.mail_user)
        for above in [path.parent, *path.parent.parents]:
            if self.host.layout.mail in above.parents:
                os.chown(above, user.pw_uid, -1)
        path.symlink_to(target or self.folder)
        os.lchown(path, user.pw_uid, user.pw_gid)
        self.links.append(path)

    def fails(self, verb: str, *words: str, show: bool = False) -> None:
        """It does not happen, and not a word of what is outside is told."""
        try:
            said = (fetch if show else ask)(self.host.layout, verb, *words)
        except HelperError as error:
            said = str(error)
        assert "outside" not in str(said)
        self.untouched()

    def untouched(self) -> None:
        """What is outside is as it was, but for when it was read; what was linked is linked still."""
        now = self.facts()
        assert [(path, one.st_mode, one.st_uid, one.st_gid, one.st_mtime_ns) for path, one in now] == [
            (path, one.st_mode, one.st_uid, one.st_gid, one.st_mtime_ns) for path, one in self.before
        ]
        for copy in self.host.layout.mail.rglob("*"):
            assert copy.is_symlink() or not copy.is_file() or b"outside" not in copy.read_bytes()[:100], copy


@pytest.fixture
def planted(mailhost: MailHost, tmp_path: Path) -> Iterator[Planted]:
    """Links are taken away again."""
    (tmp_path / "outside").mkdir()
    clear(mailhost)
    found = Planted(mailhost, tmp_path / "outside")
    yield found
    for path in found.links:
        if path.is_symlink():
            path.unlink()
    clear(mailhost)


def clear(host: MailHost) -> None:
    """Nothing lies there of the mailbox that nobody has."""
    host.run("rm", "-rf", *(str(host.layout.mail / name / KEY) for name in ("", ".held", ".away", ".gone")))


@pytest.mark.parametrize("where", ["{key}", "{key}/Maildir", ".held/{key}"])
def test_a_mailbox_is_made_at_no_link(planted: Planted, where: str) -> None:
    planted.link(planted.host.layout.mail / where.format(key=KEY))
    planted.fails("folder", KEY)
    assert planted.links[0].is_symlink()


@pytest.mark.parametrize("where", [".held/{key}", ".held/{key}/in-5.stranger", ".held/{key}/in-5.stranger/new"])
def test_no_letter_is_taken_out_of_a_linked_folder(planted: Planted, where: str) -> None:
    ask(planted.host.layout, "folder", KEY)
    path = planted.host.layout.mail / where.format(key=KEY)
    if path.is_dir():
        path.rmdir()
    planted.link(path)
    for words in (("deliver", *LETTER.split(), "in-5"), ("drop", *LETTER.split())):
        planted.fails(*words)
    planted.fails("drop", KEY, "in-5.stranger", "secret")
    planted.fails("deliver", KEY, "in-5.stranger", "secret", "in-5")


def test_no_letter_is_a_link(planted: Planted) -> None:
    ask(planted.host.layout, "folder", KEY)
    new = planted.host.layout.held / KEY / "in-5.stranger" / "new"
    planted.link(new / LETTER.split()[2], planted.folder / "secret")
    planted.fails("deliver", *LETTER.split(), "in-5")
    planted.fails("drop", *LETTER.split())


@pytest.mark.parametrize("where", ["{key}", "{key}/Maildir", "{key}/Maildir/new", "{key}/Maildir/cur"])
def test_no_head_is_read_behind_a_link(planted: Planted, where: str) -> None:
    (planted.folder / "new").mkdir()
    (planted.folder / "new" / "letter").write_text("Subject: outside\n\n")
    planted.before = planted.facts()
    planted.link(planted.host.layout.mail / where.format(key=KEY))
    planted.fails("heads", KEY, show=True)


@pytest.mark.parametrize("kind", ["link", "pipe"])
def test_no_head_is_read_of_what_is_no_letter(planted: Planted, kind: str) -> None:
    new = planted.host.layout.mail / KEY / "Maildir" / "new"
    planted.link(new / "link", planted.folder / "secret")
    if kind == "pipe":
        os.mkfifo(new / "pipe")
    assert fetch(planted.host.layout, "heads", KEY) == b"[]"


@pytest.mark.parametrize("where", ["{key}", ".gone", ".gone/{key}"])
@pytest.mark.parametrize("verb", ["mailbox-retire", "mailbox-bring-back", "mailbox-remove"])
def test_no_mailbox_is_moved_through_a_link(planted: Planted, verb: str, where: str) -> None:
    mail = planted.host.layout.mail
    path = mail / where.format(key=KEY)
    if where == ".gone":
        planted.host.run("rm", "-rf", str(path))
        (planted.folder / KEY).mkdir()
        (planted.folder / KEY / "kept").write_text("kept")
        planted.before = planted.facts()
    planted.link(path)
    planted.fails(verb, KEY)


@pytest.mark.parametrize("place", [".held", ".away"])
def test_what_is_linked_is_not_removed_with_a_mailbox(planted: Planted, place: str) -> None:
    layout = planted.host.layout
    planted.link(layout.mail / place / KEY)
    planted.link(layout.mail / ".gone" / KEY / "Maildir")
    assert ask(layout, "mailbox-remove", KEY) == "removed"
    planted.untouched()


@pytest.mark.parametrize("kind", ["link", "pipe", "words"])
def test_what_the_agent_says_is_live_is_no_way_to_read_or_to_wait(planted: Planted, kind: str) -> None:
    path = planted.host.layout.root / "current" / "snapshot.json"
    kept = path.rename(path.with_name("kept"))
    try:
        if kind == "pipe":
            os.mkfifo(path)
        elif kind == "link":
            path.symlink_to(planted.folder / "secret")
        else:
            path.write_text("outside")
        started = time.monotonic()
        planted.fails("mailbox-retire", KEY)
        assert time.monotonic() - started < 10
    finally:
        path.unlink()
        kept.rename(path)


def test_a_mailbox_that_is_live_is_not_moved(mailhost: MailHost) -> None:
    for verb in ("mailbox-retire", "mailbox-bring-back", "mailbox-remove"):
        with pytest.raises(HelperError, match="is live: remove it from the wishes first"):
            ask(mailhost.layout, verb, KEYS[ANNA])
    assert (mailhost.layout.mail / KEYS[ANNA] / "Maildir").is_dir()
