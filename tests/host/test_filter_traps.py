"""Each trap of procmail, with the hostile value in every field of a rule that can carry it.

A value is refused in a sentence, or real procmail does with it what the plain meaning says: for a letter that holds
the very text, for near misses, and without ever leaving the file that the value tries to make.
"""

import shlex
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from deploy.host import samples as host_samples
from deploy.host.layout import Layout
from deploy.host.samples import SANDBOX, Trial, answers, expected
from deploy.render import filters, rereading
from deploy.render.judging import Seen, judge
from deploy.render.quoting import Unwritable
from deploy.render.samples import Sample, with_text, written
from deploy.snapshot import Action, Condition, Filter, Rule
from tests.host.laid import laid

KEY, MARK = "e" * 16, "/tmp/mailadmin-trap-mark"
OTHERS = Rule("f" * 16, "Behind it.", "all", (), (Action("copy", "Behind"),))
TEXTS = ("subject", "list", "header:x-a")
INSIDE = ("is", "contains", "starts", "ends")


@dataclass(frozen=True, slots=True)
class Trap:
    """Values that can be written into a subject, and values that no text can hold."""

    good: tuple[str, ...] = ()
    bad: tuple[str, ...] = ()


TRAPS = {
    "the word operators": Trap((r"\<compiti\>", r"\/compiti", r"a\<b", "<b>", "a/b", r"\>", r"x\/y")),
    "case": Trap(("compiti", "COMPITI", "È già", "ß", "Straße", "ǆ", "ı", "İ", "ſ", "Σς", "ÿ", "日本")),
    "the macros of addresses": Trap(("^TO_emma", "^TO", "TO_", "^FROM_DAEMON", "^FROM_MAILER")),
    "scores and sizes": Trap(("1^0 > 5", "1^0", "-1^0", "9876543210^1 .*", "> 100", "< 9", "100^0.5", "1^1 x")),
    "variables and areas": Trap(("B ?? x", "HB ?? x", "SUBJECT ?? x", "H ??", "?? ^^", "FROM ?? .", "$ x", "$$x")),
    "patterns": Trap(
        ("[", "(", ")", "(a", "a|", "[]", "[^", "*", "+?", "^^", "$", ".*", "^^^^", "a{2}", "^", "()", "[a-z]+", ".")
    ),
    "a pattern over the buffer": Trap(
        ("a" * 400, "é" * 400, "(" * 400, "\\" * 400, "a b " * 99 + "a"), ("a" * 401, "a" * 2048, "a" * 20_000)
    ),
    "a trailing backslash": Trap(("a\\", "\\", "a\\\\", "è\\")),
    "programs and variables of the shell": Trap(
        (f"`touch {MARK}`", f"$(touch {MARK})", "$HOME", "${HOME}", "$\\HOME", "$?", "$-", '"$HOME"', "~", "`id`")
    ),
    "quotes": Trap(
        ("'", "''", '"', "'\"'", "a'b\"c", f"'; touch {MARK}; '", f"' `touch {MARK}` '", f'"`touch {MARK}`"')
    ),
    "what begins an action": Trap(
        (f"| touch {MARK}", f"|touch {MARK}", "! x@y.test", "!x", f"? touch {MARK}", "!! a", f"$ `touch {MARK}`")
    ),
    "what is a line of a recipe": Trap((":0", ":0:", ":0 c", "{", "}", "{ }", "# a", "* a", "RULES_OK=yes")),
    "assignments": Trap(
        ("RULES_OK=no", "FOLDER='.X'", "DEFAULT=/tmp/x", "EXITCODE=0", "HOST=x", f"INCLUDERC={MARK}", "LINEBUF=1",
         f"TRAP=touch {MARK}", f"LOGFILE={MARK}", "DONE=yes", "SHELL=/bin/true", "MAILDIR=/tmp"),
    ),
    "lines": Trap(
        (),
        ("a\nb", f"a\n:0\n| touch {MARK}\n", "a\r\nb", "a\rb", "a\x00b", "a\x0bb", "a\u2028b", "a\x85b", "\n", "a\n",
         f"0\n:0\n| touch {MARK}\n", f"5\n}}\nTRAP='touch {MARK}'\n", "0\n", "5\n", "pdf\n", "a@b.test\n", "x-a\n"),
    ),
    "blanks": Trap(("a b", "a b c"), (" a", "a ", "a  b", "a\tb", "a\u00a0b", "\u3000", "", " ", "a\u2003")),
    "what is no character": Trap((), ("\ud800", "a\u0378", "\ufeffa", "e\u0301", "a\u202eb", "\x7f", "a\x1b[2Jb")),
    "encoded words": Trap(("=?utf-8?b?Y29tcGl0aQ==?=", "=?iso-8859-1?q?=E8?=", "=?", "?=")),
    "numbers": Trap(("5", "0", "-1", "+5", "1e3", "٣", "１２", "0 x", "1_0", "00", "05", "0x10", "9" * 30, "0_5", "²")),
    "addresses and parts of them": Trap(
        ("a@b.test", "-a@b.test", "--@b.test", "|a@b.test", "a@b.test,c@d.test", "a@b.test c@d.test", "<a@b.test>",
         "a@", "@b.test", "b.test", "a@b", "é@b.test", "shell=x@b.test", "a`id`@b.test", "'a'@b.test", "a@[1.2.3.4]")
    ),
    "folders": Trap(("../x", ".x", "a/../b", "/etc", "a//b", "a/", "~root", "INBOX", "inbox", "a.b", "a/b", "*", "%"))
}  # fmt: skip

