"""What happens to addresses where more than one row changes. Callers hold `with wishes(...)`."""

from collections.abc import Iterable

from accounts.models import User
from accounts.services import remove_person
from domains.models import Alias, Domain, Mailbox, MailboxPerson, leading_to


def set_people(mailbox: Mailbox, people: Iterable[User]) -> None:
    """Make these, and nobody else, the people of a mailbox."""
    wanted = {person.pk: person for person in people}
    for row in MailboxPerson.objects.filter(mailbox=mailbox).exclude(user__in=wanted):
        row.delete()
    there = set(MailboxPerson.objects.filter(mailbox=mailbox).values_list("user", flat=True))
    for pk, person in wanted.items():
        if pk not in there:
            MailboxPerson(mailbox=mailbox, user=person).save()


def add_mailbox(mailbox: Mailbox, people: Iterable[User]) -> Mailbox:
    """Save a new mailbox and say whose it is."""
    mailbox.save()
    set_people(mailbox, people)
    return mailbox


def aliases_without(mailbox: Mailbox) -> tuple[list[Alias], list[Alias]]:
    """The aliases that would lose this mailbox as a target, and those that would lead nowhere without it."""
    shorter: list[Alias] = []
    gone: list[Alias] = []
    for alias in leading_to(mailbox.address):
        (shorter if alias.targets_without(mailbox.address) else gone).append(alias)
    return shorter, gone


def delete_mailbox(mailbox: Mailbox, *, with_people: bool = False) -> None:
    """Delete a mailbox: aliases stop leading to it, and those left with nowhere to lead go too.

    `with_people` also removes the people who have no other mailbox. The letters stay on the mail host under the
    mailbox's key, which no other mailbox ever gets.
    """
    shorter, gone = aliases_without(mailbox)
    for alias in shorter:
        alias.targets = alias.targets_without(mailbox.address)
        alias.save()
    for alias in gone:
        delete_alias(alias)
    people = list(mailbox.people.all())
    for row in MailboxPerson.objects.filter(mailbox=mailbox):
        row.delete()
    mailbox.delete()
    for person in people if with_people else ():
        if not person.mailboxes.exists():
            remove_person(person)


def delete_alias(alias: Alias) -> None:
    """Delete an alias, and with it those that only led to it."""
    for other in leading_to(alias.address):
        if rest := other.targets_without(alias.address):
            other.targets = rest
            other.save()
        else:
            delete_alias(other)
    alias.delete()


def holds_addresses(domain: Domain) -> bool:
    """True while a domain cannot be deleted: mailboxes, aliases or other domains depend on it."""
    return domain.mailbox_set.exists() or domain.alias_set.exists() or domain.aliases.exists()
