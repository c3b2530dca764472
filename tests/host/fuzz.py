"""Letters made by a grammar, hostile ones most of all, and whom each of them may be taken for.

`letters(count, dice)` yields `Fuzzed` letters for the test domains of `outside.py`; the same dice give the same ones.
`.provably_from` is the only address that each may pass for, as `strict.py` finds it; call `strict.provably_from` itself
for a letter that was delivered. `.for_smtp` says whether it comes through SMTP as it is.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from random import Random

from deploy.setup import world
from tests.host.outside import another_key
from tests.host.seals import Seal, hidden
from tests.host.strict import ORGANISATIONS, WITH_KEY, provably_from

ROSA, EVIL = "rosa@strict.test", "evil@other.test"
PROVABLE = (ROSA, ROSA, EVIL, "a@spf-only.test", "a@spf.test", "a@dkim-only.test")
SENDERS = (ROSA, EVIL, "", "a@spf-only.test", "a@spf.test", '"rosa@strict.test"@other.test')
ADDRESSES = (
    ROSA, EVIL, "ROSA@Strict.TEST", "rosa+x@strict.test", "xrosa@strict.test", "rosa@notstrict.test",
    "rosa@strict.test.evil.test", "rosa@strìct.test", "rоsa@strict.test", '"rosa"@strict.test', '"rosa@strict.test"',
    "=?utf-8?q?rosa?=@strict.test", "=?utf-8?q?rosa=40strict.test?=", "rosa%other.test@strict.test", "@strict.test",
    "rosa@[127.0.0.1]", "rosa@strict.test.", "rosa@", "rosa", "ro..sa@strict.test", "rosa@strict", "a@spf-only.test",
    "a@spf.test", "a@dkim-only.test", "a@news.example.net", "a@silent.test", "a@unsure.test",
    "rosa@strict.test@other.test", "rosa(x)@strict.test", "rosa @ strict.test", "o'brien/=?x@strict.test", "",
    "rosa@xn--strct-uva.test",
)  # fmt: skip
USUAL_NAMES = (
    "Rosa", "Nonna Rosa", '"Rosa, N."', '"N. \\"Rosa\\""', "=?utf-8?q?N=C3=B2nna?=", "Nònna", '"<rosa@strict.test>"',
)  # fmt: skip
NAMES = (
    *USUAL_NAMES, "", ROSA, f'"{ROSA}"', f"({ROSA})", "=?utf-8?q?=3Crosa=40strict.test=3E?=", '"rosa', "Ro\\sa",
    "a:b", "[x]", f"<{ROSA}>", "Nonna\x01", "Nonna\x7f", "\udcff", '"\\', "=?utf-8?b?w6k", "rosa.", ";", ",", "' \"'",
    '"a" b "c"',
)  # fmt: skip
MAILBOXES = (
    "{a}", "<{a}>", "{n} <{a}>", "{n}<{a}>", "{n} < {a} >", "{a} ({b})", "({b}) {a}", "{a}, {b}", "{a},", "Us: {a};",
    "<@other.test:{a}>", "{n} <{a}> <{b}>", "<{a}>{b}", "{a} {b}", "<{a}", "{a}>", '"{n} <{a}>', "<<{a}>>",
    "{n} <{a}>;", "{n} <{a}> ({b})", "{n} ({b}) <{a}>", "{b}\r\n <{a}>", "\r\n {a}", "{n}\r\n\t<{a}>", "{a}\r\n",
    "{a}\r\n ", "{a}\r{b}", "{a}\0{b}", "{a} \0", "<{a}>\r", "{n} <{a}\r\n >", "{a}\x0b", "", "<>", "{n} <{a}> x",
    "{a}\t", "  {a}",
)  # fmt: skip
USUAL_MAILBOXES = MAILBOXES[:4]
FROMS = (
    "From", "from", "FROM", "From ", "From\t", "Fr om", "From\0", "Resent-From", "X-From", "Fromé", ">From", "Sender",
    " From",
)  # fmt: skip
VERDICTS = (
    f"pass {ROSA} dmarc", "mx.test; dmarc=pass header.from=strict.test; dkim=pass header.d=strict.test; spf=pass",
    "malformed", f"from x by mail.mailadmin.invalid (Authenticated sender: {ROSA}) with ESMTPSA id 1; x", "report",
    "none", "ham 0.0",
)  # fmt: skip
FORGED = (
    "X-Mailadmin-From", "x-mailadmin-from", "X-Mailadmin-From ", "X-Mailadmin-Spam", "X-Mailadmin-Other", "Received",
    "Authentication-Results", "ARC-Authentication-Results", "Received-SPF", "DKIM-Signature", "MTA-Name",
    "Return-Path",
)  # fmt: skip
FIRST = "Delivered-To: anna@house.test"
LINES = (
    "nothing but words", "From rosa@strict.test Mon", ": x", "", " x", "\tFrom: evil@other.test", "-- \0", "é: x",
    "X: \r\r",
)  # fmt: skip
MARKS = (
    '"', "\\", "(", ")", "<", ">", ",", ";", ":", "@", ".", " ", "\r\n ", "\r\n\t", "\r", "\0", "\x7f", "é", "=?",
    "?=", "\udcff",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Fuzzed:
    """A letter from loopback. `usual`: it is made as people's programs make them, so what is proved must be seen."""

    raw: bytes
    sender: str
    usual: bool

    @property
    def provably_from(self) -> str:
        """The only address that it may pass for; empty when there is none."""
        return provably_from(self.raw, self.sender)

    @property
    def for_smtp(self) -> bool:
        """Whether it comes through SMTP byte by byte: no NUL, no bare CR, no long line, and a head that is one."""
        lines = self.raw.split(b"\r\n")
        whole = not any(mark in line for line in lines for mark in b"\r\n\0") and all(len(line) < 990 for line in lines)
        return whole and all(re.match(rb"[!-9;-~]+[ \t]*:|[ \t]", line) for line in lines[: lines.index(b"")])


