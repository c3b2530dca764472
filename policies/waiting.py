"""What waits for somebody's answer: read from the database, put in order for a page.

In: who asks, the moment. Out: cards, one for each person, address and direction. Nothing is touched or raised. The
number of queries does not grow with the number of letters, and no more letters are read than a page shows.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import Count, F, Max, Q, QuerySet, Window
from django.db.models.functions import RowNumber

from accounts.models import User
from accounts.rules import shown_address
from policies import asking
from policies.asking import Asked, Proof
from policies.lists import Lists, strictest
from policies.models import Contact, HeldLetter, Question
from policies.rights import readable
from policies.rules import SILENT

SHOWN = 3  # letters on one card
Held = Mapping[str, tuple[User, ...]]  # the mailboxes whose letters somebody answers, and whose they are


@dataclass(frozen=True)
class Ask:
    """One open question with what a page says of it.

    `owners`: those of the people whose lists answer it. `says`: the entry that decides in each of these, or None.
    """

    question: Question
    people: tuple[User, ...]
    owners: tuple[User, ...]
    proof: Proof
    choices: tuple[str, ...]
    says: tuple[Contact | None, ...]
    readable: bool

    @property
    def letter(self) -> HeldLetter:
        """The letter that asks."""
        return self.question.letter

    def doubts(self, choice: str) -> tuple[str, ...]:
        """What has to be seen before this answer is given."""
        return asking.doubts(choice, self.proof, self.question.like, self.letter.direction)

    @property
    def listed(self) -> str:
        """How the lists answer by themselves: `always`, `block` or nothing."""
        if any(row and row.kind == Contact.Kind.BLOCKED for row in self.says):
            return "block"
        return "always" if "always" in self.choices and self.says and all(map(self.lets_in, self.says)) else ""

    def lets_in(self, row: Contact | None) -> bool:
        """The entry lets a letter go that shows what this one shows."""
        if row is None:
            return False
        return self.letter.direction == "out" or asking.shows(row.assurance, row.evidence, self.proof)

    @property
    def sound(self) -> bool:
        """Nothing about it asks for care."""
        proven = self.letter.direction == "out" or self.proof.verdict == "pass"
        return proven and not self.question.like

    @property
    def through(self) -> str:
        """The mailing list that sent the letter on, or nothing."""
        found = str(self.letter.facts.get("List", ""))
        return found if self.letter.direction == "in" and asking.through_a_list(found, self.proof) else ""

    @property
    def sure_of_always(self) -> tuple[str, ...]:
        """What has to be seen before `always`."""
        return self.doubts("always")

    @property
    def doubted(self) -> list[str]:
        """The answers that need a second look."""
        return [choice for choice in self.choices if self.doubts(choice)]


@dataclass
class Card:
    """All letters that ask the same of the same people. `asks`: the newest; `count`: how many there are."""

    people: tuple[User, ...]
    direction: str
    address: str
    count: int
    newest: datetime
    asks: list[Ask] = field(default_factory=list)

    @property
    def shown(self) -> str:
        """The address as people write it."""
        return shown_address(self.address)

    @property
    def best(self) -> Ask:
        """The letter that proves most, of these the newest: an entry is made from what it shows."""
        return min(self.asks, key=lambda ask: rank(ask.proof))

    @property
    def proofs_differ(self) -> bool:
        """Some of the letters prove more than others."""
        return len({asking.assurance(ask.proof) for ask in self.asks}) > 1

    @property
    def like(self) -> str:
        """An entry of the list that this address looks like."""
        return next((ask.question.like for ask in self.asks if ask.question.like), "")

    @property
    def older(self) -> int:
        """How many letters are not shown."""
        return self.count - len(self.asks)


def rank(proof: Proof) -> int:
    """What proves most comes first."""
    if proof.verdict == "pass":
        return 0
    return 1 if asking.evidence(proof) else 2


def open_questions(held: Iterable[str]) -> QuerySet[Question]:
    """The questions that nobody has answered, of letters in these mailboxes that wait."""
    waits = Q(letter__state=HeldLetter.State.WAITING, letter__key__in=list(held), answer__isnull=True)
    return Question.objects.filter(waits).exclude(letter__reason__in=SILENT).order_by("-letter__arrived", "-pk")


def silent_letters(held: Iterable[str]) -> QuerySet[HeldLetter]:
    """The letters of which nobody is asked: spam, and who is blocked."""
    return HeldLetter.objects.filter(state=HeldLetter.State.WAITING, key__in=list(held), reason__in=SILENT)


def letters_waiting(held: Iterable[str]) -> int:
    """How many letters wait for an answer."""
    return int(open_questions(held).aggregate(letters=Count("letter", distinct=True))["letters"])


def waiting_by_person(held: Held) -> Mapping[int, int]:
    """How many letters of each person wait for an answer."""
    counts = open_questions(held).order_by().values_list("letter__key").annotate(Count("letter", distinct=True))
    found: dict[int, int] = defaultdict(int)
    for key, letters in counts:
        for person in held[key]:
            found[person.pk] += letters
    return found


def cards(held: Held) -> list[Card]:
    """Every card without its letters, the newest first."""
    rows = open_questions(held).order_by().values_list("letter__key", "letter__direction", "address")
    found: dict[tuple[tuple[User, ...], str, str], Card] = {}
    for key, direction, address, count, newest in rows.annotate(Count("pk"), Max("letter__arrived")):
        card = found.setdefault((held[key], direction, address), Card(held[key], direction, address, 0, newest))
        card.count, card.newest = card.count + count, max(card.newest, newest)
    return sorted(found.values(), key=lambda card: (card.newest, card.address), reverse=True)


def fill(some: Sequence[Card], held: Held, now: datetime) -> None:
    """Put the newest letters on these cards."""
    by = {(card.people, card.direction, card.address): card for card in some}
    place = Window(
        RowNumber(),
        partition_by=[F("letter__key"), F("letter__direction"), F("address")],
        order_by=[F("letter__arrived").desc(), F("pk").desc()],
    )
    wanted = Q(pk__in=[])
    for people, direction, address in by:
        keys = [key for key, whose in held.items() if whose == people]
        wanted |= Q(letter__key__in=keys, letter__direction=direction, address=address)
    rows = open_questions(held).filter(wanted).annotate(place=place).filter(place__lte=SHOWN)
    for ask in ask_all(rows.select_related("letter"), held, now):
        card = by[ask.people, ask.letter.direction, ask.question.address]
        if len(card.asks) < SHOWN:
            card.asks.append(ask)


def ask_all(questions: Iterable[Question], held: Held, now: datetime) -> list[Ask]:
    """Questions with what a page says of them."""
    found = list(questions)
    people = {person for key in {one.letter.key for one in found} for person in held[key]}
    lists, seen = Lists(people, {one.address for one in found}), readable(people, now)
    return [ask(one, held[one.letter.key], lists, seen) for one in found]


def ask(question: Question, people: tuple[User, ...], lists: Lists, seen: set[int]) -> Ask:
    """One question with what a page says of it."""
    letter, proof = question.letter, asking.proof(question.letter.facts.get("From"))
    owners = whose_lists(letter, people)
    asked = Asked(
        direction=letter.direction,
        station=letter.station,
        reason=letter.reason,
        address=question.address,
        proof=proof,
        list_id=str(letter.facts.get("List", "")),
        listed=strictest(lists.kind(person, question.address, letter.direction) for person in owners),
        lists=all(map(lists.counts, owners)),
    )
    says = tuple(row for person in owners for row in lists.says(person, question.address, letter.direction))
    may_read = all(person.pk in seen for person in people)
    return Ask(question, people, owners, proof, asking.choices(asked), says, may_read)


def whose_lists(letter: HeldLetter, people: tuple[User, ...]) -> tuple[User, ...]:
    """Whose lists speak of a letter: who wrote it, else everybody of the mailbox."""
    writers = tuple(person for person in people if person.address == letter.login)
    return writers if letter.direction == "out" and writers else people


def settled(answered: Iterable[Ask]) -> int:
    """How many letters go on, now that these questions are answered so."""
    letters = {one.letter.pk for one in answered}
    others = Question.objects.filter(letter__in=letters).exclude(pk__in=[one.question.pk for one in answered])
    kept = others.exclude(answer__choice__in=asking.LETS_IN)
    return len(letters) - int(kept.aggregate(letters=Count("letter", distinct=True))["letters"])
