"""The one way to write a wish.

A wish is a row that says how people want things to be. Every write happens inside

    with wishes(author, door):
        row.save()

which in one transaction locks the generation, writes down before and after, and counts the generation up; when the
transaction commits, one signal `wishes_changed` says so. A block that changes nothing counts nothing. Blocks may be
nested: the outermost is the transaction. Writing a wish outside raises `OutsideWishes`.
"""

import hashlib
import json
import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, ClassVar, NamedTuple, NoReturn, Self

from django.apps import apps
from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.dispatch import Signal
from django.utils import timezone
from django.utils.translation import gettext

from accounts.rules import Refused, spoken

# Sends `touched`, the models written to, and `rows`; who raises ValidationError, with the `row` it is about where it is
# about one, undoes all of it.
wishes_settling = Signal()
wishes_changed = Signal()  # sends `generation`

Values = dict[str, Any]


class OutsideWishes(RuntimeError):
    """A wish was written outside `with wishes(...)`: the caller forgot the door."""


class Wishes(models.Model):
    """The generation of the wishes: one row, locked by whoever writes."""

    generation = models.PositiveBigIntegerField(default=0)

    def __str__(self) -> str:
        return f"generation {self.generation}"

    @classmethod
    def current(cls) -> int:
        """The newest generation."""
        return cls.objects.filter(pk=1).values_list("generation", flat=True).first() or 0

    @classmethod
    def leap(cls, above: int) -> None:
        """Count beyond a generation that came from elsewhere: numbers only grow. Inside a transaction."""
        row = cls.objects.select_for_update().get_or_create(pk=1)[0]
        row.generation = max(row.generation, above) + 1
        row.save(update_fields=["generation"])


