"""Whose letters an address touches, and who may change that.

In: the person who acts, and addresses. Out: yes or no, or a ValidationError with a sentence. A letter to an address
goes on through aliases, alias domains and catch-alls; whoever changes an address changes what reaches everybody behind
it. So all of them, before and after, have to be the actor herself or people below her.
"""

from collections.abc import Iterable

from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.rights import managed_communities, may_manage_addresses
from accounts.rules import shown_address
from domains.models import Alias, Domain, Mailbox, leads_to, meant


def managed_mailboxes(actor: User) -> QuerySet[Mailbox]:
    """The mailboxes of the communities the actor manages; which of them she may change is another question."""
    return Mailbox.objects.of(managed_communities(actor)).select_related("domain__community")


def managed_aliases(actor: User) -> QuerySet[Alias]:
    """The aliases of the communities the actor manages; which of them she may change is another question."""
    return Alias.objects.of(managed_communities(actor)).select_related("domain__community")


def managed_domains(actor: User) -> QuerySet[Domain]:
    """The domains with mailboxes in which the actor may add addresses."""
    return Domain.objects.filter(kind=Domain.Kind.MAIL, community__in=managed_communities(actor))


def may_manage_mailbox(actor: User, mailbox: Mailbox) -> bool:
    """Change, suspend, delete a mailbox: all its people are below the actor."""
    return may_manage_addresses(actor, mailbox.domain.community, mailbox.people.all())


def may_manage_alias(actor: User, alias: Alias) -> bool:
    """Change or delete an alias that reaches nobody here but the actor and people below her; no catch-all."""
    if actor.administrator:
        return True
    return (
        not alias.catch_all
        and may_manage_addresses(actor, alias.domain.community, ())
        and reaches_own(actor, alias.address)
    )


def reaches_own(actor: User, address: str) -> bool:
    """True when letters to an address reach no mailbox here but those of the actor and of people below her."""
    return all(is_own(actor, mailbox) for mailbox in behind(address))


def is_own(actor: User, mailbox: Mailbox) -> bool:
    """Every person of the mailbox is the actor or below her."""
    others = [person for person in mailbox.people.all() if person != actor]
    return not others or may_manage_addresses(actor, mailbox.domain.community, others)


def behind(address: str) -> list[Mailbox]:
    """Every mailbox that a letter to this address finally reaches."""
    waiting, seen = [meant(address)[0]], set()
    while waiting:
        here = waiting.pop()
        if here not in seen:
            seen.add(here)
            waiting += leads_to(here)
    found = Mailbox.objects.filter(address__in=seen).select_related("domain__community").prefetch_related("people")
    return list(found)


def refuse_taking(actor: User, address: str) -> None:
    """Refuse an address whose letters reach somebody else until now, by a catch-all."""
    if not actor.administrator and not reaches_own(actor, address):
        sentence = _(
            "Letters to %(address)s reach somebody else until now, by the catch-all: ask an administrator to add it."
        )
        raise ValidationError({"address": sentence % {"address": shown_address(address)}})


def refuse_targets(actor: User, targets: Iterable[str]) -> None:
    """Refuse targets that belong to others. What is not the actor's is not described, not even whether it exists."""
    for target in () if actor.administrator else targets:
        if not may_target(actor, target):
            sentence = _("%(address)s is not yours to lead letters to: ask an administrator.")
            raise ValidationError({"targets": sentence % {"address": shown_address(target)}})


def may_target(actor: User, target: str) -> bool:
    """An address outside, or one in a community the actor manages that reaches only her own and those below her."""
    address, domain = meant(target)
    if domain is None:
        return True
    managed = managed_domains(actor).filter(pk=domain.pk).exists()
    own = Mailbox.objects.filter(address=address, people=actor).exists()
    return (managed or own) and reaches_own(actor, target)


def may_lose(actor: User, aliases: Iterable[Alias]) -> bool:
    """The aliases that a deletion shortens or takes along are all of communities the actor manages."""
    touched = [alias.pk for alias in aliases]
    return managed_aliases(actor).filter(pk__in=touched).count() == len(touched)
