"""A report comes into its reader's mailbox, once: drawn beside the worker, taken by the real mail host."""

import email.policy
import imaplib
from email.message import EmailMessage
from email.parser import BytesParser

import pytest

from tests.host.machine import wait_for
from tests.system.server import PASSWORD, Server

pytestmark = [pytest.mark.daemons, pytest.mark.timeout(300)]
ADA = "ada@rossi.example"
SUBJECT = "Letters of Rossi"
ASK = """
import json
from datetime import date
from accounts.models import User
from mailadmin.celery import app, queue
from reports.models import ReportSchedule
ada = User.objects.get(address="ada@rossi.example")
ReportSchedule.objects.all().delete()
ReportSchedule.objects.create(
    reader=ada, community=ada.communities.get(), mode="names", every="week", sent=date(2026, 1, 4))
for twice in range(2):
    app.send_task("reports.send", ("primary",), queue=queue("primary"))
print(json.dumps(None))
"""
DONE = """
import json
from reports.models import AccessEntry, ReportSchedule
row = ReportSchedule.objects.get()
looks = AccessEntry.objects.filter(who=row.reader.address, person__address="bo@rossi.example").count()
print(json.dumps([str(row.sent) > "2026-01-04", row.tried is None, looks]))
"""
FORGET = "from reports.models import ReportSchedule; print(ReportSchedule.objects.all().delete()[0])"


def letter(server: Server) -> EmailMessage:
    """The newest letter in Ada's mailbox."""
    with imaplib.IMAP4("127.0.0.1", server.layout.imap, timeout=20) as imap:
        imap.login(ADA, PASSWORD)
        imap.select(readonly=True)
        (text,) = [part[1] for part in imap.fetch("*", "(BODY.PEEK[])")[1] if isinstance(part, tuple)]
    return BytesParser(policy=email.policy.default).parsebytes(text)


def test_a_report_comes_into_its_readers_mailbox_once(server: Server) -> None:
    server.ask(ASK)
    wait_for(lambda: any(one.startswith(SUBJECT) for one in server.subjects(ADA)), "the report to Ada", 60)
    wait_for(lambda: server.ask(DONE) == [True, True, 1], "its row", 20)
    assert server.ask(FORGET) == 1
    found = letter(server)
    assert found["Auto-Submitted"] == "auto-generated"
    (attached,) = found.iter_attachments()
    assert attached.get_content().startswith(b"%PDF-")
    assert sum(one.startswith(SUBJECT) for one in server.subjects(ADA)) == 1
    assert "weasyprint" not in (server.var / "log" / "worker.log").read_text().lower()
