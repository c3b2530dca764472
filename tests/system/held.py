"""Rows of letters that wait, in the database of a running server. They lie on a host that is not there, so that no
agent looks for their files."""

import json
from typing import Any

from tests.system.server import PASSWORD, Server

FAMILY = f"""
[[community]]
name = "Rossi"
domains = ["rossi.example"]
[[person]]
address = "ada@rossi.example"
name = "Ada"
password = "{PASSWORD}"
[[person.membership]]
community = "Rossi"
role = "guardian"
[[person]]
address = "ugo@rossi.example"
name = "Ugo"
administrator = true
password = "{PASSWORD}"
[[person.membership]]
community = "Rossi"
role = "guardian"
[[person]]
address = "bo@rossi.example"
name = "Bo"
password = "{PASSWORD}"
[[person.membership]]
community = "Rossi"
role = "protected"
level = "starter"
[[person.membership.override]]
hours = "always"
until = 2199-12-31
[[person.contact]]
address = "nonna.rosa@gmail.com"
name = "Nonna Rosa"
[[mailbox]]
address = "ada@rossi.example"
[[mailbox]]
address = "ugo@rossi.example"
[[mailbox]]
address = "bo@rossi.example"
"""
WRITE = """
import json, sys
from django.utils import timezone
from domains.models import Mailbox
from policies.models import HeldLetter, Question
facts = json.loads({facts!r})
like, addresses = facts.pop("like"), facts.pop("addresses")
key = Mailbox.objects.get(address="bo@rossi.example").key
name = f"{{facts['station']}}.{{facts['reason']}}/new/{{HeldLetter.objects.count()}}"
letter = HeldLetter.objects.create(host="elsewhere", key=key, name=name, arrived=timezone.now(), **facts)
found = [Question.objects.create(letter=letter, address=address, like=like).pk for address in addresses]
print(json.dumps([letter.pk, *found]))
"""
CLEAR = """
from accounts.wishes import wishes
from policies.models import Answer, HeldLetter
with wishes("test", "test"):
    for row in Answer.objects.filter(question__letter__host="elsewhere"):
        row.delete()
print(HeldLetter.objects.filter(host="elsewhere").delete()[0])
"""


def family_of(server: Server) -> None:
    """Ada, Ugo and their child Bo, for whom nothing waits."""
    server.load(FAMILY)
    server.ask(CLEAR)


def hold(server: Server, address: str, like: str = "", **facts: Any) -> tuple[int, int]:
    """A letter to Bo that waits, from this address; the numbers of the letter and of its question."""
    usual: dict[str, Any] = {"direction": "in", "station": "in-5", "reason": "stranger", "author": address}
    usual |= {
        "sender": address,
        "facts": {"From": f"pass {address} dmarc", "List": "none"},
        "recipients": ["bo@rossi.example"],
    }
    usual |= {"called": "Zia", "subject": "Auguri", "excerpt": "Quanti anni compi?", "size": 1000}
    row = {**usual, "like": like, "addresses": [address], **facts}
    letter, question = server.ask(WRITE.format(facts=json.dumps(row)))
    return letter, question
