"""The commands of a running installation."""

import json
from pathlib import Path

import pytest

from tests.host.machine import wait_for
from tests.system.server import Server

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


def test_every_command_has_help_with_an_example(server: Server):
    for command in ("load", "dump", "render", "apply", "example", "doctor"):
        assert "Example: manage.py" in " ".join(server.manage(command, "--help").split()), command
