"""The words of a letter about a host to administrators.

In: what it is about, the host, what is new; the language is the one that is active. Out: subject and text. Nothing is
touched or raised. What a program said stands on a line of its own, without any character that could break it.
"""

from collections.abc import Sequence
from typing import Final

from django.utils.translation import gettext as _

from deploy.models import Alarm

INDENT: Final = "    "
MOST: Final = 20
LONGEST: Final = 400


def subject(about: str, host: str, *, over: bool) -> str:
    """What the letter is about."""
    sentences = {
        (Alarm.About.FAILED, False): _("A change could not be made live on %(host)s"),
        (Alarm.About.FAILED, True): _("Changes are live again on %(host)s"),
        (Alarm.About.SILENT, False): _("The mail host %(host)s does not answer"),
        (Alarm.About.SILENT, True): _("The mail host %(host)s answers again"),
        (Alarm.About.DRIFT, False): _("Files were changed by hand on %(host)s"),
    }
    return sentences[Alarm.About(about), over] % {"host": line(host)}


def text(about: str, news: Sequence[str], name: str, page: str, *, over: bool) -> str:
    """The whole letter."""
    parts = [
        _("Hello %(name)s,") % {"name": line(name)},
        _("It is well again: there is nothing to do.") if over else "",
    ]
    if not over:
        parts = [*parts[:1], *told(about), "\n".join(INDENT + line(one) for one in listed(about, news))]
    return "\n\n".join([*parts, f"{_('See how it stands:')}\n{page}"]) + "\n"


def told(about: str) -> list[str]:
    """What it means."""
    if about == Alarm.About.FAILED:
        return [
            _("The newest change is not live. Mail goes on under the rules from before; it is tried again by itself."),
            _("You are told each reason once, at most one an hour, and when it is well again. The mail host says:"),
        ]
    if about == Alarm.About.SILENT:
        return [
            _("Its worker has not looked for five minutes. Mail goes on there; new changes wait until it is started.")
        ]
    return [
        _("You are told at most once a day."),
        _("Somebody changed these files of the mail host by hand. Say of each what shall be:"),
    ]


def listed(about: str, news: Sequence[str]) -> list[str]:
    """What it is about, line by line; of a file its name alone."""
    if about == Alarm.About.SILENT:
        return []
    lines = [one.partition(" ")[2] for one in news] if about == Alarm.About.DRIFT else list(news)
    return [*lines[:MOST], *(["…"] if len(lines) > MOST else [])]


def line(found: str) -> str:
    """A text on one line."""
    return "".join(sign if sign.isprintable() else " " for sign in found)[:LONGEST]
