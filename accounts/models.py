"""Who lives here: communities, people, and who is what to whom."""

from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts import passwords, rules
from accounts.wishes import AuditEntry, Concerns, Wish, Wishes, WishQuerySet, invalid

__all__ = ["AuditEntry", "Community", "Membership", "User", "Wishes"]


class Community(Wish):
    """A family or a business. The calendar says which days are school days, in its time zone."""

    class Kind(models.TextChoices):
        FAMILY = "family", _("family")
        BUSINESS = "business", _("business")

    kind = models.CharField(_("kind"), max_length=10, choices=Kind.choices, default=Kind.FAMILY)
    name = models.CharField(_("name"), max_length=100, unique=True)
    timezone = models.CharField(_("time zone"), max_length=60, default="Europe/Rome")
    language = models.CharField(_("language"), max_length=5, default="en")
    school_days = models.JSONField(_("school days"), default=list, blank=True)
    holidays = models.JSONField(_("holidays"), default=list, blank=True)
    digest_hour = models.PositiveSmallIntegerField(_("hour of the daily letter"), default=18)
    rules: ClassVar = {
        "kind": lambda value: rules.one_of(value, rules.KINDS),
        "name": rules.name,
        "timezone": rules.timezone,
        "language": lambda value: rules.one_of(value, rules.LANGUAGES),
        "school_days": rules.school_days,
        "holidays": rules.holidays,
        "digest_hour": rules.hour,
    }

    class Meta(Wish.Meta):
        ordering: ClassVar = ["name"]
        verbose_name_plural = "communities"

    def label(self) -> str:
        """Its name."""
        return self.name

    def concerns(self) -> Concerns:
        """Itself."""
        return Concerns(community=self.pk, whose=self.name)


class UserManager(BaseUserManager.from_queryset(WishQuerySet)):  # type: ignore[misc]
    """People, found by their sign-in address however it is typed."""

    def get_by_natural_key(self, username: str | None) -> "User":
        """The person who signs in with this address."""
        try:
            user: User = self.get(address=rules.address(username))
        except rules.Refused:
            raise User.DoesNotExist from None
        return user


class User(AbstractBaseUser, Wish):
    """A person. `address` signs in; the password opens the panel and the person's own mailboxes."""

    address = models.CharField(_("sign-in address"), max_length=254, unique=True)
    name = models.CharField(_("name"), max_length=100)
    born = models.DateField(_("date of birth"), null=True, blank=True)
    language = models.CharField(_("language"), max_length=5, blank=True, default="")
    administrator = models.BooleanField(_("administrator"), default=False)
    active = models.BooleanField(_("active"), default=True)
    communities = models.ManyToManyField(Community, through="Membership", related_name="people")
    password = models.CharField(_("password"), max_length=256, default=passwords.UNUSABLE)

    rules: ClassVar = {
        "address": rules.address,
        "name": rules.name,
        "born": lambda value: None if value is None else rules.day(value),
        "language": rules.language,
        "password": lambda value: value if value == passwords.UNUSABLE else passwords.known(value),
    }
    secrets: ClassVar = frozenset({"password"})
    quiet: ClassVar = frozenset({"last_login"})
    USERNAME_FIELD = "address"
    objects: ClassVar[UserManager] = UserManager()

    class Meta(Wish.Meta):
        ordering: ClassVar = ["address"]

    def label(self) -> str:
        """The sign-in address."""
        return self.address

    def concerns(self) -> Concerns:
        """Herself, in every community she is in."""
        return Concerns(self.pk, None, self.address)

    def get_short_name(self) -> str:
        """What others call this person."""
        return self.name

    @property
    def is_active(self) -> bool:  # type: ignore[override]
        """May sign in: Django's name for `active`."""
        return self.active

    def set_password(self, raw_password: str | None) -> None:
        """Hash without judging; whether a new password is good is said by `passwords.new`."""
        self.password = passwords.UNUSABLE if raw_password is None else passwords.hashed(raw_password)

    def check_password(self, raw_password: str | None) -> bool:
        """True for the person's own password. Nothing is re-hashed at sign-in."""
        return raw_password is not None and passwords.verify(raw_password, self.password)

    def has_usable_password(self) -> bool:
        """False when nobody can sign in as this person."""
        return self.password != passwords.UNUSABLE

    @classmethod
    def normalize_username(cls, username: Any) -> Any:
        """The address in its normal form, or as it is when it has none."""
        try:
            return rules.address(username)
        except rules.Refused:
            return username


class Membership(Wish):
    """What a person is in a community. A minor or adult is protected in one community only."""

    community = models.ForeignKey(Community, models.PROTECT, related_name="memberships")
    user = models.ForeignKey(User, models.PROTECT, related_name="memberships")
    role = models.CharField(_("role"), max_length=10)
    level = models.CharField(_("level"), max_length=10, blank=True, default="")
    protection = models.CharField(_("protection"), max_length=5, blank=True, default="")
    overrides = models.JSONField(_("exceptions"), default=list, blank=True)
    rules: ClassVar = {"overrides": rules.overrides}

    class Meta(Wish.Meta):
        ordering: ClassVar = ["community__name", "user__address"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["community", "user"],
                name="membership_once",
                violation_error_message=_("This person is already in this community."),
            ),
            models.UniqueConstraint(
                fields=["user"],
                condition=models.Q(role="protected"),
                name="membership_protected_once",
                violation_error_message=_("This person is already protected in another family."),
            ),
        ]

    def label(self) -> str:
        """Person and community."""
        return f"{self.user.address} in {self.community.name}"

    def concerns(self) -> Concerns:
        """The person, in this community."""
        return Concerns(self.user_id, self.community_id, self.user.address)

    def clean(self) -> None:
        """Role, level and protection fit each other and the kind of community."""
        try:
            self.role = rules.role(self.role, self.community.kind)
        except rules.Refused as refused:
            raise ValidationError({"role": invalid(refused)}) from refused
        for name, fit in (("level", self._level), ("protection", self._protection)):
            try:
                setattr(self, name, fit())
            except rules.Refused as refused:
                raise ValidationError({name: invalid(refused)}) from refused

    def _level(self) -> str:
        return rules.level(self.level, self.community.kind, self.role)

    def _protection(self) -> str:
        return rules.protection(self.protection, self.role)
