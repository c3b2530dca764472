"""Rules in templates: their sentences, with what somebody wrote in bold."""

from collections.abc import Callable, Mapping

from django import template
from django.utils.html import conditional_escape, format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext

from policies.sentences.case import Said

register = template.Library()


@register.filter
def of_mailbox(states: Mapping[int, list[str]] | str, mailbox: int) -> list[str]:
    """What is said of one mailbox; nothing on a page that says nothing."""
    return states.get(mailbox, []) if isinstance(states, Mapping) else []


Dress = Callable[[str, str], SafeString]


@register.filter
def with_bold(said: Said) -> SafeString:
    """A sentence in the reader's language, its values in bold. Everything is escaped, values and translations too."""
    return dressed(said, lambda _name, value: format_html("<strong><bdi>{}</bdi></strong>", value))


def dressed(said: Said, dress: Dress) -> SafeString:
    """A sentence in the reader's language, with the value of each name in it dressed."""
    parts = {
        name: dressed(fact, dress) if isinstance(fact, Said) else dress(name, str(fact))
        for name, fact in said.facts.items()
    }
    return mark_safe(conditional_escape(gettext(said.text)) % parts)  # noqa: S308  every piece is escaped
