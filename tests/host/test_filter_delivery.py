"""What filter rules do with real letters, from the door to the folder, and with held ones that are let in."""

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from deploy.host import helper
from deploy.snapshot import Action, Condition, Filter, Rule
from tests.host.family import ANNA, EMMA, HOME, KEYS, NONNA, fate, let_in, look, provider, settle, submit, written
from tests.host.machine import MailHost, wait_for, wait_with_retries

pytestmark = pytest.mark.daemons


def rule(number: int, *then: Action, when: tuple[Condition, ...] = (), match: str = "all") -> Rule:
    return Rule(f"{number:016x}", f"Rule number {number}.", match, when, then)


def subject(text: str, op: str = "contains") -> tuple[Condition, ...]:
    return (Condition("subject", op, text),)


FILE, COPY = Action("file", "Scuola/Età & co"), Action("copy", "it's $HOME")
RULES = (
    rule(1, FILE, when=subject("compiti")),
    rule(2, COPY, Action("copy", "Altro"), Action("flag"), when=subject("copia")),
    rule(3, Action("mark-read"), Action("flag"), when=subject("letta")),
    rule(4, Action("discard"), when=subject("via")),
    rule(5, Action("stop"), when=subject("basta")),
    rule(6, Action("tag", "[a & b]"), when=subject("segno")),
    rule(7, Action("file", "Tardi"), when=subject("basta")),
)


@pytest.fixture(scope="module")
def home(mailhost: MailHost) -> Iterator[MailHost]:
    settle(mailhost, replace(HOME, generation=2, filters=(Filter(ANNA, RULES), Filter(EMMA, RULES))))
    yield mailhost
    settle(mailhost, replace(HOME, generation=3))


def lies(host: MailHost, token: str, whose: str = ANNA) -> list[str]:
    """Where a letter lies below a mailbox's Maildir, with its flags."""
    top = host.layout.mail / KEYS[whose] / "Maildir"
    found = [path for path in top.rglob("*/*") if path.is_file() and path.parent.name in ("new", "cur")]
    mine = [path for path in found if token.encode() in look(path)]
    return sorted(f"{path.parent.relative_to(top)} {path.name.partition(':2,')[2]}".strip() for path in mine)


def sent(host: MailHost, about: str, to: str = ANNA, places: tuple[str, ...] = ("new",)) -> tuple[str, list[str]]:
    """A letter from Anna herself; its token, and where it lies in the end, which should be there."""
    token, raw = written(f"From: {ANNA}", to=to)
    submit(host, ANNA, raw.replace(b"Subject: Ciao", b"Subject: " + about.encode()), [to])
    wait_for(lambda: len(lies(host, token, to)) >= len(places), f"{about} in {places}")
    with suppress(AssertionError):
        wait_for(lambda: lies(host, token, to) == list(places), "the flags, which come a moment later", 5)
    return token, lies(host, token, to)


@pytest.mark.parametrize(
    ("about", "places"),
    [
        ("niente", ["new"]),
        ("I COMPITI di oggi", [".Scuola.Et&AOA- &- co/new"]),
        ("una copia", [".Altro/cur F", ".it's $HOME/cur F", "cur F"]),
        ("letta", ["cur FS"]),
        ("via", [".Trash/new"]),
        ("basta", ["new"]),
        ("compiti via", [".Scuola.Et&AOA- &- co/new"]),
        ("letta, compiti", [".Scuola.Et&AOA- &- co/new"]),
        ("copia letta", [".Altro/cur FS", ".it's $HOME/cur FS", "cur FS"]),
    ],
)
def test_a_letter_lies_where_the_rules_put_it(home: MailHost, about: str, places: list[str]) -> None:
    assert sent(home, about, places=tuple(places))[1] == places


def test_a_subject_is_tagged_and_the_rest_stays(home: MailHost) -> None:
    token, places = sent(home, "un segno")
    assert places == ["new"]
    folder = home.layout.mail / KEYS[ANNA] / "Maildir" / "new"
    letter = next(path.read_bytes() for path in folder.iterdir() if token.encode() in path.read_bytes())
    assert b"\nSubject: [a & b] un segno\n" in letter
    assert letter.endswith(b"\n\nCiao!\n")
    assert letter.count(b"\nSubject:") == 1


def test_each_rule_that_acts_is_in_the_log(home: MailHost) -> None:
    before = procmail_log(home).count("rule=0000000000000002")
    sent(home, "copia", places=(".Altro/cur F", ".it's $HOME/cur F", "cur F"))
    assert procmail_log(home).count("rule=0000000000000002") == before + 1
    assert "copia" not in procmail_log(home)


def procmail_log(host: MailHost) -> str:
    return (host.layout.root / "log" / "procmail.log").read_text(errors="replace")


