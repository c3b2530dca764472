"""How long the report of a business takes: fifty people over a year.

In: nothing; a database of its own, in a file as on a host. Out: rows of text. What is measured is a whole answer of the
panel, beside the shortest one that needs the database, too.
"""

import statistics
import tempfile
import time
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

from django.conf import settings
from django.db import connection
from django.test import Client
from django.utils import timezone

ROUNDS = 20
SECONDS = 1_000.0  # milliseconds


def measure() -> Iterator[str]:
    """All rows."""
    import_module("mailadmin.wsgi")  # as the panel begins
    with tempfile.TemporaryDirectory() as folder:
        connection.settings_dict["TEST"]["NAME"] = str(Path(folder) / "bench.sqlite3")
        settings.ALLOWED_HOSTS.append("testserver")
        settings.STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
        connection.creation.create_test_db(verbosity=0, serialize=False)
        yield from pages()
        connection.close()


def pages() -> Iterator[str]:
    """Milliseconds for a page, the middle one and the 95th of a hundred."""
    from accounts.models import User
    from tests.reports.year import a_year

    business, client = a_year(timezone.now()), Client()
    client.force_login(User.objects.get(address="chief@busy.example"))
    for name, url in {
        "a page without figures": "/me/",
        "7 days": f"/reports/community/{business.pk}/?range=7d",
        "30 days": f"/reports/community/{business.pk}/",
        "12 months": f"/reports/community/{business.pk}/?range=year",
        "12 months, pseudonyms": f"/reports/community/{business.pk}/?range=year&mode=pseudonyms",
    }.items():
        elapsed(client, url)  # the first one reads the templates
        taken = [elapsed(client, url) for _ in range(ROUNDS)]
        yield f"{name:26} {statistics.median(taken):7.0f} ms, p95 {statistics.quantiles(taken, n=20)[-1]:7.0f} ms"


def elapsed(client: Client, url: str) -> float:
    """One answer, by a connection of its own as in the panel."""
    connection.close()
    begin = time.monotonic()
    assert client.get(url).status_code == 200
    return (time.monotonic() - begin) * SECONDS
