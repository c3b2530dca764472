"""Forms about domains, mailboxes and aliases."""

from typing import Any, ClassVar

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts import rules as people_rules
from accounts.forms import LineField, PasswordField, calendar, email, role_choices, roles_to_give
from accounts.models import Community, User
from accounts.rights import managed_communities, people_below
from accounts.rules import Refused
from accounts.wishes import invalid
from domains import rules
from domains.choosing import TickedPeople, people_field
from domains.models import Alias, Domain, Mailbox
from domains.rights import managed_domains

SIZE_HELP = _("Like 500M or 2G; 0 for no limit.")


class ShownDomains(forms.ModelChoiceField):  # type: ignore[type-arg]
    """Domains as people write them."""

    def label_from_instance(self, obj: Any) -> str:
        """`münchen.example`, not `xn--…`."""
        return str(obj.shown)


class DomainForm(forms.Form):
    """A name after the @."""

    name = LineField(
        people_rules.domain_name, label=_("Domain"), widget=email(), help_text=_("Like myfamily.net, without @.")
    )
    kind = forms.ChoiceField(
        label=_("What it is for"),
        initial="mail",
        widget=forms.RadioSelect,
        choices=[
            ("mail", _("it has mailboxes and aliases here")),
            ("alias", _("it is another name of a domain that is here")),
            ("backup", _("its mail lives on another host; we keep it when that host is away (backup MX)")),
        ],
    )
    community = forms.ModelChoiceField(
        Community.objects.all(), label=_("Whose it is"), required=False, empty_label=_("a new family or business")
    )
    new_community = LineField(people_rules.name, label=_("Name of the new family or business"), required=False)
    new_kind = forms.ChoiceField(label=_("It is a"), choices=Community.Kind.choices, required=False)
    alias_of = ShownDomains(Domain.objects.filter(kind="mail"), label=_("It stands for"), required=False)
    relay_to = LineField(
        people_rules.domain_name,
        label=_("Its real host"),
        required=False,
        widget=email(),
        help_text=_("Like mx.other.example."),
    )

    def clean(self) -> dict[str, Any]:
        """A domain with mailboxes is somebody's."""
        typed = self.cleaned_data
        whose = typed.get("community") or typed.get("new_community")
        if typed.get("kind") == "mail" and not whose and "new_community" not in self.errors:
            self.add_error("new_community", _("Say whose domain this is: choose, or name a new family or business."))
        return typed


