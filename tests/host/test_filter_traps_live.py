"""Traps of procmail that need a host: strange letters at the door, folders and recipes that fail, many rules."""

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from deploy.host.apply import ApplyError
from deploy.setup import templates
from deploy.snapshot import Action, Condition, Filter, Rule
from tests.host.family import ANNA, HOME, KEYS, let_in, settle, written
from tests.host.machine import MailHost, wait_for, wait_with_retries
from tests.host.test_filter_delivery import lies, procmail_log

pytestmark = pytest.mark.daemons
TEMPLATES = Path(templates.__file__).parent / "templates"
WORLD = "x@elsewhere.example"


def rule(number: int, field: str, value: str, *then: Action) -> Rule:
    return Rule(f"{number:016x}", f"Rule number {number}.", "all", (Condition(field, "contains", value),), then)


RULES = (
    rule(1, "header:x-evil", "nascosto", Action("file", "Evil")),
    rule(2, "subject", "compiti", Action("file", "Scuola")),
    rule(3, "subject", "bandiera", Action("flag")),
    rule(4, "subject", "copia", Action("copy", "Copie")),
    rule(5, "subject", "segno", Action("tag", "[a]")),
    rule(6, "header:subject", "=?utf-8?b?Y29tcGl0aSB2ZXJp?=", Action("file", "Raw")),
    rule(7, "recipient", "shell=", Action("file", "Shell")),
)


@pytest.fixture(scope="module")
def home(mailhost: MailHost) -> Iterator[MailHost]:
    settle(mailhost, replace(HOME, generation=2, filters=(Filter(ANNA, RULES),)))
    yield mailhost
    settle(mailhost, replace(HOME, generation=3))


def came(host: MailHost, subject: str, *more: str, body: str = "Ciao!", to: str = ANNA, places: int = 1) -> list[str]:
    """Where a letter of the world's lies, once it lies in so many places, and with its flags if it has several."""
    token, raw = written("From: a@elsewhere.example", *more, to=ANNA, body=body)
    let_in(host, raw.replace(b"Subject: Ciao", f"Subject: {subject}".encode()), WORLD, [to])
    wait_for(lambda: len(lies(host, token)) >= places, f"{subject!a} with {more!a}")
    if places > 1:
        wait_for(lambda: not any("new" in place for place in lies(host, token)), "the flags")
    return lies(host, token)


@pytest.mark.parametrize(
    "line",
    ["X-A: a\x00\r\n\r\nX-Evil: nascosto", "X-A: a\x00", "X-A: a\r", "X-A: a\r\r", "\x00", "X-A: \x00\x00\x00\n\n"],
)
@pytest.mark.parametrize("between", ["", "\r\n", "\x00\r\n", "\r\r\n", "\n"])
def test_no_body_becomes_header(home: MailHost, line: str, between: str) -> None:
    """NUL and a carriage return of its own, before a line in the body that a rule looks for in the head."""
    assert came(home, "Ciao", line, body=f"{between}X-Evil: nascosto\r\nSubject: compiti\r\n") == ["new"]


def test_a_line_of_the_head_is_found(home: MailHost) -> None:
    """The near miss of the test above."""
    assert came(home, "Ciao", "X-Evil: molto nascosto") == [".Evil/new"]


@pytest.mark.parametrize(
    ("subject", "place"),
    [
        ("=?utf-8?b?Y29tcGl0aQ==?=", ".Scuola/new"),
        ("=?utf-8?q?com?=\r\n =?utf-8?q?piti?=", ".Scuola/new"),
        ("=?utf-8?b?Y29tcGl0aSB2ZXJp?=", ".Scuola/new"),
        ("=?utf-8?q?com=00piti?=", "new"),
        ("=?utf-8?q?compit=0AX-Evil:_nascosto?=", "new"),
        ("=?utf-8?q?a=0D=0A=0D=0AX-Evil:_nascosto?=", "new"),
    ],
)
def test_an_encoded_subject_is_decoded_and_stays_one_line(home: MailHost, subject: str, place: str) -> None:
    assert came(home, subject) == [place]


@pytest.mark.parametrize(
    "text", ["`touch {}`", "$(touch {})", "| touch {}", "\"; touch {}; '", "rule=0000000000000099", "TRAP=touch {}"]
)
def test_a_strangers_text_does_nothing_and_stands_in_no_log(home: MailHost, text: str) -> None:
    mark = home.layout.mail / "mark"
    secret = f"segreto bandiera copia segno {text.format(mark)}"
    assert came(home, secret, f"X-Evil: {secret}", body=secret, places=2) == [".Copie/cur F", "cur F"]
    assert not mark.exists()
    log = procmail_log(home)
    assert "segreto" not in log
    assert "touch" not in log
    assert "0000000000000099" not in log


def test_a_recipient_is_no_assignment(home: MailHost) -> None:
    """`NAME=value` before the file of recipes sets a variable for procmail; what a sender writes does not."""
    assert came(home, "Ciao", to=f"{ANNA.replace('@', '+shell=x@')}") == [".Shell/new"]


