"""What the pages of the reports ask for: which days, why, how often. In: what was chosen. Out: values, a `Period`.
Nothing is touched."""

from datetime import date, datetime, time, timedelta, tzinfo
from typing import Any, Final

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext, gettext_lazy as _

from accounts.forms import calendar, days_looked_for
from reports.models import ReportSchedule
from reports.periods import MOST_DAYS, RANGES, USUAL, Period, Spans, month_spans, preset, spans
from reports.report_words import RANGES as NAMES
from reports.rows import DOMAINS, WHAT

WRONG: Final = _("That is no day: write it like 2026-11-26.")
DAY: Final[dict[str, Any]] = {  # a day, as the browser's own calendar gives it
    "required": False,
    "widget": calendar(),
    "input_formats": ["%Y-%m-%d"],
    "error_messages": {"invalid": WRONG},
    "validators": days_looked_for(WRONG),
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


LONG_AGO = 2000


class RangeForm(forms.Form):
    """A range by its name, or two days."""

    range = forms.ChoiceField(required=False, choices=[(name, NAMES[name]) for name in RANGES])
    since = forms.DateField(label=_("From"), required=False, widget=calendar())
    until = forms.DateField(label=_("To"), required=False, widget=calendar())

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
            raise ValidationError(gettext("Say both days, the first and the last."))
        elif not self.errors:
            self.period = preset(found.get("range") or USUAL, self.today)
        return found

    def _between(self, since: date, until: date) -> Period:
        if since > until:
            raise ValidationError(gettext("The first day is after the last one: change them over."))
        if until > self.today:
            raise ValidationError(gettext("The last day is yet to come: choose today or an earlier one."))
        if since.year < LONG_AGO:
            raise ValidationError(gettext("Nothing was counted so long ago: choose a later day."))
        if (until - since).days >= MOST_DAYS:
            raise ValidationError(gettext("That is more than %(days)s days: choose fewer.") % {"days": MOST_DAYS})
        return Period(since, until)


class RowsForm(RangeForm):
    """What a number of a report counts, see `reports.sections.Door`."""

    what = forms.ChoiceField(choices=[(name, name) for name in WHAT])
    of = forms.IntegerField(required=False, min_value=1)
    domain = forms.CharField(required=False, max_length=255)
    weekday = forms.IntegerField(required=False, min_value=0, max_value=6)
    hour = forms.IntegerField(required=False, min_value=0, max_value=23)

    def clean(self) -> dict[str, Any]:
        """With a domain, what goes by domain."""
        found = super().clean()
        if (found.get("what") in DOMAINS) != bool(found.get("domain")):
            raise ValidationError(gettext("Choose a number in the report again."))
        return found

    def spans(self, zone: tzinfo) -> Spans:
        """The moments of what is counted."""
        if self.cleaned_data["domain"]:
            return month_spans(self.period)
        return spans(self.period, zone, self.cleaned_data["weekday"], self.cleaned_data["hour"])


class PurposeForm(forms.Form):
    """Why somebody wants to see names."""

    purpose = forms.CharField(
        label=_("Why do you need names?"),
        help_text=_("10 to 200 characters. Everybody whose figures you see can read it, with your address."),
        min_length=10,
        max_length=200,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )


class ScheduleForm(PurposeForm):
    """How often somebody wants a report, which is what its buttons say; an owner who wants names says why."""

    every = forms.ChoiceField(
        label=_("How often"),
        choices=ReportSchedule.Every.choices,
        error_messages={"required": _("Choose each week or each month.")},
    )

    def __init__(self, *args: Any, named: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not named:
            del self.fields["purpose"]
