"""Mail needs no panel, and neither do the rules: each part of it fails alone, then all together."""

import smtplib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.host.family import NONNA, provider, written
from tests.host.machine import wait_for
from tests.system.server import PASSWORD, Server

pytestmark = [pytest.mark.daemons, pytest.mark.timeout(300)]
BO, ADA, EVIL = "bo@rossi.example", "ada@rossi.example", "evil@example.org"
PROGRAMS = ("panel", "worker", "redis")


@contextmanager
def without(server: Server, *parts: str) -> Iterator[None]:
    """While these parts are gone."""
    database = server.var / "db"
    for program in parts:
        if program in PROGRAMS:
            server.control("stop", program)
    if "database" in parts:
        database.rename(server.var / "db.away")
    try:
        yield
    finally:
        if "database" in parts:
            (server.var / "db.away").rename(database)
        for program in ("redis", "panel", "worker"):
            if program in parts:
                server.control("start", program)


def post(server: Server, author: str, to: str) -> str:
    """Hand over a letter that its author's provider signs; the token by which it is found."""
    token, raw = written(f"From: {author}", to=to)
    letter = provider(server.layout, author.partition("@")[2])(raw)
    with smtplib.SMTP("127.0.0.1", server.layout.smtp, timeout=20) as smtp:
        smtp.sendmail(author, [to], letter)
    return token


def lies(folder: Path, pattern: str, token: str) -> int:
    """How often a letter lies in folders."""
    return sum(token.encode() in path.read_bytes() for path in folder.glob(pattern) if path.is_file())


@pytest.mark.parametrize("parts", [("panel",), ("worker",), ("redis",), ("database",), (*PROGRAMS, "database")])
def test_mail_goes_on_under_the_rules_last_applied(server: Server, parts: tuple[str, ...]) -> None:
    mail, held = server.layout.mail, server.layout.held
    with without(server, *parts):
        nonnas, evils = post(server, NONNA, BO), post(server, EVIL, BO)
        to_ada = post(server, EVIL, ADA)
        server.send(ADA, BO, f"from Mum without {' '.join(parts)}", login=(ADA, PASSWORD))
        server.arrives(BO, f"from Mum without {' '.join(parts)}")
        wait_for(lambda: lies(mail, "*/Maildir/new/*", to_ada) or lies(mail, "*/Maildir/cur/*", to_ada), "Ada's letter")
        wait_for(lambda: lies(mail, "*/Maildir/*/*", nonnas) == 1, "Nonna's letter")
        wait_for(lambda: lies(held, "*/in-5.stranger/new/*", evils) == 1, "the stranger's letter, held")
        assert lies(mail, "*/Maildir/*/*", evils) == 0
        assert server.popped(BO) >= 2
        with pytest.raises(smtplib.SMTPRecipientsRefused):
            server.send("zia@outside.example", "nobody@rossi.example", "for nobody")
