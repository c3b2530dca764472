"""The acceptable-use policy of a community, version by version, and who has read which."""

import json
from typing import Any, ClassVar

from django.core.exceptions import ValidationError
from django.db import models
from django.utils import timezone
from django.utils.translation import get_language, gettext, gettext_lazy as _

from accounts.models import Community, User
from accounts.wishes import Concerns, Wish, current
from policies import filters, usage
from policies.usage import Paragraph

FILE_DOORS = ("load", "undo")  # whoever runs the host restores what others have read


class OrderedJSONField(models.JSONField):
    """JSON whose names stay in their order: PostgreSQL's usual type for it sorts them, and here they are sentences."""

    def db_type(self, connection: Any) -> str | None:
        """PostgreSQL has another one that keeps the text; SQLite keeps it anyway."""
        return "json" if connection.vendor == "postgresql" else super().db_type(connection)

    def get_db_prep_value(self, value: Any, connection: Any, prepared: bool = False) -> Any:
        """Its text; the usual way leads through the sorting type."""
        return json.dumps(value, cls=self.encoder)

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> Any:
        """The driver reads that type by itself."""
        return super().from_db_value(value, expression, connection) if isinstance(value, str) else value


class UsagePolicy(Wish):
    """One version: free text `before` and `after` paragraphs about rules, which are kept as they were when published.

    `generated`: see `policies.usage`, for each language. Once it is published it is never changed, and goes with its
    community only.
    """

    community = models.ForeignKey(Community, models.PROTECT, related_name="usage_policies")
    number = models.PositiveIntegerField(_("version"))
    before = models.TextField(_("before the rules"), blank=True, default="")
    after = models.TextField(_("after the rules"), blank=True, default="")
    generated = OrderedJSONField(_("rules"), default=dict, blank=True)
    by = models.CharField(max_length=254)
    when = models.DateTimeField()
    rules: ClassVar = {
        "number": usage.number,
        "before": filters.lines,
        "after": filters.lines,
        "generated": usage.generated,
        "when": usage.moment,
    }
    goes_with: ClassVar = frozenset({"community"})

    class Meta(Wish.Meta):
        ordering: ClassVar = ["community", "-number"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["community", "number"], name="usage_policy_once")]

    def label(self) -> str:
        """Which version of whose."""
        return f"version {self.number} of {self.community.name}"

    def concerns(self) -> Concerns:
        """The community."""
        return Concerns(community=self.community_id, whose=self.community.name)

    def paragraphs(self) -> list[Paragraph]:
        """What it says of rules, in the reader's language where it was written in it."""
        found: dict[str, list[Paragraph]] = self.generated
        return found.get(get_language() or "") or next(iter(found.values()), [])

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Publish; what was published stays as it is."""
        current()
        self.full_clean()
        if self.stored() not in (None, self.values()):
            raise ValidationError(gettext("This version is published and stays as it is: publish a new one."))
        super().save(*args, **kwargs)

    def settle(self) -> None:
        """It is there as long as its community is."""
        if self.pk is None and Community.objects.filter(pk=self.community_id).exists():
            raise ValidationError(gettext("This version is published and stays: publish a new one."))


class Acknowledgement(Wish):
    """Somebody has read a version. She says so herself, once; it stays as long as she and the version do."""

    user = models.ForeignKey(User, models.PROTECT, related_name="acknowledgements")
    policy = models.ForeignKey(UsagePolicy, models.PROTECT, related_name="acknowledgements")
    when = models.DateTimeField(default=timezone.now)
    rules: ClassVar = {"when": usage.moment}
    goes_with: ClassVar = frozenset({"user", "policy"})

    class Meta(Wish.Meta):
        ordering: ClassVar = ["policy", "when", "pk"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["user", "policy"], name="acknowledgement_once")]

    def label(self) -> str:
        """Who has read what."""
        return f"{self.user.address} has read {self.policy.label()}"

    def concerns(self) -> Concerns:
        """Who has read it, in the community."""
        return Concerns(self.user_id, self.policy.community_id, self.user.address)

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Say so for oneself."""
        writing = current()
        if writing.door not in FILE_DOORS and writing.author != self.user.address:
            raise ValidationError(gettext("Nobody can say for somebody else that she has read it."))
        self.full_clean()
        if self.stored() not in (None, self.values()):
            raise ValidationError(gettext("That somebody has read it stays as it is."))
        super().save(*args, **kwargs)

    def settle(self) -> None:
        """Nobody takes it back."""
        there = UsagePolicy.objects.filter(pk=self.policy_id).exists()
        if self.pk is None and there and User.objects.filter(pk=self.user_id).exists():
            raise ValidationError(gettext("That somebody has read it stays as it is."))
