"""The server that the tests of this folder share."""

from collections.abc import Iterator

import pytest

from tests.system.server import Server, started_server


@pytest.fixture(scope="session")
def shared_server() -> Iterator[Server]:
    """Everything that script/server starts."""
    with started_server() as running:
        yield running


@pytest.fixture
def server(shared_server: Server) -> Server:
    """The shared server with the household of the tests, all of it up and live."""
    for program in ("redis", "panel", "worker", "postfix", "dovecot", "helper"):
        if not shared_server.running(program):
            shared_server.control("start", program)
    shared_server.load()
    return shared_server
