"""The form of one filter rule: a sentence of rows, each a condition or an action.

In: what was posted, or a rule. Out: `match`, `when` and `then` as `policies.filters` has them, or what is wrong, beside
its place. Nothing is touched. Rows are added and taken away by buttons that send the form: see `asked_rows`.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from django import forms
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.forms.formsets import BaseFormSet, formset_factory
from django.http import QueryDict
from django.utils.translation import gettext, gettext_lazy as _

from accounts.rules import Refused, shown_address, shown_domain
from accounts.wishes import invalid
from policies import builder_words as words, filters
from policies.filters import Made
from policies.models import FilterRule

MOST: Final[Mapping[str, int]] = {"when": filters.MOST_CONDITIONS, "then": filters.MOST_ACTIONS}
Row = Mapping[str, str]
NOT_WHOLE: Final = _("The form did not arrive whole: load the page again.")
IN_ROWS: Final = "rows"  # the code of the error that only says: see the rows


def line(label: Any, css: str, **attrs: Any) -> forms.CharField:
    """A place in the sentence for a line of text."""
    attrs = {"class": f"word {css}", "autocomplete": "off", "aria-label": label, **attrs}
    return forms.CharField(required=False, strip=False, label=label, widget=forms.TextInput(attrs=attrs))


def word(label: Any, choices: Any, css: str = "", **attrs: str) -> forms.ChoiceField:
    """A place in the sentence for a word that is chosen."""
    widget = forms.Select(attrs={"class": f"word {css}".strip(), "aria-label": label, **attrs})
    return forms.ChoiceField(required=False, label=label, choices=choices, widget=widget)


class OperatorSelect(forms.Select):
    """The words between field and value; each option says which fields it goes with."""

    known: Sequence[words.Op] = ()

    def create_option(self, name: str, value: Any, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """An option that rules.js can leave out."""
        option = super().create_option(name, value, *args, **kwargs)
        option["attrs"]["data-for"] = next(op.fields for op in self.known if op[:2] == (value, option["label"]))
        return option


class Clause(forms.Form):
    """One row of the sentence."""

    def refuse(self, field: str, sentence: Any) -> None:
        """Say what is wrong beside its place, and mark that for who does not see it."""
        self.add_error(field, sentence)

    def mark(self) -> None:
        """Tie every sentence about what is wrong to its place."""
        for name in self.errors:
            if name in self.fields:
                attrs = self.fields[name].widget.attrs
                attrs |= {"aria-invalid": "true", "aria-describedby": f"{self.prefix}-wrong"}

    @property
    def wrongs(self) -> list[tuple[str, str, str]]:
        """What is wrong: the place's id, what it is called, the sentence."""
        return [
            (self[name].auto_id, str(self.fields[name].label), str(sentence))
            for name, sentences in self.errors.items()
            for sentence in sentences
        ]


class ConditionForm(Clause):
    """One condition."""

    made: Made
    field = word(_("What is looked at"), words.fields, **{"data-field": "yes"})
    name = line(_("Name of the line"), "short only-header", placeholder="X-Priority", autocapitalize="none")
    op = forms.ChoiceField(required=False, label=_("How it is compared"))
    value = line(_("What is looked for"), "no-attachment")
    kind = word(_("Which kind"), words.attachments, "only-attachment")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        known = words.operators(str(self["field"].value() or "from"))
        attrs = {"class": "word", "data-op": "yes", "aria-label": self.fields["op"].label}
        widget = OperatorSelect(attrs=attrs)
        widget.known = known
        op = forms.ChoiceField(required=False, label=self.fields["op"].label, widget=widget)
        op.choices = [(one.token, one.label) for one in known]
        self.fields["op"] = op

    def clean(self) -> None:
        """The condition as the rules have it."""
        typed = self.cleaned_data
        field, op = typed.get("field", ""), typed.get("op", "")
        if not self.errors and not words.fits(field, op):
            self.refuse("op", _("These two do not go together: choose another word here."))
        if not self.errors:
            self.make(field, op)
        self.mark()

    def make(self, field: str, op: str) -> None:
        """Put it together."""
        typed, at = self.cleaned_data, "value"
        value = (
            "" if filters.bare(op) == "exists" else typed["kind"] if field == "attachment" else typed["value"].strip()
        )
        if field == "header":
            field, at = f"header:{typed['name'].strip()}", "name"
        try:
            filters.field(field)
            at = "kind" if field == "attachment" else "value"
            if not value and filters.bare(op) != "exists":
                raise Refused(_("Write what is looked for."))  # type: ignore[arg-type]
            self.made = filters.condition({"field": field, "op": op, "value": value})
        except Refused as refused:
            self.refuse(at, invalid(refused))