@pytest.mark.parametrize("name", ["rules.rc", "place.rc", "copies.rc", "tag.awk"])
@pytest.mark.parametrize("damage", ["gone", "empty", "cut", "unreadable"])
def test_a_letter_waits_for_the_dispatchers_own_parts(home: MailHost, name: str, damage: str) -> None:
    """procmail skips a recipe that it cannot read in silence: no letter, no copy and no flag may be lost by that."""
    path = home.layout.etc / name
    whole, mode = path.read_bytes(), path.stat().st_mode & 0o777
    token, raw = written("From: a@elsewhere.example", to=ANNA)
    before = procmail_log(home).count("wait=")
    try:
        if damage == "unreadable":
            path.chmod(0)
        else:
            path.unlink()
            if damage != "gone":
                path.write_bytes(b"" if damage == "empty" else whole[: len(whole) * 2 // 3])
                path.chmod(mode)
        let_in(home, raw.replace(b"Subject: Ciao", b"Subject: bandiera copia segno"), WORLD, [ANNA])
        wait_for(lambda: procmail_log(home).count("wait=") > before or lies(home, token), "an end")
    finally:
        path.unlink(missing_ok=True)
        path.write_bytes(whole)
        path.chmod(mode)
    wait_with_retries(home, lambda: {".Copie/cur F", "cur F"} <= set(lies(home, token)), f"the letter: {name} {damage}")
    assert [place for place in lies(home, token) if not place.startswith(".Copie/")] == ["cur F"]


@pytest.mark.parametrize(("subject", "folder"), [("compiti", ".Scuola"), ("copia", ".Copie"), ("bandiera", "")])
def test_a_folder_that_fails_lets_nothing_fall_through(home: MailHost, subject: str, folder: str) -> None:
    """Neither into the next folder, nor away."""
    top = home.layout.mail / KEYS[ANNA] / "Maildir"
    came(home, subject)
    new = top / folder / "new"
    aside = new.with_name("aside")
    new.rename(aside)
    new.write_text("no folder")
    token, raw = written("From: a@elsewhere.example", to=ANNA)
    before = procmail_log(home).count("wait=folder")
    try:
        let_in(home, raw.replace(b"Subject: Ciao", f"Subject: {subject}".encode()), WORLD, [ANNA])
        wait_for(lambda: procmail_log(home).count("wait=folder") > before, "the letter to be put off")
        assert lies(home, token) == []
    finally:
        new.unlink()
        aside.rename(new)
    wanted = {"compiti": [".Scuola/new"], "copia": [".Copie/new", "new"], "bandiera": ["cur F"]}[subject]
    wait_with_retries(home, lambda: lies(home, token) == wanted, f"the letter in {wanted}")


@pytest.mark.parametrize("path", sorted(TEMPLATES.glob("*.rc")), ids=lambda path: path.name)
def test_no_recipe_stops_without_an_exit_code(path: Path) -> None:
    """`HOST=` alone loses the letter with exit code 0; a delivery that fails goes on with the next line."""
    lines = [line.strip() for line in path.read_text().splitlines() if line.strip() and not line.startswith("#")]
    for number, line in enumerate(lines):
        if line.startswith("HOST="):
            assert re.fullmatch(r"EXITCODE=(75|0)", lines[number - 1]), number
        assert not re.match(r":0[a-z ]*:|MAILDIR=|!|\* .*\^(TO|FROM_)|\* *[-+.\d]+\^", line), line
    for number, line in enumerate(lines):
        if (
            line.endswith("/")
            and re.match(r'["$]', line)
            and lines[number - 1].startswith(":0")
            and "c" not in lines[number - 1]
        ):
            assert any(one == "EXITCODE=75" for one in lines[number + 1 : number + 3]), line


def test_five_hundred_rules_go_live_and_act(home: MailHost) -> None:
    many = tuple(
        rule(number, "subject", f"parola{number:03} (x)", Action("file", f"F{number}")) for number in range(500)
    )
    settle(home, replace(HOME, generation=7, filters=(Filter(ANNA, many),)))
    try:
        for number in (0, 49, 50, 250, 499):
            assert came(home, f"la PAROLA{number:03} (X)") == [f".F{number}/new"]
        assert came(home, "la parola500 (x) parola01 (x) parola012x") == ["new"]
    finally:
        settle(home, replace(HOME, generation=8, filters=(Filter(ANNA, RULES),)))


def test_a_release_with_ten_megabytes_changes_nothing(home: MailHost) -> None:
    long = Rule("0" * 16, "So.", "all", (Condition("subject", "contains", "a" * 10_000_000),), (Action("flag"),))
    before = (home.layout.root / "current").resolve()
    with pytest.raises(ApplyError, match="cannot be written"):
        home.apply(replace(HOME, generation=9, filters=(Filter(ANNA, (long,)),)))
    assert (home.layout.root / "current").resolve() == before
