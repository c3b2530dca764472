"""Home, how far a generation is, and what would become of a letter: the pages that know the mail hosts."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from django.db.models import Count, Prefetch, Q
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from accounts.models import Community, Membership, User
from accounts.pages import SignedIn, form_page, page, posted, say
from accounts.rights import BELOW, children_of
from accounts.rules import Refused, shown_address
from deploy import explain, services
from deploy.forms import TryForm, addresses
from deploy.models import HostRequest, MailHost
from deploy.services import folders
from deploy.services.sleeping import asleep
from deploy.tasks import poke_explain
from domains.models import Alias, Domain, Mailbox
from policies import cases, filter_words, why
from policies.change_words import called
from policies.folders import folders_of
from policies.rights import kept_communities, sights
from policies.rule_states import rule_states, with_filing
from policies.views.owners import filed_mailbox_or_404, kept_person_or_404
from policies.why import Why

SILENT: Final = timedelta(seconds=60)  # a worker looks every few seconds
STOP_ASKING: Final = 286  # what htmx takes as the end of asking again and again
SOON: Final = timedelta(days=14)


@dataclass(frozen=True)
class Verdict:
    """Is mail working, and is everything live. `silent`, `failed`, `paused`, `behind`: the hosts of which that is not
    so. `ahead`: those that know more than this database, where somebody has to confirm. `names`: who paused them.
    """

    hosts: list[MailHost]
    silent: list[MailHost] = field(default_factory=list)
    failed: list[MailHost] = field(default_factory=list)
    behind: list[MailHost] = field(default_factory=list)
    ahead: list[MailHost] = field(default_factory=list)
    paused: list[MailHost] = field(default_factory=list)
    names: dict[str, str] = field(default_factory=dict)

    @property
    def works(self) -> bool:
        """Every host was seen a moment ago and has nothing to complain of."""
        return bool(self.hosts) and not self.silent and not self.failed and not self.ahead


def verdict(hosts: list[MailHost], generation: int, now: datetime) -> Verdict:
    """How the hosts stand at a moment, with this as the newest generation."""
    silent = [host for host in hosts if host.seen is None or now - host.seen > SILENT]
    ahead = [host for host in hosts if host.ahead]
    failed = [host for host in hosts if host.error and not host.ahead]
    paused = [host for host in hosts if host.paused]
    behind = [host for host in hosts if host.applied < generation and host not in silent + failed + ahead + paused]
    return Verdict(hosts, silent, failed, behind, ahead, paused, pausers(paused))


def pausers(hosts: Iterable[MailHost]) -> dict[str, str]:
    """What those who paused hosts are called, by address."""
    addresses = {host.paused_by for host in hosts}
    return called(addresses) if addresses else {}


@require_safe
def home(request: SignedIn) -> HttpResponse:
    """Administrators: is mail working. Everybody: my addresses, my letters, my children."""
    families = Prefetch("memberships", Membership.objects.select_related("community"))
    mine = list(with_filing(request.user.mailboxes.all()))
    children = children_of(request.user).order_by("name").prefetch_related(families)
    context: dict[str, Any] = {"person": request.user, "children": children, "mailboxes": mine}
    reported = looked_after(request.user)
    context |= {"counted": counted(children), "reported": reported, "kept": kept_communities(request.user)}
    context["drawn"] = any(community.kind == "business" for community in reported)  # a family's report is a link
    context |= {"states": rule_states(mine, timezone.now()), "own": [mailbox.pk for mailbox in mine]}
    sleeping = asleep([request.user.pk, *(child.pk for child in children)], timezone.now())
    context |= {
        "hour": sleeping.get(request.user.pk, ""),
        "children": [(one, sleeping.get(one.pk, "")) for one in children],
    }
    if request.user.administrator:
        found = list(MailHost.objects.annotate(changed=Count("drifted", filter=Q(drifted__kept=False))))
        hosts: list[MailHost] = [*found]
        context |= {"verdict": verdict(hosts, services.newest(), timezone.now()), "numbers": numbers()}
        context |= {"expiring": expiring(), "drifted": sum(host.changed for host in found)}
    return page(request, "deploy/home.html", **context)


@require_safe
def person_asleep(request: SignedIn, pk: int) -> HttpResponse:
    """Whether somebody's mail is closed just now, and when it opens; a piece of her page, or a page."""
    person = kept_person_or_404(request, pk)
    hour = asleep([pk], timezone.now()).get(pk, "")
    template = "deploy/_person_asleep.html" if request.htmx else "deploy/person_asleep.html"  # type: ignore[attr-defined]
    return page(request, template, person=person, hour=hour)


