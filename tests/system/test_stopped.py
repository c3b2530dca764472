"""Mail needs no panel."""

import smtplib

import pytest

from tests.system.server import PASSWORD, Server

pytestmark = [pytest.mark.daemons, pytest.mark.timeout(300)]


def test_mail_arrives_and_is_read_with_panel_worker_queue_and_database_gone(server: Server):
    database = server.var / "db"
    for program in ("panel", "worker", "redis"):
        server.control("stop", program)
    database.rename(server.var / "db.away")
    try:
        server.send("zia@outside.example", "bo@rossi.example", "from outside")
        server.send("ada@rossi.example", "bo@rossi.example", "from Mum", login=("ada@rossi.example", PASSWORD))
        server.arrives("bo@rossi.example", "from outside")
        server.arrives("bo@rossi.example", "from Mum")
        assert server.popped("bo@rossi.example") >= 2
        with pytest.raises(smtplib.SMTPRecipientsRefused):
            server.send("zia@outside.example", "nobody@rossi.example", "for nobody")
    finally:
        (server.var / "db.away").rename(database)
        for program in ("redis", "panel", "worker"):
            server.control("start", program)