class ActionForm(Clause):
    """One action."""

    made: Made
    action = word(_("What happens"), words.actions, **{"data-action": "yes"})
    folder = line(_("Which folder"), "only-folder", list="folders", placeholder=_("Folder"))
    to = line(
        _("To which address"), "only-forward", inputmode="email", autocapitalize="none", spellcheck="false",
        placeholder=_("address"),
    )  # fmt: skip

    def clean(self) -> None:
        """The action as the rules have it."""
        action = self.cleaned_data.get("action", "")
        key = {"file": "folder", "copy": "folder", "forward": "to"}.get(action, "")
        if not self.errors:
            value = self.cleaned_data[key].strip() if key else ""
            empty = {"folder": _("Write the name of a folder."), "to": _("Write an address.")}
            try:
                if key and not value:
                    raise ValidationError(empty[key])
                self.made = filters.action({"action": action, **({key: value} if key else {})})
            except Refused as refused:
                self.refuse(key or "action", invalid(refused))
            except ValidationError as error:
                self.refuse(key, error)
        self.mark()


class Clauses(BaseFormSet):  # type: ignore[type-arg]
    """The conditions, or the actions."""

    default_error_messages = {**BaseFormSet.default_error_messages, "missing_management_form": NOT_WHOLE}

    def get_form_kwargs(self, index: int | None) -> dict[str, Any]:
        """No row may be left empty: what is not wanted is taken away."""
        return {**super().get_form_kwargs(index), "empty_permitted": False, "use_required_attribute": False}

    def clean(self) -> None:
        """The rows are counted as a browser counts them: one condition less could be every letter."""
        if (self.management_form.cleaned_data["TOTAL_FORMS"] or 0) < 0:
            raise ValidationError(NOT_WHOLE)


CLAUSES: Final = {
    "when": formset_factory(ConditionForm, formset=Clauses, extra=0, max_num=20, absolute_max=21, validate_max=True),
    "then": formset_factory(ActionForm, formset=Clauses, extra=0, max_num=10, absolute_max=11, validate_max=True),
}


class Focus(NamedTuple):
    """What has the focus once rows have changed: the first place of a row, or the button that adds one."""

    part: str
    row: int | None


class Shape(NamedTuple):
    """A form that is not sent for good: its rows as they stand."""

    match: str
    when: Sequence[Row]
    then: Sequence[Row]
    focus: Focus | None = None


