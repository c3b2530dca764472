"""Letters that wait, as the mail host's agent writes them into the database."""

from datetime import timedelta
from itertools import count
from typing import Any

from django.utils import timezone

from domains.models import Mailbox
from policies.models import HeldLetter, Question

NUMBERS = count(1)
STRANGER = "zia.carla@gmail.com"


def held(
    mailbox: Mailbox,
    *addresses: str,
    fact: str = "pass {} dmarc",
    like: str = "",
    minutes: int = 5,
    **facts: Any,
) -> HeldLetter:
    """A letter that waits in a mailbox, with a question about each address; one that comes in, unless it says `out`."""
    author = addresses[0] if addresses else ""
    shown = {"From": fact.format(author), "Reply-To": "none", "Links": "0", "Attachments": "none", "List": "none"}
    usual: dict[str, Any] = {
        "direction": "in",
        "station": "in-5",
        "reason": "stranger",
        "author": author,
        "sender": author,
        "called": "Zia Carla",
        "recipients": [mailbox.address],
        "subject": "Tanti auguri",
        "excerpt": "Cara Emma,\nquanti anni compi domenica?",
        "facts": {**shown, "Auto": "no", "Spam": "ham 0.1", "Subject": "Tanti auguri", **facts.pop("facts", {})},
        "size": 2048,
    }
    number = next(NUMBERS)
    usual |= facts
    name = f"{usual['station']}.{usual['reason']}/new/{number}.mail"
    arrived = timezone.now() - timedelta(minutes=minutes)
    letter = HeldLetter(host="primary", key=mailbox.key, name=name, arrived=arrived, queue_id=f"4XYZ{number}", **usual)
    letter.save()
    for address in () if letter.silent else addresses or ("",):
        Question(letter=letter, address=address, like=like).save()
    return letter


def asked_out(mailbox: Mailbox, *addresses: str, **facts: Any) -> HeldLetter:
    """A letter of the mailbox's person that asks whether it may go to these addresses."""
    usual = {"login": mailbox.address, "sender": mailbox.address, "recipients": list(addresses), "called": ""}
    usual |= {"author": mailbox.address, "subject": "Ciao", "excerpt": "Vieni sabato?", "station": "out-2"}
    return held(mailbox, *addresses, direction="out", **{**usual, **facts})
