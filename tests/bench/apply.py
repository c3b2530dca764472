"""From a save to the mail host, and how pages answer, with many mailboxes; beside the bare cost of maps and bytes.

In: nothing; a server of its own for each size, as `script/server` lays it. Out: rows of text. `LARGE=1` adds 100,000
mailboxes, for the record. A save is live when the worker has written down that the daemons answer out of it.
"""

import os
import shutil
import statistics
import subprocess
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from deploy.host import release
from tests.system.panel import Panel
from tests.system.server import PASSWORD, Server, started_server

SIZES = (100, 1_000, 10_000)
LARGE = 100_000
SAVES = 20
PAUSE = 2.0  # seconds from one save to the next
ROUNDS = 5
MILLI = 1000.0
SIGNED_IN = "person0@d0.example"
FILL = """
from tests.bench.many import fill
from accounts.models import User
from accounts.wishes import wishes
fill({count})
with wishes("bench", "bench"):
    chief = User.objects.get(address="{chief}")
    chief.administrator = True
    chief.set_password("{password}")
    chief.save()
"""
# Three saves in turn: a quota (logins), an alias (addresses), a contact of a child (lists).
SAVE = """
import json, time
from accounts.models import Membership
from accounts.wishes import wishes
from deploy.models import MailHost
from accounts.models import Wishes
from domains.models import Alias, Mailbox
from policies.models import Contact
def quota():
    box = Mailbox.objects.order_by("pk").last()
    box.quota = (1000 + {number}) << 20
    box.save()
def alias():
    Alias(address="new{number}@d0.example", targets=["person0@d0.example"]).save()
def contact():
    child = Membership.objects.filter(role="protected").order_by("pk").first().user
    Contact(person=child, address="new{number}@elsewhere.example").save()
began = time.perf_counter()
with wishes("bench", "bench"):
    (quota, alias, contact)[{number} % 3]()
stored = time.perf_counter()
wanted = Wishes.current()
while MailHost.objects.get().applied < wanted:
    assert time.perf_counter() - began < 300, MailHost.objects.get().error
    time.sleep(0.005)
print(json.dumps([stored - began, time.perf_counter() - began]))
"""
STEPS = """
import json, time
from datetime import UTC, datetime
from django.db import connection
from django.test.utils import CaptureQueriesContext
from deploy import services
from deploy.gather import gather
from deploy.models import MailHost
from deploy.render import render
host, mail, found = MailHost.objects.get(), str(services.layout().mail), []
for _round in range({rounds}):
    began = time.perf_counter()
    with CaptureQueriesContext(connection) as queries:
        snapshot = gather(host)
    gathered = time.perf_counter()
    files = render(snapshot, datetime.now(UTC), mail)
    found.append([gathered - began, time.perf_counter() - gathered])
print(json.dumps([found, len(queries), len(files), sum(map(len, files.values()))]))
"""
RELEASES = """
import json
from deploy.models import Release
rows = Release.objects.order_by("-pk")[:{saves}].values_list("started", "ended")
print(json.dumps([(ended - started).total_seconds() for started, ended in rows]))
"""


def measure() -> Iterator[str]:
    """All rows."""
    for count in (*SIZES, *((LARGE,) if os.environ.get("LARGE") else ())):
        with started_server() as server:
            yield f"{count:,} mailboxes"
            yield from (f"  {row}" for row in one_size(server, count))


def one_size(server: Server, count: int) -> Iterator[str]:
    """All figures of one host."""
    server.execute(FILL.format(count=count, chief=SIGNED_IN, password=PASSWORD))
    began = time.perf_counter()
    settle(server)
    yield f"the first release                {time.perf_counter() - began:9.2f} s"
    stored, live = zip(*saves(server), strict=True)
    yield f"save to live                     {spread(live)}"
    yield f"  of it the save                 {spread(stored)}"
    steps, queries, files, size = server.ask(STEPS.format(rounds=ROUNDS))
    gathered, rendered = zip(*steps, strict=True)
    whole = server.ask(RELEASES.format(saves=SAVES))
    yield f"  gather                         {spread(gathered)}, {queries} queries"
    yield f"  render                         {spread(rendered)}, {files:,} files, {size / 1e6:.1f} MB"
    yield f"  gather, render, apply          {spread(whole)}"
    yield f"bare: postmap on the same maps   {spread(bare_maps(server))}"
    yield f"bare: the same bytes, fsync      {spread(bare_bytes(server))}"
    yield from pages(server)
    yield f"worker                           {worker_memory(server):9.0f} MB (PSS)"


