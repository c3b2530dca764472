"""Where a report is, for pages of the apps below: empty for a reader who may not see it."""

from typing import Any

from django import template
from django.core.exceptions import PermissionDenied
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from reports.scope import sight_or_refused

register = template.Library()


@register.simple_tag(takes_context=True)
def report_of(context: dict[str, Any], person: User) -> str:
    """The address of a person's report."""
    try:
        sight_or_refused(context["request"].user, person, timezone.now())
    except PermissionDenied:
        return ""
    return reverse("report-person", args=[person.pk])