def counted(children: Iterable[User]) -> set[int]:
    """Those whose figures their parents see."""
    return {person for person, sight in sights(children, timezone.now()).items() if sight != "nothing"}


def looked_after(person: User) -> list[Community]:
    """The communities that have a report for her."""
    roles = Membership.objects.filter(user=person, role__in=BELOW)
    return list(Community.objects.filter(memberships__in=roles).order_by("name"))


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
    paused = list(MailHost.objects.filter(paused__isnull=False)) if state == "paused" else []
    errors = [host for host in MailHost.objects.exclude(error="") if host.state(generation) == "failed"]
    template = "deploy/_state.html" if request.htmx else "deploy/state.html"  # type: ignore[attr-defined]
    context: dict[str, Any] = {"state": state, "generation": generation, "hosts": errors}
    return page(request, template, **context, paused=paused, names=pausers(paused))


@form_page
def letter_try(request: SignedIn, pk: int) -> HttpResponse:
    """What would become of a letter to or from somebody: ask the host."""
    person = kept_person_or_404(request, pk)
    if not addresses(person.pk):
        return page(request, "deploy/letter_try.html", person=person)
    form = TryForm(posted(request), actor=request.user, person=person)
    if form.is_valid() and (asked := ask_host(request, form)):
        return redirect("letter-tried", pk, asked.pk)
    return page(request, "deploy/letter_try.html", form, person=person)


def ask_host(request: SignedIn, form: TryForm) -> HostRequest | None:
    """Ask, or say beside the form why not."""
    try:
        asked = explain.ask(request.user, form.trial(timezone.now()))
    except Refused as refused:
        say(form, refused)
        return None
    poke_explain(asked.host.name)
    return asked


@require_safe
def letter_tried(request: SignedIn, pk: int, asked: int) -> HttpResponse:
    """What the host says; until then htmx gets an empty answer, and others a page with a link to look again."""
    person = kept_person_or_404(request, pk)
    mine = HostRequest.objects.filter(verb=explain.VERB, author=request.user.address)
    found = get_object_or_404(mine, pk=asked, expires__gt=timezone.now())
    if not {found.arguments["login"], found.arguments["to"]} & set(addresses(person.pk)):
        raise Http404
    if request.htmx and found.answer is None:  # type: ignore[attr-defined]
        return HttpResponse(status=204)
    template = "deploy/_letter_tried.html" if request.htmx else "deploy/letter_tried.html"  # type: ignore[attr-defined]
    return page(request, template, person=person, asked=found, outcomes=outcomes(found))


@require_POST
def mailbox_folders(request: SignedIn, pk: int) -> HttpResponse:
    """Ask the host which folders a mailbox has: a part of the pages that name a folder."""
    mailbox = filed_mailbox_or_404(request, pk)
    asked = folders.ask(request.user, mailbox, timezone.now())
    if asked and asked.answer is None:
        poke_explain(asked.host.name)
    return folders_found(request, mailbox, asked)


@require_safe
def mailbox_folders_found(request: SignedIn, pk: int, asked: int) -> HttpResponse:
    """The folders that the host found; until then an empty answer, and nothing once that is over."""
    mailbox = filed_mailbox_or_404(request, pk)
    mine = folders.asked_by(request.user, mailbox, timezone.now())
    found = mine.filter(pk=asked).first()
    if found and found.answer is None:
        return HttpResponse(status=204)
    return folders_found(request, mailbox, found)


def folders_found(request: SignedIn, mailbox: Mailbox, asked: HostRequest | None) -> HttpResponse:
    """The names that are offered: those of rules, and those that are there."""
    there = folders.names(asked)
    known = folders_of(mailbox)
    context: dict[str, Any] = {
        "mailbox": mailbox,
        "asked": asked,
        "folders": [*known, *(one for one in there if one not in known)],
    }
    return page(request, "deploy/_mailbox_folders.html", **context)


def outcomes(asked: HostRequest) -> list[tuple[str, Why, list[str]]]:
    """What would become of the letter, at each address that it comes to; and what the rules of the mailbox do then."""
    answer = asked.answer or {}
    login, to = asked.arguments["login"], asked.arguments["to"]
    return [
        (
            shown_address(one["address"]),
            why.tried(cases.of_trial(one, login, to, answer["facts"], asked.asked), raw(one)),
            filter_words.done(one["key"], one.get("rules", ())),
        )
        for one in answer.get("outcomes", ())
    ]


def raw(outcome: dict[str, Any]) -> list[str]:
    """An outcome as the host says it."""
    return [" ".join(f"{name}={value}" for name, value in outcome.items() if value)]