def settle(server: Server) -> None:
    """Wait until what was filled in is live, and the worker is at rest."""
    server.execute("from deploy.tasks import poke\npoke('primary')")
    until = time.monotonic() + 3600
    while (state := server.state())["wished"] != state["applied"]:
        assert time.monotonic() < until, state["error"]
        time.sleep(0.1)


def saves(server: Server) -> Iterator[tuple[float, float]]:
    """Seconds until each save was stored, and until it was live."""
    for number in range(SAVES):
        began = time.monotonic()
        stored, live = server.ask(SAVE.format(number=number))
        yield stored, live
        time.sleep(max(0.0, PAUSE - (time.monotonic() - began)))


def spread(seconds: Iterable[float]) -> str:
    """The middle one, and the 95th of a hundred."""
    found = [one * MILLI for one in seconds]
    last = statistics.quantiles(found, n=20, method="inclusive")[-1]
    return f"{statistics.median(found):9.0f} ms, p95 {last:7.0f} ms"


def live_files(server: Server, *patterns: str) -> list[Path]:
    """Files of the live release."""
    current = release.live(server.layout)
    assert current
    return [path for pattern in patterns for path in sorted(current.path.glob(pattern)) if path.is_file()]


def bare_maps(server: Server) -> list[float]:
    """Seconds for postmap alone, one map after the other."""
    maps = [path for path in live_files(server, "postfix/*") if not path.suffix]
    with TemporaryDirectory(dir=server.var) as name:
        folder = Path(name)
        for path in maps:
            shutil.copy(path, folder)
        words = ["postmap", "-c", str(server.layout.postfix)]
        tables = [f"{server.layout.map_type}:{folder / path.name}" for path in maps]
        return [timed(lambda: subprocess.run([*words, *tables], check=True)) for _round in range(ROUNDS)]


def bare_bytes(server: Server) -> list[float]:
    """Seconds to write what a release writes anew, recipes apart, and have it on the disk."""
    texts = [path.read_bytes() for path in live_files(server, "postfix/*", "dovecot/*", "rspamd/*", "*.json")]

    def write(folder: Path) -> None:
        for number, text in enumerate(texts):
            with (folder / str(number)).open("wb") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())

    found = []
    for _round in range(ROUNDS):
        with TemporaryDirectory(dir=server.layout.root) as name:
            found.append(timed(lambda folder=Path(name): write(folder)))
    return found


def timed(act: Any) -> float:
    """Seconds."""
    began = time.perf_counter()
    act()
    return time.perf_counter() - began


def pages(server: Server) -> Iterator[str]:
    """Whole answers of the panel to an administrator."""
    visitor = Panel(server).sign_in(SIGNED_IN)
    mailbox, person = server.ask(
        "import json\nfrom domains.models import Mailbox\nbox = Mailbox.objects.order_by('pk').last()\n"
        "print(json.dumps([box.pk, box.people.get().pk]))"
    )
    for name, path in {"home": "/", "mailboxes": "/mailboxes/", "one mailbox": f"/mailboxes/{mailbox}/"}.items():
        assert visitor.get(path).status == 200
        yield f"page: {name:26} {spread(visitor.get(path).seconds for _round in range(ROUNDS * 2))}"
    taken = [
        visitor.post(f"/mailboxes/{mailbox}/", quota=f"{500 + number}M", people=str(person)) for number in range(ROUNDS)
    ]
    assert {answer.status for answer in taken} == {200}
    yield f"page: a save, and where it leads {spread(answer.seconds for answer in taken)}"


def worker_memory(server: Server) -> float:
    """Megabytes of the worker and whatever it started."""
    waiting, found = [server.pid("worker")], 0
    while waiting:
        pid = waiting.pop()
        waiting += map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())
        found += next(
            int(line.split()[1])
            for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
            if line.startswith("Pss:")
        )
    return found / 1024
