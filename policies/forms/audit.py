"""What is looked for in the audit log. In: the query of the address. Out: `Asked`. Nothing is touched."""

from typing import Any, Final

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.forms import calendar, days_looked_for
from policies.audit_words import DOORS, KINDS
from policies.auditing import Asked

EVERY: Final = ("", _("all"))
DAY: Final[dict[str, Any]] = {"required": False, "widget": calendar(), "validators": days_looked_for()}


class AuditForm(forms.Form):
    """Every field may stay empty."""

    q = forms.CharField(required=False, max_length=320)
    who = forms.CharField(label=_("Who did it"), required=False, max_length=254)
    kind = forms.ChoiceField(label=_("About what"), required=False, choices=[EVERY, *KINDS.items()])
    door = forms.ChoiceField(label=_("Where"), required=False, choices=[EVERY, *DOORS.items()])
    since = forms.DateField(label=_("From"), **DAY)
    until = forms.DateField(label=_("To"), **DAY)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("q", "who"):
            self.fields[name].widget.attrs |= {"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}

    def asked(self) -> Asked:
        """What is looked for; a field that makes no sense is as if it were empty."""
        self.full_clean()
        found = self.cleaned_data
        words = {name: found.get(name) or "" for name in ("who", "kind", "door")}
        return Asked(found.get("q") or "", **words, since=found.get("since"), until=found.get("until"))

    @property
    def narrow(self) -> bool:
        """More was chosen than a text."""
        return any(self[name].value() for name in ("who", "kind", "door", "since", "until"))
