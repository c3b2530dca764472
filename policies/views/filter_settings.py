"""What a mailbox has once: the answer while somebody is away, where spam goes, where every letter goes on to."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from typing import Any, Final
from zoneinfo import ZoneInfo

from django import forms
from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _, gettext_lazy
from django.views.decorators.http import require_POST

from accounts.pages import SignedIn, form_page, posted, press, refused, save_or_say, saved
from domains.models import Mailbox
from policies import filing
from policies.builder_words import strictness
from policies.folders import folders_of
from policies.forms.filing import (
    ForwardingForm,
    SpamForm,
    VacationForm,
    typed_forwarding,
    typed_spam,
    typed_vacation,
)
from policies.models import Forwarding, Spam, Vacation
from policies.models.filters import Once
from policies.views.owners import filed_mailbox_or_404

USUAL_ABSENCE: Final = timedelta(days=7)
CLEARED: Final = {
    "vacation": gettext_lazy("Nobody gets an answer by itself any more."),
    "spam": gettext_lazy("Spam is no longer sorted out."),
    "forwarding": gettext_lazy("Letters no longer go on to other addresses."),
}
CLEAR: Final[dict[str, Callable[..., None]]] = {
    "vacation": filing.clear_vacation,
    "spam": filing.clear_spam,
    "forwarding": filing.clear_forwarding,
}


@dataclass(frozen=True)
class Settings:
    """What a mailbox has once. `away`: whether the answer is for `later`, goes out `now`, or is `over`."""

    vacation: Vacation | None
    away: str
    spam: Spam | None
    strictness: str
    forwarding: Forwarding | None


def list_of(mailbox: Mailbox) -> str:
    """The page of a mailbox's rules."""
    return reverse("rule-list", args=[mailbox.pk])


def zone_of(mailbox: Mailbox) -> tzinfo:
    """Where a mailbox is at home."""
    community = mailbox.domain.community
    return ZoneInfo(community.timezone if community else settings.TIME_ZONE)


def one(model: type[Once], mailbox: Mailbox) -> Any:
    """The row of this mailbox, or None."""
    return model.objects.filter(mailbox=mailbox).first()


def settings_of(mailbox: Mailbox, now: datetime) -> Settings:
    """What a mailbox has once, at a moment."""
    vacation, spam = one(Vacation, mailbox), one(Spam, mailbox)
    today = now.astimezone(zone_of(mailbox)).date()
    return Settings(
        vacation,
        away(vacation, today) if vacation else "",
        spam,
        strictness(spam.over) if spam else "",
        one(Forwarding, mailbox),
    )


def away(vacation: Vacation, today: date) -> str:
    """Whether the answer is for later, goes out now, or is over."""
    if today < vacation.first:
        return "later"
    return "now" if today <= vacation.last else "over"


@form_page
def vacation_edit(request: SignedIn, pk: int) -> HttpResponse:
    """The answer to who writes while somebody is away."""
    mailbox = filed_mailbox_or_404(request, pk)
    row, today = one(Vacation, mailbox), timezone.now().astimezone(zone_of(mailbox)).date()
    form = VacationForm(posted(request), initial=typed_vacation(row, today, today + USUAL_ABSENCE))
    return change(request, mailbox, form, row, filing.set_vacation, _("The answer is saved."))


@form_page
def spam_edit(request: SignedIn, pk: int) -> HttpResponse:
    """From how many points on a letter is spam, and where it goes."""
    mailbox = filed_mailbox_or_404(request, pk)
    row = one(Spam, mailbox)
    form = SpamForm(posted(request), initial=typed_spam(row))
    return change(request, mailbox, form, row, filing.set_spam, _("The spam setting is saved."))


@form_page
def forwarding_edit(request: SignedIn, pk: int) -> HttpResponse:
    """Where every letter goes on to."""
    mailbox = filed_mailbox_or_404(request, pk)
    row = one(Forwarding, mailbox)
    form = ForwardingForm(posted(request), initial=typed_forwarding(row))
    return change(request, mailbox, form, row, filing.set_forwarding, _("The forwarding is saved."))


def change(
    request: SignedIn, mailbox: Mailbox, form: forms.Form, row: Once | None, put: Callable[..., Once], done: str
) -> HttpResponse:
    """Save what was typed; show how it looks before."""
    kind = form.__class__.__name__.removesuffix("Form").lower()
    if "look" in request.POST:
        return shown(request, mailbox, form, kind, row)
    if form.is_valid():
        before = filing.changes(mailbox, kind, mailbox.address).count()
        if save_or_say(request, form, lambda: put(request.user, mailbox, **form.cleaned_data)):
            sentence = " ".join([done, *cautions(mailbox, form)])
            return saved(request, list_of(mailbox), sentence, undo=undo(mailbox, kind, mailbox.address, before))
    return shown(request, mailbox, form, kind, row, status=422 if form.errors else 200)


def shown(
    request: SignedIn, mailbox: Mailbox, form: forms.Form, kind: str, row: Once | None, status: int = 200
) -> HttpResponse:
    """The page of one setting."""
    context = {"form": form, "mailbox": mailbox, "row": row, "folders": folders_of(mailbox)}
    context |= {"cautions": cautions(mailbox, form) if form.is_bound and form.is_valid() else []}
    return render(request, f"policies/{kind}_edit.html", context, status=status)


def cautions(mailbox: Mailbox, form: forms.Form) -> list[str]:
    """What to know about a forwarding that was typed."""
    if not isinstance(form, ForwardingForm):
        return []
    return filing.forwarding_cautions(Forwarding(mailbox=mailbox, **form.cleaned_data))


def undo(mailbox: Mailbox, kind: str, what: str, before: int) -> str:
    """Where the last change of a rule or a setting is taken back, if there was one since that can be."""
    found = filing.changes(mailbox, kind, what)
    if found.count() <= before:
        return ""
    last = found.latest("pk")
    return reverse("filing-restore", args=[mailbox.pk, last.pk]) if last.before else ""


@require_POST
def setting_remove(request: SignedIn, pk: int, kind: str) -> HttpResponse:
    """Take a setting away."""
    mailbox = filed_mailbox_or_404(request, pk)
    before = filing.changes(mailbox, kind, mailbox.address).count()
    if sentence := press(request, lambda: CLEAR[kind](request.user, mailbox)):
        return refused(request, sentence, list_of(mailbox))
    return saved(request, list_of(mailbox), str(CLEARED[kind]), undo=undo(mailbox, kind, mailbox.address, before))
