"""Words in templates: `{{ membership.role|role }}`."""

from django import template

from accounts import words

register = template.Library()


@register.filter
def role(token: str) -> str:
    """What a role is called."""
    return str(words.ROLES.get(token, token))
