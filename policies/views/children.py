"""A person who is looked after: level and switches, and changing the level."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts.models import Membership
from accounts.pages import SignedIn, form_page, page, posted, save_or_say, saved
from accounts.rules import SWITCHES
from policies import levels, words
from policies.cautions import memberships
from policies.forms.lists import LevelForm
from policies.models import Contact
from policies.rights import held_mailboxes
from policies.rule_states import rule_states, with_filing
from policies.views.owners import kept_person_or_404
from policies.waiting import silent_letters, waiting_by_person


@dataclass(frozen=True)
class Switch:
    """A switch in words. `until`: the last day of an exception that is in force, or None."""

    label: str
    setting: str
    active: bool
    until: date | None


@require_safe
def child_show(request: SignedIn, pk: int) -> HttpResponse:
    """What a person's level says, switch by switch, and how many people she may write with."""
    person, now = kept_person_or_404(request, pk), timezone.now()
    bound = memberships(person).select_related("community")
    held = held_mailboxes(request.user)
    theirs = {key: people for key, people in held.items() if person in people}
    context: dict[str, Any] = {
        "person": person,
        "bonds": [(one, list(switches(one, now.astimezone(ZoneInfo(one.community.timezone)).date()))) for one in bound],
        "contacts": Contact.objects.filter(person=person).exclude(kind=Contact.Kind.BLOCKED).count(),
        "blocked": Contact.objects.filter(person=person, kind=Contact.Kind.BLOCKED).count(),
        "waiting": waiting_by_person(theirs).get(person.pk, 0),
        "silent": silent_letters(theirs).count(),
    }
    context["mailboxes"] = list(with_filing(person.mailboxes.all()))
    context["states"] = rule_states(context["mailboxes"], now)
    return page(request, "policies/child_show.html", **context)


def switches(bond: Membership, today: date) -> Iterator[Switch]:
    """Every switch as it stands today."""
    settings = levels.effective(bond.level, bond.overrides, today)
    usual = levels.TABLE[bond.level]
    for switch in SWITCHES:
        value = settings[switch]
        level = bond.level if value == usual[switch] or switch == "hours" else ""
        label, setting = str(words.SWITCHES[switch]), words.setting(switch, value, level)
        yield Switch(label, setting, levels.active(switch, value), levels.last_day(bond.overrides, switch, today))


@form_page
def child_level(request: SignedIn, pk: int, membership: int) -> HttpResponse:
    """Give a person another level. Exceptions stay."""
    person = kept_person_or_404(request, pk)
    row = get_object_or_404(memberships(person).select_related("community"), pk=membership)
    form = LevelForm(posted(request), membership=row)
    if form.is_valid() and save_or_say(request, form, lambda: change(form, row)):
        facts = {"name": person.name, "level": words.LEVELS[row.level]}
        told = _("%(name)s has the level %(level)s from now on.") % facts
        return saved(request, reverse("child-show", args=[pk]), told)
    return page(request, "policies/child_level.html", form, person=person, membership=row)


def change(form: LevelForm, row: Membership) -> None:
    """Save the new level."""
    row.level = form.cleaned_data["level"]
    row.save()
