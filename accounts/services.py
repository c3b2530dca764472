"""What happens to people where more than one row changes. Callers hold `with wishes(...)`."""

from django.core.exceptions import ValidationError
from django.utils.translation import gettext

from accounts import passwords
from accounts.models import Community, Membership, User
from accounts.rights import managed_communities


def set_password(person: User, text: str) -> None:
    """Give a person a new password; raise rules.Refused when it is not a good one."""
    person.password = passwords.new(text)
    person.save()


def join(person: User, community: Community, role: str) -> Membership:
    """Make a person part of a community, or change what she is in it."""
    membership = Membership.objects.filter(user=person, community=community).first()
    membership = membership or Membership(user=person, community=community)
    if membership.role != role:  # level and protection belong to the role that ends
        membership.role, membership.level, membership.protection = role, "", ""
    membership.save()
    return membership


def remove_person(person: User) -> None:
    """Take a person out of every community and delete her; her mailboxes must be gone before."""
    for membership in person.memberships.all():
        membership.delete()
    person.delete()


def nobody_yet() -> bool:
    """True until somebody can sign in: the first page makes the administrator then."""
    return not User.objects.exists()


def add_person(person: User, community: Community, role: str) -> User:
    """Save a new person and make her part of a community."""
    if User.objects.filter(address=person.address).exists():
        raise ValidationError({"address": gettext("Somebody signs in with this address already: choose another.")})
    person.save()
    join(person, community, role)
    return person


def keep_an_administrator() -> None:
    """Refuse what has just been written if nobody is left who can run the mail host."""
    if not User.objects.filter(administrator=True, active=True).exists():
        raise ValidationError(gettext("Nobody would be left to run this: make somebody else an administrator first."))


def keep_names_apart(actor: User, address: str) -> None:
    """Refuse a sign-in address under a domain of people whom the actor does not look after."""
    elsewhere = Community.objects.exclude(pk__in=managed_communities(actor))
    if not actor.administrator and elsewhere.filter(domains__name=address.rpartition("@")[2]).exists():
        raise ValidationError({"address": gettext("This domain belongs to another community: choose another address.")})
