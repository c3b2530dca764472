"""A letter that waits is a row within seconds, and an answer lets it arrive within seconds, all by the worker."""

from typing import Any

import pytest

from tests.host.machine import wait_for
from tests.system.server import HOUSEHOLD, PASSWORD, Server

pytestmark = [pytest.mark.daemons, pytest.mark.timeout(300)]
CHILD = HOUSEHOLD.replace('role = "protected"', 'role = "protected"\nlevel = "starter"')
BO, ZIA = "bo@rossi.example", "zia@outside.example"
ROWS = """
import json
from policies.models import Decision, HeldLetter
rows = HeldLetter.objects.filter(state="waiting").order_by("-pk")
print(json.dumps([[row.direction, row.author, row.name] for row in rows]))
"""
ANSWER = """
import json
from accounts.wishes import wishes
from accounts.models import User
from policies.models import Answer, Contact, Question
question = Question.objects.filter(letter__state="waiting").latest("pk")
with wishes("ada@rossi.example", "a test"):
    if "{choice}" == "always":
        Contact(person=User.objects.get(address="{bo}"), address=question.address, assurance="unproven").save()
    Answer(question=question, choice="{choice}").save()
print(json.dumps(question.address))
"""
DECIDED = """
import json
from policies.models import Decision
print(json.dumps(list(Decision.objects.order_by("pk").values_list("verdict", "station", "author"))))
"""


@pytest.mark.parametrize("choice", ["once", "always"])
def test_a_strangers_letter_waits_for_an_answer_and_then_arrives(server: Server, choice: str) -> None:
    server.load(CHILD)
    sender = f"{choice}.{ZIA}"
    server.send(sender, BO, f"ciao {choice}")
    wait_for(lambda: [row for row in server.ask(ROWS) if row[1] == sender], "the row of the letter")
    assert server.ask(ANSWER.format(choice=choice, bo=BO)) == sender
    server.arrives(BO, f"ciao {choice}")
    wait_for(lambda: ["hold", "in-5", sender] in server.ask(DECIDED), "what was decided")
    if choice == "always":
        server.send(sender, BO, "the next one")
        server.arrives(BO, "the next one")


def test_a_childs_letter_to_a_stranger_waits_and_then_goes(server: Server) -> None:
    server.load(CHILD)
    before = server.ask(ROWS)  # what other tests sent
    server.send(BO, "stranger@outside.example", "ciao", (BO, PASSWORD))

    def new() -> list[Any]:
        return [row for row in server.ask(ROWS) if row[0] == "out" and row not in before]

    (row,) = wait_for(new, "the row of the letter")
    log = server.layout.mail_log
    assert f"{row[2]}: from=<" not in log.read_text()
    server.ask(ANSWER.format(choice="once", bo=BO))
    wait_for(lambda: f"{row[2]}: from=<{BO}>" in log.read_text(), "Postfix to take it up", 8)
