"""The whole of Mailadmin, started as a person starts it, in a folder and on ports of its own."""

import imaplib
import json
import os
import poplib
import signal
import smtplib
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from deploy.host.layout import Layout
from tests.host.machine import CHECKOUT, free_base, temporary_var, wait_for
from tests.postgresql import database_of_its_own

GREETING = "Mailadmin is running"
SILENT = "this worker ends, to be started anew"
# A process of the project that stays: runs what a line of JSON says, and answers with what that printed and raised.
CONSOLE = """
import contextlib, io, json, os, sys, traceback
import django
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mailadmin.settings")
django.setup()
from django.db import connections
for line in sys.stdin:
    printed, error = io.StringIO(), ""
    try:
        with contextlib.redirect_stdout(printed):
            exec(json.loads(line), {"__name__": "console"})
    except BaseException:
        error = traceback.format_exc()
    connections.close_all()
    print(json.dumps([printed.getvalue(), error]), flush=True)
"""
LOAD = """
from policies.household import load
load(HOUSEHOLD, "command line", prune=True)
"""
PASSWORD = "la casa sul mare"
HOUSEHOLD = f"""
[[community]]
name = "Rossi"
domains = ["rossi.example"]
[[person]]
address = "ada@rossi.example"
name = "Ada"
administrator = true
password = "{PASSWORD}"
[[person.membership]]
community = "Rossi"
role = "guardian"
[[person]]
address = "bo@rossi.example"
name = "Bo"
password = "{PASSWORD}"
[[person.membership]]
community = "Rossi"
role = "protected"
[[person.membership.override]]
hours = "always"
until = 2199-12-31
[[person.contact]]
address = "nonna.rosa@gmail.com"
[[mailbox]]
address = "ada@rossi.example"
[[mailbox]]
address = "bo@rossi.example"
"""


@dataclass
class Server:
    """A running server and its doors."""

    var: Path
    base: int
    process: "subprocess.Popen[str]"
    environment: dict[str, str]
    said: list[str] = field(default_factory=list)
    console: "subprocess.Popen[str] | None" = None

    @property
    def url(self) -> str:
        """Where the panel is."""
        return f"http://127.0.0.1:{8000 + self.base}"

    @property
    def layout(self) -> Layout:
        """Where the mail host is."""
        return Layout.read(self.var / "etc" / "host.json")

    def manage(self, *words: str, stdin: str = "", fails: bool = False) -> str:
        """Run a command of manage.py; what it printed."""
        done = subprocess.run(
            [sys.executable, str(CHECKOUT / "manage.py"), *words],
            input=stdin, capture_output=True, text=True, check=False, env=self.environment, timeout=90,
        )  # fmt: skip
        assert fails or not done.returncode, done.stdout + done.stderr
        return done.stdout + (done.stderr if fails else "")

    def load(self, text: str = HOUSEHOLD, *, live: bool = True) -> None:
        """Make a household file's wishes, and no others, so; wait until they are live, longer on a busy machine."""
        self.execute(f"HOUSEHOLD = {text!r}{LOAD}")
        if live:
            wait = "from django.core.management import call_command\ncall_command('apply', wait=True)"
            for tries_left in (2, 1, 0):
                try:
                    self.execute(wait)
                    break
                except AssertionError:
                    if not tries_left:
                        raise

    def ask(self, code: str) -> Any:
        """Run Python in the project; it prints JSON."""
        return json.loads(self.execute(code))

    def execute(self, code: str) -> str:
        """Run Python in the project; what it printed."""
        if self.console is None:
            self.console = subprocess.Popen(
                [sys.executable, "-c", CONSOLE], cwd=CHECKOUT, env=self.environment, text=True,
                stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            )  # fmt: skip
        assert self.console.stdin
        assert self.console.stdout
        self.console.stdin.write(json.dumps(code) + "\n")
        self.console.stdin.flush()
        printed, error = json.loads(self.console.stdout.readline())
        assert not error, error
        return str(printed)

    def state(self) -> dict[str, Any]:
        """The generation wished, the one applied, and the releases made, oldest first."""
        answer: dict[str, Any] = self.ask(
            "import json\nfrom deploy.models import MailHost, Release\nfrom accounts.models import Wishes\n"
            "h = MailHost.objects.get()\n"
            "r = list(Release.objects.order_by('pk').values_list('generation', 'status', 'started', 'ended'))\n"
            "print(json.dumps([Wishes.current(), h.applied, h.error, r], default=str))"
        )
        return dict(zip(("wished", "applied", "error", "releases"), answer, strict=True))

    def control(self, *words: str) -> str:
        """Ask the process runner."""
        config = str(self.var / "etc" / "supervisord.conf")
        args = [sys.executable, "-m", "supervisor.supervisorctl", "-c", config, *words]
        return subprocess.run(args, capture_output=True, text=True, check=False, timeout=60).stdout

    def pid(self, program: str) -> int:
        """The process of a program, 0 while it has none."""
        found = self.control("pid", program).strip()
        return int(found) if found.isdigit() else 0

    def running(self) -> set[str]:
        """Which programs are up."""
        return {line.split()[0] for line in self.control("status").splitlines() if "RUNNING" in line}

    def kill(self, program: str, number: int = signal.SIGKILL) -> int:
        """Send a program a signal; its process id."""
        pid = self.pid(program)
        assert pid
        os.kill(pid, number)
        return pid

    def send(self, sender: str, recipient: str, subject: str, login: tuple[str, str] | None = None) -> None:
        """Send a letter: with a login by submission, else as a stranger."""
        letter = EmailMessage()
        letter["From"], letter["To"], letter["Subject"] = sender, recipient, subject
        letter.set_content("Ciao!\n")
        port = self.layout.submission if login else self.layout.smtp
        with smtplib.SMTP("127.0.0.1", port, timeout=20) as smtp:
            if login:
                smtp.login(*login)
            smtp.send_message(letter)

    def subjects(self, address: str, password: str = PASSWORD) -> list[str]:
        """The subjects of a mailbox's letters over IMAP."""
        with imaplib.IMAP4("127.0.0.1", self.layout.imap, timeout=20) as imap:
            imap.login(address, password)
            if imap.select(readonly=True)[1] == [b"0"]:
                return []
            parts = imap.fetch("1:*", "(BODY.PEEK[HEADER.FIELDS (SUBJECT)])")[1]
        return [part[1].decode().partition(":")[2].strip() for part in parts if isinstance(part, tuple)]

    def popped(self, address: str, password: str = PASSWORD) -> int:
        """How many letters POP3 has for a mailbox."""
        pop = poplib.POP3("127.0.0.1", self.layout.pop3, timeout=20)
        try:
            pop.user(address)
            pop.pass_(password)
            return pop.stat()[0]
        finally:
            pop.close()

    def arrives(self, address: str, subject: str, password: str = PASSWORD) -> None:
        """Wait until a letter can be read."""
        wait_for(lambda: subject in self.subjects(address, password), f"“{subject}” at {address}")


