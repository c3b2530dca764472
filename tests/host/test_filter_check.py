"""The check before rules go live: it passes what is right, it finds what was altered, and its sandbox is one."""

import socket
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from deploy.host.commands import run
from deploy.host.layout import Layout
from deploy.host.samples import CODE, LIMITS, SANDBOX, SampleError, Trial, check, sandboxed
from deploy.render import filters
from deploy.render.quoting import Unwritable
from deploy.render.samples import samples
from deploy.snapshot import Action, Condition, Filter, Rule
from tests.host.laid import laid

ANNA, KEY = "anna@myfamily.net", "e" * 16
VALUES = {"body": "Una frase", "size": "2000", "attachment": "pdf", "spam": "7"}
PARTS = {"domain": "b.test", "is": "a@b.test", "contains": "a@b", "starts": "a@", "ends": ".test"}
INSIDE = """
import os, socket, sys
print(sorted(name for _number, name in socket.if_nameindex()))
for folder in ("/", "/tmp", "/var/tmp", "/etc", "/run", "/root", os.getcwd(), "/dev/shm", *sys.argv[1:-1]):
    try:
        path = os.path.join(folder, "mailadmin-outside")
        open(path, "w").close()
        print("wrote", folder)
    except OSError:
        pass
for address in (("127.0.0.1", int(sys.argv[-1])), ("192.0.2.1", 25)):
    try:
        socket.create_connection(address, 2)
        print("reached", address)
    except OSError:
        pass
print(len([name for name in os.listdir("/proc") if name.isdigit()]) if os.path.isdir("/proc/self") else 0)
"""


def conditions() -> Iterator[Condition]:
    """Every field with every operator, and its not form."""
    for field, ops in filters.OPERATORS.items():
        for op in ops:
            value = VALUES.get(field) or (PARTS[op] if field in filters.WORDS and op in PARTS else "I (compiti) è.")
            for word in (op, f"not {op}"):
                yield Condition("header:x-a" if field == "header" else field, word, "" if op == "exists" else value)


def rules() -> Iterator[Rule]:
    """A rule for each, none of which ends the others."""
    for number, one in enumerate(conditions()):
        yield Rule(f"{number:016x}", f"Number {number}: {one.field} {one.op}.", "all", (one,), (Action("copy", "a"),))


def test_every_field_and_operator_passes(tmp_path: Path) -> None:
    """One rule in a file of its own, in both ways of joining, and all of them in one file."""
    assert len(list(conditions())) == 2 * sum(map(len, filters.OPERATORS.values()))
    other = Condition("subject", "contains", "è")
    many = [Filter(ANNA, (one,)) for one in rules()]
    many += [Filter(ANNA, (replace(one, match=word, when=(*one.when, other)),)) for one in rules() for word in ANYHOW]
    many.append(Filter(ANNA, tuple(rules())))
    check(laid(tmp_path), [Trial(filters.recipes(row, KEY), list(samples(row, KEY))) for row in many])


ANYHOW = ("all", "any")


@pytest.mark.parametrize("number", range(len(list(rules()))))
def test_a_condition_turned_round_is_found_and_named(tmp_path: Path, number: int) -> None:
    """As if the file had been altered between its making and the check."""
    one = list(rules())[number]
    row = Filter(ANNA, (one,))
    text = filters.recipes(row, KEY)
    line = filters.condition_line(one.when[0], KEY)
    turned = line.replace("* ! ", "* ", 1) if line.startswith("* ! ") else line.replace("* ", "* ! ", 1)
    for altered in (text.replace(f"{line}\n", f"{turned}\n"), text.replace(f"{line}\n", "")):
        assert altered != text
        refused(laid(tmp_path), row, altered)


def refused(host: Layout, row: Filter, altered: str, key: str = KEY) -> None:
    """The check names a rule of this mailbox, or says that it was none."""
    with pytest.raises(SampleError) as error:
        check(host, [Trial(altered, list(samples(row, key)))])
    assert any(f"“{name}”" in str(error.value) for name in (*(one.sentence for one in row.rules), "no rule at all"))


