"""Sentences about letters in templates: strangers' words isolated, addresses in their own face."""

from collections.abc import Mapping

from django import template
from django.utils.formats import number_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import pgettext

from policies.sentences import Said
from policies.templatetags.policy_words import marked
from policies.templatetags.rule_words import dressed

register = template.Library()
A_MINUTE, AN_HOUR, A_DAY = 60, 3_600, 86_400  # seconds


@register.filter
def isolated(said: Said) -> SafeString:
    """A sentence in the reader's language, every value in it apart from it."""
    return dressed(said, face)


def face(name: str, value: str) -> SafeString:
    """An address with the letters marked that look like others; anything else as it is."""
    if name == "address":
        return format_html('<bdi class="address">{}</bdi>', marked(value))
    return format_html("<bdi>{}</bdi>", value)


@register.filter
def at_key(found: Mapping[str, int], key: str) -> int | None:
    """What a mapping has under a key."""
    return found.get(key)


@register.filter
def duration(milliseconds: int) -> str:
    """How long something took: `3.2 s`, `5 min`, `2 h 5 min`, `3 d 4 h`."""
    seconds = milliseconds // 1000
    minutes, hours, days = seconds // A_MINUTE % 60, seconds // AN_HOUR % 24, seconds // A_DAY
    if seconds < A_MINUTE:
        return f"{number_format(milliseconds / 1000, 1, use_l10n=True)} s"
    parts = [(days, pgettext("days", "d")), (hours, "h"), (minutes, "min")]
    return " ".join(f"{number} {unit}" for number, unit in [part for part in parts if part[0]][:2])
