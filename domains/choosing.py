"""Choosing people in a form: where there are few each has a box to tick, where there are many they are looked for.

In: the people whom somebody may choose. Out: a field whose clean value is a query of people; parts of pages. Touched:
nothing. Raises ValidationError with a sentence for each address that is nobody's to choose.

What a page with many people costs does not depend on how many there are: it holds those who are chosen, and a search
that adds boxes. Without scripts, and for many at once, addresses are written.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet
from django.template.loader import render_to_string
from django.utils.datastructures import MultiValueDict
from django.utils.http import urlencode
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _, gettext_lazy

from accounts import rules
from accounts.models import User

TICKED: Final = 50  # people with a box each, at most
FOUND: Final = 10  # people whom a search shows, at most
WRITTEN: Final = 500  # addresses at once, at most
UNKNOWN: Final = 5  # addresses that are nobody's, told one by one
DIGITS: Final = 18  # what a database holds
BETWEEN: Final = re.compile(r"[\n,;]")


def people_field(people: QuerySet[User], **kwargs: Any) -> "TickedPeople":
    """The field that suits how many people there are to choose from, those who come first in `people` first."""
    few = people.order_by()[: TICKED + 1].count() <= TICKED
    return (TickedPeople if few else SoughtPeople)(people, label=gettext_lazy("People"), required=False, **kwargs)


class TickedPeople(forms.ModelMultipleChoiceField):  # type: ignore[type-arg]
    """People to tick, each with name and address."""

    widget = forms.CheckboxSelectMultiple

    def label_from_instance(self, obj: Any) -> str:
        """Two people may have one name."""
        return f"{obj.name} · {rules.shown_address(obj.address)}"

    def clean(self, value: Any) -> Any:
        """The people who were ticked; a number that no database holds is nobody's."""
        try:
            return super().clean(value)
        except OverflowError:
            number = rules.spoken(max(value, key=len))
            raise ValidationError(self.error_messages["invalid_choice"], params={"value": number}) from None


@dataclass(frozen=True)
class Chosen:
    """What was sent with a form: numbers of people who were ticked, and addresses that were written."""

    ticked: tuple[str, ...]
    written: str


class PeopleSearch(forms.Widget):
    """Those who are chosen, a search for others, and room for addresses. `choices` is set by its field."""

    use_fieldset = True
    choices: Any = ()

    def value_from_datadict(self, data: Any, files: object, name: str) -> Chosen:
        """What was ticked and written."""
        assert isinstance(data, MultiValueDict)
        return Chosen(tuple(data.getlist(name)), data.get(f"{name}_written", ""))

    def id_for_label(self, id_: str, index: object = None) -> str:
        """A legend belongs to no single part."""
        return ""

    def render(self, name: str, value: Any, attrs: Any = None, renderer: object = None) -> SafeString:
        """The whole of it; `value`: what was sent, or the numbers of those who are chosen so far."""
        sent = value if isinstance(value, Chosen) else Chosen(tuple(map(str, value or ())), "")
        chosen = chosen_of(self.choices.queryset, sent.ticked)
        had = urlencode({"had": [person.pk for person in chosen]}, doseq=True)
        context = {"id": (attrs or {}).get("id", name), "name": name, "written": sent.written, "had": had}
        return render_to_string("domains/_people_search.html", {**context, "chosen": boxes(chosen, sent.ticked)})


class SoughtPeople(TickedPeople):
    """People who are looked for by name or address, or named by the address with which they sign in."""

    widget = PeopleSearch  # type: ignore[assignment]

    def clean(self, value: Any) -> Any:
        """The people who were ticked, and those whose addresses were written."""
        assert isinstance(value, Chosen)
        assert self.queryset is not None
        ticked, written = super().clean(list(value.ticked)), named(self.queryset, value.written)
        return self.queryset.filter(pk__in=[*value.ticked, *written]) if written else ticked


def named(people: QuerySet[User], text: str) -> list[int]:
    """The numbers of the people who sign in with the addresses of a text, one a line or with commas between."""
    pieces = [piece.strip() for piece in BETWEEN.split(text) if piece.strip()]
    if len(pieces) > WRITTEN:
        raise ValidationError(_("These are more than %(limit)d addresses: add some now, the others afterwards."),
                              params={"limit": WRITTEN})  # fmt: skip
    meant = {piece: normal(piece) for piece in pieces}
    known = people.order_by().filter(address__in=meant.values()) if meant else people.none()
    found = dict(known.values_list("address", "pk"))
    if unknown := [piece for piece, address in meant.items() if address not in found]:
        raise ValidationError([nobody(piece) for piece in unknown[:UNKNOWN]])
    return list(found.values())


def normal(piece: str) -> str:
    """The stored form of an address; nothing for what is none."""
    try:
        return rules.address(piece)
    except rules.Refused:
        return ""


def nobody(piece: str) -> ValidationError:
    """The same sentence whether nobody has this address or somebody out of reach."""
    sentence = _("Nobody whom you look after signs in with “%(address)s”: correct it, or find the person by name.")
    return ValidationError(sentence, params={"address": rules.spoken(piece)})


def matching(people: QuerySet[User], text: str) -> QuerySet[User]:
    """Those whose name or address holds this text, by name."""
    return people.filter(Q(name__icontains=text) | Q(address__icontains=text)).order_by("name", "address")


def chosen_of(people: QuerySet[User], sent: Iterable[str]) -> list[User]:
    """The people with these numbers, by name; what is no number is nobody's."""
    numbers = {one for one in sent if one.isascii() and one.isdigit() and len(one) <= DIGITS}
    return list(people.filter(pk__in=numbers).order_by("name", "address")) if numbers else []


def boxes(people: Iterable[User], ticked: Iterable[str] = ()) -> Iterator[dict[str, object]]:
    """What a page shows of each."""
    numbers = set(ticked)
    for person in people:
        yield {
            "pk": person.pk,
            "name": person.name,
            "address": rules.shown_address(person.address),
            "ticked": str(person.pk) in numbers,
        }


def sought(people: QuerySet[User], text: str, had: Iterable[str], ticked: list[str]) -> dict[str, Any]:
    """What a search answers: whom it finds, and those who are chosen or were, so that none is lost by searching."""
    chosen = chosen_of(people, {*had, *ticked})
    others = people.exclude(pk__in=[person.pk for person in chosen])
    found = list(matching(others, text)[: FOUND + 1]) if text else []
    return {
        "found": list(boxes(found[:FOUND])),
        "more": len(found) > FOUND,
        "chosen": list(boxes(chosen, ticked)),
        "text": text,
    }
