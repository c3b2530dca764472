"""The cast of POLICY.md: a family and a business, with everybody's password known.

`household` is a fixture; each test that names it finds these people, and writes what it needs itself.
"""

from copy import deepcopy
from functools import cache
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import Client

from accounts import passwords
from accounts.models import Community, User
from accounts.services import join
from accounts.wishes import wishes
from domains.models import Alias, Domain, Mailbox
from domains.services import add_mailbox

PASSWORD = "correct horse battery"
FAMILY = {"marco": "guardian", "anna": "guardian", "emma": "protected", "luca": "protected"}
BUSINESS = {"rita": "manager", "sara": "member", "paolo": "member", "ivo": "member", "gino": "member"}


@cache
def hashed() -> str:
    """One hash for everybody: making it is the slow part."""
    return passwords.hashed(PASSWORD)


class Household:
    """Two communities, their domains, people, mailboxes and aliases, by name."""

    def __init__(self) -> None:
        self.family = Community.objects.create(name="Fioretti family")
        self.business = Community.objects.create(name="Fioretti business", kind="business")
        self.people: dict[str, User] = {}
        self.mailboxes: dict[str, Mailbox] = {}
        self.aliases: dict[str, Alias] = {}
        self.home = Domain.objects.create(name="myfamily.net", community=self.family)
        self.work = Domain.objects.create(name="mybusiness.com", community=self.business)
        for name, role in FAMILY.items():
            self.settle(name, self.home, role)
        for name, role in BUSINESS.items():
            self.settle(name, self.work, role)
        self.settle("olivia", self.work, "owner")
        self.person("marco", administrator=True)
        join(self.people["marco"], self.business, "owner")
        self.mailboxes["info"] = self.mailbox("info", self.work, "sara", "paolo")
        self.alias("kids@myfamily.net", "emma", "luca")
        self.alias("parents@myfamily.net", "anna", "marco")
        self.alias("team@mybusiness.com", "sara", "paolo", "ivo")

    def settle(self, name: str, domain: Domain, role: str) -> None:
        """A person with a mailbox."""
        person = User(address=f"{name}@{domain.name}", name=name.title(), password=hashed())
        person.save()
        join(person, domain.community, role)  # type: ignore[arg-type]
        self.people[name] = person
        self.mailboxes[name] = self.mailbox(name, domain, name)

    def person(self, who: str, **changes: Any) -> User:
        """Change somebody."""
        person = self.people[who]
        for field, value in changes.items():
            setattr(person, field, value)
        person.save()
        return person

    def mailbox(self, local: str, domain: Domain, *people: str) -> Mailbox:
        """A mailbox of these people."""
        mailbox = Mailbox(domain=domain, address=f"{local}@{domain.name}")
        return add_mailbox(mailbox, [self.people[name] for name in people])

    def alias(self, address: str, *targets: str) -> Alias:
        """An alias to these people's mailboxes, or to whole addresses."""
        found = [target if "@" in target else self.people[target].address for target in targets]
        alias = Alias(address=address, targets=found)
        alias.domain = Domain.objects.get(name=address.rpartition("@")[2])
        alias.save()
        self.aliases[address] = alias
        return alias

    def client(self, name: str) -> Client:
        """A browser in which this person is signed in."""
        client = Client()
        client.force_login(self.people[name])
        return client


class Mould:
    """The rows of a household made once, copied for each test: to make it anew took half of the time of all tests."""

    def __init__(self) -> None:
        before = {table: rows(table) for table in tables()}
        with wishes("test", "test"):
            self.household = Household()
        self.rows = {table: found for table in tables() if (found := rows(table)) != before[table]}

    def copy(self) -> Household:
        """The same rows, and objects of their own."""
        with transaction.atomic(), connection.cursor() as cursor:
            for table, found in self.rows.items():
                places = ", ".join(["%s"] * len(found[0]))
                cursor.cursor.execute(f"DELETE FROM {table}")  # noqa: S608  the models' own names
                cursor.cursor.executemany(f"INSERT INTO {table} VALUES ({places})", found)  # noqa: S608
        return deepcopy(self.household)


def tables() -> list[str]:
    """Of every model."""
    return [connection.ops.quote_name(name) for name in connection.introspection.django_table_names()]


def rows(table: str) -> list[tuple[Any, ...]]:
    """All of a table, as the driver gives and takes them."""
    with connection.cursor() as cursor:
        cursor.cursor.execute(f"SELECT * FROM {table}")  # noqa: S608
        return [tuple(row) for row in cursor.cursor.fetchall()]


@cache
def mould(_database: str) -> Mould:
    """The one of this process."""
    return Mould()


@pytest.fixture
def household(db: None) -> Household:
    """Everybody, anew for each test."""
    return mould(connection.vendor).copy()
