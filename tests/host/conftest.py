"""The private mail host that the tests of this folder share."""

from collections.abc import Iterator

import pytest

from tests.host.machine import MailHost, started_host


@pytest.fixture(scope="session")
def mailhost() -> Iterator[MailHost]:
    """Postfix, procmail, Dovecot and the root helper, running."""
    with started_host() as host:
        yield host
