"""Sentences about letters in templates: strangers' words isolated, addresses in their own face."""

from collections.abc import Mapping

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from policies.sentences import Said
from policies.templatetags.policy_words import marked
from policies.templatetags.rule_words import dressed

register = template.Library()


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
