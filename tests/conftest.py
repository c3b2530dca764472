"""For every test: no wish is written but inside `wishes`, whatever door a test comes through."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.test import override_settings
from django.utils import translation
from hypothesis import settings as settings_of_hypothesis

from accounts import wishes
from tests.household import household  # noqa: F401  every test may ask for the cast
from tests.system.server import Server, started_server

WRITES = r"\A\s*(?:INSERT(?: OR \w+)? INTO|REPLACE INTO|UPDATE|DELETE FROM)"
WISH_TABLES = re.compile(WRITES + r"\s+[\"`]?(?P<table>(?:accounts|domains|policies)_\w+)", re.IGNORECASE)
settings_of_hypothesis.register_profile("mailadmin", deadline=None)  # a busy machine is no failure
settings_of_hypothesis.load_profile("mailadmin")
# The generation and the audit log are written by `wishes` itself; what is held and was decided, the mail host tells.
NO_WISHES = {"accounts_wishes", "accounts_auditentry"}
NO_WISHES |= {f"policies_{name}" for name in ("heldletter", "question", "decision", "notice", "reply", "ruleact")}


def guarded(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
    """Refuse to write a wish's table outside `with wishes(...)`; the time of the last sign-in is none."""
    found = WISH_TABLES.match(sql)
    sign_in = sql.startswith('UPDATE "accounts_user" SET "last_login"')
    if found and found["table"] not in NO_WISHES and not sign_in and wishes._writing.get() is None:  # noqa: SLF001
        raise AssertionError(f"written outside wishes: {sql[:200]}")
    return execute(sql, params, many, context)


@pytest.fixture(autouse=True, scope="session")
def files_where_they_lie() -> Iterator[None]:
    """Pages name static files as they lie in the checkout: nothing has been collected for a test."""
    plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    storages = {**settings.STORAGES, "staticfiles": plain}
    with override_settings(STORAGES=storages, WHITENOISE_AUTOREFRESH=True):
        yield


@pytest.fixture(autouse=True)
def in_english() -> Iterator[None]:
    """Whatever language an earlier test has left on."""
    with translation.override(settings.LANGUAGE_CODE):
        yield


@pytest.fixture(autouse=True)
def wishes_guard(request: pytest.FixtureRequest) -> Iterator[None]:
    """Watch every statement of a test that uses the database."""
    if not request.node.get_closest_marker("django_db") and "db" not in request.fixturenames:
        yield
        return
    with connection.execute_wrapper(guarded):
        yield


# What earlier tests left waiting, told parents today and published is nobody's business in the next one.
PROGRAMS = frozenset({"resolver", "rspamd", "redis", "panel", "worker", "postfix", "dovecot", "helper", "clock"})
FORGET = """
from django.db import connection
from policies.models import HeldLetter, Notice
Notice.objects.all().delete()
with connection.cursor() as cursor:
    for table in ("policies_acknowledgement", "policies_usagepolicy"):
        cursor.execute(f"DELETE FROM {table}")
print(HeldLetter.objects.filter(state="waiting").update(state="gone"))
"""


@pytest.fixture(scope="session")
def shared_server() -> Iterator[Server]:
    """Everything that script/server starts."""
    with started_server() as running:
        yield running


@pytest.fixture
def server(shared_server: Server) -> Server:
    """The shared server with the household of the tests, all of it up and live."""
    for program in PROGRAMS - shared_server.running():
        shared_server.control("start", program)
    shared_server.load()
    shared_server.ask(FORGET)
    return shared_server
