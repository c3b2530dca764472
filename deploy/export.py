"""Wishes to files to the mail host: gather, render, apply, record.

In: the host's name. Out: how it went, as a `Release` and on the `MailHost`. Touched: the mail host of this machine.
Raises nothing that can happen on a mail host: what failed is recorded with its sentence, mail goes on as before.
"""

import logging
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, nullcontext, suppress
from datetime import UTC, datetime

from accounts.chain import head
from accounts.wishes import AuditEntry, Wishes
from deploy import answers, services
from deploy.gather import gather
from deploy.host import files, release
from deploy.host.apply import Applied, ApplyError, apply, unwritten
from deploy.host.denials import careful
from deploy.host.layout import Layout, LayoutError
from deploy.host.release import ReleaseError
from deploy.models import MailHost, Release
from deploy.render import render
from deploy.render.quoting import Unwritable
from deploy.services import kept, older
from deploy.snapshot import Snapshot

LEAST_BETWEEN = 1.0  # seconds from one release to the next: many saves in a row become one
SHOWN_CHANGES = 5
logger = logging.getLogger(__name__)


def reconcile(name: str, *, verify: bool = False) -> None:
    """Make the host equal to the newest wishes; with `verify` compare every file even when it should be.

    What its own clock made meanwhile is adopted. While the host is ahead of this database nothing is applied.
    """
    try:
        layout = services.layout()
        with one_at_a_time(layout, patient=verify):
            host = MailHost.objects.get(name=name)
            done = met(host, layout) and (verify or host.attended < Wishes.current())
            if done:
                wait_a_moment(host)
                export(host, layout)
    except (ApplyError, LayoutError) as error:
        logger.error("%s", error)
        MailHost.objects.filter(name=name).update(error=str(error))
    except services.Busy as error:  # whoever is at it, or waits for it, looks at the newest wishes, too
        logger.log(logging.ERROR if verify else logging.INFO, "%s", error)
    else:
        if done:
            answers.attend(name, again=True)
        kept.keep(name, datetime.now(UTC))
    MailHost.objects.filter(name=name).update(seen=datetime.now(UTC))


def renew(name: str) -> str:
    """A new release from the newest wishes, even where nothing was wished for; why there is none, or nothing."""
    try:
        layout = services.layout()
        with one_at_a_time(layout):
            host = MailHost.objects.get(name=name)
            wait_a_moment(host)
            export(host, layout, anew=True)
    except services.Busy as error:
        return str(error)
    except (ApplyError, LayoutError) as error:
        MailHost.objects.filter(name=name).update(error=str(error))
        return str(error)
    host.refresh_from_db()
    return host.error


@contextmanager
def one_at_a_time(layout: Layout, *, patient: bool = True) -> Iterator[None]:
    """Only one worker of this host gathers and applies, so that an older snapshot never follows a newer one.

    Of the impatient at most one waits, for it will see the newest wishes: else those that come every few seconds while
    a long release is made would take all threads of the worker, and nobody would let letters in or read the log.
    """
    with ExitStack() as stack:
        try:
            with nullcontext() if patient else files.locked(layout.root / ".waiting", patience=0):
                stack.enter_context(files.locked(layout.root / ".reconcile"))
        except OSError as error:
            raise ApplyError(unwritten(layout, error)) from error
        yield


def met(host: MailHost, layout: Layout) -> bool:
    """Whether the host may be given anything: what is live there is of this database."""
    try:
        return older.meet(host, layout)
    except (ReleaseError, OSError) as error:
        failed(host, Wishes.current(), f"{error}", datetime.now(UTC), [])
        return False


def wait_a_moment(host: MailHost) -> None:
    """Begin a release at least a second after the one before, so that wishes gather into one."""
    last = host.releases.values_list("started", flat=True).first()
    since = (datetime.now(UTC) - last).total_seconds() if last else LEAST_BETWEEN
    if 0 <= since < LEAST_BETWEEN:
        time.sleep(LEAST_BETWEEN - since)


