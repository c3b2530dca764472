"""One letter through the running host, dry: the same programs and files answer, and nobody gets anything.

In: a `Layout`, a letter, its envelope. Out: an `Outcome` for each mailbox and each address outside that it would come
to. Touched: a scratch folder, removed again. Raises `DryRunError` with one sentence.

Postfix's head, as its cleanup makes it; its answer to the recipient, from the shadow services; rspamd's refusal and
facts; procmail with the live dispatcher and recipes. Runs as the agent.
"""

import re
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Literal

from deploy.host import canary, release, shadow
from deploy.host.commands import CommandError, run
from deploy.host.heads import as_postfix, stamped
from deploy.host.layout import Layout
from deploy.host.release import ReleaseError
from deploy.render.book import Book, book
from deploy.render.facts import NAMES, PREFIX
from deploy.render.quoting import Unwritable
from deploy.render.reading import from_utf7
from deploy.snapshot import Snapshot

LONGEST: Final = 1 << 20  # bytes of a letter
TIME: Final = 20.0  # seconds for one mailbox
QUEUE_ID: Final = "DRYRUN"
HELO: Final = "dry.mailadmin.invalid"
DECIDED: Final = re.compile(r"^queue=\S+ box=\S+ (hold|later|deliver) (\S+) (\S+) (\S+) (\S+) (\S+)$", re.MULTILINE)
ACTED: Final = re.compile(r"^queue=\S+ box=\S+ rule=([0-9a-z]+)$", re.MULTILINE)
WOULD: Final = re.compile(r"^would-([a-z]+)=(.*)$", re.MULTILINE)
WAITS: Final = re.compile(r"^queue=\S+ (?:box=\S+ )?wait=(\S+)$", re.MULTILINE)
Verdict = Literal["deliver", "later", "hold", "refuse", "retry"]
# The sentences of Postfix and of the filter by which a refusal is known: verdict, station and reason.
ANSWERS: Final[tuple[tuple[str, str, str], ...]] = (
    ("5.7.99", "out-2", "stranger"),
    ("Your mail sleeps until", "out-4", "hours"),
    ("This address is blocked in your list", "out-2", "blocked"),
    ("not owned by user", "out-1", "sender"),
    ("may not write as", "out-1", "sender"),
    ("must hold exactly one address", "out-1", "malformed"),
    ("Sign in to write as one of us", "in-3", "sender"),
    ("Only people who are signed in", "in-5", "internal"),
    ("5.2.1 ", "", "suspended"),
    ("5.2.2 ", "", "full"),
    ("5.1.1 ", "", "unknown"),
    ("Relay access denied", "", "unknown"),
    ("Recipient address rejected", "out-2", "stranger"),  # the last two: each business has a sentence of its own
    ("login name rejected", "out-2", "stranger"),
)


class DryRunError(Exception):
    """The host could not be asked; the text is one sentence."""


@dataclass(frozen=True, slots=True)
class Trial:
    """A letter and how it comes. `login`: who signed in, if anybody did. `sender`: of the envelope, may be empty.

    `trusted`: suppose that the sender's provider vouches for it, which nobody can make it do for a letter just written.
    """

    letter: bytes
    to: str
    login: str = ""
    client: str = "192.0.2.1"
    sender: str = ""
    trusted: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """What would become of a letter at one address. `key`: of the mailbox, empty for an address that is none here.

    `station` and `reason`: what decided; `entry`: the line of the list that spoke; `answer`: what the sender is told;
    `author` and `proof` are the facts that counted. `folder`: as people write it. Of the mailbox's own rules: the keys
    of those that acted, and what they add, in the words of `Action`, such as `copy Scuola`; `away`: it is answered.
    """

    address: str
    key: str
    verdict: Verdict
    station: str = ""
    reason: str = ""
    folder: str = ""
    entry: str = ""
    author: str = ""
    proof: str = ""
    answer: str = ""
    rules: tuple[str, ...] = ()
    more: tuple[str, ...] = ()
    away: bool = False


@dataclass(frozen=True, slots=True)
class Tried:
    """Every outcome, and the facts by their short names."""

    outcomes: tuple[Outcome, ...]
    facts: Mapping[str, str]

    def as_json(self) -> dict[str, Any]:
        """As plain data, in characters that every database takes."""
        facts = {name: value.encode("utf-8", "replace").decode() for name, value in self.facts.items()}
        return {"outcomes": [asdict(one) for one in self.outcomes], "facts": facts}


def try_letter(layout: Layout, trial: Trial, at: datetime) -> Tried:
    """What would become of a letter now."""
    if len(trial.letter) > LONGEST:
        raise DryRunError("The letter is larger than 1 MB: leave its attachments out.")
    raw = as_postfix(trial.letter)
    try:
        return tried(layout, replace(trial, letter=raw), addresses(layout, at))
    except (shadow.ShadowError, canary.CanaryError, CommandError, ReleaseError, Unwritable) as error:
        raise DryRunError(str(error)) from error
    except OSError as error:
        raise DryRunError(f"The letter could not be tried: {release.reason(error)}.") from error


def addresses(layout: Layout, at: datetime) -> Book:
    """The addresses of the live release."""
    live = release.live(layout)
    return book(live.snapshot if live else Snapshot(0, layout.name, "primary", (), (), ()), at)


