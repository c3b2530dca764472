"""A letter tried out ends as the same letter does that is really sent, and nobody gets the one that was tried."""

import base64
import json
import smtplib
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from deploy.snapshot import Alias, Bond, Circle, Domain, Entry, Gate, Mailbox, Screen, Sender
from tests.host.family import (
    ANNA,
    CIRCLE,
    EMMA,
    FAMILY,
    HOME,
    KEYS,
    LISTED,
    LUCA,
    MARCO,
    NONNA,
    SCHOOL,
    provider,
    settle,
    written,
)
from tests.host.letters import HASH, HOUSE, signed_in, stranger
from tests.host.machine import MailHost, wait_for
from tests.host.outside import signed

pytestmark = pytest.mark.daemons
EVIL, BULLY = "evil@other.test", "bully@other.test"
TEO, GINO = "teo@myfamily.net", "gino@mybusiness.com"
TEOS, GINOS = "f" * 15 + "1", "c" * 15 + "1"
PARTNERS_ONLY = "You may write to your own people and to listed partners only."
STRICT = Gate(FAMILY, (("", "hold"),), careful=True, entries=(*LISTED, Entry(BULLY, "blocked")))
PLACE = replace(
    HOME,
    domains=(*HOME.domains, Domain("mybusiness.com", "mail")),
    mailboxes=(
        *HOME.mailboxes,
        Mailbox(TEO, TEOS, (TEO,), HASH, 0, active=False),
        Mailbox(GINO, GINOS, (GINO,), HASH, 0, active=True),
    ),
    aliases=(
        *HOME.aliases,
        Alias("@myfamily.net", (EMMA, MARCO)),
        Alias("boys@myfamily.net", (LUCA, TEO)),
        Alias("home@myfamily.net", (ANNA,), internal=True),
        Alias("oma@myfamily.net", (EMMA, "oma@elsewhere.example")),
    ),
    circles=(CIRCLE, Circle("Work", (GINO,), allowed=("@partner.example",))),
    senders=(
        Sender(
            (EMMA,),
            (Bond(FAMILY, (("", "ask"),)),),
            allowed=(f"@{SCHOOL}", NONNA),
            blocked=("bully@elsewhere.example",),
        ),
        HOME.senders[1],
        Sender((GINO,), (Bond("Work", (("", "refuse"),), sentence=PARTNERS_ONLY),)),
    ),
    screens=(Screen(EMMA, (STRICT,)), HOME.screens[1]),
)
KIDS, BOYS, OMA, FRIENDS = (f"{name}@myfamily.net" for name in ("kids", "boys", "oma", "friend"))
FRIEND, BLOCKED = "x@elsewhere.example", "bully@elsewhere.example"


@dataclass(frozen=True)
class Case:
    """A letter: who writes, as whom, to whom, signed by which domain; and what must become of it."""

    author: str
    meant: str
    more: tuple[str, ...] = ()
    to: str = EMMA
    login: str = ""
    sender: str = "x@elsewhere.example"
    by: str = ""