def letters(count: int, dice: Random) -> Iterator[Fuzzed]:
    """So many letters; the same dice give the same letters."""
    for _number in range(count):
        yield usual(dice) if dice.random() < 0.2 else hostile(dice)


def usual(dice: Random) -> Fuzzed:
    """As most letters are: one From of a known shape, signed by its domain or sent from its own host, or neither."""
    others = (EVIL, "a@spf-only.test", "a@dkim-only.test", "a@spf.test", "a@news.example.net")
    address = ROSA if dice.random() < 0.4 else dice.choice(others)
    line = "From: " + dice.choice(USUAL_MAILBOXES).format(a=address, n=dice.choice(USUAL_NAMES))
    domain = address.partition("@")[2]
    signer = ORGANISATIONS.get(domain, domain)
    raw = assembled([line, "To: anna@house.test", "Subject: Ciao"], dice)
    if signer in WITH_KEY and dice.random() < 0.8:
        raw = Seal(signer, simple=dice.random() < 0.3).on(raw)
    return Fuzzed(raw, dice.choice((address, address, EVIL)), usual=True)


def hostile(dice: Random) -> Fuzzed:
    """Anything, made by somebody who can prove one address, and mostly does."""
    own = dice.choice(PROVABLE)
    lines = [f"{'From' if dice.random() < 0.8 else some(dice, FROMS)}: {mailbox(dice, own)}"]
    lines += [f"{dice.choice(FROMS)}: {mailbox(dice, own)}" for _number in range(dice.choice((0, 0, 0, 1, 2)))]
    lines += [f"{name}: {mailbox(dice, own)}" for name in ("Sender", "Reply-To", "Reply-To") if dice.random() < 0.2]
    lines += [f"{name}: {mailboxes(dice, own)}" for name in ("To", "to", "Cc", "Cc") if dice.random() < 0.4]
    lines += [f"{some(dice, FORGED)}: {some(dice, VERDICTS)}" for _number in range(dice.choice((0, 0, 1, 3)))]
    lines += [dice.choice(LINES) for _number in range(dice.choice((0, 0, 0, 0, 0, 1)))]
    raw = change(signed(assembled(lines, dice), own.partition("@")[2], dice), own, dice)
    return Fuzzed(raw, own if dice.random() < 0.6 else dice.choice(SENDERS), usual=False)


