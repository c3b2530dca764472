"""Whose list, whose page: found for who keeps it, and for nobody else there."""

from functools import wraps
from typing import Any, NamedTuple

from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404

from accounts.models import Community, User
from accounts.pages import SignedIn, View
from domains.models import Mailbox
from policies.cautions import Owner
from policies.models import HeldLetter
from policies.rights import kept_people, may_answer, may_file, may_keep_list


class Whose(NamedTuple):
    """The owner of a list as an address names it."""

    model: type[User] | type[Community]
    pk: int


class OwnerConverter:
    """`5` for a person, `community/5` for a family or business."""

    regex = r"(?:community/)?[0-9]{1,18}"

    def to_python(self, value: str) -> Whose:
        """Whose list an address means."""
        kind, _slash, pk = value.rpartition("/")
        return Whose(Community if kind else User, int(pk))

    def to_url(self, value: Owner) -> str:
        """The owner as a part of an address."""
        return f"community/{value.pk}" if isinstance(value, Community) else str(value.pk)


def kept_owner_or_404(request: SignedIn, whose: Whose) -> Owner:
    """The owner of a list that the one who asks keeps."""
    owner: Owner = get_object_or_404(whose.model._default_manager, pk=whose.pk)
    if not may_keep_list(request.user, owner):
        raise Http404
    return owner


def kept_person_or_404(request: SignedIn, pk: int) -> User:
    """A person whose list and level the one who asks keeps."""
    owner = kept_owner_or_404(request, Whose(User, pk))
    assert isinstance(owner, User), "A person was asked for."
    return owner


def held_letter_or_404(request: SignedIn, pk: int) -> HeldLetter:
    """A held letter that the one who asks may answer."""
    letter = get_object_or_404(HeldLetter, pk=pk)
    if not may_answer(request.user, letter):
        raise Http404
    return letter


def filed_mailbox_or_404(request: SignedIn, pk: int) -> Mailbox:
    """A mailbox whose letters the one who asks sorts."""
    mailbox: Mailbox = get_object_or_404(Mailbox.objects.select_related("domain__community"), pk=pk)
    if not may_file(request.user, mailbox):
        raise Http404
    return mailbox


def keepers(view: View) -> View:
    """For those who keep somebody's list; for others the page is not there."""

    @wraps(view)
    def guarded(request: SignedIn, *args: Any, **kwargs: Any) -> HttpResponse:
        if not kept_people(request.user):
            raise Http404
        return view(request, *args, **kwargs)

    return guarded