ANY, OLD_EMMA = "who.knows@myfamily.net", "Emma+game@old-domain.example"
FORGED = (
    f"X-Mailadmin-From: pass {ANNA} login",
    "x-mailadmin-from : pass x@y.example dmarc",
    "X-Mailadmin-Spam:\r\n ham 0.0",
)
CASES = {
    "Nonna": Case(f"From: Nonna <{NONNA}>", "deliver in-8", by="gmail.com"),
    "somebody of the school": Case(f"From: maestra@{SCHOOL}", "deliver in-8", by=SCHOOL),
    "a stranger": Case(f"From: {EVIL}", "hold in-5 stranger", by="other.test"),
    "Nonna's name alone": Case(f"From: {NONNA}", "hold in-3 unproven"),
    "two authors": Case(f"From: {NONNA}\r\nFrom: {EVIL}", "hold in-1 malformed", by="gmail.com"),
    "an author with a blank": Case(f"From : {EVIL}\r\nFrom: {NONNA}", "hold in-1 malformed", by="gmail.com"),
    "a head that breaks off": Case(f"From: {NONNA}\r\nno header at all", "hold in-3 unproven"),
    "no author": Case("", "hold in-1 malformed"),
    "answers elsewhere": Case(f"From: {NONNA}", "hold in-6 content", (f"Reply-To: {EVIL}",), by="gmail.com"),
    "forged facts": Case(f"From: {EVIL}", "hold in-5 stranger", FORGED, by="other.test"),
    "a blocked one": Case(f"From: {BULLY}", "hold in-2 blocked", by="other.test"),
    "through a list": Case(f"From: {NONNA}", "hold in-5 stranger", ("List-Id: <knit.other.test>",), by="gmail.com"),
    "an unproven stranger": Case("From: x@silent.test", "hold in-5 unproven", to=LUCA),
    "a proof that cannot be had just now": Case("From: a@slow.test", "retry", by="slow.test"),
    "two behind an alias": Case(f"From: {EVIL}", "hold in-5 stranger, deliver in-8", to=KIDS, by="other.test"),
    "an extension in another domain": Case(f"From: {EVIL}", "hold in-5 stranger", to=OLD_EMMA, by="other.test"),
    "a catch-all": Case(f"From: {EVIL}", "hold in-5 stranger, deliver in-8", to=ANY, by="other.test"),
    "somebody suspended behind an alias": Case(f"From: {EVIL}", "deliver in-8, deliver in-8", to=BOYS, by="other.test"),
    "an alias that leads outside too": Case(f"From: {NONNA}", "deliver in-8, deliver in-8", to=OMA, by="gmail.com"),
    "nobody there": Case(f"From: {EVIL}", "refuse unknown", to="nobody@mybusiness.com"),
    "nobody's domain": Case(f"From: {EVIL}", "refuse unknown", to="x@nowhere.example"),
    "somebody suspended": Case(f"From: {EVIL}", "refuse suspended", to=TEO),
    "an address for us alone": Case(f"From: {EVIL}", "refuse in-5 internal", to="home@myfamily.net"),
    "an outsider as Mum": Case(f"From: {ANNA}", "refuse in-3 sender", sender=ANNA),
    "an outsider as Mum in the letter": Case(f"From: {ANNA}", "hold in-3 unproven"),
    "her brother": Case(f"From: {LUCA}", "deliver in-8", login=LUCA),
    "her brother with forged facts": Case(f"From: {LUCA}", "deliver in-8", FORGED, login=LUCA),
    "her brother as Mum": Case(f"From: {ANNA}", "refuse out-1 sender", login=LUCA),
    "her brother in Mum's envelope": Case(f"From: {LUCA}", "refuse out-1 sender", login=LUCA, sender=ANNA),
    "to a stranger": Case(f"From: {EMMA}", "hold out-2 stranger", to=FRIEND, login=EMMA),
    "to an alias that leads to a stranger": Case(f"From: {EMMA}", "hold out-2 stranger", to=FRIENDS, login=EMMA),
    "to a stranger as Mum": Case(f"From: {ANNA}", "refuse out-1 sender", to=FRIEND, login=EMMA),
    "to Nonna": Case(f"From: {EMMA}", "deliver out-2", to=NONNA, login=EMMA),
    "to a blocked one": Case(f"From: {EMMA}", "refuse out-2 blocked", to=BLOCKED, login=EMMA),
    "to Dad": Case(f"From: {EMMA}", "deliver in-8", to=MARCO, login=EMMA),
    "to no partner": Case(f"From: {GINO}", "refuse out-2 stranger", to=FRIEND, login=GINO),
}


@pytest.fixture(scope="module")
def place(mailhost: MailHost) -> Iterator[MailHost]:
    settle(mailhost, PLACE)
    yield mailhost
    mailhost.run("postsuper", "-c", str(mailhost.layout.postfix), "-d", "ALL")
    mailhost.apply(HOUSE)


