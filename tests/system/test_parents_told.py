"""A parent finds the panel's letter in her own mailbox soon after her child asked, also after an outage."""

import pytest

from tests.host.machine import wait_for
from tests.system.server import Server

pytestmark = [pytest.mark.daemons, pytest.mark.timeout(300)]
ADA, SUBJECT = "ada@rossi.example", "Bo asks: may I write to somebody new?"
# What the mail host's agent writes when a child's letter is held.
ASKS = """
import json
from django.utils import timezone
from domains.models import Mailbox
from policies.models import HeldLetter, Question
key = Mailbox.objects.get(address="bo@rossi.example").key
letter = HeldLetter.objects.create(host="primary", direction="out", key=key, name="{name}", arrived=timezone.now(),
    station="out-2", reason="stranger")
Question.objects.create(letter=letter, address="{name}@outside.example")
print(json.dumps(letter.pk))
"""
TOLD = """
import json
from policies.models import Notice
print(json.dumps(list(Notice.objects.values_list("to", "digest"))))
"""
FORGET = """
import json
from policies.models import HeldLetter, Notice
print(json.dumps([HeldLetter.objects.all().delete()[0], Notice.objects.all().delete()[0]]))
"""


def found(server: Server) -> int:
    """How often Ada was told."""
    return server.subjects(ADA).count(SUBJECT)


def test_a_parent_is_told_in_her_mailbox_and_after_an_outage_too(server: Server):
    before = found(server)
    try:
        server.ask(ASKS.format(name="friend"))
        wait_for(lambda: found(server) == before + 1, "the letter to Ada", 40)
        assert server.ask(TOLD) == [[ADA, False]]
        server.control("stop", "postfix")
        server.ask(ASKS.format(name="pen-pal"))
        log = server.var / "log" / "worker.log"
        wait_for(lambda: "Nobody was told of what waits" in log.read_text(), "a try in vain", 40)
        assert server.ask(TOLD) == [[ADA, False]]
        server.control("start", "postfix")
        wait_for(lambda: found(server) == before + 2, "the second letter to Ada", 60)
        assert server.ask(TOLD) == [[ADA, False]] * 2
    finally:
        server.control("start", "postfix")
        server.ask(FORGET)
