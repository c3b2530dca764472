"""What every template may ask about the person who looks."""

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from accounts.models import User
from accounts.rights import managed_communities


def viewer(request: HttpRequest) -> dict[str, object]:
    """`manages`: has people and addresses to look after; asked of the database once, and only where it is used."""
    return {"manages": SimpleLazyObject(lambda: manages(request))}


def manages(request: HttpRequest) -> bool:
    """Has people and addresses to look after."""
    person = getattr(request, "user", None)
    if not isinstance(person, User):
        return False
    return person.administrator or managed_communities(person).exists()
