"""What every page may ask about the policies, for the person who looks."""

from functools import cache

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from accounts.models import Community, User
from policies.auditing import Reader
from policies.publishing import communities_of
from policies.rights import filed_mailboxes, held_keys, kept_people
from policies.waiting import letters_waiting


def looked_after(request: HttpRequest) -> dict[str, object]:
    """`keeps`: whose lists the viewer keeps; `waits`: how many letters wait for her; `files`: whose letters she sorts.

    `audits`: she may read of what was changed. `uses`: her communities, each with its newest policy
    and whether she has read it. Asked only where they are used.
    """
    person = getattr(request, "user", None)
    if not isinstance(person, User):
        return {"keeps": set(), "waits": 0, "files": set(), "uses": [], "audits": False}
    kept = cache(lambda: kept_people(person))
    return {
        "keeps": SimpleLazyObject(kept),
        "waits": SimpleLazyObject(lambda: letters_waiting(held_keys(kept()))),
        "files": SimpleLazyObject(lambda: filed_mailboxes(person)),
        "audits": SimpleLazyObject(lambda: Reader.is_one(person)),
        "uses": SimpleLazyObject(lambda: uses(person)),
    }


def uses(person: User) -> list[Community]:
    """The person's communities, in one query."""
    return list(communities_of(person))
