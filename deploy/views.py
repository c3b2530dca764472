"""Home, and how far a generation is: the pages that know the mail hosts."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from django.db.models import Prefetch
from django.http import Http404, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts.models import Community, Membership, User
from accounts.pages import SignedIn, page
from accounts.rights import children_of
from deploy import services
from deploy.models import MailHost
from domains.models import Alias, Domain, Mailbox

SILENT: Final = timedelta(seconds=60)  # a worker looks every few seconds
STOP_ASKING: Final = 286  # what htmx takes as the end of asking again and again
SOON: Final = timedelta(days=14)


@dataclass(frozen=True)
class Verdict:
    """Is mail working, and is everything live. `silent`, `failed`, `behind`: the hosts of which that is not so."""

    hosts: list[MailHost]
    silent: list[MailHost] = field(default_factory=list)
    failed: list[MailHost] = field(default_factory=list)
    behind: list[MailHost] = field(default_factory=list)

    @property
    def works(self) -> bool:
        """Every host was seen a moment ago and has nothing to complain of."""
        return bool(self.hosts) and not self.silent and not self.failed


def verdict(hosts: list[MailHost], generation: int, now: datetime) -> Verdict:
    """How the hosts stand at a moment, with this as the newest generation."""
    silent = [host for host in hosts if host.seen is None or now - host.seen > SILENT]
    failed = [host for host in hosts if host.error]
    behind = [host for host in hosts if host.applied < generation and host not in silent + failed]
    return Verdict(hosts, silent, failed, behind)


@require_safe
def home(request: SignedIn) -> HttpResponse:
    """Administrators: is mail working. Everybody: my addresses, my letters, my children."""
    families = Prefetch("memberships", Membership.objects.select_related("community"))
    children = children_of(request.user).order_by("name").prefetch_related(families)
    context: dict[str, Any] = {"person": request.user, "children": children, "mailboxes": request.user.mailboxes.all()}
    if request.user.administrator:
        hosts = list(MailHost.objects.all())
        context |= {"verdict": verdict(hosts, services.newest(), timezone.now()), "numbers": numbers()}
        context |= {"expiring": expiring()}
    return page(request, "deploy/home.html", **context)


def numbers() -> dict[str, int]:
    """How many there are."""
    return {
        "communities": Community.objects.count(),
        "people": User.objects.count(),
        "domains": Domain.objects.count(),
        "mailboxes": Mailbox.objects.count(),
        "suspended": Mailbox.objects.filter(active=False).count(),
        "aliases": Alias.objects.count(),
    }


def expiring() -> list[Alias]:
    """The first aliases that end within two weeks."""
    today = timezone.localdate()
    return list(Alias.objects.filter(expires__range=(today, today + SOON)).order_by("expires")[:5])


@require_safe
def deploy_state(request: SignedIn, generation: int) -> HttpResponse:
    """How a generation stands. While it is on its way, the page that asks again and again gets an empty answer."""
    if generation > services.newest():
        if request.htmx:  # type: ignore[attr-defined]
            return HttpResponse(status=STOP_ASKING)
        raise Http404
    state = services.state(generation)
    if request.htmx and state == "waiting":  # type: ignore[attr-defined]
        return HttpResponse(status=204)
    errors = [host for host in MailHost.objects.exclude(error="") if host.state(generation) == "failed"]
    template = "deploy/_state.html" if request.htmx else "deploy/state.html"  # type: ignore[attr-defined]
    return page(request, template, state=state, generation=generation, hosts=errors)
