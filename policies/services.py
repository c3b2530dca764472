"""What happens to lists and held letters where more than one row changes. Callers hold `with wishes(...)`.

In: who acts, a question or entries. Out: what was done, to be told. Touched: contacts and answers. Raised:
ValidationError with the sentence to who asks, PermissionDenied for whom the letter or the list is not there.
"""

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field

from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext

from accounts.models import AuditEntry, Community, User
from accounts.wishes import wishes
from policies import asking
from policies.models import Answer, Contact, HeldLetter, Question
from policies.rights import held_mailboxes, may_keep_list, may_write_entry
from policies.waiting import Ask, Held, ask_all, open_questions, settled


@dataclass
class Told:
    """What was done: the entries that are new, and the answered questions; `going`: those that let a letter go on."""

    created: list[Contact] = field(default_factory=list)
    answered: list[Ask] = field(default_factory=list)
    going: list[Ask] = field(default_factory=list)

    @property
    def letters(self) -> int:
        """How many letters go on by it."""
        return settled(self.going)

    def add(self, other: "Told") -> None:
        """What was done beside."""
        self.created += other.created
        self.answered += other.answered
        self.going += other.going


def answer(actor: User, question: Question, choice: str, *, confirmed: bool = False) -> Told:
    """Answer one question, and with `always` and `block` every other one that the lists answer then.

    The first answer stands. `confirmed`: what `Ask.doubts` says was seen on a page of its own.
    """
    held = held_mailboxes(actor)
    one = fresh(question, held)
    refuse(one, choice, confirmed=confirmed)
    told = Told()
    say(one, choice, told)
    if choice in ("always", "block"):
        for person in one.owners:
            enter(actor, person, one, choice, told)
        answer_by_list(held, one.question.address, told)
    return told


def fresh(question: Question, held: Held) -> Ask:
    """The question as it stands now."""
    found = Question.objects.select_related("letter").filter(pk=question.pk).first()
    if found is None or found.letter.key not in held:
        raise PermissionDenied
    return ask_all([found], held, timezone.now())[0]


def refuse(one: Ask, choice: str, *, confirmed: bool) -> None:
    """Say why this cannot be answered, or not yet."""
    if first := Answer.objects.filter(question=one.question).first():
        name = User.objects.filter(address=first.by).values_list("name", flat=True).first() or first.by
        sentence = gettext("%(name)s has answered already: %(choice)s.")
        raise ValidationError(sentence % {"name": name, "choice": first.get_choice_display()})
    if one.letter.state != HeldLetter.State.WAITING:
        raise ValidationError(gettext("This letter waits no more: nothing is left to answer."))
    if choice not in one.choices:
        raise ValidationError(gettext("This is no answer to this letter: press one of its buttons."))
    if one.doubts(choice) and not confirmed:
        raise ValidationError(gettext("Look at the address first, then answer once more."))


def say(one: Ask, choice: str, told: Told) -> None:
    """Write one answer down."""
    Answer(question=one.question, choice=choice).save()
    told.answered.append(one)
    told.going += [one] if choice in asking.LETS_IN else []


def enter(actor: User, person: User, one: Ask, choice: str, told: Told) -> None:
    """Write into a person's list what an answer says of an address."""
    if not may_keep_list(actor, person):
        raise PermissionDenied
    address = one.question.address
    row = Contact.objects.filter(person=person, address=address).first()
    if row is None:
        row = Contact(person=person, address=address, direction="")
        told.created.append(row)
    elif choice == "always" and row.kind == Contact.Kind.BLOCKED:
        sentence = gettext("%(address)s is blocked in the list of %(name)s: take that entry away first.")
        raise ValidationError(sentence % {"address": row.shown, "name": person.name})
    fit(row, one, choice)
    row.save()


def fit(row: Contact, one: Ask, choice: str) -> None:
    """Let an entry say what was answered: for this direction too, and asking for no more than this letter shows."""
    direction = one.letter.direction
    if choice == "block":
        row.kind = Contact.Kind.BLOCKED
    elif direction == "in":
        used = row.direction in ("both", "in")
        if not used or not asking.shows(row.assurance, row.evidence, one.proof):
            row.assurance, row.evidence = asking.assurance(one.proof)
    row.direction = direction if row.direction in ("", direction) else Contact.Direction.BOTH


def allow(actor: User, rows: Iterable[Contact]) -> Told:
    """Write entries, new or changed ones, of lists that the actor keeps; answer the questions that they answer."""
    told, held = Told(), held_mailboxes(actor)
    for row in rows:
        refuse_strangers(actor, row)
        told.created += [row] if row.pk is None else []
        row.save()
        row.settle()
        answer_by_list(held, row.address, told)
    return told


class Rehearsed(Exception):
    """Nothing went wrong: what was written is taken back."""


def rehearse(actor: User, rows: Iterable[Contact]) -> int:
    """How many letters `allow` would let go on. Written, counted and taken back: nothing is left of it.

    Opens `wishes` itself, and is called outside.
    """
    letters = 0
    with suppress(Rehearsed), wishes(actor, "rehearsal"):
        letters = allow(actor, rows).letters
        raise Rehearsed
    return letters


def answer_by_list(held: Held, entry: str, told: Told) -> None:
    """Answer every open question about whom an entry means that the lists answer as they stand now."""
    found = about(open_questions(held), entry).select_related("letter")
    for one in ask_all(found, held, timezone.now()):
        if one.listed:
            say(one, one.listed, told)


def about(questions: QuerySet[Question], entry: str) -> QuerySet[Question]:
    """The questions about an address, with any extension, or about everybody of a domain."""
    local, _at, name = entry.rpartition("@")
    if not local:
        return questions.filter(address__endswith=entry)
    return questions.filter(Q(address=entry) | Q(address__startswith=f"{local}+", address__endswith=f"@{name}"))


def remove(actor: User, row: Contact) -> None:
    """Take an entry away."""
    refuse_strangers(actor, row)
    row.delete()


def refuse_strangers(actor: User, row: Contact) -> None:
    """Nobody writes into a list that is not hers to keep."""
    owner = row.person or row.community
    assert owner, "An entry stands in somebody's list."
    if not may_write_entry(actor, owner, row.kind):
        raise PermissionDenied


def changes(owner: User | Community, address: str) -> QuerySet[AuditEntry]:
    """What was written down about an entry."""
    return AuditEntry.objects.filter(kind="contact", what=f"{address} of {owner.label()}"[:320])


def restore(actor: User, owner: User | Community, change: AuditEntry) -> Contact:
    """Take a change of an entry back: put it there again, or as it was. Only the last change of it can be."""
    address, _of, label = change.what.partition(" of ")
    if change.kind != "contact" or label != owner.label() or not change.before:
        raise PermissionDenied
    if changes(owner, address).latest("pk") != change:
        raise ValidationError(gettext("Somebody has changed this entry since: look at the list."))
    whose = "person" if isinstance(owner, User) else "community"
    row = Contact.objects.filter(address=address, **{whose: owner}).first() or Contact(**{whose: owner})
    for name in Contact.rules.keys() & change.before.keys():
        setattr(row, name, change.before[name])
    allow(actor, [row])
    return row
