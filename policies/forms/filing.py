"""The forms of what a mailbox has once: vacation, spam, forwarding. In: what was typed. Out: values as the services
take them. Nothing is touched."""

import json
from datetime import date
from typing import Any

from django import forms
from django.utils.translation import gettext, gettext_lazy as _

from accounts import rules
from accounts.forms import LineField, calendar
from accounts.rules import Refused, shown_address
from accounts.wishes import invalid
from policies import filters
from policies.builder_words import strictness_steps

PLAIN = {"autocapitalize": "none", "spellcheck": "false", "autocomplete": "off"}


class FolderField(LineField):
    """The name of a folder; those that are there are offered."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            filters.folder, widget=forms.TextInput(attrs={"list": "folders", "autocomplete": "off"}), **kwargs
        )


class VacationForm(forms.Form):
    """What is answered to who writes, and from when to when."""

    first = LineField(rules.day, label=_("First day"), widget=calendar())
    last = LineField(rules.day, label=_("Last day"), widget=calendar())
    text = forms.CharField(
        label=_("What you answer"),
        strip=False,
        widget=forms.Textarea(attrs={"rows": 6}),
        help_text=_("Everybody who writes reads this, strangers too: better no telephone number and no address."),
    )
    subject = LineField(
        filters.subject,
        label=_("Subject"),
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        help_text=_("May stay empty: then it is “Re:” and the subject of the letter."),
    )
    days = forms.IntegerField(
        label=_("Answer the same person again after days"),
        min_value=1,
        max_value=90,
        initial=7,
        help_text=_("Who writes often does not get the same answer each time."),
    )

    def clean_text(self) -> str:
        """Lines that can be seen."""
        try:
            return filters.letter(self.cleaned_data["text"])
        except Refused as refused:
            raise invalid(refused) from refused


class SpamForm(forms.Form):
    """From how many points on a letter is spam for this person, and where it goes."""

    over = forms.IntegerField(
        label=_("More than how many points"),
        min_value=1,
        max_value=50,
        initial=6,
        help_text=_(
            "The filter gives points for what looks like advertising or fraud. 5 is strict, 6 usual, 12 lenient."
        ),
    )
    folder = FolderField(
        label=_("Into which folder"), initial="Junk", help_text=_("Mail programs show “Junk” as Spam.")
    )
    tag = LineField(
        filters.tag,
        label=_("A word before the subject"),
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        help_text=_("Like [Spam]. Empty: the subject stays as it is, which is usual."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        words = json.dumps(list(strictness_steps()))
        self.fields["over"].widget.attrs |= {"data-slider": gettext("Spam points"), "data-words": words}


class ForwardingForm(forms.Form):
    """Where every letter goes on to."""

    to = forms.CharField(
        label=_("To which addresses"),
        strip=False,
        widget=forms.Textarea(attrs={"rows": 3, "inputmode": "email", **PLAIN}),
        help_text=_("One a line."),
    )
    keep = forms.TypedChoiceField(
        label=_("And here"),
        widget=forms.RadioSelect,
        initial="yes",
        choices=[
            ("yes", _("the letter stays in the inbox too (recommended: nothing is lost if the other side refuses it)")),
            ("no", _("the letter goes to the Trash")),
        ],
        coerce=lambda value: value == "yes",
    )

    def clean_to(self) -> list[str]:
        """The addresses, each once."""
        found = [line.strip(" ,;") for line in self.cleaned_data["to"].replace("\r", "\n").split("\n")]
        try:
            return filters.targets([line for line in found if line])
        except Refused as refused:
            raise invalid(refused) from refused


def typed_vacation(row: Any, today: date, end: date) -> dict[str, Any]:
    """What stands in the form at first."""
    if row is None:
        return {"first": today, "last": end, "days": 7}
    return {name: getattr(row, name) for name in VacationForm.base_fields}


def typed_spam(row: Any) -> dict[str, Any]:
    """What stands in the form at first."""
    return {name: getattr(row, name) for name in SpamForm.base_fields} if row else {}


def typed_forwarding(row: Any) -> dict[str, Any]:
    """What stands in the form at first."""
    if row is None:
        return {}
    return {"to": "\n".join(map(shown_address, row.to)), "keep": "yes" if row.keep else "no"}
