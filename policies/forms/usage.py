"""The form of an acceptable-use policy: the words around its rules. In: what was typed. Out: texts as the model takes
them. Nothing is touched."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.rules import Refused
from accounts.wishes import invalid
from policies import filters


class WordsField(forms.CharField):
    """Several lines of plain text; may be empty."""

    widget = forms.Textarea(attrs={"rows": 7})

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(required=False, strip=False, **kwargs)

    def clean(self, value: Any) -> str:
        """Lines that can be seen."""
        try:
            return filters.lines(super().clean(value))
        except Refused as refused:
            raise invalid(refused) from refused


class UsageForm(forms.Form):
    """What stands before and after the rules."""

    before = WordsField(
        label=_("Before the rules"),
        help_text=_("What this is about, in your own words: plain text, at most 5000 characters. May stay empty."),
    )
    after = WordsField(
        label=_("After the rules"),
        help_text=_("What else you agree on: whom to ask, what to do when something is odd. May stay empty."),
    )