def dry(host: MailHost, *trials: dict[str, Any]) -> list[dict[str, Any]]:
    """Try letters out, as the agent."""
    rows = [{**row, "letter": base64.b64encode(row["letter"]).decode()} for row in trials]
    script = (Path(__file__).parent / "dry.py").read_text()
    words = [sys.executable, "-c", script, str(host.code), str(host.layout.etc / "host.json")]
    done = host.run(*words, user=host.layout.agent, stdin=json.dumps(rows).encode())
    assert not done.returncode, done.stderr.decode()
    return [json.loads(line) for line in done.stdout.splitlines()]


def letter_of(host: MailHost, case: Case) -> tuple[str, bytes]:
    """The letter, as its provider signs it."""
    token, raw = written(case.author, *case.more, to=case.to)
    if case.by:
        sign = signed(case.by) if case.by.endswith(".test") else provider(host.layout, case.by)
        raw = sign(raw)
    return token, raw


def short(outcome: dict[str, Any]) -> str:
    """Verdict, station and reason."""
    return " ".join(filter(None, (outcome["verdict"], outcome["station"], outcome["reason"])))


def sent(host: MailHost, case: Case, raw: bytes) -> str:
    """Send it; what the sender is told when it is refused."""
    door = signed_in(host.layout, case.login) if case.login else stranger(host.layout)
    try:
        with door as dialogue:
            dialogue.sendmail(sender_of(case), [case.to], raw)
    except smtplib.SMTPRecipientsRefused as refused:
        return str(next(iter(refused.recipients.values()))[1].decode())
    except smtplib.SMTPResponseException as refused:
        return str(refused.smtp_error.decode() if isinstance(refused.smtp_error, bytes) else refused.smtp_error)
    return ""


def sender_of(case: Case) -> str:
    return case.login if case.login and case.sender == Case.sender else case.sender


def in_queue(host: MailHost, token: str, name: str) -> bool:
    """Whether a letter waits in a queue, for good or until it may go outside."""
    listed = host.run("postqueue", "-c", str(host.layout.postfix), "-j").stdout.decode().splitlines()
    ids = [row["queue_id"] for row in map(json.loads, listed) if row["queue_name"] == name]
    return any(token.encode() in host.run("postcat", "-c", str(host.layout.postfix), "-q", one).stdout for one in ids)


def places(host: MailHost, token: str) -> list[str]:
    """Where letters with this token lie now: `KEY deliver`, or `KEY STATION.REASON`."""
    inside = [path for key in (*KEYS.values(), TEOS, GINOS) for path in (host.layout.mail / key).glob("Maildir/new/*")]
    found = [path for path in (*inside, *host.layout.held.glob("*/*/new/*")) if token.encode() in path.read_bytes()]
    return sorted(f"{path.parts[-4]} {path.parts[-3].replace('Maildir', 'deliver')}" for path in found)


def became(host: MailHost, token: str, outcomes: Sequence[dict[str, Any]]) -> bool:
    """Whether the letter that was really sent lies where the one that was tried would."""
    lying = sorted(
        f"{one['key']} {'deliver' if one['verdict'] == 'deliver' else one['folder'].rpartition('/')[2]}"
        for one in outcomes
        if one["key"] and one["folder"]
    )
    waits = any(one["station"] == "out-2" and one["verdict"] == "hold" for one in outcomes)
    outside = any(not one["key"] and one["verdict"] == "deliver" for one in outcomes)
    return (
        places(host, token) == lying
        and in_queue(host, token, "hold") == waits
        and (not outside or in_queue(host, token, "deferred"))
    )


@pytest.mark.parametrize("name", CASES)
def test_a_letter_tried_out_ends_as_one_that_is_sent(place: MailHost, name: str) -> None:
    case = CASES[name]
    token, raw = letter_of(place, case)
    trial = {"letter": raw, "to": case.to, "login": case.login, "client": "127.0.0.1", "sender": sender_of(case)}
    [tried] = dry(place, trial)
    assert ", ".join(map(short, tried["outcomes"])) == case.meant, tried
    assert not places(place, token)
    told = sent(place, case, raw)
    refusals = [one["answer"] for one in tried["outcomes"] if one["verdict"] in ("refuse", "retry")]
    assert [" ".join(told.split())] == refusals or not (told or refusals)
    if not told:
        wait_for(lambda: became(place, token, tried["outcomes"]), f"the letter, as {tried['outcomes']}")
        assert facts_of(place, token) in (tried["facts"] | {"Spam": ""}, {})


