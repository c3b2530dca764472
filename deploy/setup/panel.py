"""The panel's side of a start: its environment, its database, whether it answers, and what a person is told.

In: `var/`, the code, settings. Out: text. Touched: the database and `static/`, through `manage.py`.
Raises CommandError with what `manage.py` said.
"""

import http.client
import socket
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from deploy.host.commands import run
from deploy.host.layout import Layout
from deploy.setup.people import PANEL, person
from deploy.setup.place import open_to_all

TIMEOUT = 300.0
HANDED_ON = ("MAILADMIN_", "DATABASE_URL")


def environment(given: Mapping[str, str], var: Path) -> dict[str, str]:
    """What panel, worker and `manage.py` are told: our own settings, and nothing else of the person's shell."""
    ours = {name: value for name, value in given.items() if name.startswith(HANDED_ON)}
    return ours | {"MAILADMIN_VAR": str(var), "HOME": "/nonexistent", "PYTHONDONTWRITEBYTECODE": "1"}


@dataclass(frozen=True, slots=True)
class Manage:
    """`manage.py` of the code that the daemons run, as the panel's user."""

    var: Path
    code: Path
    environment: Mapping[str, str]

    def run(self, *words: str, as_root: bool = False) -> str:
        """Run a command; what it printed."""
        args = [str(self.code / ".venv" / "bin" / "python"), "manage.py", *words]
        who = None if as_root else person(PANEL)
        return run(args, timeout=TIMEOUT, person=who, env=self.environment, cwd=self.code).out.decode("utf-8")


def prepare(manage: Manage, *, example: bool) -> list[str]:
    """Bring database and static files up to date; lines about the first sign-in, if this is the first start."""
    manage.run("migrate", "--noinput", "--verbosity=0")
    manage.run("collectstatic", "--noinput", "--clear", "--verbosity=0", as_root=True)
    open_to_all(manage.var / "static")  # manage.py keeps what it makes from others
    if not is_empty(manage):
        return []
    if not example:
        return ["The first page makes the administrator."]
    return [sign_in for line in manage.run("example").splitlines() if (sign_in := first_sign_in(line))]


def is_empty(manage: Manage) -> bool:
    """Whether nobody has wished for anything yet."""
    lines = manage.run("dump").splitlines()
    return not any(line.startswith("[[") for line in lines)


def first_sign_in(line: str) -> str:
    """The administrator's line of what `example` printed, as a sentence; nothing for the others."""
    parts = line.split("\t")
    if parts[2:] == ["administrator"]:
        return f"Sign in as {parts[0]} with the password {parts[1]} (shown this once)."
    return ""


def panel_answers(port: int) -> bool:
    """Whether the panel serves a page, whichever."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    with suppress(OSError, http.client.HTTPException):
        connection.request("GET", "/")
        return connection.getresponse().status < 500
    return False


def mail_answers(layout: Layout) -> bool:
    """Whether every door of the mail host is open."""
    with suppress(OSError):
        for port in (layout.smtp, layout.submission, layout.post, layout.imap, layout.pop3):
            socket.create_connection((layout.address, port), 1).close()
        for door in (layout.helper, layout.auth):
            with socket.socket(socket.AF_UNIX) as line:
                line.connect(str(door))
        return True
    return False


def filter_answers(layout: Layout) -> bool:
    """Whether rspamd is there; what it says is another question."""
    with suppress(OSError), socket.socket(socket.AF_UNIX) as line:
        line.connect(str(layout.controller))
        return True
    return False


def greeting(layout: Layout, http: int, state: Path, words: list[str]) -> str:
    """What a person reads when everything is up."""
    lines = [
        "Mailadmin is running; Ctrl-C stops all of it.",
        f"  panel       http://localhost:{http}/",
        f"  smtp        {layout.address}:{layout.smtp}",
        f"  submission  {layout.address}:{layout.submission} (sign in; STARTTLS)",
        f"  imap        {layout.address}:{layout.imap} (STARTTLS)",
        f"  pop3        {layout.address}:{layout.pop3} (STARTTLS)",
        f"  state       {state}",
    ]
    return "\n".join(lines + [f"  {word}" for word in words])