class AuditEntry(models.Model):
    """One change of one row: append-only, each entry holds the hash of the one before. Never a secret.

    `person`, `communities` (their numbers, a blank around each) and `whose` say whom it concerned when it was written;
    without them it is nobody's but the administrator's. Numbers of rows are never given again, names may be.
    `salt`: so that nobody finds out by guessing what an entry says whose digest alone he may see.
    """

    when = models.DateTimeField()
    generation = models.PositiveBigIntegerField()
    who = models.CharField(max_length=254)
    door = models.CharField(max_length=40)
    kind = models.CharField(max_length=60)
    what = models.CharField(max_length=320)
    before = models.JSONField(null=True)
    after = models.JSONField(null=True)
    person = models.BigIntegerField(null=True)
    communities = models.TextField(blank=True, default="")
    whose = models.CharField(max_length=254, blank=True, default="")
    salt = models.CharField(max_length=32, blank=True, default="")
    digest = models.CharField(max_length=64)

    class Meta:
        ordering: ClassVar = ["pk"]
        verbose_name_plural = "audit entries"

    def __str__(self) -> str:
        return f"{self.who}: {self.kind} {self.what}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Append; nobody rewrites history."""
        if self.pk is not None:
            raise OutsideWishes("An audit entry is never changed.")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Nobody rewrites history."""
        raise OutsideWishes("An audit entry is never deleted.")

    def sealed(self, previous: str) -> str:
        """The digest of this entry after one whose digest is `previous`."""
        return sealed(previous, [self.when, *(getattr(self, name) for name in SEALED[1:])])


SEALED = (
    "when", "generation", "who", "door", "kind", "what", "before", "after", "person", "communities", "whose", "salt"
)  # fmt: skip
NEWER = 4  # the last of these were not always there: an entry without any has the digest it always had


def sealed(previous: str, values: Sequence[Any]) -> str:
    """The digest of the values of `SEALED` after an entry whose digest is `previous`."""
    told = values if any(values[-NEWER:]) else values[:-NEWER]
    text = json.dumps([previous, values[0].isoformat(), *told[1:]], sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()


class Concerns(NamedTuple):
    """Whom a row is about: the number of a person, that of a community, and how people call whose it is.

    A person without a community: every community she is in.
    """

    person: int | None = None
    community: int | None = None
    whose: str = ""


@dataclass
class Writing:
    """What happens inside one outermost block."""

    author: str
    door: str
    entries: list[AuditEntry] = field(default_factory=list)
    touched: dict[tuple[type["Wish"], str], "Wish"] = field(default_factory=dict)

    def note(self, row: "Wish", before: Values | None, after: Values | None) -> None:
        """Write down one change, if it is one."""
        self.touched[type(row), row.label()] = row
        if before is not None and after is not None:
            changed = [key for key in after if before[key] != after[key]]
            before, after = {k: before[k] for k in changed}, {k: after[k] for k in changed}
        if before or after:
            entry = AuditEntry(who=self.author, door=self.door, kind=str(row._meta.model_name), what=row.label()[:320])
            entry.before, entry.after = row.masked(before), row.masked(after)
            concerns = row.concerns()
            entry.person, entry.whose = concerns.person, concerns.whose[:254]
            entry.communities = numbers([concerns.community]) if concerns.community else ""
            self.entries.append(entry)


_writing: ContextVar[Writing | None] = ContextVar("writing", default=None)


@contextmanager
def wishes(author: object, door: str) -> Iterator[Writing]:
    """Open the one way to write: `author` is a User or a name such as "command line", `door` where the wish came in."""
    if writing := _writing.get():
        yield writing
        return
    writing = Writing(author=str(getattr(author, "address", author)), door=door)
    with transaction.atomic():
        row = Wishes.objects.select_for_update().get_or_create(pk=1)[0]
        token = _writing.set(writing)
        try:
            yield writing
        finally:
            _writing.reset(token)
        if writing.entries:
            _settle(writing)
            _count(row, writing)


def _settle(writing: Writing) -> None:
    """Let every row that was touched say whether it fits the rest, now that all is written."""
    for row in writing.touched.values():
        try:
            row.settle()
        except ValidationError as error:
            error.row = row  # type: ignore[attr-defined]
            raise
    touched = frozenset(model for model, _label in writing.touched)
    wishes_settling.send(sender=Wishes, touched=touched, rows=tuple(writing.touched.values()))


def _count(row: Wishes, writing: Writing) -> None:
    """Count the generation up, seal the audit entries and tell the listeners once this is committed."""
    row.generation += 1
    row.save(update_fields=["generation"])
    _place(writing.entries)
    _seal(writing.entries, row.generation)
    generation = row.generation
    transaction.on_commit(lambda: wishes_changed.send(sender=Wishes, generation=generation))


def numbers(found: Iterable[int]) -> str:
    """Numbers as one text in which each can be looked for with a blank around it."""
    return "".join(f" {number} " for number in sorted(found))


def _place(entries: list[AuditEntry]) -> None:
    """What is about a person belongs to every community she is in, or was until this block."""
    wide = [entry for entry in entries if entry.person and not entry.communities]
    people = {entry.person for entry in wide}
    found: dict[int, set[int]] = {person: set() for person in people if person}
    for entry in entries:
        if entry.kind == "membership" and entry.person in found:
            found[entry.person].add(int(entry.communities))
    waiting = sorted(found)
    for start in range(0, len(waiting), 500):
        rows = apps.get_model("accounts", "Membership").objects.filter(user__in=waiting[start : start + 500])
        for person, community in rows.order_by().values_list("user", "community"):
            found[person].add(community)
    for entry in wide:
        entry.communities = numbers(found[entry.person or 0])


def _seal(entries: list[AuditEntry], generation: int) -> None:
    """Append entries to the audit, each with the hash of the one before; the generation is locked."""
    digest = AuditEntry.objects.order_by("-pk").values_list("digest", flat=True).first() or ""
    now = timezone.now()
    for entry in entries:
        entry.when, entry.generation, entry.salt = now, generation, secrets.token_hex(16)
        digest = entry.digest = entry.sealed(digest)
    AuditEntry.objects.bulk_create(entries, batch_size=500)


def note_act(author: object, door: str, what: str, facts: Values) -> None:
    """Write down something that somebody did and that is no wish: kind `act`. The generation stays as it is."""
    who = str(getattr(author, "address", author))
    with transaction.atomic():
        row = Wishes.objects.select_for_update().get_or_create(pk=1)[0]
        _seal([AuditEntry(who=who, door=door, kind="act", what=what[:320], after=facts)], row.generation)


def current() -> Writing:
    """The open block, or OutsideWishes."""
    writing = _writing.get()
    if writing is None:
        raise OutsideWishes("Wishes are written inside “with wishes(author, door):” only.")
    return writing


class WishQuerySet(models.QuerySet[Any]):
    """Rows of wishes: writing many at once would leave no trace, so it is refused."""

    def _refuse(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise OutsideWishes("Wishes are saved and deleted one by one, so that each leaves its trace.")

    update = delete = bulk_create = bulk_update = _refuse
    _raw_delete = _refuse


class Wish(models.Model):
    """The base of every model that holds wishes.

    `rules` maps a field to the function that gives its value the normal form or raises Refused.
    `secrets` never leave the row. `quiet` fields are no wishes: saved alone, they leave no trace.
    `goes_with` names the fields whose row takes this one along when it is deleted.
    """

    rules: ClassVar[Mapping[str, Callable[[Any], Any]]] = {}
    secrets: ClassVar[frozenset[str]] = frozenset()
    quiet: ClassVar[frozenset[str]] = frozenset()
    goes_with: ClassVar[frozenset[str]] = frozenset()
    objects: ClassVar[models.Manager[Any]] = models.Manager.from_queryset(WishQuerySet)()

    class Meta:
        abstract = True
        base_manager_name = "objects"

    def __str__(self) -> str:
        return self.label()

    def label(self) -> str:
        """What people call this row."""
        raise NotImplementedError

    def concerns(self) -> Concerns:
        """Whose row this is, for who may read of it in the audit."""
        return Concerns()

    def settle(self) -> None:
        """Raise ValidationError where this row, saved or deleted, does not fit the rows around it.

        Called once at the end of the outermost block, so that rows may be written in any order.
        """

    def clean_fields(self, exclude: Any = None) -> None:
        """Bring every field into its normal form, then let Django check lengths and kinds."""
        errors: dict[str, Any] = {}
        for name, rule in self.rules.items():
            if name not in (exclude or ()):
                try:
                    setattr(self, name, rule(getattr(self, name)))
                except Refused as refused:
                    errors[name] = invalid(refused)
        if errors:
            raise ValidationError(errors)
        super().clean_fields(exclude=exclude)

    def values(self) -> Values:
        """Every field as JSON data, other wishes by their labels."""
        fields = [f for f in self._meta.concrete_fields if not f.primary_key and f.name not in self.quiet]
        return {f.name: plain(getattr(self, f.name)) for f in fields}

    def masked(self, values: Values | None) -> Values | None:
        """The same without secrets: only whether there is one."""
        hidden = {k: "•••" if v else "" for k, v in (values or {}).items() if k in self.secrets}
        return None if values is None else {**values, **hidden}

    def unique_error_message(self, model_class: type[models.Model], unique_check: Sequence[str]) -> ValidationError:
        """One sentence for everything that is given once."""
        value = spoken(getattr(self, unique_check[-1]))
        sentence = gettext("“%(value)s” is here already: choose another.") % {"value": value}
        return ValidationError(sentence, code="unique")

    def stored(self) -> Values | None:
        """The values in the database, or None for a new row."""
        row = type(self)._base_manager.filter(pk=self.pk).first() if self.pk else None
        return row.values() if row else None

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Check, save and write down; raise ValidationError with a sentence for each field that is refused."""
        if kwargs.get("update_fields") and set(kwargs["update_fields"]) <= self.quiet:
            super().save(*args, **kwargs)
            return
        writing = current()
        self.full_clean()
        before = self.stored()
        super().save(*args, **kwargs)
        writing.note(self, before, self.values())

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        """Delete and write down, and so each row that goes with this one.

        Whoever calls deletes the other rows that lead here first: each leaves its trace.
        """
        writing = current()
        for row in self.belongings():
            row.delete()
        writing.note(self, self.values(), None)
        return super().delete(*args, **kwargs)

    def belongings(self) -> Iterator["Wish"]:
        """The rows that go with this one."""
        for relation in self._meta.related_objects:
            model, name = relation.related_model, relation.field.name
            if isinstance(model, type) and issubclass(model, Wish) and name in model.goes_with:
                yield from model._default_manager.filter(**{name: self})

    def refreshed(self) -> Self:
        """The row as it is stored now."""
        row: Self = type(self)._base_manager.get(pk=self.pk)
        return row


def plain(value: Any) -> Any:
    """A field's value as JSON data."""
    if isinstance(value, Wish):
        return value.label()
    return value if isinstance(value, str | int | bool | list | dict | None) else str(value)


def invalid(refused: Refused) -> ValidationError:
    """A refusal as forms and models say it, in the reader's language."""
    return ValidationError(gettext(refused.sentence) % refused.facts, code="refused")
