"""Which names receive mail: domains, mailboxes, aliases."""

import secrets
from functools import reduce
from operator import or_
from typing import Any, ClassVar

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext, gettext_lazy as _

from accounts.models import Community, User
from accounts.rules import domain_name, shown_address, shown_domain
from accounts.wishes import Concerns, Wish, WishQuerySet
from domains import rules


def new_key() -> str:
    """A mailbox's folder name, never used before: 64 random bits."""
    return secrets.token_hex(8)


class Domain(Wish):
    """A name after the @: with mailboxes, standing for another domain, or kept for its real host (backup MX)."""

    class Kind(models.TextChoices):
        MAIL = "mail", _("mail")
        ALIAS = "alias", _("alias of another domain")
        BACKUP = "backup", _("backup for another host")

    community = models.ForeignKey(
        Community, models.PROTECT, null=True, blank=True, related_name="domains", verbose_name=_("community")
    )
    name = models.CharField(_("domain"), max_length=253, unique=True)
    kind = models.CharField(_("kind"), max_length=6, choices=Kind.choices, default=Kind.MAIL)
    alias_of = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="aliases", verbose_name=_("stands for")
    )
    relay_to = models.CharField(_("its real host"), max_length=253, blank=True, default="")
    rules: ClassVar = {"name": domain_name, "relay_to": lambda value: value if value == "" else domain_name(value)}

    class Meta(Wish.Meta):
        ordering: ClassVar = ["name"]

    def label(self) -> str:
        """The name in A-labels."""
        return self.name

    def concerns(self) -> Concerns:
        """The community whose domain it is."""
        return Concerns(community=self.community_id, whose=self.name)

    @property
    def shown(self) -> str:
        """The name as people write it."""
        return shown_domain(self.name)

    def clean(self) -> None:
        """Each kind has what it needs and nothing else."""
        if self.kind == self.Kind.MAIL and not self.community:
            raise ValidationError({"community": gettext("Say whose domain this is.")})
        if self.kind != self.Kind.ALIAS:
            self.alias_of = None
        elif not self.alias_of or self.alias_of.kind != self.Kind.MAIL:
            raise ValidationError({"alias_of": gettext("Say which domain with mailboxes this one stands for.")})
        if self.kind != self.Kind.BACKUP:
            self.relay_to = ""
        elif not self.relay_to:
            raise ValidationError({"relay_to": gettext("Say which host receives this domain's mail.")})
        if self.alias_of:
            self.community = self.alias_of.community

    def settle(self) -> None:
        """A domain that holds addresses stays one with mailboxes; what led there while it was elsewhere still fits."""
        if self.pk and self.kind != self.Kind.MAIL:
            holds = self.mailbox_set.exists() or self.alias_set.exists() or self.aliases.exists()
            if holds:
                raise ValidationError(
                    {"kind": gettext("%(name)s still holds addresses: delete them first.") % {"name": self.shown}}
                )
        if self.pk:
            for alias in leading_into(self.name):
                alias.settle()


class AddressQuerySet(WishQuerySet):
    """Mailboxes or aliases."""

    def of(self, communities: models.QuerySet[Community]) -> "AddressQuerySet":
        """Those of these communities."""
        return self.filter(domain__community__in=communities)

    def matching(self, text: str) -> "AddressQuerySet":
        """Those whose address holds this text."""
        return self.filter(address__icontains=text.strip()) if text.strip() else self


class Address(Wish):
    """What mailboxes and aliases share: an address of a domain of ours, given once."""

    domain = models.ForeignKey(Domain, models.PROTECT, verbose_name=_("domain"))
    address = models.CharField(_("address"), max_length=254, unique=True)
    objects: ClassVar[models.Manager[Any]] = models.Manager.from_queryset(AddressQuerySet)()

    class Meta(Wish.Meta):
        abstract = True
        ordering: ClassVar = ["address"]

    def label(self) -> str:
        """The address in A-labels."""
        return self.address

    def concerns(self) -> Concerns:
        """The community whose domain it is in."""
        return Concerns(community=self.domain.community_id, whose=self.address)

    @property
    def shown(self) -> str:
        """The address as people write it."""
        return shown_address(self.address)

    def clean_fields(self, exclude: Any = None) -> None:
        """The domain is not asked for: `clean` finds it."""
        super().clean_fields(exclude={*(exclude or ()), "domain"})

    def clean(self) -> None:
        """The domain is the address's own and has mailboxes; the address is not taken."""
        name = self.address.rpartition("@")[2]
        domain = Domain.objects.filter(name=name, kind=Domain.Kind.MAIL).first()
        if not domain:
            raise ValidationError(
                {
                    "address": gettext("%(name)s is no domain with mailboxes here: add it first.")
                    % {"name": shown_domain(name)}
                }
            )
        self.domain = domain
        for model in (Mailbox, Alias):
            if model.objects.filter(address=self.address).exclude(pk=self.pk if type(self) is model else None).exists():
                raise ValidationError({"address": gettext("%(address)s is taken.") % {"address": self.shown}})

    def validate_unique(self, exclude: Any = None) -> None:
        """`clean` says it in a sentence of its own."""
        super().validate_unique(exclude={*(exclude or ()), "address"})

    def settle(self) -> None:
        """Nothing leads to an address that is gone."""
        if self.pk is None:
            into = self.address.startswith("@")  # what only the catch-all took is gone with it
            for alias in leading_into(self.address[1:]) if into else leading_to(self.address):
                alias.settle()


