"""What is looked for on the pages of the reports. In: what was typed. Out: values. Nothing is touched."""

from datetime import date, datetime, time, timedelta, tzinfo
from typing import Any, Final

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.utils.translation import gettext, gettext_lazy as _

WRONG: Final = _("That is no day: write it like 2026-11-26.")
DAY: Final[dict[str, Any]] = {  # a day, as the browser's own calendar gives it
    "required": False,
    "widget": forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    "input_formats": ["%Y-%m-%d"],
    "error_messages": {"invalid": WRONG},
    "validators": [MinValueValidator(date(2000, 1, 1), WRONG), MaxValueValidator(date(2100, 1, 1), WRONG)],
}


class TraceForm(forms.Form):
    """Days between which a letter came, both of them with it."""

    since = forms.DateField(label=_("From the day"), **DAY)
    until = forms.DateField(label=_("To the day"), **DAY)

    def clean_until(self) -> object:
        """The last day is not before the first."""
        since, until = self.cleaned_data.get("since"), self.cleaned_data["until"]
        if since and until and until < since:
            raise ValidationError(gettext("This day is before the first one: turn them around."))
        return until

    def span(self, zone: tzinfo) -> tuple[datetime | None, datetime | None]:
        """The moments of these days where the reader lives; the end is left out."""
        since, until = self.cleaned_data.get("since"), self.cleaned_data.get("until")
        first = datetime.combine(since, time(), zone) if since else None
        return first, datetime.combine(until + timedelta(days=1), time(), zone) if until else None