WHOLE = Filter(
    ANNA,
    (
        Rule("0" * 15 + "1", "First.", "all", (Condition("subject", "contains", "I (compiti)"),), (Action("flag"),)),
        Rule("0" * 15 + "2", "Second.", "any", (Condition("from", "is", "a@b.test"), Condition("spam", "over", "7")),
             (Action("copy", "It's"), Action("forward", "c@d.test"))),
        Rule("0" * 15 + "3", "Third.", "all", (Condition("list", "is", "a.b"),), (Action("tag", "[a]"),)),
        Rule("0" * 15 + "4", "Fourth.", "all", (Condition("header:x-a", "ends", "è"),), (Action("file", "Scuola"),)),
        Rule("0" * 15 + "5", "Fifth.", "all", (Condition("header:x-a", "contains", "è"),), (Action("mark-read"),)),
    ),
)  # fmt: skip
ALTERED = (
    ("RULES_OK=yes\n", ""), ("RULES_OK=yes\n", "RULES_OK=no\n"), ("FOLDER='.Scuola'", "FOLDER='.scuola'"),
    ("FOLDER='.Scuola'", "FOLDER=''"), ("  DONE='yes'\n", ""), ("SEEN='S'", "SEEN=''"), ("FLAGGED='F'", "SEEN='S'"),
    ("COPY_1='yes'", "COPY_1='no'"), ("FORWARD_1='yes'", "FORWARD_1=''"), (" c@d.test", " e@d.test"), ("[a]", "[b]"),
    ("rule=0000000000000001", "rule=0000000000000009"), ("HIT=\n", "HIT=yes\n"), ("* HIT ?? ^^yes^^\n", ""),
    ("* ! DONE ?? .\n", "* DONE ?? .\n"), (r"\(compiti\)", "(compiti)"), (r"\(compiti", "(compiti"), ("[ \t]+", " +"),
    ("[ \t]+", "[ \t"), (r"a\.b", "a.b"), ("^^a", "a"), (" a@b", "a@b"), ("()[ ]", "()"), ("()^^", "()"),
    ("(È|è)", "è"),
    ("^x-a", "x-a"), ("^x-a", "^x-b"), ("*:.*", "*:"), ("SUBJECT", "LIST_ID"), ("LIST_ID", "SUBJECT"), ("SPAM", "BODY"),
    ("7|8|", "8|"), ("RULES_OK=yes\n", "LOG='x'\nRULES_OK=yes\n"), ("RULES_OK=yes\n", "FOLDER='.X'\nRULES_OK=yes\n"),
    ("RULES_OK=yes\n", "RULES_OK=yes\nEXITCODE=0\nHOST=_stop_\n"),
    ("RULES_OK=yes\n", "RULES_OK=yes\nLINEBUF=20x\n:1\n"),
    ("RULES_OK=yes\n", ":0\n/dev/null\n"), ("RULES_OK=yes\n", ":0\n| cat >/dev/null\n"), ("AWAY", "AWAX"),
    ("RULES_OK=yes\n", "AWAY=no\nRULES_OK=yes\n"), (":0\n", ":0 B\n"), (":0\n", ":0 D\n"), ("{\n", "\n"),
)  # fmt: skip


@pytest.mark.parametrize(("old", "new"), [pair for pair in ALTERED if pair[0] in filters.recipes(WHOLE, KEY)])
def test_an_altered_file_is_refused(tmp_path: Path, old: str, new: str) -> None:
    text = filters.recipes(WHOLE, KEY)
    check(laid(tmp_path), [Trial(text, list(samples(WHOLE, KEY)))])
    refused(laid(tmp_path), WHOLE, text.replace(old, new))


def test_a_line_that_is_lost_is_noticed(tmp_path: Path) -> None:
    """Every line that says something, one after the other."""
    lines = filters.recipes(WHOLE, KEY).split("\n")
    for number in (at for at, line in enumerate(lines) if line and not line.startswith("#")):
        altered = "\n".join(lines[:number] + lines[number + 1 :])
        try:
            check(laid(tmp_path), [Trial(altered, list(samples(WHOLE, KEY)))])
        except SampleError:
            continue
        assert (lines[number], "DONE='yes'" in "".join(lines[:number])) in HARMLESS, lines[number]


HARMLESS = (("HIT=", False), ("* ! DONE ?? .", False))  # before any rule has said that it is enough


def test_the_sandbox_is_one(tmp_path: Path) -> None:
    """Nothing but an empty folder can be written, nobody can be reached, and nobody else is there."""
    assert sandboxed()
    with socket.create_server(("127.0.0.1", 0)) as door:
        words = [str(tmp_path), str(door.getsockname()[1])]
        out = run([*LIMITS, *SANDBOX, sys.executable, "-c", INSIDE, *words], timeout=30).out.decode()
    interfaces, *wrote, _count = out.splitlines()
    assert interfaces == "['lo']"
    assert wrote == ["wrote /dev/shm"]
    assert not any((path / "mailadmin-outside").exists() for path in (tmp_path, CODE))


@pytest.mark.parametrize("field", ["subject", "list", "header:x-a", "from", "to", "cc", "recipient", "body"])
@pytest.mark.parametrize("letter", ["a", "é", " ", "(", "\n", "\x00"])
def test_ten_megabytes_are_refused_in_a_moment(field: str, letter: str) -> None:
    small = Rule("0" * 16, "So.", "all", (Condition(field, "contains", letter * 10_000_000),), (Action("flag"),))
    quickly_refused(small)


@pytest.mark.parametrize("action", ["file", "copy", "forward", "tag"])
def test_ten_megabytes_are_no_folder_nor_address(action: str) -> None:
    quickly_refused(Rule("0" * 16, "So.", "all", (), (Action(action, "a" * 10_000_000),)))


def quickly_refused(row: Rule) -> None:
    began = time.monotonic()
    with pytest.raises(Unwritable) as error:
        filters.recipes(Filter(ANNA, (row,)), KEY)
    assert time.monotonic() - began < 2
    assert len(str(error.value)) < 250
