"""What a mailbox does with its letters, changed in an order that holds. Callers hold `with wishes(...)`.

In: who acts, a mailbox, what she wrote. Out: the rows as they are stored. Touched: rules, vacation, spam, forwarding.
Raised: ValidationError with the sentence to who asks, PermissionDenied for whom the mailbox is not there.
"""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from typing import Final, TypeVar

from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Count, Field, QuerySet
from django.utils import timezone
from django.utils.translation import gettext

from accounts.models import AuditEntry, Membership, User
from domains.models import Mailbox
from policies import filters
from policies.filter_cautions import cautions, forwarding_cautions
from policies.models import Filing, FilterRule, Forwarding, RuleAct, Spam, Vacation
from policies.models.filters import Once
from policies.rights import may_file

__all__ = [
    "acted",
    "cautions",
    "changes",
    "clear_forwarding",
    "clear_spam",
    "clear_vacation",
    "forwarding_cautions",
    "move_rule",
    "remove_rule",
    "restore",
    "rules_of",
    "save_rule",
    "set_forwarding",
    "set_spam",
    "set_vacation",
    "switch_rule",
]
STEP: Final = 1 << 16  # room between two rules, so that moving one writes one
One = TypeVar("One", bound=Once)


def refuse_others(actor: User, mailbox: Mailbox) -> None:
    """Nobody files for whom she is no one."""
    if not may_file(actor, mailbox):
        raise PermissionDenied


def refuse_sending_on(actor: User, mailbox: Mailbox, row: Filing) -> None:
    """Where the letters of somebody protected go on to, she alone decides: her parents ask to read one."""
    goes_on = filters.forwards(row.then) if isinstance(row, FilterRule) else getattr(row, "to", [])
    others = Membership.objects.filter(user__in=mailbox.people.exclude(pk=actor.pk), role="protected")
    if goes_on and (protected := others.select_related("user").first()):
        sentence = gettext("Only %(name)s can have these letters sent on: to see one, ask to read it.")
        raise ValidationError(sentence % {"name": protected.user.name})


def rules_of(mailbox: Mailbox) -> QuerySet[FilterRule]:
    """The rules, in the order in which they act."""
    return FilterRule.objects.filter(mailbox=mailbox).select_related("mailbox")


def acted(mailbox: Mailbox) -> dict[str, int]:
    """How often each rule did something in the last 30 days, by key; one that did nothing is not there."""
    of_late = RuleAct.objects.filter(key=mailbox.key, when__gte=timezone.now() - timedelta(days=30))
    return dict(of_late.order_by().values_list("rule").annotate(Count("pk")))


def save_rule(actor: User, mailbox: Mailbox, rule: FilterRule) -> FilterRule:
    """Save a new rule behind the others, or a changed one where it is."""
    if rule.pk and rule.mailbox_id != mailbox.pk:
        raise PermissionDenied
    refuse_others(actor, mailbox)
    refuse_sending_on(actor, mailbox, rule)
    if rule.pk is None:
        rule.mailbox = mailbox
        last = rules_of(mailbox).last()
        rule.position = last.position + STEP if last else STEP
    rule.save()
    return rule


def move_rule(actor: User, rule: FilterRule, position: int) -> FilterRule:
    """Let a rule be the `position`th of its mailbox, counted from 0; one beyond the last is the last."""
    refuse_others(actor, rule.mailbox)
    others = list(rules_of(rule.mailbox).exclude(pk=rule.pk))
    place = max(0, min(position, len(others)))
    low, high = bounds([other.position for other in others], place)
    if high - low < 2:
        spread([*others[:place], rule, *others[place:]])
    elif not low < rule.position < high:
        rule.position = (low + high) // 2
        rule.save()
    return rule


def bounds(positions: Sequence[int], place: int) -> tuple[int, int]:
    """The positions before and behind a place."""
    low = positions[place - 1] if place else 0
    return low, positions[place] if place < len(positions) else low + 2 * STEP


def spread(rows: Iterable[FilterRule]) -> None:
    """Give rules positions with room between them; only those are written that move."""
    for number, row in enumerate(rows, 1):
        if row.position != number * STEP:
            row.position = number * STEP
            row.save()


