"""What happens to people where more than one row changes. Callers hold `with wishes(...)`."""

from accounts import passwords
from accounts.models import Community, Membership, User


def set_password(person: User, text: str) -> None:
    """Give a person a new password; raise rules.Refused when it is not a good one."""
    person.password = passwords.new(text)
    person.save()


def join(person: User, community: Community, role: str) -> Membership:
    """Make a person part of a community, or change what she is in it."""
    membership = Membership.objects.filter(user=person, community=community).first()
    membership = membership or Membership(user=person, community=community)
    membership.role = role
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