Made = Callable[[str], Rule]


def rule(*then: Action, when: tuple[Condition, ...] = (), sentence: str = "So.", match: str = "all") -> Rule:
    return Rule("0" * 16, sentence, match, when, then or (Action("file", "Scuola"),))


def asks(field: str, op: str) -> Made:
    return lambda value: rule(when=(Condition(field, op, value),))


def does(action: str) -> Made:
    return lambda value: rule(Action(action, value), when=(Condition("subject", "contains", "compiti"),))


CONDITIONS = (
    *((field, op) for field in ("subject", "header") for op in (*INSIDE, "not contains")),
    *(("from", op) for op in (*INSIDE, "domain", "not is")),
    *((field, op) for field in ("to", "cc", "recipient") for op in ("is", "contains", "domain")),
    *(
        (field, op)
        for field, ops in filters.OPERATORS.items()
        for op in ops
        if field not in filters.WORDS and op != "exists"
    ),
)
FIELDS: dict[str, Made] = {
    **{f"{field} {op}": asks(field if field != "header" else "header:x-a", op) for field, op in CONDITIONS},
    **{action: does(action) for action in ("file", "copy", "forward", "tag")},
    "header name": lambda value: rule(when=(Condition(f"header:{value}", "exists"),)),
    "sentence": lambda value: rule(sentence=value, when=(Condition("subject", "contains", "compiti"),)),
    "any": lambda value: rule(
        match="any", when=(Condition("list", "is", "z"), *(Condition(field, "contains", value) for field in TEXTS))
    ),
    "value of exists": asks("subject", "exists"),
    "key": lambda value: replace(rule(), key=value),
    "match": lambda value: rule(match=value),
    "field": lambda value: rule(when=(Condition(value, "exists"),)),
    "operator": lambda value: rule(when=(Condition("subject", value, "a"),)),
    "action": lambda value: rule(Action(value, "a")),
}


def letters(value: str, field: str) -> Iterator[Seen]:
    """Letters that hold the text where the field looks: whole, in other letters, all but a letter, and not at all."""
    yield from (Seen(), Seen(subject="i compiti", spam=(True, 50), attachments=("pdf",), size=3000))
    middle = len(value) // 2
    near = [
        value,
        value.swapcase(),
        f"x{value}x",
        value[1:],
        f"{value[:-1]}x",
        f"{value[:middle]}x{value[middle + 1 :]}",
    ]
    texts = [text for text in dict.fromkeys(near) if text.isprintable() and text.strip() == text not in ("", "-")]
    for text in texts if len(value) < 1000 else ():
        for name in TEXTS if field == "any" else (field,) if field in ("subject", "list") else ():
            yield with_text(Seen(), name, text)
        if field == "header":
            yield Seen(head=(("X-A", text), ("X-B", value)))
        if field in filters.WORDS and " " not in text:
            yield with_text(Seen(), field, text if "@" in text else f"{text}@b.test")
            yield with_text(Seen(), field, f"a@{text}")
    if field == "body" and value.strip() and len(value) <= 400:
        yield Seen(phrases=frozenset({filters.phrase_id(KEY, " ".join(value.lower().split()))}))