class Mailbox(Address):
    """A mailbox of one person, or of several who share it. Its folder is named by `key` and never by its address."""

    key = models.CharField(_("key"), max_length=16, unique=True, default=new_key)
    people = models.ManyToManyField(User, through="MailboxPerson", related_name="mailboxes", verbose_name=_("people"))
    quota = models.BigIntegerField(_("quota"), default=1 << 30)
    active = models.BooleanField(_("active"), default=True)
    rules: ClassVar = {"address": rules.own_address, "key": rules.key, "quota": rules.quota}

    class Meta(Address.Meta):
        verbose_name_plural = "mailboxes"

    @property
    def shown_quota(self) -> str:
        """The quota as people write it."""
        return rules.shown_quota(self.quota)

    def settle(self) -> None:
        """A mailbox is somebody's."""
        super().settle()
        if self.pk and not self.people.exists():
            raise ValidationError(
                {"people": gettext("%(address)s is nobody's: name a person.") % {"address": self.shown}}
            )


class MailboxPerson(Wish):
    """Somebody may read this mailbox and write as it."""

    mailbox = models.ForeignKey(Mailbox, models.PROTECT)
    user = models.ForeignKey(User, models.PROTECT)

    class Meta(Wish.Meta):
        ordering: ClassVar = ["user__address"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["mailbox", "user"], name="mailbox_person_once")]

    def label(self) -> str:
        """Person and mailbox."""
        return f"{self.user.address} at {self.mailbox.address}"

    def concerns(self) -> Concerns:
        """The person, in the community whose domain the mailbox is in."""
        return Concerns(self.user_id, self.mailbox.domain.community_id, self.mailbox.address)

    def settle(self) -> None:
        """The mailbox is still somebody's."""
        mailbox = Mailbox.objects.filter(address=self.mailbox.address).first()
        if mailbox:
            mailbox.settle()


class Alias(Address):
    """An address that leads to others, here or outside. `@domain`, the catch-all, takes what has no address."""

    targets = models.JSONField(_("leads to"), default=list)
    internal = models.BooleanField(_("only for people who are signed in"), default=False)
    expires = models.DateField(_("last day"), null=True, blank=True)
    rules: ClassVar = {"address": rules.alias_address, "targets": rules.targets, "expires": rules.expires}

    class Meta(Address.Meta):
        verbose_name_plural = "aliases"

    @property
    def catch_all(self) -> bool:
        """Takes whatever has no address of its own."""
        return self.address.startswith("@")

    def targets_without(self, address: str) -> list[str]:
        """The targets but those that mean this address."""
        there = spellings(address)
        return [target for target in self.targets if rules.without_extension(target) not in there]

    @property
    def shown_targets(self) -> list[str]:
        """The targets as people write them."""
        return [shown_address(target) for target in self.targets]

    def settle(self) -> None:
        """Every target exists, and none leads back."""
        super().settle()
        if self.pk is None:
            return
        for target in self.targets:
            if not exists(target):
                message = gettext("%(address)s is not an address here: add it first.")
                raise ValidationError({"targets": message % {"address": shown_address(target)}})
        if way := rules.circle(self.address, leads_to):
            message = gettext("The alias would lead in a circle: %(way)s.")
            raise ValidationError({"targets": message % {"way": " → ".join(map(shown_address, way))}})


def leading_to(address: str) -> list[Alias]:
    """The aliases that name this address as a target."""
    there, local = spellings(address), address.rpartition("@")[0]
    candidates = Alias.objects.filter(Q(targets__icontains=f'"{local}@') | Q(targets__icontains=f'"{local}+'))
    return [alias for alias in candidates if there & set(map(rules.without_extension, alias.targets))]


def leading_into(name: str) -> list[Alias]:
    """The aliases with a target in this domain, under any of its names."""
    names = [f'@{spelling.rpartition("@")[2]}"' for spelling in spellings(f"@{name}")]
    return list(Alias.objects.filter(reduce(or_, (Q(targets__icontains=text) for text in names))))


def spellings(address: str) -> set[str]:
    """An address of ours as it may stand among targets: in its domain, and in those that stand for it."""
    local, _at, name = address.rpartition("@")
    twins = Domain.objects.filter(alias_of__name=name).values_list("name", flat=True)
    return {f"{local}@{spelling}" for spelling in (name, *twins)}


def meant(target: str) -> tuple[str, Domain | None]:
    """The address a target means here: without extension, in the domain its own one stands for; and that domain."""
    bare = rules.without_extension(target) if not target.startswith("@") else target
    local, _at, name = bare.rpartition("@")
    domain = Domain.objects.select_related("alias_of").filter(name=name).exclude(kind=Domain.Kind.BACKUP).first()
    domain = domain.alias_of if domain and domain.alias_of else domain
    return (f"{local}@{domain.name}" if domain else target), domain


def exists(target: str) -> bool:
    """True for an address outside, and for one of ours that reaches somebody."""
    address, domain = meant(target)
    if domain is None or Mailbox.objects.filter(address=address).exists():
        return True
    return Alias.objects.filter(address__in=[address, f"@{domain.name}"]).exists()


def leads_to(target: str) -> list[str]:
    """Where a letter to an address of ours goes next, each address as it is meant; nothing for a mailbox or outside."""
    address, domain = meant(target)
    if domain is None or Mailbox.objects.filter(address=address).exists():
        return []
    found = Alias.objects.in_bulk([address, f"@{domain.name}"], field_name="address")
    alias = found.get(address) or found.get(f"@{domain.name}")
    return [meant(item)[0] for item in alias.targets] if alias else []
