"""Forms about people. Every field brings its text into the normal form of `rules`, or says in a sentence why not."""

from collections.abc import Callable, Iterable
from datetime import date
from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import BaseValidator, MaxValueValidator, MinValueValidator
from django.utils.translation import gettext_lazy as _

from accounts import passwords, rules, words
from accounts.models import Community, User
from accounts.rights import managed_communities, may_give_role
from accounts.wishes import invalid


class LineField(forms.CharField):
    """One line of text as its rule makes it. Blanks at the ends are dropped; a line break is refused, not mended."""

    def __init__(self, rule: Callable[[Any], Any], **kwargs: Any) -> None:
        self.rule = rule
        super().__init__(strip=False, **kwargs)

    def to_python(self, value: Any) -> Any:
        """The text without blanks at its ends."""
        return (super().to_python(value) or "").strip(" ")

    def clean(self, value: Any) -> Any:
        """The normal form, or nothing for an empty field."""
        text = super().clean(value)
        try:
            return self.rule(text) if text else text
        except rules.Refused as refused:
            raise invalid(refused) from refused


class PasswordField(LineField):
    """A new password: what comes out is its hash, so that nothing else ever holds the password."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("help_text", _("8 characters or more."))
        super().__init__(passwords.new, widget=hidden("new-password"), **kwargs)

    def to_python(self, value: Any) -> Any:
        """A password keeps its blanks."""
        return value or ""


def email(autofocus: bool = False, autocomplete: str = "off") -> forms.TextInput:
    """A field for an address: phones show the @, nothing is corrected. (type=email would refuse an ü in a domain.)"""
    attrs = {"inputmode": "email", "autocapitalize": "none", "spellcheck": "false", "autocomplete": autocomplete}
    return forms.TextInput(attrs={**attrs, **({"autofocus": True} if autofocus else {})})


def hidden(autocomplete: str) -> forms.PasswordInput:
    """A field for a password; a button beside it shows what was typed."""
    return forms.PasswordInput(attrs={"autocomplete": autocomplete, "data-show": _("Show"), "data-hide": _("Hide")})


def days_looked_for(refusal: Any = None) -> list[BaseValidator]:
    """What a day that is looked for must be: the ends of the calendar have no moment in every time zone."""
    return [MinValueValidator(date(2000, 1, 1), refusal), MaxValueValidator(date(2100, 1, 1), refusal)]


def calendar() -> forms.DateInput:
    """A field for a day."""
    return forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})


def language_choices(nothing: Any) -> list[tuple[str, Any]]:
    """The languages, with a first line for no choice."""
    return [("", nothing), *words.LANGUAGES]


class SetupForm(forms.Form):
    """The first person: the administrator."""

    name = LineField(rules.name, label=_("Your name"), widget=forms.TextInput(attrs={"autocomplete": "name"}))
    address = LineField(rules.address, label=_("Your address"), widget=email(autocomplete="username"))
    password = PasswordField(label=_("Password"))
    again = forms.CharField(
        strip=False, label=_("The password again"), widget=forms.PasswordInput(attrs={"autocomplete": "new-password"})
    )
    language = forms.ChoiceField(label=_("Language"), choices=words.LANGUAGES)

    def clean_again(self) -> None:
        """Both passwords are the same."""
        hashed = self.cleaned_data.get("password")
        if hashed and not passwords.verify(self.cleaned_data["again"], hashed):
            raise ValidationError(_("The two passwords differ: type them again."))


class SignInForm(forms.Form):
    """Address and password. What is wrong is never said more exactly than “one of the two”."""

    username = forms.CharField(label=_("Address"), max_length=1000, strip=False, widget=email(True, "username"))
    password = forms.CharField(
        label=_("Password"),
        max_length=passwords.LONGEST,
        strip=False,
        widget=hidden("current-password"),
    )


class PersonForm(forms.Form):
    """What is known of a person. Address and office are changed by administrators alone."""

    name = LineField(rules.name, label=_("Name"))
    born = LineField(
        rules.day, label=_("Date of birth"), required=False, widget=calendar(), help_text=_("May stay empty.")
    )
    language = forms.ChoiceField(label=_("Language"), required=False, choices=language_choices(_("like the browser")))
    address = LineField(
        rules.address,
        label=_("Sign-in address"),
        widget=email(),
        help_text=_("Changing it changes the name this person signs in with."),
    )
    administrator = forms.BooleanField(
        label=_("Administrator"), required=False, help_text=_("Runs the mail host and looks after everybody.")
    )

    def __init__(self, *args: Any, actor: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not actor.administrator:
            del self.fields["address"], self.fields["administrator"]

    def fill(self, person: User) -> None:
        """Put what was typed into the row."""
        for name, value in self.cleaned_data.items():
            setattr(person, name, value)
        person.born = self.cleaned_data["born"] or None


class RoleForm(forms.Form):
    """What a person is in a community: those that the actor may give."""

    community = forms.ModelChoiceField(Community.objects.none(), label=_("Community"), empty_label=None)
    role = forms.ChoiceField(label=_("Role"))

    def __init__(self, *args: Any, actor: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.actor = actor
        communities = managed_communities(actor)
        self.fields["community"].queryset = communities  # type: ignore[attr-defined]
        self.fields["role"].choices = role_choices(actor, communities)  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        """The role exists in this kind of community, and the actor may give it there."""
        community, role = self.cleaned_data.get("community"), self.cleaned_data.get("role")
        if community and role and role not in roles_to_give(self.actor, community):
            self.add_error("role", _("You cannot give this role in this community: choose another."))
        return self.cleaned_data


def roles_to_give(actor: User, community: Community) -> list[str]:
    """The roles the actor may give in a community."""
    return [role for role in rules.ROLES[community.kind] if may_give_role(actor, community, role)]


def role_choices(actor: User, communities: Iterable[Community]) -> list[tuple[Any, Any]]:
    """The roles the actor may give anywhere, by kind of community; the one that stands lowest first."""
    found = {(community.kind, role) for community in communities for role in roles_to_give(actor, community)}
    groups = [
        (words.IN_KIND[kind], [(role, words.ROLES[role]) for role in reversed(roles) if (kind, role) in found])
        for kind, roles in rules.ROLES.items()
    ]
    choices: list[tuple[Any, Any]] = [group for group in groups if group[1]]
    return choices if len(found) == 1 else [("", _("choose one")), *choices]


class PersonAddForm(RoleForm):
    """A new person."""

    name = LineField(rules.name, label=_("Name"), widget=forms.TextInput(attrs={"autocomplete": "off"}))
    address = LineField(
        rules.address, label=_("Sign-in address"), widget=email(), help_text=_("An address here or anywhere else.")
    )
    password = PasswordField(
        label=_("Password"),
        required=False,
        help_text=_("8 characters or more. Without one this person cannot sign in yet."),
    )
    born = LineField(
        rules.day, label=_("Date of birth"), required=False, widget=calendar(), help_text=_("May stay empty.")
    )
    language = forms.ChoiceField(label=_("Language"), required=False, choices=language_choices(_("like the browser")))
    field_order = ("name", "address", "community", "role", "password", "born", "language")


class PasswordForm(forms.Form):
    """A new password for somebody else."""

    password = PasswordField(label=_("New password"))


class OwnPasswordForm(forms.Form):
    """A new password for oneself; the old one proves who asks."""

    old = forms.CharField(
        strip=False,
        max_length=passwords.LONGEST,
        label=_("Your present password"),
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )
    password = PasswordField(label=_("Your new password"))

    def __init__(self, *args: Any, person: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.person = person

    def clean_old(self) -> None:
        """It is the present one."""
        if not self.person.check_password(self.cleaned_data["old"]):
            raise ValidationError(_("This is not your present password: type it again."))


class SettingsForm(forms.Form):
    """How the panel looks and speaks to one person."""

    language = forms.ChoiceField(label=_("Language"), required=False, choices=language_choices(_("like the browser")))
    theme = forms.ChoiceField(label=_("Light or dark"), required=False, choices=words.THEMES, widget=forms.RadioSelect)


class CommunityForm(forms.Form):
    """A family or a business."""

    name = LineField(rules.name, label=_("Name"))
    kind = forms.ChoiceField(
        label=_("Kind"), choices=Community.Kind.choices, widget=forms.RadioSelect, initial="family"
    )
    timezone = forms.ChoiceField(
        label=_("Time zone"), choices=[(name, name) for name in sorted(available_timezones())], initial="Europe/Rome"
    )
    language = forms.ChoiceField(label=_("Language"), choices=words.LANGUAGES)

    def __init__(self, *args: Any, community: Community, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if community.pk and community.memberships.exists():  # its people's roles belong to this kind
            del self.fields["kind"]

    def fill(self, community: Community) -> None:
        """Put what was typed into the row."""
        for name, value in self.cleaned_data.items():
            setattr(community, name, value)
