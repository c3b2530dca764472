"""Wishes come, and everything behind them fails in turn, while letters go on.

No letter to an address that nobody changes is rejected, goes astray or is lost, and in the end the host equals the
wishes. MAILADMIN_CHAOS_SEED makes another story.
"""

import itertools
import os
import random
import re
import smtplib
import subprocess
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, field

import pytest

from deploy.host import release
from tests.host.family import NONNA, provider, written
from tests.host.machine import wait_for
from tests.system.faults import frozen, full, killed, locked, set_back, small_disk, stopped, up, without_database
from tests.system.panel import Panel
from tests.system.server import HOUSEHOLD, PASSWORD, Server, started_server

pytestmark = [pytest.mark.daemons, pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount")]
SEED = int(os.environ.get("MAILADMIN_CHAOS_SEED", "20261126"))
STRANGER = "evil@example.org"
BO, ADA, POST = "bo@rossi.example", "ada@rossi.example", "posta@rossi.example"
GUESTS = "".join(
    f'[[person]]\naddress = "g{one}@rossi.example"\nname = "Guest"\npassword = "{PASSWORD}"\n'
    f'[[person.membership]]\ncommunity = "Rossi"\nrole = "guardian"\n[[mailbox]]\naddress = "g{one}@rossi.example"\n'
    for one in range(4)
)
PROTECTED = HOUSEHOLD.replace('role = "protected"', 'role = "protected"\nlevel = "starter"')
HOME = f'{PROTECTED}{GUESTS}[[alias]]\naddress = "{POST}"\nto = ["{ADA}"]\n'
SAVE = """
import random
from accounts.models import User
from accounts.wishes import wishes
from domains.models import Alias, Domain, Mailbox
from policies.models import Contact
rng = random.Random({seed})
box, bo = Mailbox.objects.get(address="bo@rossi.example"), User.objects.get(address="bo@rossi.example")

def turn(model, key, **values):
    row = model.objects.filter(**key).first()
    row.delete() if row else model(**key, **values).save()

def quota():
    box.quota = rng.randrange(100, 5000) << 20
    box.save()

def guest():
    row = Mailbox.objects.get(address=f"g{{rng.randrange(4)}}@rossi.example")
    row.active = not row.active
    row.save()

def contact():
    turn(Contact, {{"person": bo, "address": f"friend{{rng.randrange(9)}}@elsewhere.example"}})

def alias():
    turn(Alias, {{"address": f"a{{rng.randrange(9)}}@rossi.example"}}, targets=["ada@rossi.example"])

def domain():
    home = Domain.objects.get(name="rossi.example")
    turn(Domain, {{"name": f"rossi{{rng.randrange(3)}}.example"}}, kind="alias", alias_of=home)

with wishes("chaos", "test"):
    rng.choice([quota, guest, contact, alias, domain])()
"""
EQUAL = """
import json
from datetime import UTC, datetime
from deploy import services
from deploy.gather import gather
from deploy.host import release
from deploy.models import MailHost
from deploy.render import render
layout, host = services.layout(), MailHost.objects.get()
snapshot, live = gather(host), release.live(services.layout())
files = render(snapshot, datetime.now(UTC), str(layout.mail))
live_files = {path: release.digest((live.path / path).read_bytes()) for path in live.manifest.files}
print(json.dumps([snapshot.generation == host.applied, host.error, release.verify(live.path),
                  live_files == {path: release.digest(data) for path, data in files.items()}]))
"""
TOKEN = re.compile(rb"^Message-ID: <([0-9a-f]{32})@test\.example>\r?$", re.MULTILINE)


@dataclass
class Chaos:
    """What happens at once, and what was seen of it."""

    server: Server
    rng: random.Random
    over: threading.Event = field(default_factory=threading.Event)
    one_at_a_time: threading.Lock = field(default_factory=threading.Lock)
    meant: dict[str, str] = field(default_factory=dict)  # where each letter belongs, by its token
    rejected: list[str] = field(default_factory=list)
    deferred: int = 0
    saved: int = 0
    failing: str = ""  # what fails just now
    failed: list[str] = field(default_factory=list)  # saves, while the database was away
    surprises: list[str] = field(default_factory=list)  # saves that failed at another time
    faults: Counter[str] = field(default_factory=Counter)

    def ask(self, code: str) -> str:
        """Run Python in the project."""
        with self.one_at_a_time:
            return self.server.execute(code)


# --- letters --------------------------------------------------------------------------------------------------------


def letters(chaos: Chaos, keys: dict[str, str]) -> None:
    """A stream to addresses that nobody changes; what is put off is tried again, as others' servers do."""
    sign = provider(chaos.server.layout, "gmail.com")
    kinds = [
        (STRANGER, ADA, f"{keys[ADA]} deliver"),
        (STRANGER, POST, f"{keys[ADA]} deliver"),
        (NONNA, BO, f"{keys[BO]} deliver"),
        (STRANGER, BO, f"{keys[BO]} in-5.stranger"),
    ]
    for author, to, place in itertools.cycle(kinds):
        token, raw = written(f"From: {author}", to=to)
        chaos.meant[token] = place
        letter = sign(raw) if author == NONNA else raw
        while not handed_over(chaos, author, to, letter):
            chaos.deferred += 1
            time.sleep(0.2)
        if chaos.over.wait(0.1):
            return


def handed_over(chaos: Chaos, author: str, to: str, letter: bytes) -> bool:
    """Whether a letter is off one's hands: taken or rejected."""
    try:
        with smtplib.SMTP("127.0.0.1", chaos.server.layout.smtp, timeout=120) as smtp:
            smtp.sendmail(author, [to], letter)
    except smtplib.SMTPRecipientsRefused as refused:
        return rejected(chaos, *next(iter(refused.recipients.values())))
    except smtplib.SMTPResponseException as answer:
        return rejected(chaos, answer.smtp_code, answer.smtp_error)
    except (smtplib.SMTPServerDisconnected, OSError):
        return False
    return True


def rejected(chaos: Chaos, code: int, words: object) -> bool:
    """Whether an answer is for good."""
    if code >= 500:
        chaos.rejected.append(f"{code} {words!r}")
    return code >= 500


def found(server: Server) -> dict[str, list[str]]:
    """Where each letter lies, by its token: `KEY deliver`, or `KEY STATION.REASON`."""
    mail, places = server.layout.mail, defaultdict(list)
    for path in (*mail.glob("*/Maildir/*/*"), *mail.glob("*/Maildir/.*/*/*"), *server.layout.held.glob("*/*/*/*")):
        with suppress(FileNotFoundError, IsADirectoryError):
            if token := TOKEN.search(path.read_bytes()):
                whose, box = path.relative_to(server.layout.held if ".held" in path.parts else mail).parts[:2]
                places[token[1].decode()].append(f"{whose} {box.replace('Maildir', 'deliver')}")
    return places


# --- saves ----------------------------------------------------------------------------------------------------------


def saves(chaos: Chaos, mailbox: str, person: str) -> None:
    """Wishes, one in five by the panel, at random moments."""
    visitor, rng = Panel(chaos.server).sign_in(), random.Random(chaos.rng.random())
    while not chaos.over.wait(rng.uniform(0, 0.8)):
        begun = chaos.failing
        try:
            if rng.random() < 0.2:
                quota = f"{rng.randrange(100, 5000)}M"
                answer = visitor.post(f"/mailboxes/{mailbox}/", quota=quota, people=person)
                assert answer.status == 200, answer.status
            else:
                chaos.ask(SAVE.format(seed=rng.randrange(1 << 30)))
            chaos.saved += 1
        except (AssertionError, OSError) as error:
            expected = "database away" in (begun, chaos.failing)
            (chaos.failed if expected else chaos.surprises).append(str(error)[-300:])


# --- faults ----------------------------------------------------------------------------------------------------


def faults(chaos: Chaos) -> dict[str, Callable[[], AbstractContextManager[None]]]:
    """All of them, by name."""
    server = chaos.server
    return {
        "worker killed": lambda: killed(server, "worker"),
        "worker frozen": lambda: frozen(server, "worker"),
        "queue killed": lambda: killed(server, "redis"),
        "queue stopped": lambda: stopped(server, "redis"),
        "queue frozen": lambda: frozen(server, "redis"),
        "database locked": lambda: locked(server),
        "database away": lambda: without_database(server, chaos.ask),
        "disk full": lambda: full(server),
        "clock set back": lambda: set_back(server, chaos.ask),
    }


def fail_in_turn(chaos: Chaos, seconds: float) -> None:
    """One fault after the other, each as often, for so long; all of them at least once."""
    known, until = faults(chaos), time.monotonic() + seconds
    while time.monotonic() < until or len(chaos.faults) < len(known):
        turn = list(known)
        chaos.rng.shuffle(turn)
        for name in turn:
            chaos.failing = name
            with known[name]():
                time.sleep(chaos.rng.uniform(0.5, 3))  # how long it fails is the test's subject
            chaos.failing = ""
            chaos.faults[name] += 1
            time.sleep(chaos.rng.uniform(0, 1.5))


# --- the story ------------------------------------------------------------------------------------------------------


def known(server: Server) -> tuple[dict[str, str], str, str]:
    """The keys of the mailboxes; Bo's mailbox and person by number."""
    code = (
        "import json\nfrom domains.models import Mailbox\nbo = Mailbox.objects.get(address='bo@rossi.example')\n"
        "print(json.dumps([dict(Mailbox.objects.values_list('address', 'key')), str(bo.pk), str(bo.people.get().pk)]))"
    )
    keys, mailbox, person = server.ask(code)
    return keys, mailbox, person


def story(seconds: float) -> None:
    """All at once for so long, then what must be true."""
    print(f"seed {SEED}")
    with started_server(beside=small_disk) as server:
        server.load(HOME)
        keys, mailbox, person = known(server)
        chaos = Chaos(server, random.Random(SEED))
        threads = [
            threading.Thread(target=letters, args=(chaos, keys)),
            threading.Thread(target=saves, args=(chaos, mailbox, person)),
        ]
        for thread in threads:
            thread.start()
        try:
            fail_in_turn(chaos, seconds)
        finally:
            chaos.over.set()
            for thread in threads:
                thread.join(180)
        print(
            chaos.saved, "saves,", len(chaos.failed), "failed;", len(chaos.meant), "letters,", chaos.deferred, "put off"
        )
        print(dict(chaos.faults), set(chaos.failed))
        assert chaos.surprises == []
        host_equals_wishes(server)
        no_letter_is_lost(chaos)


def host_equals_wishes(server: Server) -> None:
    """The newest wishes are live, whole, and nothing lies about."""
    for program in ("redis", "panel", "worker"):
        up(server, program)
    wait_for(lambda: (state := server.state())["wished"] == state["applied"], "the newest wishes", 120)
    server.manage("apply", "--wait")
    assert server.ask(EQUAL) == [True, "", [], True]
    assert [path.name for path in server.layout.root.glob("releases/.*")] == []
    assert release.live(server.layout)


def no_letter_is_lost(chaos: Chaos) -> None:
    """Each lies where it belongs, once, and none was rejected."""
    assert chaos.rejected == []

    def missing() -> set[str]:
        subprocess.run(["postqueue", "-c", str(chaos.server.layout.postfix), "-f"], check=True)
        return chaos.meant.keys() - found(chaos.server).keys()

    wait_for(lambda: not missing(), "every letter", 120)
    lying = found(chaos.server)
    wrong = {token: (lying[token], place) for token, place in chaos.meant.items() if lying[token] != [place]}
    assert wrong == {}
    assert len(chaos.meant) > 40
    assert chaos.saved > 10


@pytest.mark.timeout(900)
def test_letters_arrive_while_everything_behind_them_fails_for_a_minute() -> None:
    story(60)


@pytest.mark.nightly(11)
@pytest.mark.timeout(2400)
def test_letters_arrive_while_everything_behind_them_fails_for_ten_minutes() -> None:
    story(600)
