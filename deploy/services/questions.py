"""A letter that waits, as a row, and what it asks: may this person write with this address?

In: the row, what the letter says, addresses as an envelope has them. Out: rows of `HeldLetter` and `Question`, stored
together. Touched: these. Nothing is raised that a letter could cause.
"""

from collections.abc import Collection, Iterable

from django.db import transaction

from accounts.rules import Refused, address as normal_address
from deploy.host.letter import Letter
from domains.models import Mailbox
from policies.lookalike import like
from policies.models import Answer, Contact, HeldLetter, Question

GOES_ON = (Answer.Choice.ONCE, Answer.Choice.ALWAYS)


def add(row: HeldLetter, letter: Letter, asked: Iterable[str], listed: Collection[str]) -> None:
    """Store a letter and what it asks, together, once. `listed`: the entries of the lists that have a say."""
    row.queue_id, row.client = row.queue_id or letter.queue_id, row.client or letter.client
    row.author, row.called, row.facts = letter.author or row.login, letter.called, dict(letter.facts)
    row.subject, row.excerpt = letter.subject, letter.excerpt
    with transaction.atomic():
        row.save()
        ask(row, asked, listed)


def ask(row: HeldLetter, asked: Iterable[str], listed: Collection[str]) -> None:
    """Store questions, one for each address, however it is written."""
    addresses = sorted({normal(one) for one in asked})
    Question.objects.bulk_create(Question(letter=row, address=one, like=like(one, listed)) for one in addresses)


def answer_to(question: Question) -> Answer | None:
    """What was answered."""
    found: Answer | None = getattr(question, "answer", None)
    return found


def goes_on(row: HeldLetter) -> bool:
    """True when every question of a letter is answered, and none with no."""
    answers = [answer_to(question) for question in row.questions.all()]
    return bool(answers) and all(answer and answer.choice in GOES_ON for answer in answers)


def entries(box: Mailbox | None, other_way: str) -> list[str]:
    """Everybody whom the lists of a mailbox's people name, but for those of the other way alone and who is blocked; and
    their family and colleagues, of whom a stranger may make himself a look-alike too.
    """
    people = list(box.people.values_list("pk", flat=True)) if box else []
    lists = Contact.objects.exclude(direction=other_way).exclude(kind=Contact.Kind.BLOCKED)
    own = lists.filter(person__in=people).values_list("address", flat=True)
    common = lists.filter(community__memberships__user__in=people).values_list("address", flat=True)
    family = Mailbox.objects.filter(people__communities__people__in=people).values_list("address", flat=True)
    return sorted({*own, *common, *family})


def normal(address: str) -> str:
    """An address as lists have it; one that no list can hold as it is, in lower case."""
    try:
        return normal_address(address) if address else ""
    except Refused:
        return shown(address).lower()[:254]


def shown(address: str) -> str:
    """An address of an envelope as text that can be stored."""
    text = address.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return "".join(mark if mark.isprintable() else "\ufffd" for mark in text)[:320]
