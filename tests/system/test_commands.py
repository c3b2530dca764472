"""The commands of a running installation."""

import json
import smtplib
import uuid
from pathlib import Path
from typing import Any

import pytest
from django.core.management import get_commands, load_command_class

from deploy.setup import world
from tests.host.machine import wait_for
from tests.system.server import PASSWORD, Server

pytestmark = [pytest.mark.daemons, pytest.mark.timeout(300)]


def failing(server: Server) -> list[str]:
    """The names of the doctor's checks that fail."""
    return [check["name"] for check in json.loads(server.manage("doctor", "--json", fails=True)) if not check["ok"]]


def test_the_doctor_finds_nothing_on_a_good_day(server: Server):
    assert server.manage("doctor").count("ok    ") >= 12


def test_the_doctor_names_what_is_ill(server: Server):
    server.control("stop", "redis")
    server.control("stop", "dovecot")
    try:
        wait_for(lambda: set(failing(server)) >= {"queue", "imap", "pop3"}, "the doctor to notice")
    finally:
        server.control("start", "redis")
        server.control("start", "dovecot")
    wait_for(lambda: not failing(server), "a good day", 60)


@pytest.mark.parametrize("name", ["etc/postfix/main.cf", "host/current/postfix/aliases"])
def test_the_doctor_names_a_file_that_somebody_changed(server: Server, name: str):
    path = server.var / name
    before = path.read_bytes()
    path.write_bytes(before + b"# mine\n")
    try:
        told = server.manage("doctor", fails=True)
        assert "FAILED" in told
        assert Path(name).name in told
    finally:
        path.write_bytes(before)
    wait_for(lambda: not failing(server), "a good day")


def test_apply_waits_until_it_is_live(server: Server):
    server.load(live=False)
    generation = server.state()["wished"]
    assert server.manage("apply", "--wait") == f"generation {generation} is live on primary\n"
    assert server.state()["applied"] == generation


def test_apply_of_an_unknown_host_is_one_line(server: Server):
    assert server.manage("apply", "--host", "mars", "--wait", fails=True) == "“mars” is no mail host here.\n"


def written(folder: Path) -> dict[str, bytes]:
    """Every file under a folder."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_render_writes_the_same_bytes_and_touches_nothing_else(server: Server, tmp_path: Path):
    before = server.state()
    for name in ("one", "two"):
        server.manage("render", str(tmp_path / name), "--at", "2026-12-24T20:30")
    one, two = written(tmp_path / "one"), written(tmp_path / "two")
    assert one == two
    assert "procmail/rossi.example/bo.rc" in one
    assert server.state() == before
    assert "not empty" in server.manage("render", str(tmp_path / "one"), fails=True)
    assert "isoformat" in server.manage("render", str(tmp_path / "three"), "--at", "soon", fails=True)


@pytest.mark.parametrize("command", ["load", "dump", "render", "apply", "example", "doctor", "explain"])
def test_every_command_has_help_with_an_example(command: str):
    parser = load_command_class(get_commands()[command], command).create_parser("manage.py", command)
    assert "Example: manage.py" in " ".join(parser.format_help().split())


def plain(author: str, token: str) -> bytes:
    """A letter to Bo."""
    lines = [f"From: {author}", "To: bo@rossi.example", f"Subject: {token}", f"Message-ID: <{token}@test.example>"]
    return "\r\n".join([*lines, "Date: Mon, 23 Nov 2026 10:00:00 +0000", "", "Ciao!", ""]).encode()


def signed(server: Server, author: str, token: str) -> bytes:
    """The same, as the provider signs it."""
    domain = author.partition("@")[2]
    return world.sign(plain(author, token), domain, world.read_key(server.layout.etc / "dns", domain))


def explained(server: Server, letter: bytes, *words: str) -> dict[str, Any]:
    """What the command says."""
    told: dict[str, Any] = json.loads(server.manage("explain", *words, stdin=letter.decode()))
    return told


def lies(server: Server, token: str) -> str:
    """Where Bo's letter lies: `deliver`, or station and reason."""
    found = [path for path in server.layout.mail.rglob("new/*") if token.encode() in path.read_bytes()]
    return found[0].parts[-3].replace("Maildir", "deliver") if found else ""


@pytest.mark.parametrize(
    ("author", "sign", "place"),
    [
        ("nonna.rosa@gmail.com", True, "deliver"),
        ("nonna.rosa@gmail.com", False, "in-3.unproven"),
        ("someone@example.org", True, "in-5.stranger"),
    ],
)
def test_explain_says_what_happens_when_the_letter_really_comes(server: Server, author: str, sign: bool, place: str):
    token = uuid.uuid4().hex
    letter = signed(server, author, token) if sign else plain(author, token)
    told = explained(server, letter, "--to", "bo@rossi.example", "--client", "127.0.0.1")
    assert not lies(server, token)
    with smtplib.SMTP("127.0.0.1", server.layout.smtp, timeout=20) as smtp:
        smtp.sendmail(author, ["bo@rossi.example"], letter)
    wait_for(lambda: lies(server, token), "the letter")
    assert lies(server, token) == place
    assert place == ("deliver" if told["verdict"] == "deliver" else f"{told['station']}.{told['reason']}")
    assert told["rule"] == (author if "gmail" in author else "*")
    assert told["folder"] == ("INBOX" if place == "deliver" else f".held/{key_of(server)}/{place}")
    assert told["facts"]["From"].split()[1] == author
    assert "Bo" in told["sentence"]


def key_of(server: Server) -> str:
    """The key of Bo's mailbox."""
    return str(server.ask("import json\nfrom domains.models import Mailbox\n"
                          "print(json.dumps(Mailbox.objects.get(address='bo@rossi.example').key))"))  # fmt: skip


def test_explain_of_a_letter_that_goes_out(server: Server):
    letter = b"From: bo@rossi.example\r\n\r\nCiao!\r\n"
    told = explained(server, letter, "--to", "x@elsewhere.example", "--login", "bo@rossi.example")
    assert (told["verdict"], told["station"], told["reason"]) == ("hold", "out-2", "stranger")
    told = explained(server, letter, "--to", "Ada+x@Rossi.example", "--login", "bo@rossi.example")
    assert (told["verdict"], told["folder"]) == ("deliver", "INBOX")
    with smtplib.SMTP("127.0.0.1", server.layout.submission, timeout=20) as smtp:
        smtp.login("bo@rossi.example", PASSWORD)
        assert smtp.sendmail("bo@rossi.example", ["ada@rossi.example"], letter) == {}


def test_explain_without_a_worker_is_one_line_and_status_two(server: Server):
    server.control("stop", "worker")
    try:
        told = server.manage("explain", "--to", "bo@rossi.example", stdin="From: x@example.org\n\nCiao!\n", fails=True)
    finally:
        server.control("start", "worker")
    assert told == "The worker of primary did not answer in 10 seconds: is it running?\n"


def test_explain_refuses_what_is_no_address(server: Server):
    told = server.manage("explain", "--to", "bo", stdin="From: x@example.org\n\nCiao!\n", fails=True)
    assert told == "“bo” is not an address: write it like anna@myfamily.net.\n"