def test_the_policy_comes_first(home: MailHost) -> None:
    """What is held is held, whatever a rule says of it; let in by her parents, it is filed."""
    token, raw = written("From: evil@other.test", to=EMMA)
    let_in(home, raw.replace(b"Subject: Ciao", b"Subject: compiti"), "evil@other.test")
    assert fate(home, token).startswith("in-5.")
    held = next(path for path in home.layout.held.glob("*/*/new/*") if token.encode() in path.read_bytes())
    date = held.stat().st_mtime
    helper.ask(home.layout, "deliver", KEYS[EMMA], held.parts[-3], held.name, held.parts[-3].partition(".")[0])
    assert lies(home, token, EMMA) == [".Scuola.Et&AOA- &- co/new"]
    folder = home.layout.mail / KEYS[EMMA] / "Maildir" / ".Scuola.Et&AOA- &- co" / "new"
    filed = next(path for path in folder.iterdir() if token.encode() in path.read_bytes())
    assert filed.stat().st_mtime == date


def test_a_held_letter_is_filed_with_its_flags_and_copies(home: MailHost) -> None:
    token, raw = written("From: evil@other.test", to=EMMA)
    let_in(home, raw.replace(b"Subject: Ciao", b"Subject: copia letta"), "evil@other.test")
    place = fate(home, token)
    held = next(path for path in home.layout.held.glob("*/*/new/*") if token.encode() in path.read_bytes())
    helper.ask(home.layout, "deliver", KEYS[EMMA], place, held.name, place.partition(".")[0])
    assert lies(home, token, EMMA) == [".Altro/cur FS", ".it's $HOME/cur FS", "cur FS"]
    assert not held.exists()


def test_who_is_listed_is_filed_at_once(home: MailHost) -> None:
    token, raw = written(f"From: Nonna <{NONNA}>", to=EMMA)
    raw = raw.replace(b"Subject: Ciao", b"Subject: =?utf-8?b?SSBDT01QSVRJIQ==?=")  # I COMPITI!
    let_in(home, provider(home.layout, "gmail.com")(raw), NONNA)
    wait_for(lambda: lies(home, token, EMMA), "Nonna's letter")
    assert lies(home, token, EMMA) == [".Scuola.Et&AOA- &- co/new"]


@pytest.mark.parametrize("damage", ["gone", "cut", "unreadable", "other"])
def test_without_its_rules_a_letter_waits_and_comes_when_they_are_back(home: MailHost, damage: str) -> None:
    folder = home.layout.root / "current" / "procmail" / "rules"
    path = next(one for one in folder.iterdir() if b"rule=" in one.read_bytes())
    whole, mode = path.read_bytes(), path.stat().st_mode & 0o777
    token, raw = written(f"From: {ANNA}", to=ANNA)
    before = procmail_log(home).count("wait=rules")
    try:
        if damage == "gone":
            path.unlink()
        elif damage == "cut":
            path.write_bytes(whole[: len(whole) // 2])
        elif damage == "unreadable":
            path.chmod(0)
        else:
            path.write_bytes(whole.replace(b"RULES_OK=yes\n", b"FOLDER='../../x'\nRULES_OK=yes\n"))
        submit(home, ANNA, raw.replace(b"Subject: Ciao", b"Subject: compiti"), [ANNA])
        wait_for(
            lambda: procmail_log(home).count("wait=rules") > before or lies(home, token), "the letter to be put off"
        )
        deferred = wait_for(lambda: token_waits(home), "the queue")
        assert deferred
        assert lies(home, token) == []
    finally:
        path.unlink(missing_ok=True)
        write_back(path, whole, mode, folder)
    wait_with_retries(home, lambda: lies(home, token), "the letter after all")
    assert lies(home, token) == [".Scuola.Et&AOA- &- co/new"]


def token_waits(host: MailHost) -> bool:
    return bool(list((host.var / "spool" / "postfix" / "deferred").rglob("*/*")))


def write_back(path: Path, data: bytes, mode: int, folder: Path) -> None:
    path.write_bytes(data)
    status = folder.stat()
    os.chown(path, status.st_uid, status.st_gid)
    path.chmod(mode)


def test_a_folder_that_cannot_be_written_puts_a_letter_off(home: MailHost) -> None:
    sent(home, "compiti", places=(".Scuola.Et&AOA- &- co/new",))
    folder = home.layout.mail / KEYS[ANNA] / "Maildir" / ".Scuola.Et&AOA- &- co"
    aside = folder.with_name("aside")
    folder.rename(aside)
    folder.write_text("no folder")
    token, raw = written(f"From: {ANNA}", to=ANNA)
    try:
        submit(home, ANNA, raw.replace(b"Subject: Ciao", b"Subject: compiti"), [ANNA])
        wait_for(lambda: token_waits(home), "the queue")
        assert lies(home, token) == []
    finally:
        folder.unlink()
        aside.rename(folder)
    wait_with_retries(home, lambda: lies(home, token), "the letter after all")
    assert lies(home, token) == [".Scuola.Et&AOA- &- co/new"]
