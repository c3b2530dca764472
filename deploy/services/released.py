"""What a release changed in the files of a host: a page asks, the host's agent answers.

In: who asks, a release. Out: the request, and later its answer: `{"before": N, "all": N, "files": [...]}` or
`{"error": ...}`; sentences are stored in English and translated where they are shown. Touched: HostRequest rows,
forgotten after ten minutes. Raises `Refused` for a release that has no files.

Administrators read addresses, domains and aliases. Of lists, levels and rules they read those that are theirs to keep:
of a mailbox whose letters they sort and whose people are all themselves or people whose lists they keep; in an older
release it must be the same mailbox, by its key. Any other file, and any that this module does not know, is only named.
Password hashes are never read.
"""

import logging
from collections.abc import Callable, Collection, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from functools import cached_property, partial
from typing import Any, Final

from accounts.models import User
from accounts.rights import may_run_hosts
from accounts.rules import Refused, gettext_noop as _
from deploy import services
from deploy.host import compare, release
from deploy.host.layout import Layout, LayoutError
from deploy.host.release import ReleaseError
from deploy.models import HostRequest, Release
from deploy.services.requests import Answer, answer_each
from domains.models import Mailbox
from policies.rights import filed_mailboxes, kept_people

VERB: Final = "release-files"
KEPT: Final = timedelta(minutes=10)
MASK: Final = "•••"
FORBIDDEN: Final = _("Releases are for administrators.")
GONE: Final = _("The files of this release are no longer on the mail host: it keeps the newest fifty.")
SILENT: Final = _("The mail host does not answer just now: try again in a moment.")
OPEN: Final = frozenset({
    "postfix/aliases", "postfix/domains", "postfix/internal", "postfix/mailboxes", "postfix/refused",
    "postfix/relay_domains", "postfix/sender_logins", "postfix/transport", "rspamd/sender_logins",
})  # fmt: skip
BY_ADDRESS: Final = frozenset({"postfix/sasl_class", "postfix/sentences", "rspamd/screened", "rspamd/phrases"})
logger = logging.getLogger(__name__)


def ask(author: User, found: Release, now: datetime) -> HostRequest:
    """Ask the host of a release, unless it is about to answer."""
    if found.folder is None:
        raise Refused(_("This release has no files: it never was live."))
    waiting = asked_by(author, found, now).filter(answer__isnull=True).last()
    return waiting or HostRequest.objects.create(
        host=found.host, verb=VERB, arguments={"folder": found.folder}, author=author.address, asked=now,
        expires=now + KEPT,
    )  # fmt: skip


def asked_by(author: User, found: Release, now: datetime) -> Any:
    """What this person has asked of this release and is not over."""
    own = HostRequest.objects.filter(verb=VERB, host=found.host_id, author=author.address, expires__gt=now)
    return own.filter(arguments__folder=found.folder).select_related("host")


def answer_asked(name: str) -> None:
    """Answer every request that this host was asked."""
    answer_each(name, [VERB], {"error": SILENT}, answer)


def answer(request: HostRequest, _now: datetime) -> Answer:
    """What the files say, as far as the author may read them."""
    author = User.objects.filter(address=request.author, active=True).first()
    if not author or not may_run_hosts(author):
        return {"error": FORBIDDEN}
    try:
        return files(services.layout(), request.arguments["folder"], Eyes(*seen_by(author)))
    except (LayoutError, ReleaseError) as error:
        logger.warning("%s", error)
        return {"error": SILENT}


def files(here: Layout, number: int, eyes: "Eyes") -> Answer:
    """Every file that is not as it was in the release before."""
    new = release.at_number(here, number)
    if not new:
        return {"error": GONE}
    old = compare.before(here, number)
    found = [asdict(one) for one in compare.compared(old, new, eyes.reads)]
    return {"before": old.number if old else None, "all": len(compare.changed(old, new)), "files": found}


def seen_by(author: User) -> tuple[Mapping[str, str], Collection[str]]:
    """The mailboxes whose lists and rules the author may read, with their keys; and the logins among them."""
    filed, kept = filed_mailboxes(author), kept_people(author) | {author.pk}
    rows = Mailbox.objects.filter(pk__in=filed).prefetch_related("people")
    boxes = {box.address: box for box in rows if all(person.pk in kept for person in box.people.all())}
    return {address: box.key for address, box in boxes.items()}, set(boxes)


@dataclass
class Eyes:
    """What somebody may read. `keys`: of the mailboxes that are hers to read, by address."""

    keys: Mapping[str, str]
    logins: Collection[str]

    def __post_init__(self) -> None:
        self.known: dict[int, Sight] = {}

    def reads(self, one: release.Release, path: str) -> Callable[[str], str] | None:
        """What she may read of a line of this file; None where the file is only named."""
        if path in OPEN:
            return str
        if path == "dovecot/passwd":
            return without_hash
        sight = self.known.setdefault(one.number, Sight(one, self))
        if path in BY_ADDRESS:
            return partial(by_address, boxes=sight.boxes)
        if path == "postfix/lists":
            return partial(by_class, classes=sight.classes)
        return str if sight.opens(path) else None


@dataclass
class Sight:
    """What somebody may read in one release."""

    one: release.Release
    eyes: Eyes

    @cached_property
    def boxes(self) -> frozenset[str]:
        """The mailboxes that were then what they are now, and whose logins are all hers to read."""
        keys, logins = self.eyes.keys, set(self.eyes.logins)
        boxes = self.one.snapshot.mailboxes
        return frozenset(b.address for b in boxes if keys.get(b.address) == b.key and logins >= set(b.logins))

    @cached_property
    def classes(self) -> frozenset[str]:
        """The classes of their lists of whom they may write to: `001` …"""
        words = {word for line in self.lines("postfix/sasl_class") for word in line.replace(",", " ").split()[1:]
                 if line.split(maxsplit=1)[0] in self.boxes}  # fmt: skip
        return frozenset(word.removeprefix("out_") for word in words if word.startswith("out_"))

    @cached_property
    def recipes(self) -> str:
        """All of their recipes, which name the files of lists and rules."""
        return "\n".join("\n".join(self.lines(path_of(address))) for address in self.boxes)

    def lines(self, path: str) -> list[str]:
        """The lines of a file of this release, if it is one of them."""
        found = compare.text(self.one, path) if path in self.one.manifest.files else []
        return [line for line in found if line.strip() and not line.startswith("#")]

    def opens(self, path: str) -> bool:
        """Whether a recipe, list or set of rules is one of theirs."""
        folder, name = path.rpartition("/")[::2]
        if folder in ("procmail/lists", "procmail/rules"):
            return name in self.recipes
        return path in {path_of(address) for address in self.boxes}


def path_of(address: str) -> str:
    """Where the recipe of a mailbox is."""
    local, _at, domain = address.rpartition("@")
    return f"procmail/{domain}/{local}.rc"


def without_hash(line: str) -> str:
    """A line of the passwd-file."""
    login, colon, rest = line.partition(":")
    secret, end, fields = rest.partition(":")
    return line if line.startswith("#") or not colon else f"{login}:{MASK if secret else ''}{end}{fields}"


def by_address(line: str, boxes: Collection[str]) -> str:
    """A line about an address: all of it for those that are hers to read."""
    address = line.split(maxsplit=1)[0] if line.strip() else ""
    return line if address in boxes or line.startswith("#") else MASK


def by_class(line: str, classes: Collection[str]) -> str:
    """A line of a list, of those of her classes."""
    return line if line.partition("=")[0] in classes or line.startswith("#") else MASK