def export(host: MailHost, layout: Layout, *, anew: bool = False) -> None:
    """The whole way once, and its record; `anew`: a release in any case."""
    started, log = datetime.now(UTC), list[str]()
    newest = gather(host)
    host.refresh_from_db()
    if not met(host, layout):
        return  # a backup was restored while we waited: what was gathered may be of yesterday
    audit = str(head(newest.generation) or "")
    generation = newest.generation
    try:
        snapshot = held_back(layout, newest) if host.paused else newest
        rendered = render(snapshot, started, str(layout.mail))
        generation = snapshot.generation
        announce(host, generation)
        applied = apply(layout, snapshot, rendered, at=started, log=log.append, audit=audit, anew=anew)
    except (ApplyError, ReleaseError, Unwritable) as error:
        logger.error("%s", error)
        failed(host, generation, str(error), started, log)
    else:
        log += replaced(host) if applied.changed else []
        succeeded(host, applied, newest.generation, started, log)
    remember(host, layout)


def held_back(layout: Layout, newest: Snapshot) -> Snapshot:
    """What a paused host gets: what is live there, closed as far as the newest wishes close it."""
    live = release.live(layout)
    return careful(live.snapshot, newest) if live else newest


def announce(host: MailHost, generation: int) -> None:
    """Say what may be live from now on: whoever finds it there after this worker was killed knows whose it is."""
    host.expected = generation
    host.save(update_fields=["expected"])


def remember(host: MailHost, layout: Layout) -> None:
    """What is live now, whichever way it went, is of this database."""
    with suppress(ReleaseError, OSError):
        live = release.live(layout)
        host.snapshot, host.expected = live.manifest.snapshot if live else "", 0
        host.save(update_fields=["snapshot", "expected"])


def replaced(host: MailHost) -> list[str]:
    """What was changed by hand in the release before, which the new one does not have: it is said, and stays there."""
    paths = host.drifted.filter(installed=False).values_list("path", flat=True)
    return [
        f"{path} had been changed by hand: the new release does not have that, the one before keeps it."
        for path in paths
    ]


def succeeded(host: MailHost, applied: Applied, newest: int, started: datetime, log: list[str]) -> None:
    """Record that a generation is live; a release only where a file changed, or where a killed worker wrote none.

    A paused host stays where it is.
    """
    unwritten = host.applied < applied.generation and not host.releases.filter(folder=applied.folder).exists()
    if applied.changed or (unwritten and applied.folder):
        author, summary = story(host.attended, newest)
        host.releases.create(
            folder=applied.folder,
            generation=applied.generation,
            started=started,
            ended=datetime.now(UTC),
            author=author,
            summary=summary,
            status=Release.Status.LIVE,
            log="\n".join(log),
        )
    host.error, host.failed, host.verified, host.heeded = "", 0, datetime.now(UTC), newest
    host.applied = host.applied if host.paused else applied.generation
    host.save(update_fields=["applied", "error", "failed", "verified", "heeded"])


def failed(host: MailHost, generation: int, sentence: str, started: datetime, log: list[str]) -> None:
    """Record why a generation is not live, once for as long as the reason stays the same."""
    if host.failed != generation or host.error != sentence:
        author, summary = story(host.applied, generation)
        host.releases.create(
            generation=generation,
            started=started,
            ended=datetime.now(UTC),
            author=author,
            summary=summary,
            status=Release.Status.FAILED,
            log="\n".join(log),
            error=sentence,
        )
    host.error, host.failed = sentence, generation
    host.save(update_fields=["error", "failed"])


def story(before: int, after: int) -> tuple[str, str]:
    """Who wished what between two generations, short."""
    entries = AuditEntry.objects.filter(generation__gt=before, generation__lte=after)
    authors = sorted(set(entries.values_list("who", flat=True)[:1000]))
    lines = [f"{kind} {what}" for kind, what in entries.values_list("kind", "what")[: SHOWN_CHANGES + 1]]
    more = ["…"] if len(lines) > SHOWN_CHANGES else []
    return ", ".join(authors)[:254], "\n".join(lines[:SHOWN_CHANGES] + more)
