"""Every check of the health page: is this installation working, and if not, what to do.

In: nothing. Out: a `Check` for each thing, its sentence naming the remedy when it fails. Nothing is touched.
"""

import os
import shutil
import smtplib
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from cryptography import x509
from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from redis import Redis
from redis.exceptions import RedisError

from accounts.chain import examined, read_head
from accounts.wishes import Wishes
from deploy.host import drift, release
from deploy.host.canary import CanaryError, sing
from deploy.host.clock import NAME as CLOCK
from deploy.host.layout import Layout, LayoutError
from deploy.host.samples import sandboxed
from deploy.models import MailHost
from deploy.services import layout
from deploy.setup.people import SetupError, person

LATEST_SIGN_OF_LIFE: Final = timedelta(seconds=30)
CLOCK_STANDS: Final = timedelta(minutes=3)  # it may wait a minute for a release that is under way
CERTIFICATE_WARNING: Final = timedelta(days=14)
LEAST_FREE: Final = 0.05  # of the disk
PATIENCE: Final = 2.0  # seconds for a door to answer


@dataclass(frozen=True, slots=True)
class Check:
    """One thing: how it is called, whether it is well, and what there is to say."""

    name: str
    ok: bool
    sentence: str


Finding = tuple[bool, str]


def examine() -> Iterator[Check]:
    """Every check, in the order in which one leans on the other."""
    yield well("database", database)
    yield well("queue", queue)
    yield well("audit log", audit)
    for host in MailHost.objects.all():
        yield well(f"worker of {host}", worker, host)
        yield well(f"wishes on {host}", applied, host)
    try:
        here = layout()
    except LayoutError as error:
        yield Check("mail host", False, f"{error} Start script/server, which lays it down.")
        return
    yield well("live release", files, here)
    yield well("host clock", clock, here)
    yield well("configuration", by_hand, here)
    yield well("certificate", certificate, here)
    yield well("disk", disk, here)
    yield well("facts", facts, here)
    yield well("trying rules", sandbox, here)
    for door in ("smtp", "submission", "post", "imap", "pop3"):
        yield well(door, listening, here, door)


def well(name: str, check: Callable[..., Finding], *args: object) -> Check:
    """What a check found; one that cannot be made has failed."""
    try:
        return Check(name, *check(*args))
    except (OSError, DatabaseError, RedisError, ValueError, release.ReleaseError, CanaryError, SetupError) as error:
        return Check(name, False, " ".join(str(error).split()) or type(error).__name__)


def database() -> Finding:
    """It answers and has every table."""
    executor = MigrationExecutor(connection)
    missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    sentence = "Tables are missing: run manage.py migrate." if missing else "It answers and has every table."
    return not missing, sentence


def queue() -> Finding:
    """Redis answers."""
    url = settings.CELERY_BROKER_URL.replace("redis+socket://", "unix://")
    with closing(Redis.from_url(url, socket_timeout=PATIENCE, socket_connect_timeout=PATIENCE)) as redis:
        redis.ping()
    return True, "Redis answers."


def audit() -> Finding:
    """Every entry of the audit log follows from the one before, and the one that the live release names is there."""
    manifest = live_manifest()
    expected = read_head(manifest.audit) if manifest else None
    found = examined(expected)
    if found.wrong is not None:
        return (
            False,
            f"Entry {found.wrong} is not what was written, or one before it is gone: compare it with a backup.",
        )
    if found.holds_head or not manifest or not expected:
        return True, f"Each of {found.entries:,} entries is as it was written."
    if manifest.generation > Wishes.current():
        return False, (
            f"This is an older database: generation {manifest.generation} is live on the mail host, and "
            f"{Wishes.current()} is the newest here, so the end of the log is not there either."
        )
    return False, (
        f"Entry {expected.number}, which was there when the live release was made, is gone: the log was cut or "
        "replaced. Compare it with a backup."
    )


def live_manifest() -> release.Manifest | None:
    """What the live release of this machine's mail host says of itself, if there is one."""
    try:
        live = release.live(layout())
    except LayoutError:
        return None
    return live.manifest if live else None


