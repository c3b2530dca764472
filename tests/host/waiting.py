"""The example family with a database and a mail host, for tests of letters that wait: wishes, rows and letters."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from django.test import override_settings

from accounts.models import User
from accounts.wishes import Wishes, wishes
from deploy import answers
from deploy.gather import gather
from deploy.models import MailHost as HostRow
from policies.household import load
from policies.models import Answer, Contact, HeldLetter
from tests.host.family import ANNA, EMMA, KEYS, LUCA, MARCO, NONNA, SCHOOL, written
from tests.host.letters import HASH, signed_in
from tests.host.machine import MailHost, wait_for
from tests.host.outside import publish

STRANGER = "stranger@outside.example"


def person(address: str, role: str, more: str = "") -> str:
    """A person with a mailbox, as the household file has them."""
    return f"""
[[person]]
address = "{address}"
password_hash = "{HASH}"
[[person.membership]]
community = "Fioretti family"
role = "{role}"
{more}
[[mailbox]]
address = "{address}"
key = "{KEYS[address]}"
"""


AWAKE = """
[[person.membership.override]]
hours = "always"
until = 2199-12-31
"""
STARTER = f"""
level = "starter"
{AWAKE}
[[person.contact]]
address = "{NONNA}"
[[person.contact]]
address = "@{SCHOOL}"
"""
HOUSEHOLD = f"""
[[community]]
name = "Fioretti family"
domains = ["myfamily.net"]
{person(ANNA, "guardian")}
{person(MARCO, "guardian")}
{person(EMMA, "protected", STARTER)}
{person(LUCA, "protected", f'level = "explorer"{AWAKE}')}
"""


class Home:
    """The family, and how its wishes become live."""

    def __init__(self, host: MailHost) -> None:
        self.host = host
        load(HOUSEHOLD, "a test")
        publish(host.layout)
        self.settle()

    @property
    def row(self) -> HostRow:
        """The host as the database knows it."""
        return HostRow.objects.get()

    def settle(self) -> None:
        """Make the newest wishes live, as the worker does."""
        self.host.apply(gather(self.row))
        HostRow.objects.update(applied=Wishes.current())

    def look(self, *, again: bool = False) -> None:
        """What the worker does every two seconds."""
        answers.attend("primary", again=again)

    def answer(self, letter: HeldLetter, *choices: str) -> None:
        """Anna answers each question of a letter, in the order of the addresses."""
        with wishes(ANNA, "a test"):
            for question, choice in zip(letter.questions.order_by("address"), choices, strict=True):
                Answer(question=question, choice=choice).save()

    def allow(self, address: str, **facts: Any) -> None:
        """Anna lists somebody for Emma."""
        with wishes(ANNA, "a test"):
            Contact(person=User.objects.get(address=EMMA), address=address, **facts).save()

    def row_of(self, name: str) -> HeldLetter:
        """The row of a letter, by file or queue id."""
        return HeldLetter.objects.get(name__endswith=name)

    def send(self, *recipients: str, sender: str = EMMA, login: str = EMMA, body: str = "Ciao!") -> str:
        """A letter that somebody of the family submits; its queue id."""
        _token, raw = written(f"From: {login}", body=body, to=NONNA)
        with signed_in(self.host.layout, login) as dialogue:
            dialogue.mail(sender)
            for recipient in recipients:
                assert dialogue.rcpt(recipient)[0] == 250
            return dialogue.data(raw)[1].decode().rpartition(" ")[2]

    def queue_of(self, queue_id: str) -> str:
        """Where Postfix has a letter: `hold`, `deferred`, or nowhere."""
        folders = ("hold", "deferred", "active", "incoming")
        spool = self.host.var / "spool" / "postfix"
        return next((name for name in folders if list((spool / name).rglob(queue_id))), "")

    def went(self, queue_id: str) -> bool:
        """True when Postfix took a letter up."""
        wait_for(lambda: f"{queue_id}: from=<" in self.host.log(), "Postfix to take the letter up")
        return self.queue_of(queue_id) != "hold"


@contextmanager
def at_home(host: MailHost) -> Iterator[Home]:
    """The family on this host; nothing waits before, and nothing is left waiting."""
    nothing_waits(host)
    with override_settings(MAILADMIN_HOST_CONFIG=host.layout.etc / "host.json"):
        yield Home(host)
    nothing_waits(host)


def nothing_waits(host: MailHost) -> None:
    """Remove what is held."""
    for path in host.layout.held.glob("*/*/new/*"):
        path.unlink()
    host.run("postsuper", "-c", str(host.layout.postfix), "-d", "ALL", "hold")


def long_ago() -> datetime:
    """A moment before all that happens."""
    return datetime(2020, 1, 1, tzinfo=UTC)
