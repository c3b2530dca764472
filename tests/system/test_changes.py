"""Going back and pausing with a real host: letters come back with their mailbox, and a pause opens nothing again."""

import imaplib
import json
import poplib
import re
import smtplib
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.host.letters import ended
from tests.host.machine import wait_for
from tests.system.panel import Panel
from tests.system.server import HOUSEHOLD, PASSWORD, Server

pytestmark = [pytest.mark.daemons, pytest.mark.timeout(400)]
BO = "bo@rossi.example"
NEW = "un gatto sul tetto blu"
KEPT = """
import json
from deploy.models import Release
print(json.dumps([one.pk if one.dump else 0 for one in Release.objects.exclude(author="")[:1]]))
"""
KEY = f"""
import json
from domains.models import Mailbox
print(json.dumps(Mailbox.objects.filter(address="{BO}").values_list("key", flat=True).first()))
"""
PASSWORD_OF_BO = f"""
from accounts.models import User
from accounts.services import set_password
from accounts.wishes import wishes
with wishes("a test", "test"):
    set_password(User.objects.get(address="{BO}"), "{NEW}")
print(1)
"""
SUSPEND = f"""
from accounts.wishes import wishes
from domains.models import Mailbox
box = Mailbox.objects.get(address="{BO}")
box.active = False
with wishes("a test", "test"):
    box.save()
print(1)
"""
HOST = """
import json
from deploy.models import MailHost
print(json.dumps(MailHost.objects.get().pk))
"""
UNPAUSE = """
from deploy.models import MailHost
print(MailHost.objects.update(paused=None))
"""


@pytest.fixture
def unpaused(server: Server) -> Iterator[Server]:
    """No test leaves the host paused."""
    yield server
    server.ask(UNPAUSE)


def kept(server: Server) -> int:
    """The newest release, once its wishes are kept."""
    return int(wait_for(lambda: server.ask(KEPT)[0], "the newest wishes to be kept", 60))


def live(server: Server) -> dict[str, Any]:
    """Wait until the newest wishes are live."""

    def newest() -> "dict[str, Any] | None":
        state = server.state()
        return state if state["wished"] == state["applied"] else None

    found: dict[str, Any] = wait_for(newest, "the newest wishes", 60)
    return found


def imap(server: Server) -> None:
    """Sign in over IMAP."""
    with imaplib.IMAP4("127.0.0.1", server.layout.imap, timeout=20) as door:
        door.login(BO, PASSWORD)


def pop(server: Server) -> None:
    """Sign in over POP3."""
    server.popped(BO)


def submission(server: Server) -> None:
    """Sign in over submission."""
    with smtplib.SMTP("127.0.0.1", server.layout.submission, timeout=20) as door:
        door.login(BO, PASSWORD)


DOORS: dict[str, Callable[[Server], None]] = {"imap": imap, "pop": pop, "submission": submission}


def refused(server: Server, door: str) -> bool:
    """Whether a door lets Bo in no more."""
    try:
        DOORS[door](server)
    except (imaplib.IMAP4.error, poplib.error_proto, smtplib.SMTPAuthenticationError):
        return True
    return False


def test_a_deleted_mailbox_comes_back_with_its_key_and_its_letters(server: Server):
    server.load(HOUSEHOLD)
    panel = Panel(server).sign_in()
    server.send("ada@rossi.example", BO, "before it was deleted", ("ada@rossi.example", PASSWORD))
    server.arrives(BO, "before it was deleted")
    key, then = server.ask(KEY), kept(server)
    server.load(HOUSEHOLD.partition('[[person]]\naddress = "bo@')[0] + '[[mailbox]]\naddress = "ada@rossi.example"\n')
    assert server.ask(KEY) is None
    assert refused(server, "imap")
    page = panel.get(f"/changes/{then}/undo/").text
    shown = re.search(r'name="generation" value="(\d+)"', page)
    assert shown
    assert "Ada added the mailbox bo@rossi.example." in page
    answer = panel.post(f"/changes/{then}/undo/", generation=shown[1])
    assert "It is as it was then." in answer.text
    live(server)
    assert server.ask(KEY) == key
    assert refused(server, "imap")  # the old password opens nothing
    server.ask(PASSWORD_OF_BO)
    live(server)
    assert "before it was deleted" in server.subjects(BO, NEW)


def test_a_suspension_goes_through_a_pause_within_seconds(unpaused: Server):
    server = unpaused
    server.load(HOUSEHOLD)
    panel, host = Panel(server).sign_in(), server.ask(HOST)
    for door in DOORS:
        assert not refused(server, door)
    assert panel.post(f"/changes/hosts/{host}/pause/", reason="a test").status == 200
    session = imaplib.IMAP4("127.0.0.1", server.layout.imap, timeout=20)
    session.login(BO, PASSWORD)
    applied = server.state()["applied"]
    began = time.monotonic()
    server.ask(SUSPEND)
    for door in DOORS:
        wait_for(lambda door=door: refused(server, door), f"{door} to be closed", 30)  # type: ignore[misc]
    print(f"closed after {time.monotonic() - began:.1f} s")
    wait_for(lambda: ended(session), "the end of the open session", 30)
    session.shutdown()
    assert server.state()["applied"] == applied
    assert "paused by Ada" in panel.get(f"/state/{server.state()['wished']}/").text
    resumed = panel.post(f"/changes/hosts/{host}/pause/", reason="x")
    assert resumed.status == 422


def test_a_new_address_waits_while_paused_and_goes_out_when_it_goes_on(unpaused: Server):
    server = unpaused
    server.load(HOUSEHOLD)
    panel, host = Panel(server).sign_in(), server.ask(HOST)
    panel.post(f"/changes/hosts/{host}/pause/", reason="a test")
    server.load(HOUSEHOLD + '[[alias]]\naddress = "nuova@rossi.example"\nto = ["ada@rossi.example"]\n', live=False)
    wished = server.state()["wished"]
    wait_for(lambda: heeded(server) >= wished, "the paused host to have looked", 60)
    with pytest.raises(smtplib.SMTPRecipientsRefused):
        server.send(BO, "nuova@rossi.example", "too early", (BO, PASSWORD))
    assert server.state()["applied"] < wished
    resume(panel, host)
    live(server)
    server.send(BO, "nuova@rossi.example", "in time", (BO, PASSWORD))
    server.arrives("ada@rossi.example", "in time")


def heeded(server: Server) -> int:
    """The generation whose denials are live."""
    ask = "import json\nfrom deploy.models import MailHost\nprint(json.dumps(MailHost.objects.get().heeded))"
    return int(json.loads(server.execute(ask)))


def resume(panel: Panel, host: int) -> None:
    """Press the button of the list."""
    found = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', panel.get("/changes/").text)
    assert found
    data = urllib.parse.urlencode({"csrfmiddlewaretoken": found[1]}).encode()
    url = f"{panel.server.url}/changes/hosts/{host}/resume/"
    assert panel.open(urllib.request.Request(url, data)).status == 200  # noqa: S310  loopback