def mailbox(dice: Random, own: str) -> str:
    """The value of a From, Sender or Reply-To line: of a known shape or not, with a mark where none belongs or not."""
    address = own if dice.random() < 0.5 else dice.choice(ADDRESSES)
    shapes, names = (USUAL_MAILBOXES, USUAL_NAMES) if dice.random() < 0.4 else (MAILBOXES, NAMES)
    value = dice.choice(shapes).format(a=address, b=dice.choice(ADDRESSES), n=dice.choice(names))
    return marred(value, dice) if dice.random() < 0.3 else value


def mailboxes(dice: Random, own: str) -> str:
    """The value of a To or Cc line."""
    separators = (", ", ",", ", ", "; ", ",\r\n\t", " ", ": ", ", , ")
    return dice.choice(separators).join(mailbox(dice, own) for _number in range(dice.choice((1, 2, 3, 30))))


def some(dice: Random, texts: Sequence[str]) -> str:
    """One of these, marred now and then."""
    text = dice.choice(texts)
    return marred(text, dice) if dice.random() < 0.1 else text


def marred(text: str, dice: Random) -> str:
    """A text with a mark put into it."""
    at = dice.randint(0, len(text))
    return text[:at] + dice.choice(MARKS) + text[at:]


def assembled(lines: list[str], dice: Random) -> bytes:
    """A letter with these lines, in any order."""
    dice.shuffle(lines)
    return encoded([FIRST, *lines, f"Message-ID: <{dice.getrandbits(64):x}@x.test>", "", "Ciao!", ""])


def encoded(lines: Sequence[str]) -> bytes:
    """Lines as bytes, but for what makes rspamd alone see the end of a head: two CR, or a bare LF.

    Postfix lets neither in, nor a first line that begins with a blank or with `From `, which rspamd leaves away.
    """
    text = "\r\n".join(lines).encode("utf-8", "surrogateescape")
    return re.sub(rb"(?<!\r)\n", b"", re.sub(rb"\r+(?=\r)", b"", text))


def signed(raw: bytes, own: str, dice: Random) -> bytes:
    """The letter with signatures, good and bad, of this domain or another, or with none."""
    size = len(world.relaxed_body(raw.partition(b"\r\n\r\n")[2]))
    domain = own if own in WITH_KEY and dice.random() < 0.7 else dice.choice(sorted(WITH_KEY))
    good = Seal(domain, simple=dice.random() < 0.5)
    kinds: tuple[Callable[[bytes], bytes], ...] = (
        lambda letter: letter,
        good.on,
        good.on,
        replace(good, key=another_key()).on,
        replace(good, names=("subject", "message-id")).on,
        lambda letter: replace(good, tags=f"l={size};").on(letter) + b"and more\r\n",
        lambda letter: hidden(good, letter, f"l={size}") + b"and more\r\n",
        lambda letter: good.on(replace(good, domain="other.test", key=another_key()).on(letter)),
    )
    return dice.choice(kinds)(raw)


def change(raw: bytes, own: str, dice: Random) -> bytes:
    """What somebody on the way may do to a letter; most are left alone."""
    head, blank, body = raw.partition(b"\r\n\r\n")
    line = encoded([f"{dice.choice(FROMS)}: {mailbox(dice, own)}", ""])
    changes: tuple[bytes, ...] = (
        encoded([FIRST, ""]) + line + raw,
        head + b"\r\n" + line + blank[2:] + body,
        raw + b"and more\r\n",
        raw.replace(b"rosa@", b"evil@", 1),
        raw.replace(b"From: ", b"From:\r\n ", 1),
        raw.replace(b"From:", b"from :", 1),
        raw.replace(b"; b=", b";\r\n\tb=", 1),
        raw.replace(b"d=other.test", b"d=strict.test", 1),
    )
    return dice.choice(changes) if dice.random() < 0.3 else raw