def facts_of(host: MailHost, token: str) -> dict[str, str]:
    """The facts in the letter that was sent, but for the score; none while it waits in a queue."""
    mail = host.layout.mail
    letters = [p.read_bytes() for kind in ("*/Maildir/new/*", ".held/*/*/new/*") for p in mail.glob(kind)]
    head = next((one for one in letters if token.encode() in one), b"").partition(b"\n\n")[0].decode()
    lines = [line.partition(": ") for line in head.splitlines() if line.startswith("X-Mailadmin-")]
    return {name.removeprefix("X-Mailadmin-"): "" if "Spam" in name else value for name, _colon, value in lines}


def test_the_line_of_the_list_that_spoke_is_told(place: MailHost) -> None:
    cases = [CASES[name] for name in ("Nonna", "somebody of the school", "a stranger", "a blocked one", "her brother")]
    trials = [
        {"letter": letter_of(place, case)[1], "to": EMMA, "login": case.login, "sender": sender_of(case)}
        for case in cases
    ]
    told = [one["outcomes"][0] for one in dry(place, *trials)]
    assert [(one["entry"], one["author"], one["proof"]) for one in told] == [
        (NONNA, NONNA, "pass/dmarc"),
        (f"@{SCHOOL}", f"maestra@{SCHOOL}", "pass/dmarc"),
        ("*", EVIL, "pass/dmarc"),
        (BULLY, BULLY, "pass/dmarc"),
        (LUCA, LUCA, "pass/login"),
    ]


def test_a_letter_just_written_can_be_tried_as_if_it_were_proved(place: MailHost) -> None:
    _token, raw = written(f"From: {NONNA}")
    plain, trusted = (
        {"letter": raw, "to": EMMA, "sender": NONNA, "client": "127.0.0.1", "trusted": trusted}
        for trusted in (False, True)
    )
    mum = {**trusted, "letter": written(f"From: {ANNA}")[1], "sender": "x@elsewhere.example"}
    found = [short(one["outcomes"][0]) for one in dry(place, plain, trusted, mum)]
    assert found == ["hold in-3 unproven", "deliver in-8", "hold in-3 unproven"]


def test_what_would_wait_is_to_be_tried_again(place: MailHost) -> None:
    _token, raw = letter_of(place, CASES["Nonna"])
    name = "procmail/myfamily.net/emma.rc"
    recipe = (place.layout.root / "current" / name).read_text()
    place.put_live(name, "BOX=\n")
    try:
        [tried] = dry(place, {"letter": raw, "to": EMMA, "sender": NONNA})
        assert short(tried["outcomes"][0]) == "retry recipe"
    finally:
        place.put_live(name, recipe)


def test_a_letter_over_a_megabyte_is_not_tried(place: MailHost) -> None:
    [tried] = dry(place, {"letter": b"From: x@y.example\r\n\r\n" + b"x" * (1 << 20), "to": EMMA})
    assert tried == {"error": "The letter is larger than 1 MB: leave its attachments out."}


def test_without_the_filter_there_is_no_answer_but_a_sentence(place: MailHost) -> None:
    place.running.control("stop", "rspamd")
    try:
        [tried] = dry(place, {"letter": letter_of(place, CASES["Nonna"])[1], "to": EMMA})
    finally:
        place.running.control("start", "rspamd")
    assert tried["error"].startswith("rspamd does not answer")


def test_nothing_of_a_trial_is_left_behind(place: MailHost) -> None:
    _token, raw = letter_of(place, CASES["a stranger"])
    dry(place, {"letter": raw, "to": EMMA})
    assert not list(Path("/tmp").glob("mailadmin-dry-*"))
