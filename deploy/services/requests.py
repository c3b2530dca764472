"""Requests to a host, answered: each once, whatever happens to the agent.

In: the host's name, the verbs, what to say where nobody could, and a function that answers one. Out: rows of
`HostRequest` with their answers. Touched: these. Nothing is raised that the function does not raise.
"""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any, Final

from django.utils import timezone

from deploy.models import HostRequest

PATIENCE: Final = timedelta(minutes=2)
State = HostRequest.State
Answer = dict[str, Any]


def finish(request: HostRequest, state: str, found: Answer) -> None:
    """Write the answer down."""
    HostRequest.objects.filter(pk=request.pk).update(state=state, answer=found)


def answer_each(
    host: str,
    verbs: Iterable[str],
    stopped: Answer,
    answer: Callable[[HostRequest, datetime], Answer],
    end: Callable[[HostRequest, str, Answer], None] = finish,
) -> None:
    """Answer every request that this host was asked, and forget those that are over. One that was begun and not ended
    is never begun again: it is answered with `stopped`. `end` writes an answer down.
    """
    now, mine = timezone.now(), HostRequest.objects.filter(host__name=host, verb__in=list(verbs))
    mine.filter(expires__lte=now).delete()
    for request in mine.filter(state=State.RUNNING, asked__lte=now - PATIENCE):
        end(request, State.FAILED, stopped)
    for request in mine.filter(state=State.ASKED):
        if mine.filter(pk=request.pk, state=State.ASKED).update(state=State.RUNNING):
            end(request, State.DONE, answer(request, now))
