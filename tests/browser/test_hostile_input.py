"""Strangers' words in the log, in the queue and in rules are text on every page that shows them: nothing runs."""

import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import DESKTOP, PHONE
from tests.browser.test_child_list import ADA, watched
from tests.browser.test_pages_access import SMALL, wrong
from tests.system.server import HOUSEHOLD, Server

pytestmark = [pytest.mark.daemons, pytest.mark.browser, pytest.mark.timeout(300)]
BO = "bo@rossi.example"
RUNS = "<script>window.owned=1</script>"
IMG = '\\"><img/src=x/onerror=window.owned=1>'
TURNED = "\u202egpj.exe\u2066"
RULE = f"""
[[mailbox.rule]]
match = "all"
when = [{{ field = "subject", op = "contains", value = "{RUNS}" }}]
then = [{{ action = "file", folder = "<img src=x onerror=owned=1>" }}]
"""
READ = """
import json
from datetime import timedelta
from pathlib import Path
from django.utils import timezone
from deploy.models import HostRequest, MailHost
from domains.models import Mailbox
from accounts.models import User
from reports.ingest import follow
from reports.models import Delivery, Letter
now = timezone.now()
while follow("hostile", Path({path!r}), now):
    pass
strange = {strange!r}
letter = {{"queue_id": "4jXVLL50s7zJb20", "count": 1, "queue": "deferred", "arrived": int(now.timestamp()), "size": 9,
          "sender": strange, "due": None, "recipients": [{{"address": f"{{strange}}@{{strange}}", "reason": strange}}]}}
asked = HostRequest.objects.create(
    host=MailHost.objects.get(), verb="queue-list", author={ada!r}, asked=now, expires=now + timedelta(hours=1),
    state="done", answer={{"all": 1, "letters": [letter]}})
print(json.dumps([User.objects.get(address={ada!r}).pk, asked.pk, Mailbox.objects.get(address={bo!r}).pk,
                  Delivery.objects.filter(host="hostile").count()]))
"""


def hostile_log(path: Path) -> None:
    """Two letters to and one from Ada, of people and hosts that write what they like, and lines that are none."""
    at = datetime.now().strftime("%b %e %H:%M:%S")  # noqa: DTZ005  the log has the machine's own time
    to = f'"{RUNS}{TURNED}"@evil.example'

    def line(process: str, text: str) -> bytes:
        return f"{at} mx postfix/{process}[7]: {text}\n".encode()

    def letter(number: int, sender: str, recipient: str, relay: str, login: str = "", status: str = "sent") -> bytes:
        name = f"4jXVLL50s7zJb{number:02}"
        door = f", sasl_method=PLAIN, sasl_username={login}" * bool(login)
        agent = "pipe" if relay == "procmail" else "smtp"
        tail = f"delay=3.2, delays=0/0/0/1, dsn=5.0.0, status={status} (said: 550 {RUNS}{TURNED}"
        return b"".join(
            [
                line("smtpd", f"{name}: client={IMG}[192.0.2.1]{door}"),
                line("cleanup", f"{name}: message-id=<'onload=window.owned=1@{TURNED}x>"),
                line("qmgr", f"{name}: from=<{sender}>, size=9, nrcpt=1 (queue active)"),
                line(agent, f"{name}: to=<{recipient}>, relay={relay}, {tail}").replace(b"550 ", b"550 \xff\xfe\x00"),
                line("qmgr", f"{name}: removed"),
            ]
        )

    path.write_bytes(
        letter(11, f'"{RUNS}"@{TURNED}.example', ADA, "procmail")
        + letter(12, f'"{IMG}"@evil.example', ADA, "procmail")
        + letter(13, ADA, to, f"{IMG}{TURNED}[192.0.2.9]:25", ADA, "bounced")
        + line("smtpd", f"{RUNS}: client=x[192.0.2.1], sasl_method=PLAIN, sasl_username={ADA}")
        + line("smtp", f"{IMG}: to=<{to}>, relay=x, delay=1, delays=0, dsn=2.0.0, status=sent (x)")
    )


def test_nothing_that_strangers_write_runs(
    server: Server, visit: Callable[..., Page], shot: Callable[..., None], tmp_path: Path
) -> None:
    server.load(HOUSEHOLD + RULE)  # the last mailbox is Bo's
    log = tmp_path / "mail.log"
    hostile_log(log)
    strange = f"{RUNS}{IMG}{TURNED}"
    ada, asked, box, rows = server.ask(READ.format(path=str(log), strange=strange, ada=ADA, bo=BO))
    assert rows == 3
    page = visit(ADA, size=PHONE, reduced_motion="reduce")
    wrongs = watched(page)
    places = {
        f"/reports/person/{ada}/": "gpj.exe",
        f"/reports/person/{ada}/letters/?what=received&range=7d": RUNS,
        f"/reports/person/{ada}/letters/?what=sent&range=7d": RUNS,
        f"/reports/person/{ada}/letters/?what=came&range=7d&domain={strange}": "gpj.exe",
        "/reports/trace/": RUNS,
        f"/reports/trace/?q={strange}": RUNS,
        f"/reports/queue/{asked}/": RUNS,
        f"/rules/{box}/": RUNS,
    }
    for place, seen in places.items():
        answer = page.goto(place, wait_until="networkidle")
        assert answer
        assert answer.status == 200, place
        page.locator("main details:not([open]) > summary").evaluate_all("all => all.forEach(one => one.click())")
        shot(page, f"hostile{place.partition('?')[0].replace('/', '-')}{len(place)}")
        text = page.locator("main").inner_text()
        assert seen in text, (place, text)
        assert not {"\u202e", "\u2066"} & set(text), (place, json.dumps(text))
        assert page.evaluate("window.owned === undefined && !document.querySelector('main :is(script[src], img)')"), (
            place
        )
    for size in (PHONE, DESKTOP):
        page.set_viewport_size(size)
        for kind in ("what=received&range=7d", "what=sent&since=2026-01-01&until=2026-02-01"):
            page.goto(f"/reports/person/{ada}/letters/?{kind}", wait_until="networkidle")
            shot(page, f"rows-{kind[5:9]}-{size['width']}")
            assert [*wrong(page), *page.evaluate(SMALL)] == []
    assert not wrongs
