"""Forms about lists, levels and answers. What a form makes is a `Draft`, to be looked at before it is saved."""

from typing import Any, Final

from django import forms
from django.core.exceptions import ValidationError
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext, gettext_lazy as _

from accounts.forms import LineField, email
from accounts.models import Community, Membership
from accounts.rules import LEVELS, Refused
from accounts.wishes import invalid
from policies import rules, words
from policies.cautions import Draft, Known, Owner, draft
from policies.levels import TABLE, active
from policies.models import Contact

MOST_LINES: Final = 100
ASSURANCES: Final = [
    ("proven", _("the provider must confirm it (the best, and usual)")),
    ("pinned", _("their provider confirms nothing: ask me at the first letter, then recognise the next ones")),
    ("unproven", _("let in whatever bears this address: anyone can write it there")),
]


def directions(owner: Owner) -> list[tuple[str, Any]]:
    """Which ways, in the words of this list."""
    name = {"name": owner.name}
    return [
        ("both", _("may write to %(name)s, and be written to") % name),
        ("in", _("may only write to %(name)s") % name),
        ("out", _("may only be written to")),
    ]


def kinds(owner: Owner) -> list[tuple[str, Any]]:
    """Which kinds of entries, in the words of this list."""
    return [
        ("allowed", _("may write with %(name)s") % {"name": owner.name}),
        ("always", _("always: nobody can block this one, and no letter waits for what it holds")),
        ("blocked", _("is blocked: letters are kept back, and nobody is asked")),
    ]


class EntryForm(forms.Form):
    """What an entry of somebody's list says beside its address."""

    direction = forms.ChoiceField(label=_("Which way"), widget=forms.RadioSelect, initial="both")
    kind = forms.ChoiceField(label=_("What it says"), widget=forms.RadioSelect, initial="allowed")
    assurance = forms.ChoiceField(
        label=_("How it is proved who wrote"), widget=forms.RadioSelect, initial="proven", choices=ASSURANCES
    )

    def __init__(self, *args: Any, owner: Owner, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.owner = owner
        self.fields["direction"].choices = directions(owner)  # type: ignore[attr-defined]
        self.fields["kind"].choices = kinds(owner)  # type: ignore[attr-defined]

    def row(self, address: str, name: str) -> Contact:
        """A new entry of this list."""
        whose = "community" if isinstance(self.owner, Community) else "person"
        typed = {field: self.cleaned_data[field] for field in ("direction", "kind", "assurance")}
        return Contact(address=address, name=name, **typed, **{whose: self.owner})


class AddForm(EntryForm):
    """New entries."""

    def drafts(self) -> list[Draft]:
        """What was typed, with what to know about it."""
        raise NotImplementedError


class ContactAddForm(AddForm):
    """One more entry."""

    address = LineField(
        rules.entry,
        label=_("Address"),
        widget=email(),
        help_text=_("Like nonna@example.org, or @school.example for everybody there."),
    )
    name = LineField(
        rules.entry_name,
        label=_("Name"),
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        help_text=_("What you call this person. May stay empty."),
    )
    field_order = ("address", "name", "direction", "kind", "assurance")

    def drafts(self) -> list[Draft]:
        """The entry that was typed."""
        return [draft(Known(self.owner), self.row(self.cleaned_data["address"], self.cleaned_data["name"]))]


class ContactPasteForm(AddForm):
    """Several entries, one a line."""

    lines = forms.CharField(
        label=_("Addresses"),
        strip=False,
        max_length=50_000,
        widget=forms.Textarea(attrs={"rows": 7, "inputmode": "email", "autocapitalize": "none", "spellcheck": "false"}),
        help_text=_("One a line: Nonna Rosa &lt;nonna@example.org&gt;, or only the address, or @school.example."),
    )
    field_order = ("lines", "direction", "kind", "assurance")

    def clean_lines(self) -> list[tuple[int, str]]:
        """The lines that are not empty, with their numbers."""
        lines = self.cleaned_data["lines"].replace("\r\n", "\n").split("\n")
        found = [(number, line) for number, line in enumerate(lines, 1) if line.strip()]
        if len(found) > MOST_LINES:
            message = gettext("These are %(count)s lines: paste at most %(limit)s at once.")
            raise ValidationError(message % {"count": len(found), "limit": MOST_LINES})
        return found

    def drafts(self) -> list[Draft]:
        """An entry for each line, or why there is none."""
        known, found = Known(self.owner), []
        for number, line in self.cleaned_data["lines"]:
            one = self.understood(known, number, line)
            known.own.setdefault(one.row.address, one.row)
            found.append(one)
        return found

    def understood(self, known: Known, number: int, line: str) -> Draft:
        """What one line says."""
        try:
            return draft(known, self.row(*rules.entry_line(line.strip())), number)
        except Refused as refused:
            return Draft(Contact(address=""), number, error=" ".join(invalid(refused).messages))


class ContactEditForm(EntryForm):
    """What can change about an entry. Its address cannot: that would be another one."""

    name = LineField(rules.entry_name, label=_("Name"), required=False)
    field_order = ("name", "direction", "kind", "assurance")

    def fill(self, row: Contact) -> None:
        """Put what was typed into the row."""
        for name, value in self.cleaned_data.items():
            setattr(row, name, value)


class LevelForm(forms.Form):
    """The level of a person in one community."""

    level = forms.ChoiceField(label=_("Level"), widget=forms.RadioSelect)

    def __init__(self, *args: Any, membership: Membership, **kwargs: Any) -> None:
        kwargs["initial"] = {"level": membership.level}
        super().__init__(*args, **kwargs)
        choices = [(level, described(level)) for level in LEVELS[membership.community.kind]]
        self.fields["level"].choices = choices  # type: ignore[attr-defined]


def described(level: str) -> SafeString:
    """A level and the two things that matter most about it."""
    names = {"incoming": gettext("May write:"), "outgoing": gettext("May be written to:")}
    parts = [(name, promised(level, switch)) for switch, name in names.items()]
    return format_html("<strong>{}</strong>{}", words.LEVELS[level], format_html_join("", "<br>{} {}", parts))


def promised(level: str, switch: str) -> str:
    """What a level says, and whether that is so today."""
    setting = TABLE[level][switch]
    said = words.setting(switch, setting, level)
    return said if active(switch, setting) else gettext("%(setting)s (not yet active)") % {"setting": said}


class AnswerForm(forms.Form):
    """An answer to a question. `sure`: what had to be seen before was seen."""

    choice = forms.ChoiceField(label=_("Answer"), choices=[(choice, choice) for choice in rules.ANSWERS])
    sure = forms.BooleanField(required=False)
    told: Any = None