class MailboxAddForm(forms.Form):
    """A new mailbox: of a new person, or of people who are here."""

    beside: ClassVar = {"address": "local"}

    local = LineField(rules.local_part, label=_("Before the @"), widget=email())
    domain = ShownDomains(Domain.objects.none(), label=_("Domain"), empty_label=None)
    whose = forms.ChoiceField(
        label=_("Whose it is"),
        widget=forms.RadioSelect,
        initial="new",
        choices=[("new", _("somebody new")), ("here", _("somebody who is here, or several who share it"))],
    )
    name = LineField(
        people_rules.name, label=_("Name"), required=False, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )
    role = forms.ChoiceField(label=_("Role"), required=False)
    password = PasswordField(
        label=_("Password"), required=False, help_text=_("8 characters or more: for the mailbox and for this panel.")
    )
    people = TickedPeople(User.objects.none())
    quota = LineField(rules.quota, label=_("Size"), initial="1G", help_text=SIZE_HELP)

    def __init__(self, *args: Any, actor: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.actor = actor
        self.fields["domain"].queryset = managed_domains(actor)  # type: ignore[attr-defined]
        shared = _("Whoever shares a mailbox reads it with an address and password of her own.")
        self.fields["people"] = people_field(people_below(actor).order_by("name"), help_text=shared)
        self.fields["role"].choices = role_choices(actor, managed_communities(actor))  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        """A new person has name, role and password; otherwise somebody is ticked."""
        typed = self.cleaned_data
        if typed.get("whose") == "new":
            self.need("name", _("Say who this mailbox is for."))
            self.need("password", _("Choose a password for the new person."))
            self.need("role", _("Say what the new person is here."))
            self.check_role()
        elif typed.get("whose") == "here":
            self.need("people", _("Tick at least one person."))
        return typed

    def need(self, field: str, sentence: Any) -> None:
        """A field that this choice asks for."""
        if not self.cleaned_data.get(field) and field not in self.errors:
            self.add_error(field, sentence)

    def check_role(self) -> None:
        """The role exists in the domain's community, and the actor may give it."""
        domain, role = self.cleaned_data.get("domain"), self.cleaned_data.get("role")
        if domain and role and role not in roles_to_give(self.actor, domain.community):
            self.add_error("role", _("Nobody can be this in the community of the domain: choose another role."))


class MailboxForm(forms.Form):
    """What can change about a mailbox. Its address cannot: that would be another one."""

    quota = LineField(rules.quota, label=_("Size"), help_text=SIZE_HELP)
    people = TickedPeople(User.objects.none())

    def __init__(self, *args: Any, actor: User, mailbox: Mailbox, **kwargs: Any) -> None:
        people = set(mailbox.people.values_list("pk", flat=True))
        kwargs["initial"] = {"quota": mailbox.shown_quota, "people": people}
        super().__init__(*args, **kwargs)
        here_first = people_below(actor).annotate(here=Q(pk__in=people)).order_by("-here", "name")
        self.fields["people"] = people_field(here_first)


class MailboxDeleteForm(forms.Form):
    """The last word before a mailbox goes: its address, typed."""

    typed = LineField(rules.own_address, label=_("Type the address to delete it"), widget=email())
    with_people = forms.BooleanField(label=_("Remove the person too"), required=False)

    def __init__(self, *args: Any, address: str, removable: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.address = address
        if not removable:
            del self.fields["with_people"]

    def clean_typed(self) -> None:
        """It is the right one."""
        if self.cleaned_data["typed"] != self.address:
            raise ValidationError(_("This is another address: type the one that is to be deleted."))


class TargetsField(forms.CharField):
    """Addresses, one a line."""

    def __init__(self, **kwargs: Any) -> None:
        widget = forms.Textarea(
            attrs={"rows": 4, "inputmode": "email", "autocapitalize": "none", "spellcheck": "false"}
        )
        super().__init__(strip=False, widget=widget, **kwargs)

    def clean(self, value: Any) -> Any:
        """The normal form of each line that is not empty."""
        lines = super().clean(value).replace("\r\n", "\n").split("\n")
        try:
            return rules.targets([line for line in lines if line.strip(" ")])
        except Refused as refused:
            raise invalid(refused) from refused


class AliasForm(forms.Form):
    """Where an alias leads, and to whom it is open."""

    targets = TargetsField(label=_("Leads to"), help_text=_("One address a line, here or anywhere else."))
    internal = forms.BooleanField(label=_("Only for people of this mail host who are signed in"), required=False)
    expires = LineField(
        people_rules.day,
        label=_("Last day"),
        required=False,
        widget=calendar(),
        help_text=_("Empty: it stays until it is deleted."),
    )

    def fill(self, alias: Alias) -> None:
        """Put what was typed into the row."""
        alias.targets = self.cleaned_data["targets"]
        alias.internal = self.cleaned_data["internal"]
        alias.expires = self.cleaned_data["expires"] or None


class AliasAddForm(AliasForm):
    """A new alias. Only administrators make catch-alls: those take letters for everybody."""

    beside: ClassVar = {"address": "local"}

    local = LineField(rules.local_part, label=_("Before the @"), required=False, widget=email())
    domain = ShownDomains(Domain.objects.none(), label=_("Domain"), empty_label=None)
    catch_all = forms.BooleanField(
        label=_("Catch-all"),
        required=False,
        help_text=_("Takes every letter to an address of the domain that does not exist."),
    )
    field_order = ("local", "domain", "catch_all", "targets", "internal", "expires")

    def __init__(self, *args: Any, actor: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["domain"].queryset = managed_domains(actor)  # type: ignore[attr-defined]
        if not actor.administrator:
            del self.fields["catch_all"]

    def clean(self) -> dict[str, Any]:
        """Either a catch-all or something before the @."""
        typed = self.cleaned_data
        if not typed.get("local") and not typed.get("catch_all") and "local" not in self.errors:
            self.add_error("local", _("Say what stands before the @."))
        return typed

    def address(self) -> str:
        """The address that was typed; a catch-all has nothing before the @."""
        local = "" if self.cleaned_data.get("catch_all") else self.cleaned_data["local"]
        return f"{local}@{self.cleaned_data['domain'].name}"