def trial(field: str, value: str) -> tuple[Filter, str] | None:
    """The rules with that value there and their text; nothing when it is refused."""
    row, said = Filter("emma@myfamily.net", (FIELDS[field](value), OTHERS)), ""
    try:
        return row, filters.recipes(row, KEY)
    except Unwritable as error:
        said = str(error)
    assert "\n" not in said
    assert len(said) < 200
    return None


def samples(row: Filter, value: str, field: str) -> Iterator[Sample]:
    """Each letter with what the plain meaning says."""
    for seen in letters(value, field.partition(" ")[0]):
        raw = written(seen)
        yield Sample("", raw, seen.recipient, judge(row, replace(seen, size=len(raw)), KEY))


@pytest.fixture
def marks(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The file that a value tries to make, in a folder that can be written even from the sandbox."""
    assert host_samples.sandboxed()
    mark = Path(MARK)
    mark.unlink(missing_ok=True)
    monkeypatch.setattr(host_samples, "SANDBOX", (*SANDBOX[:-1], "--bind", "/tmp", "/tmp", "--"))
    yield mark
    mark.unlink(missing_ok=True)


def agree(host: Layout, rows: Sequence[tuple[str, str, Filter, str]]) -> None:
    """Procmail says of every letter what the rules mean, and nothing else."""
    trials = [Trial(text, list(samples(row, value, field))) for field, value, row, text in rows]
    wanted = [(one, sample) for one, made in zip(rows, trials, strict=True) for sample in made.samples]
    for ((field, value, _row, text), sample), said in zip(wanted, answers(host, trials), strict=True):
        assert said == expected(sample.judged), f"{field}: {value!a}\n{text}\n{sample.to}\n{sample.letter[:3000]!a}"


@pytest.mark.parametrize("third", [0, *(pytest.param(third, marks=pytest.mark.nightly(0.1)) for third in (1, 2))])
@pytest.mark.parametrize("name", TRAPS)
def test_a_trap_is_refused_or_means_what_it_says(tmp_path: Path, marks: Path, name: str, third: int) -> None:
    """Each value in each field; procmail is asked about every third of them, about the others among the long proofs."""
    trap, rows = TRAPS[name], []
    for field in FIELDS:
        for value in (*trap.good, *trap.bad):
            if made := trial(field, value):
                assert rereading.read_rules(made[1]) == filters.meant(made[0], KEY), (field, value)
                rows.append((field, value, *made))
    agree(laid(tmp_path), rows[third::3])
    assert not marks.exists()
    written = {(field, value) for field, value, _row, _text in rows}
    for field in TEXTS:
        name_of = field.partition(":")[0]
        assert {value for of, value in written if of == f"{name_of} contains"} == set(trap.good)


def test_a_program_that_a_rule_started_would_be_seen(tmp_path: Path, marks: Path) -> None:
    """The proof that the tests above look in the right place."""
    list(
        answers(
            laid(tmp_path),
            [Trial(f"X=`touch {shlex.quote(MARK)}`\n", list(samples(Filter("a", ()), "a", "file"))[:1])],
        )
    )
    assert marks.exists()


def test_no_line_ends_in_two_places() -> None:
    """What has several lines is written nowhere: only a phrase is looked for without them, a sentence loses them."""
    lines = (*TRAPS["lines"].bad, *TRAPS["what is no character"].bad)
    for field in FIELDS:
        for value in lines:
            made = trial(field, value)
            assert made is None or field.startswith(("body", "sentence")), (field, value)
            assert made is None or made[1].count("\n") == trial(field, "a")[1].count("\n")  # type: ignore[index]
