"""Rules of Ada and Bo in the database of a running server."""

from tests.system.held import FAMILY
from tests.system.server import Server

RULES = "".join(
    f"""
[[mailbox.rule]]
match = "all"
when = [{{ field = "subject", op = "contains", value = "{name.lower()}" }}]
then = [{{ action = "file", folder = "{name}" }}]
"""
    for name in ("Alfa", "Beta", "Gamma")
)
MAILBOX = '[[mailbox]]\naddress = "ada@rossi.example"\n'
WITH_RULES = FAMILY.replace(MAILBOX, MAILBOX + RULES)
ORDER = """
import json
from policies.models import FilterRule
rows = FilterRule.objects.filter(mailbox__address="ada@rossi.example").order_by("position")
print(json.dumps([[row.match, row.when, row.then, row.active] for row in rows]))
"""


def rules_of(server: Server) -> list[list[object]]:
    """Ada's rules: match, conditions, actions, whether on."""
    found: list[list[object]] = server.ask(ORDER)
    return found


def order(server: Server) -> str:
    """The folders of Ada's rules, by their first letters."""
    return "".join(row[2][0]["folder"][0] for row in rules_of(server))  # type: ignore[index]


def number_of(server: Server, address: str = "ada@rossi.example") -> int:
    """A mailbox's number."""
    code = f"from domains.models import Mailbox\nprint(Mailbox.objects.get(address='{address}').pk)"
    return int(server.ask(code))