def worker(host: MailHost) -> Finding:
    """The host's worker looked at the wishes lately."""
    alive = bool(host.seen and datetime.now(UTC) - host.seen < LATEST_SIGN_OF_LIFE)
    sentence = "It looked at the wishes just now." if alive else "It has not looked at the wishes lately: start it."
    return alive, sentence


def applied(host: MailHost) -> Finding:
    """The newest wishes are live."""
    newest = Wishes.current()
    if host.error or host.ahead:
        return False, host.error
    if host.applied < newest:
        return False, f"Generation {newest} is on its way: wait, or start the worker."
    return True, f"Generation {host.applied} is live."


def files(here: Layout) -> Finding:
    """The live release is complete and as it was written."""
    live = release.live(here)
    if live is None:
        return False, "There is none yet: start the worker."
    wrong = release.verify(live.path)
    if wrong:
        return False, f"{wrong[0]} Look at it under /changes/drift/, and have it written anew."
    return True, f"Release {live.path.name} is complete."


def clock(here: Layout) -> Finding:
    """The host's own clock goes, and nothing keeps it from its work."""
    path = here.root / CLOCK
    if not path.is_file() or time.time() - path.stat().st_mtime > CLOCK_STANDS.total_seconds():
        return False, "It stands still: start script/server. Until then nothing changes by itself, such as bedtime."
    wrong = path.read_text(encoding="utf-8").strip()
    return not wrong, wrong or "It goes, with or without this panel."


def by_hand(here: Layout) -> Finding:
    """Nobody changed by hand what was laid down, but for what is kept."""
    changed = [one for one in drift.of_installer(here) if not one.kept]
    if changed:
        names = ", ".join(str(here.etc / one.path) for one in changed)
        return (
            False,
            f"Changed by hand: {names}. Look at it under /changes/drift/, then keep it or have it written anew.",
        )
    kept = [str(here.etc / one.path) for one in drift.of_installer(here)]
    return True, f"Kept as it was changed by hand: {', '.join(kept)}." if kept else "It is as it was laid down."


def certificate(here: Layout) -> Finding:
    """The certificate is valid for a while."""
    ends = x509.load_pem_x509_certificate((here.etc / "tls" / "certificate.pem").read_bytes()).not_valid_after_utc
    ok = ends - datetime.now(UTC) > CERTIFICATE_WARNING
    sentence = f"It is valid until {ends:%Y-%m-%d}."
    return ok, sentence if ok else f"{sentence} Renew it."


def disk(here: Layout) -> Finding:
    """There is room for letters."""
    usage = shutil.disk_usage(here.root)
    ok = usage.free / usage.total > LEAST_FREE
    sentence = f"{usage.free >> 30} GB are free."
    return ok, sentence if ok else f"Only {sentence} Make room: mail is deferred when it is full."


def facts(here: Layout) -> Finding:
    """rspamd finds every fact about a letter."""
    sing(here)
    return True, "rspamd finds every fact about a letter."


def sandbox(here: Layout) -> Finding:
    """Where rules are tried before they go live; a kernel that allows no sandbox is no fault of anybody here."""
    if sandboxed(None if os.geteuid() else person(here.agent)):
        return True, "Rules are tried in a sandbox before they go live."
    return True, "This kernel allows no sandbox: rules are tried under limits of time, memory and size alone."


def listening(here: Layout, door: str) -> Finding:
    """A daemon greets at its door."""
    port = getattr(here, door)
    if door in ("smtp", "submission", "post"):
        try:
            smtplib.SMTP(here.address, port, timeout=PATIENCE).close()
        except smtplib.SMTPException as error:
            return False, f"Port {port}: {error}"
    else:
        with socket.create_connection((here.address, port), PATIENCE) as connected:
            connected.settimeout(PATIENCE)
            if not connected.recv(80).startswith((b"* OK", b"+OK")):
                return False, f"Port {port} does not greet: look at the log."
    return True, f"It answers on port {port}."
