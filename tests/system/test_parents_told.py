"""A parent finds the panel's letter in her own mailbox soon after her child asked, also after an outage."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from tests.host.machine import wait_for
from tests.system.held import hold
from tests.system.server import PASSWORD, Server
from tests.system.test_held import BO, CHILD

pytestmark = [pytest.mark.daemons, pytest.mark.timeout(300)]
ADA = "ada@rossi.example"
ASKED, WAITS = "Bo asks: may I write to somebody new?", "Look twice: who is this letter for Bo from?"
TOLD = """
import json
from policies.models import Notice
print(json.dumps(list(Notice.objects.order_by("pk").values_list("to", "digest"))))
"""


def found(server: Server, subject: str) -> int:
    """How often Ada was told so."""
    return server.subjects(ADA).count(subject)


def test_a_parent_is_told_in_her_mailbox_and_after_an_outage_too(server: Server) -> None:
    # The hour of the digest must not pass meanwhile.
    hour = (datetime.now(ZoneInfo("Europe/Rome")).hour + 2) % 24
    server.load(CHILD.replace('name = "Rossi"', f'name = "Rossi"\ndigest_hour = {hour}', 1))
    told, before = server.ask(TOLD), found(server, ASKED)
    server.send(BO, "friend@outside.example", "ciao", (BO, PASSWORD))
    wait_for(lambda: found(server, ASKED) == before + 1, "the letter to Ada", 40)
    wait_for(lambda: server.ask(TOLD) == [*told, [ADA, False]], "its row", 20)
    server.control("stop", "postfix")
    try:
        hold(server, "ada@rossi.examp1e", like=ADA)
        log = server.var / "log" / "worker.log"
        wait_for(lambda: "Nobody was told of what waits" in log.read_text(), "a try in vain", 40)
    finally:
        server.control("start", "postfix")
    wait_for(lambda: found(server, WAITS) == 1, "the second letter to Ada", 60)
    wait_for(lambda: server.ask(TOLD) == [*told, [ADA, False], [ADA, False]], "the second row", 20)
    assert found(server, ASKED) == before + 1