@contextmanager
def started_server(
    *words: str, beside: Callable[[Path], AbstractContextManager[None]] | None = None
) -> Iterator[Server]:
    """A server without the example household, up and live; gone afterwards, with every process.

    `beside`: what is so from before it starts until after its end, in its folder.
    """
    with temporary_var() as var, (beside or nullcontext)(var), database_of_its_own() as database:
        base = free_base()
        own = {"MAILADMIN_VAR": str(var), "MAILADMIN_PORT_BASE": str(base), "PYTHONWARNINGS": "default", **database}
        own["MAILADMIN_PATIENCE"] = os.environ.get("MAILADMIN_PATIENCE", "40")  # or a load waits in vain
        environment = {**os.environ, **own}
        args = [sys.executable, "-m", "deploy.setup.server", *(words or ("--empty",))]
        process = subprocess.Popen(
            args, cwd=CHECKOUT, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        server = Server(var, base, process, environment)
        listener = threading.Thread(target=listen, args=(server,), daemon=True)
        listener.start()
        try:
            wait_for(lambda: up(server), "the server", 300)
            yield server
        finally:
            if server.console:
                server.console.communicate()
            tell_of_silence(var / "log" / "worker.log")
            process.send_signal(signal.SIGINT)
            process.wait(60)
            listener.join(10)


def tell_of_silence(log: Path) -> None:
    """A worker that fell silent and was started anew passes the tests, and is looked into all the same."""
    text = log.read_text(errors="replace") if log.exists() else ""
    if SILENT in text and "MAILADMIN_PATIENCE" not in os.environ:
        place = text.index(SILENT)
        print(f"{log}: a silent worker\n{text[max(0, place - 3000) : place + 6000]}", file=sys.__stderr__, flush=True)


def listen(server: Server) -> None:
    """Keep what the server says."""
    assert server.process.stdout
    with server.process.stdout as lines:
        for line in lines:
            server.said.append(line.rstrip())


def up(server: Server) -> bool:
    """Whether the server has greeted; it must not have ended."""
    assert server.process.poll() is None, "\n".join(server.said)
    return any(line.startswith(GREETING) for line in server.said)