def tried(layout: Layout, trial: Trial, known: Book) -> Tried:
    """In the order of a real letter: the recipient, the filter, the hold queue, each mailbox."""
    to = trial.to.lower()
    code, text = shadow.ask(layout, trial.to, login=trial.login, sender=trial.sender, client=trial.client, helo=HELO)
    held = "5.7.99" in text
    if code >= 400 and not held:
        return Tried((refused(known, to, code, text),), {})
    seen = canary.ask(layout, trial.letter, envelope(trial))
    facts = found(seen, trial.trusted)
    if seen.refusal:
        code = 5 if seen.action == "reject" else 4
        return Tried((refused(known, to, 100 * code, f"{code}.7.1 {seen.refusal}"),), facts)  # as Postfix puts it
    if held:
        return Tried((replace(refused(known, to, 250, text), verdict="hold", answer=""),), facts)
    return Tried(tuple(arriving(layout, stamped(trial.letter, facts), trial, known)), facts)


def envelope(trial: Trial) -> canary.Envelope:
    """As rspamd is told."""
    return canary.Envelope(trial.sender, (trial.to,), trial.client, HELO, trial.login)


def refused(known: Book, to: str, code: int, text: str) -> Outcome:
    """A recipient, or a letter, that Postfix does not take: for now or at all."""
    key = next((box.key for box in known.arrives(to)), "")
    if code // 100 == 4:
        return Outcome(to, key, "retry", answer=text)
    station, reason = next((why for part, *why in ANSWERS if part in text), ("", ""))
    return Outcome(to, key, "refuse", station, reason, answer=text)


def found(seen: canary.Answer, trusted: bool) -> dict[str, str]:
    """The facts by their short names, in the order of the grammar."""
    lines = {name.removeprefix(PREFIX): value for name, value in seen.added if name.startswith(PREFIX)}
    facts = {name: lines[name] for name in NAMES if name in lines}
    verdict, _blank, rest = facts.get("From", "").partition(" ")
    if trusted and verdict in ("fail", "none") and not rest.endswith(" login"):
        # Part of the score is for the missing proof: what it would be with one, nobody knows.
        facts |= {"From": f"pass {rest.partition(' ')[0]} dmarc", "Spam": "ham 0.0"}
    return facts


def arriving(layout: Layout, letter: bytes, trial: Trial, known: Book) -> Iterator[Outcome]:
    """The letter at every address where it finally comes."""
    for end in sorted(known.ends(trial.to.lower())):
        box = known.mailboxes.get(end)
        if box:
            yield delivered(layout, letter, trial, (box.address, box.key))
        else:
            yield Outcome(end, "", "deliver", "out-2" if trial.login else "in-8")


def delivered(layout: Layout, letter: bytes, trial: Trial, box: tuple[str, str]) -> Outcome:
    """What procmail does with the letter, in a folder that takes the place of all mail folders."""
    address, key = box
    user, _at, domain = address.rpartition("@")
    with tempfile.TemporaryDirectory(prefix="mailadmin-dry-") as scratch:
        out = Path(scratch)
        for folder in (out / key / "Maildir", out / ".held" / key, out / ".later" / key):
            folder.mkdir(parents=True)
        words = (user, domain, trial.sender, trial.to, QUEUE_ID, "", scratch, "dry")
        program = (str(layout.etc / "deliver"), "-t", "-m", str(layout.etc / "dispatch.rc"))
        run([*program, *words], timeout=TIME, input=letter, expect=(0, 75))
        return fate(out, address, key)


def fate(out: Path, address: str, key: str) -> Outcome:
    """Where in the scratch folder the letter lies, and what the dispatcher wrote about it."""
    log = out / "log"
    said = log.read_text(encoding="utf-8", errors="replace") if log.exists() else ""
    would = dict(WOULD.findall(said))
    places = [path.parent.parent.relative_to(out) for part in ("new", "cur") for path in out.rglob(f"{part}/*")]
    if len(places) != 1 + would.get("copies", "").count("/"):
        waits = WAITS.search(said)
        return Outcome(address, key, "retry", reason=waits[1] if waits else "procmail")
    if would:
        found = Outcome(
            address, key, "deliver", "in-8", folder=readable(would["folder"]), rules=tuple(ACTED.findall(said)),
            more=tuple(more(would)), away=would["away"] == "yes",
        )  # fmt: skip
    else:
        verdict: Verdict = "later" if places[0].parts[0] == ".later" else "hold"
        found = Outcome(address, key, verdict, folder="/".join(places[0].parts))
    decided = DECIDED.search(said)
    if not decided:
        return found
    station, reason, author, proof, entry = ("" if word == "-" else word for word in decided.groups()[1:])
    return replace(found, station=station, reason=reason, author=author, proof=proof, entry=entry)


def readable(folder: str) -> str:
    """A folder's name on the disk as people write it; the inbox by its name."""
    return "/".join(map(from_utf7, folder.removeprefix(".").split("."))) if folder else "INBOX"


def more(would: Mapping[str, str]) -> Iterator[str]:
    """What rules add to the place of a letter, as actions and their values."""
    yield from (f"copy {readable(name)}" for name in would["copies"].split("/") if name)
    yield from (f"forward {name}" for name in would["forward"].split())
    yield from (name for flag, name in (("F", "flag"), ("S", "mark-read")) if flag in would["flags"])
    yield from ([f"tag {would['tag']}"] if would["tag"] else [])
