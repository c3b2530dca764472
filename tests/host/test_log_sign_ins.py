"""What Dovecot and Postfix really say when somebody cannot sign in is understood, and no more than that."""

import base64
import contextlib
import imaplib
import poplib
import smtplib
import ssl
from collections import Counter
from datetime import UTC, datetime

import pytest

from reports.logfile import machine_zone
from reports.parse import Clock, Failed, events
from reports.signins import failures
from tests.host.family import ANNA, EMMA, HOME, settle
from tests.host.letters import WORD
from tests.host.machine import MailHost, wait_for

pytestmark = pytest.mark.daemons
FORGED = f"x>, method=PLAIN, rip=1.2.3.4, user=<{EMMA}"
FORGED_TOO = f"{EMMA}>, method=PLAIN, rip=1.2.3.4, lip=1.2.3.4, TLS, session=<x>"
CONTEXT = ssl.create_default_context()
CONTEXT.check_hostname, CONTEXT.verify_mode = False, ssl.CERT_NONE


def by_imap(host: MailHost, name: str, password: str, times: int = 1) -> None:
    with imaplib.IMAP4(host.layout.address, host.layout.imap) as client:
        client.starttls(CONTEXT)
        for _time in range(times):
            with contextlib.suppress(imaplib.IMAP4.error):
                client.authenticate("PLAIN", lambda _: f"\0{name}\0{password}".encode())


def by_pop3(host: MailHost, name: str, password: str) -> None:
    client = poplib.POP3(host.layout.address, host.layout.pop3)
    client.stls(CONTEXT)
    client.user(name)
    with contextlib.suppress(poplib.error_proto):
        client.pass_(password)
    client.close()


def by_smtp(host: MailHost, name: str, password: str) -> None:
    with smtplib.SMTP(host.layout.address, host.layout.submission, timeout=20) as client:
        client.starttls(context=CONTEXT)
        client.ehlo()
        client.docmd("AUTH", "PLAIN " + base64.b64encode(f"\0{name}\0{password}".encode()).decode())


def test_each_failure_counts_once_for_whom_it_was_tried_as(mailhost: MailHost) -> None:
    settle(mailhost, HOME)
    before, before_mail = len(mailhost.log("dovecot.log")), len(mailhost.log())
    by_imap(mailhost, ANNA, "wrong", 2)
    by_imap(mailhost, ANNA, WORD)
    by_imap(mailhost, FORGED, "wrong")
    by_imap(mailhost, FORGED_TOO, "wrong")
    by_pop3(mailhost, EMMA, "wrong")
    by_smtp(mailhost, ANNA, "wrong")
    by_smtp(mailhost, FORGED, "wrong")
    expected = {("imap", ANNA): 2, ("imap", ""): 2, ("pop3", EMMA): 1, ("smtp", ANNA): 1, ("smtp", ""): 1}

    def seen() -> dict[tuple[str, str], int]:
        zone = machine_zone()
        found = list(failures(mailhost.log("dovecot.log")[before:].encode(), zone))
        clock = Clock(datetime.now(UTC), zone)
        found += [one for one in events(mailhost.log()[before_mail:].encode(), clock) if isinstance(one, Failed)]
        assert {one.client for one in found} <= {"127.0.0.1"}
        assert all(abs((one.at - datetime.now(UTC)).total_seconds()) < 600 for one in found)
        sums: Counter[tuple[str, str]] = Counter()
        for one in found:
            sums[one.door, one.login] += one.attempts
        return dict(sums)

    wait_for(lambda: seen() == expected, "each failure, once", 60)
