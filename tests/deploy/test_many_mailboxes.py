"""What grows with the number of mailboxes, and what does not: a page and a snapshot ask the database as often."""

import itertools
from collections.abc import Callable
from functools import partial

import pytest
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from accounts.wishes import wishes
from deploy.gather import gather
from deploy.models import MailHost
from domains.models import Mailbox
from tests.bench.many import fill, sizes

pytestmark = [pytest.mark.django_db, pytest.mark.timeout(600)]  # a thousand mailboxes take a busy machine long
FEW, MANY = 10, 1_000
CHIEF = "person0@d0.example"
PAGES = ("/", "/mailboxes/", "/mailboxes/?q=person1", "/aliases/", "/domains/", "/people/", "/communities/")


def test_a_host_has_as_many_people_as_it_is_said_to() -> None:
    for count in (10, 100, 1_000, 10_000):
        assert sum(people for _kind, people in sizes(count)) == count


def counted(count: int) -> dict[str, int]:
    """Queries of the snapshot, of pages and of a save, by name, on a host of so many mailboxes that is gone again."""
    with transaction.atomic():
        with wishes("test", "test"):
            fill(count)
            chief = User.objects.get(address=CHIEF)
            chief.administrator = True
            chief.save()
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")  # as PostgreSQL does by itself within minutes; its plans take minutes without
        found = {name: queries(ask) for name, ask in asked(chief).items()}
        transaction.set_rollback(True)
    return found


def asked(chief: User) -> dict[str, Callable[[], object]]:
    """What is looked at, by name."""
    box, client, quotas = Mailbox.objects.get(address=CHIEF), Client(), itertools.count(500)
    client.force_login(chief)
    place = f"/mailboxes/{box.pk}/"
    return {
        "gather": lambda: gather(MailHost.objects.get()),
        "save": lambda: client.post(place, {"quota": f"{next(quotas)}M", "people": str(chief.pk)}),
        "a mailbox": partial(page, client, place),
        **{path: partial(page, client, path) for path in PAGES},
    }


def page(client: Client, path: str) -> None:
    """A page that is there."""
    assert client.get(path).status_code == 200


def queries(ask: Callable[[], object]) -> int:
    """How often the database is asked."""
    ask()  # what is looked up once only
    with CaptureQueriesContext(connection) as found:
        ask()
    return len(found)


def test_no_query_count_grows_with_the_number_of_mailboxes() -> None:
    assert counted(MANY) == counted(FEW)
