"""The rules of a mailbox: in order, one as a sentence, switched, moved, removed, and that taken back."""

from dataclasses import dataclass
from typing import Any, Final

from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.models import AuditEntry
from accounts.pages import SignedIn, form_page, page, posted, press, refused, save_or_say, saved
from domains.models import Mailbox
from domains.rights import managed_mailboxes
from policies import filing
from policies.folders import folders_of
from policies.forms.filters import STARTS, RuleForm, asked_rows, shape_of
from policies.models import FilterRule
from policies.rights import kept_people
from policies.rule_lines import lines
from policies.sentences import filters as sentences
from policies.sentences.case import Said
from policies.views.filter_settings import list_of, settings_of, undo, zone_of
from policies.views.owners import filed_mailbox_or_404

RULES: Final = 50  # on one page
KIND: Final = "filterrule"


class KeyConverter:
    """The key of a rule."""

    regex = r"[0-9a-f]{16}"

    def to_python(self, value: str) -> str:
        """As it is."""
        return value

    def to_url(self, value: str) -> str:
        """As it is."""
        return value


@dataclass(frozen=True)
class Look:
    """A rule before it is saved: what it says, and what to know about it."""

    sentence: Said
    cautions: list[str]


def rule_or_404(request: SignedIn, pk: int, key: str) -> FilterRule:
    """A rule of such a mailbox."""
    return get_object_or_404(filing.rules_of(filed_mailbox_or_404(request, pk)), key=key)


@require_safe
def rule_list(request: SignedIn, pk: int) -> HttpResponse:
    """What happens to the letters of a mailbox, in order."""
    mailbox = filed_mailbox_or_404(request, pk)
    rules = list(filing.rules_of(mailbox))
    found = Paginator(rules, RULES).get_page(request.GET.get("page"))
    context: dict[str, Any] = {
        "mailbox": mailbox,
        "up": up(request, mailbox),
        "rules": found,
        "lines": lines(request.user, mailbox, rules, list(found), zone_of(mailbox)),
        "off": sum(not rule.active for rule in rules),
        "settings": settings_of(mailbox, timezone.now()),
    }
    return page(request, "policies/rule_list.html", **context)


def up(request: SignedIn, mailbox: Mailbox) -> tuple[str, str]:
    """Where one comes from: home, the page of who is looked after, or that of the mailbox."""
    people = list(mailbox.people.all())
    if request.user in people:
        return reverse("home"), _("Home")
    if len(people) == 1 and people[0].pk in kept_people(request.user):
        return reverse("child-show", args=[people[0].pk]), people[0].name
    if managed_mailboxes(request.user).filter(pk=mailbox.pk).exists():
        return reverse("mailbox-edit", args=[mailbox.pk]), mailbox.shown
    return reverse("home"), _("Home")


def change_count(rule: FilterRule) -> int:
    """How often a rule was written down."""
    return filing.changes(rule.mailbox, KIND, rule.label()).count()


@form_page
def rule_add(request: SignedIn, pk: int) -> HttpResponse:
    """A new rule, behind the others."""
    return build(request, FilterRule(mailbox=filed_mailbox_or_404(request, pk)))


@form_page
def rule_edit(request: SignedIn, pk: int, key: str) -> HttpResponse:
    """Change what a rule says."""
    return build(request, rule_or_404(request, pk, key))


def build(request: SignedIn, rule: FilterRule) -> HttpResponse:
    """Show a rule as a sentence; add a row, take one away, say how it reads, or save it."""
    if reshaped := asked_rows(request.POST):
        return shown(request, rule, RuleForm(None, shape=reshaped))
    shape = shape_of(rule) if rule.pk else STARTS.get(request.GET.get("start", ""), STARTS[""])
    form = RuleForm(posted(request), shape=shape)
    if "look" in request.POST:
        return shown(request, rule, form)
    if form.is_valid():
        form.fill(rule)
        before = change_count(rule)
        if save_or_say(request, form, lambda: filing.save_rule(request.user, rule.mailbox, rule)):
            return told(request, rule, before)
    return shown(request, rule, form, status=422 if form.errors else 200)


def told(request: SignedIn, rule: FilterRule, before: int) -> HttpResponse:
    """Lead on to the list, with what to know about the rule and the way back."""
    cautions = filing.cautions(rule.mailbox, rule)
    sentence = " ".join([_("The rule is saved."), *cautions])
    return saved(request, list_of(rule.mailbox), sentence, undo=undo(rule.mailbox, KIND, rule.label(), before))


def shown(request: SignedIn, rule: FilterRule, form: RuleForm, status: int = 200) -> HttpResponse:
    """The page of one rule."""
    context = {
        "form": form,
        "mailbox": rule.mailbox,
        "rule": rule,
        "folders": folders_of(rule.mailbox),
        "look": look(rule, form),
    }
    return render(request, "policies/rule_build.html", context, status=status)


def look(rule: FilterRule, form: RuleForm) -> Look | None:
    """How a whole rule reads, and what to know about it."""
    if not form.is_bound or not form.is_valid():
        return None
    form.fill(rule)
    return Look(sentences.rule(rule.match, rule.when, rule.then), filing.cautions(rule.mailbox, rule))


@require_POST
def rule_move(request: SignedIn, pk: int, key: str) -> HttpResponse:
    """Give a rule another place, counted from 1."""
    rule, wanted = rule_or_404(request, pk, key), request.POST.get("to", "")
    if not wanted.isdecimal() or len(wanted) > 6:
        return refused(request, _("This is no place in the list: use its buttons."), list_of(rule.mailbox))
    if sentence := press(request, lambda: filing.move_rule(request.user, rule, int(wanted) - 1)):
        return refused(request, sentence, list_of(rule.mailbox))
    place = [*filing.rules_of(rule.mailbox).values_list("key", flat=True)].index(key) + 1
    answer = saved(request, list_of(rule.mailbox), _("The rule has place %(place)s now.") % {"place": place})
    answer["Location"] += f"&page={(place - 1) // RULES + 1}#rule-{key}"
    return answer


@require_POST
def rule_switch(request: SignedIn, pk: int, key: str) -> HttpResponse:
    """Let a rule act, or rest."""
    rule, on = rule_or_404(request, pk, key), request.POST.get("on") == "yes"
    if sentence := press(request, lambda: filing.switch_rule(request.user, rule, on)):
        return refused(request, sentence, list_of(rule.mailbox))
    return saved(request, list_of(rule.mailbox), _("The rule is on.") if on else _("The rule is off: it rests."))


@require_POST
def rule_remove(request: SignedIn, pk: int, key: str) -> HttpResponse:
    """Take a rule away."""
    rule = rule_or_404(request, pk, key)
    before = change_count(rule)
    if sentence := press(request, lambda: filing.remove_rule(request.user, rule)):
        return refused(request, sentence, list_of(rule.mailbox))
    return saved(
        request, list_of(rule.mailbox), _("The rule is removed."), undo=undo(rule.mailbox, KIND, rule.label(), before)
    )


@require_POST
def filing_restore(request: SignedIn, pk: int, entry: int) -> HttpResponse:
    """Take the last change of a rule or a setting back."""
    mailbox = filed_mailbox_or_404(request, pk)
    change = get_object_or_404(AuditEntry, pk=entry, kind__in=filing.KINDS, before__isnull=False)
    if not filing.changes(mailbox, change.kind, change.what).exists():
        raise Http404
    if sentence := press(request, lambda: filing.restore(request.user, mailbox, change)):
        return refused(request, sentence, list_of(mailbox))
    return saved(request, list_of(mailbox), _("It is as it was before."))