def switch_rule(actor: User, rule: FilterRule, on: bool) -> FilterRule:
    """Let a rule act, or rest."""
    refuse_others(actor, rule.mailbox)
    rule.active = on
    rule.save()
    return rule


def remove_rule(actor: User, rule: FilterRule) -> None:
    """Take a rule away."""
    refuse_others(actor, rule.mailbox)
    rule.delete()


def set_vacation(
    actor: User, mailbox: Mailbox, *, text: str, first: date, last: date, subject: str = "", days: int = 7
) -> Vacation:
    """Answer who writes, from the first to the last day."""
    values = {"text": text, "first": first, "last": last, "subject": subject, "days": days}
    return put(actor, mailbox, Vacation, values)


def clear_vacation(actor: User, mailbox: Mailbox) -> None:
    """Answer no more."""
    clear(actor, mailbox, Vacation)


def set_spam(actor: User, mailbox: Mailbox, *, over: int, folder: str = "Junk", tag: str = "") -> Spam:
    """File what looks like spam."""
    return put(actor, mailbox, Spam, {"over": over, "folder": folder, "tag": tag})


def clear_spam(actor: User, mailbox: Mailbox) -> None:
    """File spam no more."""
    clear(actor, mailbox, Spam)


def set_forwarding(actor: User, mailbox: Mailbox, *, to: Sequence[str], keep: bool = True) -> Forwarding:
    """Forward what no rule has ended for."""
    return put(actor, mailbox, Forwarding, {"to": list(to), "keep": keep})


def clear_forwarding(actor: User, mailbox: Mailbox) -> None:
    """Forward no more."""
    clear(actor, mailbox, Forwarding)


def put(actor: User, mailbox: Mailbox, model: type[One], values: dict[str, object]) -> One:
    """Write what a mailbox has one of."""
    refuse_others(actor, mailbox)
    row: One = model.objects.filter(mailbox=mailbox).first() or model(mailbox=mailbox)
    for name, value in values.items():
        setattr(row, name, value)
    refuse_sending_on(actor, mailbox, row)
    row.save()
    return row


def clear(actor: User, mailbox: Mailbox, model: type[Once]) -> None:
    """Take away what a mailbox has one of."""
    refuse_others(actor, mailbox)
    for row in model.objects.filter(mailbox=mailbox):
        row.delete()


KINDS: Final[dict[str, type[Filing]]] = {
    str(model._meta.model_name): model for model in (FilterRule, Vacation, Spam, Forwarding)
}


def changes(mailbox: Mailbox, kind: str, what: str) -> QuerySet[AuditEntry]:
    """What was written down about one rule or setting of a mailbox, oldest first."""
    if kind not in KINDS or what.rpartition(" ")[2] != mailbox.address:
        return AuditEntry.objects.none()
    return AuditEntry.objects.filter(kind=kind, what=what)


def restore(actor: User, mailbox: Mailbox, change: AuditEntry) -> Filing:
    """Take a change back: put a rule or a setting there again, or as it was. Only the last change of it can be."""
    refuse_others(actor, mailbox)
    found = changes(mailbox, change.kind, change.what)
    if not change.before or not found.exists():
        raise PermissionDenied
    if found.latest("pk") != change:
        raise ValidationError(gettext("Somebody has changed this since: look at the list."))
    row = stored(mailbox, change)
    for name in change.before.keys() - {"mailbox"}:
        field = row._meta.get_field(name)
        setattr(row, name, field.to_python(change.before[name]) if isinstance(field, Field) else None)
    refuse_sending_on(actor, mailbox, row)
    row.save()
    return row


def stored(mailbox: Mailbox, change: AuditEntry) -> Filing:
    """The row that a change was about, or a new one in its place."""
    model = KINDS[change.kind]
    its_own = {"key": change.what.partition(" ")[0]} if model is FilterRule else {}
    row: Filing = model._default_manager.filter(mailbox=mailbox, **its_own).first() or model(mailbox=mailbox, **its_own)
    return row
