"""The doors of a mail host without its daemons: enough of SMTP, of Dovecot's auth and of the helper for `apply`.

It reads whatever release is live at each question, through the real postmap, so that it answers as the daemons would.
`deaf` makes it answer out of no release; `asked` is what the helper was asked for.
"""

import os
import socket
import socketserver
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from deploy.host import release
from deploy.host.commands import run
from deploy.host.layout import Layout
from deploy.setup.templates import fill


@dataclass
class Standin:
    """What was asked, and how to misbehave."""

    layout: Layout
    asked: list[str] = field(default_factory=list)
    deaf: bool = False
    helper_fails: str = ""
    on_ask: Callable[[str], None] | None = None

    def smtp(self, lines: Iterator[str], say: Callable[[str], None]) -> None:
        """Greet, and look the recipient up."""
        say("220 standin ESMTP\r\n")
        for line in lines:
            word = line[:4].upper()
            if word == "RCPT":
                say(f"{self.refusal(line.partition('<')[2].partition('>')[0])}\r\n")
            else:
                say("221 bye\r\n" if word == "QUIT" else "250 ok\r\n")

    def refusal(self, address: str) -> str:
        """What the access map of the live release says of an address."""
        table = f"{self.layout.map_type}:{self.layout.root}/current/postfix/probe"
        found = run(["postmap", "-c", str(self.layout.postfix), "-q", address, table], timeout=10, expect=(0, 1))
        value = "" if self.deaf else found.out.decode().strip()
        return value.replace("REJECT", "554") if value else "454 4.7.1 relay access denied"

    def auth(self, lines: Iterator[str], say: Callable[[str], None]) -> None:
        """Look the login up."""
        for line in lines:
            if line.startswith("PASS"):
                login = line.split("\t")[2]
                known = (self.layout.root / "current" / "dovecot" / "probe").read_text()
                found = not self.deaf and f"\n{login}:" in known
                say(f"VERSION\t1\t1\nSPID\t1\n{'PASS' if found else 'NOTFOUND'}\t1\tuser={login}\n")

    def helper(self, lines: Iterator[str], say: Callable[[str], None]) -> None:
        """Do what is asked, as far as it can be done without daemons."""
        request = next(lines)
        self.asked.append(request)
        if self.on_ask:
            self.on_ask(request)
        verb, _blank, argument = request.partition(" ")
        if self.helper_fails and request.startswith(self.helper_fails):
            return say("failed on purpose\n")
        if verb == "folder":
            for folder in (self.layout.mail, self.layout.held, self.layout.later):
                (folder / argument).mkdir(exist_ok=True)
        return say("ok\n")


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@contextmanager
def standin(layout: Layout) -> Iterator[Standin]:
    """Serve the three doors of a layout until the end of the block. Postfix's port is chosen anew."""
    doors = Standin(replace(layout, smtp=free_port()))
    servers = [
        serve(socketserver.ThreadingTCPServer, ("127.0.0.1", doors.layout.smtp), doors.smtp),
        serve(socketserver.ThreadingUnixStreamServer, str(layout.auth), doors.auth),
        serve(socketserver.ThreadingUnixStreamServer, str(layout.helper), doors.helper),
    ]
    try:
        yield doors
    finally:
        for server in servers:
            server.shutdown()
            server.server_close()
        for path in (layout.auth, layout.helper):
            path.unlink()


def serve(
    kind: Callable[..., socketserver.BaseServer],
    where: object,
    talk: Callable[[Iterator[str], Callable[[str], None]], None],
) -> socketserver.BaseServer:
    """Start a server whose dialogue is `talk`, over lines."""

    class Dialogue(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            try:
                talk((line.decode().rstrip("\r\n") for line in self.rfile), self.say)
            except (OSError, StopIteration):
                return  # the other side was killed, which is what some tests are about

        def say(self, text: str) -> None:
            self.wfile.write(text.encode())
            self.wfile.flush()

    server = kind(where, Dialogue)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    return server


def scratch_layout(base: Path, agent: str, map_type: str = "hash") -> Layout:
    """An empty mail host below a folder: what the installer lays down, without the daemons."""
    moulds = ("dovecot", "procmail", "rspamd")
    for folder in (
        "root/releases",
        "mail/.held",
        "mail/.later",
        "etc/postfix",
        *(f"root/.mould/{part}" for part in moulds),
    ):
        (base / folder).mkdir(parents=True)
    for part in moulds:
        (base / "root/.mould" / part).chmod(0o2750)
    (base / "etc/postfix/main.cf").write_text("compatibility_level = 3.6\n")
    os.utime(base / "etc/postfix/main.cf", (1, 1))  # Postfix's programs wait until a new one is two seconds old
    (base / "etc/postfix/master.cf").write_text("")
    (base / "etc/dovecot.conf").write_text("")
    (base / "etc/dispatch.rc").write_text("")
    for name in ("sample.rc", "rules.rc", "would.rc"):  # what rules are tried out with before they go live
        (base / "etc" / name).write_text(fill(name, {"ETC": str(base / "etc")}))
    layout = Layout(
        name="primary",
        root=base / "root",
        mail=base / "mail",
        etc=base / "etc",
        helper=base / "helper.sock",
        auth=base / "auth.sock",
        controller=base / "controller.sock",
        agent=agent,
        mail_user=agent,
        map_type=map_type,  # type: ignore[arg-type]
        address="127.0.0.1",
        smtp=0,
        submission=0,
        shadow_smtp=0,
        shadow_submission=0,
        post=0,
        imap=0,
        pop3=0,
    )
    (layout.etc / release.LAID).write_text(release.laid_text(layout))
    return layout
