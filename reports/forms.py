"""What a report asks for: which days, and why. In: what was chosen. Out: a `Period`, a purpose. Nothing is touched."""

from datetime import date
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _, gettext_lazy

from accounts.forms import calendar
from reports.periods import MOST_DAYS, RANGES, USUAL, Period, preset
from reports.report_words import RANGES as NAMES

LONG_AGO = 2000


class RangeForm(forms.Form):
    """A range by its name, or two days."""

    range = forms.ChoiceField(required=False, choices=[(name, NAMES[name]) for name in RANGES])
    since = forms.DateField(label=gettext_lazy("From"), required=False, widget=calendar())
    until = forms.DateField(label=gettext_lazy("To"), required=False, widget=calendar())

    def __init__(self, *args: Any, today: date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.today = today
        self.period = preset(USUAL, today)

    def clean(self) -> dict[str, Any]:
        """The days; a sentence where they are none."""
        found = super().clean() or self.cleaned_data
        since, until = found.get("since"), found.get("until")
        if since and until:
            self.period = self._between(since, until)
        elif since or until:
            raise ValidationError(_("Say both days, the first and the last."))
        elif not self.errors:
            self.period = preset(found.get("range") or USUAL, self.today)
        return found

    def _between(self, since: date, until: date) -> Period:
        if since > until:
            raise ValidationError(_("The first day is after the last one: change them over."))
        if until > self.today:
            raise ValidationError(_("The last day is yet to come: choose today or an earlier one."))
        if since.year < LONG_AGO:
            raise ValidationError(_("Nothing was counted so long ago: choose a later day."))
        if (until - since).days >= MOST_DAYS:
            raise ValidationError(_("That is more than %(days)s days: choose fewer.") % {"days": MOST_DAYS})
        return Period(since, until)


class PurposeForm(forms.Form):
    """Why somebody wants to see names."""

    purpose = forms.CharField(
        label=gettext_lazy("Why do you need names?"),
        help_text=gettext_lazy("10 to 200 characters. Everybody whose figures you see can read it, with your address."),
        min_length=10,
        max_length=200,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
