"""The grammar of the facts: what is of it is read, everything else is refused."""

import pytest
from hypothesis import given, strategies as st

from deploy.render.facts import GRAMMAR, NAMES, PREFIX, NoFact, parse

GOOD = {
    "From": "pass nonna.rosa@gmail.com dmarc",
    "Reply-To": "same",
    "To": "emma@myfamily.net luca+x@myfamily.net",
    "Cc": "none",
    "Links": "2",
    "Attachments": "pdf picture",
    "List": "club.example.org",
    "Auto": "no",
    "Spam": "ham -0.5",
    "Subject": "Ciao, è già Natale",
    "Body": "0123456789abcdef fedcba9876543210",
}


def lines(**changes: str) -> list[tuple[str, str]]:
    """The good lines, with some of them said otherwise; `_` stands for `-`."""
    said = GOOD | {name.replace("_", "-"): value for name, value in changes.items()}
    return [(PREFIX + name, value) for name, value in said.items()]


def test_good_lines_are_read() -> None:
    facts = parse(lines())
    assert (facts.verdict, facts.address, facts.how) == ("pass", "nonna.rosa@gmail.com", "dmarc")
    assert (facts.reply_to, facts.links, facts.attachments) == ("same", 2, ("pdf", "picture"))
    assert (facts.list_id, facts.automatic, facts.spam, facts.score) == ("club.example.org", False, False, -0.5)
    assert facts.subject == "Ciao, è già Natale"
    assert (facts.to, facts.cc) == (("emma@myfamily.net", "luca+x@myfamily.net"), ())
    assert facts.phrases == ("0123456789abcdef", "fedcba9876543210")


@pytest.mark.parametrize(
    ("said", "verdict", "how"),
    [
        ("fail o'brien+x@b.example unchecked", "fail", "unchecked"),
        ("none a@b.example dkim:c.example", "none", "dkim:c.example"),
        ("none a@b.example ip:192.0.2.0/24", "none", "ip:192.0.2.0/24"),
        ("none a@b.example ip:2001:db8::/48", "none", "ip:2001:db8::/48"),
        ("none a@b.example -", "none", "-"),
        ("temp a@b.example spf", "temp", "spf"),
        ("malformed", "malformed", ""),
        ("report", "report", ""),
    ],
)
def test_every_verdict_is_read(said: str, verdict: str, how: str) -> None:
    facts = parse(lines(From=said))
    assert (facts.verdict, facts.how) == (verdict, how)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("From", "pass a@b.example dmarc\n"),
        ("From", "pass  a@b.example dmarc"),
        ("From", "pass A@b.example dmarc"),
        ("From", "pass a@b dmarc"),
        ("From", "pass a@b.example"),
        ("From", "pass a@b.example dmarc pass"),
        ("From", "pass a@b@c.example dmarc"),
        ("From", "pass .a@b.example dmarc"),
        ("From", "pass é@b.example dmarc"),
        ("From", "pass a@-b.example dmarc"),
        ("From", f"pass {'a' * 65}@b.example dmarc"),
        ("From", f"pass a@{'b.' * 130}example dmarc"),
        ("From", "temp a@b.example login"),
        ("From", "fail a@b.example dkim"),
        ("From", "report a@b.example"),
        ("Reply-To", "Same"),
        ("To", ""),
        ("To", "a@b.example\n"),
        ("To", "a@b.example  c@d.example"),
        ("To", "a@b.example "),
        ("To", "a@b.example, c@d.example"),
        ("To", "a@b.example a@b.example"),
        ("To", "A@b.example"),
        ("To", "none a@b.example"),
        ("To", "a@b"),
        ("To", f"a@b.example {'a' * 65}@b.example"),
        ("Cc", "é@b.example"),
        ("Cc", " ".join(f"a{number:03}@{'b' * 40}.example" for number in range(17))),
        ("Links", "01"),
        ("Links", "1000"),
        ("Links", "²"),
        ("Attachments", "picture pdf"),
        ("Attachments", "pdf pdf"),
        ("Attachments", "virus"),
        ("List", "a b"),
        ("Auto", ""),
        ("Spam", "ham 1"),
        ("Spam", "ham nan"),
        ("Subject", ""),
        ("Subject", " x"),
        ("Subject", "x\ry"),
        ("Subject", "x\u2028y"),
        ("Subject", "x" * 201),
        ("Body", ""),
        ("Body", "0123456789ABCDEF"),
        ("Body", "0123456789abcdef0"),
        ("Body", "0123456789abcdef 0123456789abcdef"),
        ("Body", "0123456789abcdef none"),
        ("Body", " ".join(f"{number:016x}" for number in range(41))),
    ],
)
def test_anything_else_is_refused(name: str, value: str) -> None:
    with pytest.raises(NoFact):
        parse(lines(**{name.replace("-", "_"): value}))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("To", "none"),
        ("Cc", " ".join(f"a{number:03}@{'b' * 40}.example" for number in range(16))),
        ("To", f"a@b.example {'a' * 64}@{'b' * 63}.{'c' * 63}.{'d' * 61}"),
        ("Body", "none"),
        ("Body", " ".join(f"{number:016x}" for number in range(40))),
    ],
)
def test_as_much_as_fits_is_read(name: str, value: str) -> None:
    facts = parse(lines(**{name: value}))
    said = {"To": facts.to, "Cc": facts.cc, "Body": facts.phrases}[name]
    assert list(said) == (value.split(" ") if value != "none" else [])


def test_each_fact_is_there_once() -> None:
    for name in NAMES:
        with pytest.raises(NoFact, match=name):
            parse(line for line in lines() if line[0] != PREFIX + name)
    with pytest.raises(NoFact, match="too many"):
        parse([*lines(), (f"{PREFIX}From", GOOD["From"])])
    with pytest.raises(NoFact, match="too many"):
        parse([*lines(), (f"{PREFIX}Canary", "x")])


@given(st.sampled_from(NAMES), st.text())
def test_what_is_read_is_one_line_and_ascii_where_it_decides(name: str, value: str) -> None:
    if GRAMMAR[name].fullmatch(value):
        assert len(value.splitlines()) == 1
        assert name == "Subject" or value.isascii()
