"""People who are away, and letters that come in meanwhile: for the tests of the answers."""

import os
import re
import time
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from accounts.wishes import wishes
from deploy.services import vacations
from domains.models import Mailbox
from policies.models import Reply, Vacation
from tests.host.family import ANNA, KEYS, NONNA, fate, let_in, provider, written
from tests.host.machine import MailHost, wait_for
from tests.host.waiting import Home

FRIEND = "friend@example.org"
DAY = timedelta(days=1)


def empty(host: MailHost) -> None:
    """Nothing waits in the queue, and nothing is laid aside."""
    host.run("postsuper", "-c", str(host.layout.postfix), "-d", "ALL")
    for path in host.layout.away.glob("*/new/*"):
        path.unlink()


def leave(home: Home, who: str = ANNA, **changes: Any) -> Vacation:
    """Somebody is away today, and it is live."""
    today = datetime.now(ZoneInfo("UTC")).date()
    said = {"text": "Torno lunedì.", "first": today - DAY, "last": today + DAY, **changes}
    with wishes(who, "a test"):
        row = Vacation(mailbox=Mailbox.objects.get(address=who), **said)
        row.save()
    home.settle()
    return row


def aside(home: Home, who: str = ANNA) -> list[Path]:
    """The heads that wait for somebody."""
    return list((home.host.layout.away / KEYS[who] / "new").glob("*"))


def comes(
    home: Home, author: str = NONNA, *more: str, to: str = ANNA, sender: str | None = None, rcpt: str = ""
) -> str:
    """A proven letter comes in at the door for the world; its token, once it lies in the inbox."""
    token, raw = written(f"From: A Friend <{author}>", *more, to=to)
    signed = provider(home.host.layout, author.partition("@")[2])(raw)
    let_in(home.host, signed, author if sender is None else sender, to=(rcpt or ANNA,))
    assert fate(home.host, token, rcpt or ANNA) == "deliver"
    return token


def tell(home: Home, now: datetime | None = None) -> list[str]:
    """What the worker does every five seconds; whom it has told by now."""
    vacations.tell("primary", now or datetime.now(UTC))
    return list(Reply.objects.order_by("pk").values_list("to", flat=True))


def sent_to(home: Home, address: str) -> list[str]:
    """The queue ids of letters from nobody to an address, by the log of this test's letters."""
    ids = re.findall(r"\]: (\w+): from=<>, size=\d+, nrcpt=1 \(queue active\)", home.host.log())
    return [one for one in dict.fromkeys(ids) if f"{one}: to=<{address}>" in home.host.log()]


def answers_to(home: Home, address: str, before: int = 0) -> list[str]:
    """Answers to somebody outside, as they wait in the queue."""
    ids = wait_for(lambda: sent_to(home, address)[before:], "the answer")
    words = ("postcat", "-c", str(home.host.layout.postfix), "-q")
    return [home.host.run(*words, one).stdout.decode() for one in ids]


def plant(home: Home, data: bytes, key: str = KEYS[ANNA], age: float = 0) -> Path:
    """Lay something where the dispatcher lays heads."""
    folder = home.host.layout.away / key / "new"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"1.{uuid.uuid4().hex}.x"
    path.write_bytes(data)
    os.utime(path, (time.time() - age,) * 2)
    return path
