"""The processes of a private mail host: what each is called, its words, and whom it runs as.

In: where things are. Out: `Program`s for the supervision. Nothing is touched, nothing raised.
"""

from collections.abc import Mapping
from pathlib import Path

from deploy.host.layout import Layout
from deploy.setup.lay import dns_port
from deploy.setup.people import AGENT, FILTER, PANEL
from deploy.setup.supervision import Program

SYSTEM_PYTHON = "/usr/bin/python3"
LOOPBACK = "127.0.0.1"
FEW_ARENAS = {"MALLOC_ARENA_MAX": "2"}  # mallopt(3): or each thread keeps what the largest of its tasks once needed


def mail_programs(layout: Layout, code: Path) -> list[Program]:
    """The mail host by itself: Postfix, rspamd, Dovecot, the root helper, the clock. No database, no queue."""
    python = (SYSTEM_PYTHON, "-E", "-s", "-m")
    postfix = (*python, "deploy.setup.foreground", str(layout.postfix))
    helper = (*python, "deploy.host.helper", str(layout.etc / "host.json"))
    clock = (*python, "deploy.host.clock", str(layout.etc / "host.json"))
    resolver = (*python, "deploy.setup.resolver", str(layout.etc / "dns" / "zone.json"), str(dns_port(layout)))
    return [
        Program("resolver", resolver, user="nobody", folder=str(code)),
        filter_program(layout),
        Program("postfix", postfix, folder=str(code), priority=20),
        Program("dovecot", ("dovecot", "-F", "-c", str(layout.dovecot)), priority=30),
        Program("helper", helper, folder=str(code)),
        Program("clock", clock, user=layout.agent, folder=str(code), priority=40),
    ]


def filter_program(layout: Layout) -> Program:
    """rspamd, in the folder of what it compiled: its processes rename themselves, and are known by where they are."""
    var = layout.etc.parent
    places = {
        "LOCAL_CONFDIR": layout.etc / "rspamd",
        "DBDIR": var / "lib" / "rspamd",
        "RUNDIR": var / "run" / "rspamd",
        "LOGDIR": layout.root / "log",
    }
    words = ("rspamd", "-f", "-c", str(layout.etc / "rspamd" / "rspamd.conf"))
    told = tuple(f"--var={name}={place}" for name, place in places.items())
    return Program("rspamd", words + told, user=FILTER, folder=str(places["DBDIR"]))


def panel_programs(var: Path, http: int, code: Path, environment: Mapping[str, str]) -> list[Program]:
    """What turns wishes into releases: the queue, the panel, and this host's worker."""
    python = str(code / ".venv" / "bin" / "python")
    panel = (python, "-m", "gunicorn", "mailadmin.wsgi", "--bind", f"{LOOPBACK}:{http}")
    sizes = ("--workers", "2", "--threads", "4", "--no-control-socket")
    worker = (python, "-m", "celery", "-A", "mailadmin", "worker", "--pool=threads", "--concurrency=4")
    quiet = ("--loglevel=INFO", "--without-gossip", "--without-mingle", "--without-heartbeat")
    place = {"folder": str(code), "umask": "007", "environment": {**environment, **FEW_ARENAS}}
    return [
        Program("redis", ("redis-server", str(var / "etc" / "redis.conf")), user=PANEL, umask="007", priority=5),
        Program("panel", panel + sizes, user=PANEL, priority=50, **place),  # type: ignore[arg-type]
        Program("worker", worker + quiet, user=AGENT, priority=60, **place),  # type: ignore[arg-type]
    ]
