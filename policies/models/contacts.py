"""Lists: the people whom one may write to, and who may write."""

from typing import Any, ClassVar

from django.core.exceptions import ValidationError
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext, gettext_lazy as _

from accounts.models import Community, User
from accounts.rules import Refused, shown_address, yes_or_no
from accounts.wishes import Concerns, Wish, current, invalid
from domains.models import Domain
from policies import rules


class Contact(Wish):
    """One entry of a list: somebody, or a whole domain, outside or here. The list is a person's, or a community's own.

    A community's list is for each of its people who has a level. `by` and `when` say who wrote the entry last.
    `evidence`: what letters of a pinned contact show, as the fact says it; without any, the first letter asks.
    """

    class Direction(models.TextChoices):
        BOTH = "both", _("both ways")
        IN = "in", _("may write")
        OUT = "out", _("may be written to")

    class Kind(models.TextChoices):
        ALLOWED = "allowed", _("allowed")
        BLOCKED = "blocked", _("blocked")
        ALWAYS = "always", _("always")

    class Assurance(models.TextChoices):
        PROVEN = "proven", _("proven")
        PINNED = "pinned", _("recognised")
        UNPROVEN = "unproven", _("not proven")

    person = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="contacts")
    community = models.ForeignKey(Community, models.PROTECT, null=True, blank=True, related_name="contacts")
    address = models.CharField(_("address"), max_length=255)
    name = models.CharField(_("name"), max_length=100, blank=True, default="")
    direction = models.CharField(_("direction"), max_length=4, choices=Direction.choices, default=Direction.BOTH)
    kind = models.CharField(_("kind"), max_length=7, choices=Kind.choices, default=Kind.ALLOWED)
    assurance = models.CharField(_("proof"), max_length=8, choices=Assurance.choices, default=Assurance.PROVEN)
    evidence = models.CharField(_("recognised by"), max_length=300, blank=True, default="")
    confirmed = models.BooleanField(_("confirmed although it lets in many"), default=False)
    by = models.CharField(max_length=254, blank=True, default="")
    when = models.DateTimeField(null=True, blank=True)
    rules: ClassVar = {
        "address": rules.entry,
        "name": rules.entry_name,
        "direction": rules.direction,
        "kind": rules.kind,
        "assurance": rules.assurance,
        "evidence": rules.evidence,
        "confirmed": yes_or_no,
    }
    quiet: ClassVar = frozenset({"by", "when"})
    goes_with: ClassVar = frozenset({"person", "community"})

    class Meta(Wish.Meta):
        ordering: ClassVar = ["address"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(person__isnull=True) ^ models.Q(community__isnull=True),
                name="contact_one_owner",
                violation_error_message=_("Say whose list this is: a person's or a community's."),
            ),
            models.UniqueConstraint(
                fields=["person", "address"],
                name="contact_once_person",
                violation_error_message=_("This address is already in the list."),
            ),
            models.UniqueConstraint(
                fields=["community", "address"],
                name="contact_once_community",
                violation_error_message=_("This address is already in the list."),
            ),
        ]

    def label(self) -> str:
        """The entry, and whose it is."""
        return f"{self.address} of {self.owner.label() if self.owner else 'nobody'}"

    def concerns(self) -> Concerns:
        """Whose list this is."""
        return Concerns(self.person_id, self.community_id, self.owner.label() if self.owner else "")

    @property
    def owner(self) -> Wish | None:
        """The person or the community whose list this is."""
        return self.person or self.community

    @property
    def shown(self) -> str:
        """The entry as people write it."""
        return shown_address(self.address)

    def clean(self) -> None:
        """What would let in the world was confirmed."""
        try:
            own = own_domain(self.address)
            rules.refuse_danger(self.address, self.kind, own, confirmed=self.confirmed)
        except Refused as refused:
            raise ValidationError({"address": invalid(refused)}) from refused

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Remember who wrote it, when anything is new."""
        writing = current()
        if self.stored() != self.values():
            self.by, self.when = writing.author, timezone.now()
        super().save(*args, **kwargs)

    def settle(self) -> None:
        """Nobody blocks an always-contact: a guardian, or somebody whom the family always hears."""
        if self.pk and self.kind == self.Kind.BLOCKED and self.person and is_always(self.person, self.address):
            message = gettext("%(address)s can always be written to: it cannot be blocked.")
            raise ValidationError({"address": message % {"address": self.shown}})


def own_domain(address: str) -> set[str]:
    """The domain of an entry, if it is one of this host's."""
    name = address.rpartition("@")[2]
    return {name} if Domain.objects.filter(name=name).exists() else set()


def is_always(person: User, address: str) -> bool:
    """True for a guardian of the person, and for whom a list of her family names always."""
    families = person.memberships.filter(role="protected").values("community")
    guardians = User.objects.filter(memberships__community__in=families, memberships__role="guardian")
    known = models.Q(address=address) | models.Q(mailboxes__address=address)
    listed = Contact.objects.filter(community__in=families, kind=Contact.Kind.ALWAYS, address=address)
    return guardians.filter(known).exists() or listed.exists()
