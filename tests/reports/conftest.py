"""The part of the household that the reports' tests need."""

from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
from django.utils import timezone

from accounts.models import Community, Membership, User
from accounts.wishes import wishes
from domains.models import Domain, Mailbox, MailboxPerson
from reports.hours import add_by_key
from reports.tally import Count

NOW = datetime(2026, 11, 22, 13, 30, tzinfo=UTC)


def count(mailbox: str, column: str, letters: int, hour: datetime | None = None, host: str = "primary") -> None:
    """So many letters more in an hour, this one if none is said."""
    hour = (hour or timezone.now()).replace(minute=0, second=0, microsecond=0)
    add_by_key(host, {(mailbox, hour, column): Count(letters, 0)})


@dataclass
class Household:
    """The people by their first names, their mailboxes by address, the communities by kind."""

    people: dict[str, User]
    mailboxes: dict[str, Mailbox]
    communities: dict[str, Community]

    def __getattr__(self, name: str) -> User:
        return self.people[name]

    def key(self, address: str) -> str:
        """The key of a mailbox."""
        return self.mailboxes[address].key


def community(name: str, kind: str, domain: str, zone: str = "Europe/Rome") -> Community:
    """A community with a domain."""
    made = Community(name=name, kind=kind, timezone=zone)
    made.save()
    Domain(name=domain, kind="mail", community=made).save()
    return made


def person(address: str, **memberships: Community) -> User:
    """A person with a mailbox of her own; `role=community`."""
    made = User(address=address, name=address.partition("@")[0].title())
    made.save()
    for role, where in memberships.items():
        Membership(user=made, community=where, role=role).save()
    return made


def mailbox(address: str, *people: User) -> Mailbox:
    """A mailbox of these people."""
    made = Mailbox(address=address)
    made.save()
    for one in people:
        MailboxPerson(mailbox=made, user=one).save()
    return made


@pytest.fixture
def household(db: None) -> Household:
    """POLICY's family and business, a stranger's family, and an administrator who is in none."""
    with wishes("test", "test"):
        family = community("Fioretti family", "family", "myfamily.net")
        business = community("Fioretti & Co", "business", "mybusiness.com")
        others = community("Rossi family", "family", "rossi.example")
        people = {
            "marco": person("marco@myfamily.net", guardian=family, owner=business),
            "anna": person("anna@myfamily.net", guardian=family),
            "emma": person("emma@myfamily.net", protected=family),
            "luca": person("luca@myfamily.net", protected=family),
            "rita": person("rita@mybusiness.com", manager=business),
            "sara": person("sara@mybusiness.com", member=business),
            "paolo": person("paolo@mybusiness.com", member=business),
            "rosa": person("rosa@rossi.example", guardian=others),
            "ada": person("ada@admin.example"),
        }
        people["ada"].administrator = True
        people["ada"].save()
        boxes = {one.address: mailbox(one.address, one) for name, one in people.items() if name != "ada"}
        boxes["marco@mybusiness.com"] = mailbox("marco@mybusiness.com", people["marco"])
        boxes["info@mybusiness.com"] = mailbox("info@mybusiness.com", people["sara"], people["paolo"])
    return Household(people, boxes, {"family": family, "business": business, "others": others})
