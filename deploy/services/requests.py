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


def answer_each(
    host: str, verbs: Iterable[str], stopped: Answer, answer: Callable[[HostRequest, datetime], Answer]
) -> None:
    """Answer every request that this host was asked, and forget those that are over. One that was begun and not ended
    is never begun again: it is answered with `stopped`.
    """
    now, mine = timezone.now(), HostRequest.objects.filter(host__name=host, verb__in=list(verbs))
    mine.filter(expires__lte=now).delete()
    mine.filter(state=State.RUNNING, asked__lte=now - PATIENCE).update(state=State.FAILED, answer=stopped)
    for request in mine.filter(state=State.ASKED):
        if mine.filter(pk=request.pk, state=State.ASKED).update(state=State.RUNNING):
            found = answer(request, now)
            mine.filter(pk=request.pk).update(state=State.DONE, answer=found)