class RuleForm(forms.Form):
    """One rule as a sentence."""

    match = word(_("How many conditions must hold"), list(words.MATCHES.items()))

    def __init__(self, data: QueryDict | None, *, shape: Shape) -> None:
        super().__init__(data, initial={"match": shape.match})
        self.shape = shape
        self.when = CLAUSES["when"](data, prefix="when", initial=list(shape.when))
        self.then = CLAUSES["then"](data, prefix="then", initial=list(shape.then))
        focus = shape.focus
        if focus and focus.row is not None:
            row = getattr(self, focus.part).forms[focus.row]
            next(iter(row.fields.values())).widget.attrs["autofocus"] = True

    def clean(self) -> None:
        """Every row is right, and together they are a rule."""
        if not self.when.is_valid() or not self.then.is_valid():
            for error in (*self.when.non_form_errors(), *self.then.non_form_errors()):
                self.add_error(None, error)
            raise ValidationError(gettext("Look at what is marked below."), code=IN_ROWS)
        try:
            self.made_when = filters.when([row.made for row in self.when.forms])
            self.made_then = filters.then([row.made for row in self.then.forms])
        except Refused as refused:
            raise invalid(refused) from refused

    @property
    def wrongs(self) -> list[tuple[str, str, str]]:
        """What is wrong, from the top: a place's id and name where it has one, and the sentence."""
        if not self.errors:
            return []
        whole = self.errors.as_data().get(NON_FIELD_ERRORS, [])
        found = [("", "", " ".join(error.messages)) for error in whole if error.code != IN_ROWS]
        return [*found, *(wrong for rows in (self.when, self.then) for row in rows.forms for wrong in row.wrongs)]

    def fill(self, rule: FilterRule) -> None:
        """Put what was typed into the row."""
        rule.match = self.cleaned_data["match"] or "all"
        rule.when, rule.then = self.made_when, self.made_then


def shape_of(rule: FilterRule) -> Shape:
    """A rule as rows."""
    return Shape(rule.match, [condition_row(one) for one in rule.when], [action_row(one) for one in rule.then])


def condition_row(made: Row) -> Row:
    """A condition as people write it."""
    field, _colon, name = made["field"].partition(":")
    value = made["value"]
    if field in filters.ADDRESSES:
        value = (
            shown_address(value) if "@" in value else shown_domain(value) if made["op"].endswith("domain") else value
        )
    where = "kind" if field == "attachment" else "value"
    return {"field": field, "name": name, "op": made["op"], where: value}


def action_row(made: Row) -> Row:
    """An action as people write it."""
    return {**made, "to": shown_address(made["to"])} if "to" in made else dict(made)


EMPTY: Final[Mapping[str, Row]] = {
    "when": {"field": "subject", "op": "contains"},
    "then": {"action": "file"},
}


def asked_rows(data: QueryDict) -> Shape | None:
    """The rows as they shall stand when a row was added or taken away; None when the form was sent for good."""
    if not {"add", "drop"} & data.keys():
        return None
    found = {part: posted_rows(data, part) for part in CLAUSES}
    part, _dash, number = data.get("drop", "").rpartition("-")
    focus = None
    if (new := data.get("add", "")) in found and len(found[new]) < MOST[new]:
        focus = Focus(new, len(found[new]))
        found[new].append(EMPTY[new])
    elif part in found and number.isdecimal() and int(number) < len(found[part]):
        del found[part][int(number)]
        left = len(found[part])
        focus = Focus(part, min(int(number), left - 1) if left else None)
    return Shape(data.get("match", "all"), found["when"], found["then"], focus)


def posted_rows(data: QueryDict, part: str) -> list[Row]:
    """What was sent, row by row, as it was typed."""
    count = data.get(f"{part}-TOTAL_FORMS", "")
    many = min(int(count), MOST[part]) if count.isdecimal() and len(count) < 4 else 0
    names = ROW_NAMES[part]
    return [{name: data.get(f"{part}-{number}-{name}", "") for name in names} for number in range(many)]


ROW_NAMES: Final[Mapping[str, Sequence[str]]] = {
    "when": list(ConditionForm.base_fields),
    "then": list(ActionForm.base_fields),
}
STARTS: Final[Mapping[str, Shape]] = {
    "": Shape("all", [{"field": "from", "op": "is"}], [EMPTY["then"]]),
    "subject": Shape("all", [EMPTY["when"]], [EMPTY["then"]]),
    "list": Shape("all", [{"field": "list", "op": "exists"}], [EMPTY["then"]]),
    "copy": Shape("all", [], [{"action": "copy"}]),
}
