"""The forms that ask the mail host for something: a letter is tried out, a letter is removed. Nothing is touched.

In: what was typed, who asks, about whom. Out: a `Trial`, a reason.
"""

from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Count
from django.utils.translation import gettext_lazy as _

from accounts import rules
from accounts.forms import LineField, email
from accounts.models import User
from deploy.explain import LONGEST, Trial, author_of
from domains.choosing import TICKED
from domains.models import Mailbox, MailboxPerson
from policies.rights import kept_people

MESSAGE_ID = "<try@mailadmin.invalid>"


class TryForm(forms.Form):
    """A letter: who writes to whom, and what; or a whole one, pasted."""

    kind = forms.ChoiceField(label=_("Who writes"), widget=forms.RadioSelect, initial="in")
    mailbox = forms.ChoiceField(label=_("Address"))
    author = LineField(rules.address, label=_("From the address"), widget=email(), required=False)
    login = forms.ChoiceField(label=_("Who is signed in"), required=False)
    to = LineField(rules.address, label=_("To the address"), widget=email(), required=False)
    subject = LineField(lambda value: rules.line(value, 200), label=_("Subject"), required=False)
    text = forms.CharField(
        label=_("Text"), required=False, max_length=LONGEST, widget=forms.Textarea(attrs={"rows": 4})
    )
    proven = forms.BooleanField(
        label=_("Suppose that the provider confirms who wrote it"),
        help_text=_("A letter written here has no proof of its own; a pasted one is looked at as it is."),
        required=False,
        initial=True,
    )
    letter = forms.CharField(
        label=_("Or a whole letter, pasted"),
        help_text=_("Mail programs have it under “show original” or “view source”. At most 1 MB."),
        required=False,
        strip=False,
        max_length=LONGEST,
        widget=forms.Textarea(attrs={"rows": 4, "spellcheck": "false", "autocapitalize": "none"}),
    )

    def __init__(self, *args: Any, actor: User, person: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        name = {"name": person.name}
        self.choose("kind", [
            ("in", _("Somebody outside writes to %(name)s") % name),
            ("own", _("One of us writes to %(name)s") % name),
            ("out", _("%(name)s writes to somebody") % name),
        ])  # fmt: skip
        mine = addresses(person.pk)
        self.choose("mailbox", [(one, rules.shown_address(one)) for one in mine])
        self.kept, self.mine = {actor.pk, *kept_people(actor)}, mine
        if len(self.kept) > TICKED:
            self.fields["login"] = written_login()
        else:
            known = [*addresses(actor.pk), *addresses(*self.kept - {actor.pk})]
            self.choose("login", [(one, rules.shown_address(one)) for one in known if one not in mine])

    def choose(self, name: str, choices: list[tuple[str, Any]]) -> None:
        """Set the choices of a field."""
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)
        field.choices = choices

    def clean_login(self) -> str:
        """One that was written is checked: it is the actor's own, or of somebody whose list she keeps."""
        login: str = self.cleaned_data["login"]
        if login and len(self.kept) > TICKED and (login in self.mine or not is_login(login, self.kept)):
            sentence = _("Nobody whose list you keep signs in as “%(address)s”: write another address.")
            raise ValidationError(sentence, params={"address": rules.shown_address(login)})
        return login

    def clean(self) -> None:
        """What this kind of letter needs."""
        kind, typed = self.cleaned_data.get("kind"), self.cleaned_data
        missing = {
            "in": ("author", _("Write the address that it is from, or paste a whole letter.")),
            "own": ("login", _("Choose who is signed in.")),
            "out": ("to", _("Write the address that it is to.")),
        }
        field, sentence = missing.get(str(kind), ("kind", ""))
        pasted = kind == "in" and typed.get("letter")
        if not typed.get(field) and field not in self.errors and not pasted:
            self.add_error(field, sentence)

    def trial(self, now: datetime) -> Trial:
        """What the host is asked."""
        typed = self.cleaned_data
        mailbox, kind = typed["mailbox"], typed["kind"]
        login = {"in": "", "own": typed["login"], "out": mailbox}[kind]
        to = typed["to"] if kind == "out" else mailbox
        pasted = typed["letter"].lstrip("\r\n").encode()
        letter = pasted or self.written(login or typed["author"], to, now)
        sender = login or author_of(letter)
        return Trial(letter, to, login, sender=sender, trusted=bool(typed["proven"] and not pasted and not login))

    def written(self, author: str, to: str, now: datetime) -> bytes:
        """The letter that was typed."""
        letter = EmailMessage(SMTP)
        letter["From"], letter["To"], letter["Subject"] = author, to, self.cleaned_data["subject"]
        letter["Date"], letter["Message-ID"] = format_datetime(now), MESSAGE_ID
        letter.set_content(self.cleaned_data["text"] + "\n")
        return letter.as_bytes()


class RemoveForm(forms.Form):
    """Why a letter is removed from the queue."""

    reason = LineField(
        lambda value: rules.line(value, 200),
        label=_("Why do you remove it?"),
        help_text=_("One line, kept in the audit with your name."),
    )


class ConfirmForm(forms.Form):
    """That the wishes of an older database go live on a host: which generation of it was shown."""

    ahead = forms.IntegerField(widget=forms.HiddenInput)


class PauseForm(forms.Form):
    """Why a host is paused."""

    reason = LineField(
        lambda value: rules.line(value, 200),
        label=_("Why do you pause it?"),
        help_text=_("One line, shown to everybody who runs the mail host."),
    )


class UndoForm(forms.Form):
    """The generation over which somebody was shown what going back would change."""

    generation = forms.IntegerField(min_value=0, widget=forms.HiddenInput)


def addresses(*people: int) -> list[str]:
    """The mailboxes under which people sign in: those that are one person's alone."""
    alone = Mailbox.objects.annotate(shared=Count("people")).filter(shared=1, people__in=people)
    return list(alone.order_by("address").values_list("address", flat=True))


def is_login(address: str, people: set[int]) -> bool:
    """Whether one of these people signs in under this address."""
    readers = list(MailboxPerson.objects.filter(mailbox__address=address).values_list("user", flat=True))
    return len(readers) == 1 and readers[0] in people


def written_login() -> LineField:
    """Where there are many to choose from, the address is written."""
    return LineField(
        rules.address,
        label=_("Who is signed in"),
        widget=email(),
        required=False,
        help_text=_("Your address, or that of somebody whose list you keep."),
    )
