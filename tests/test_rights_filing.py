"""Who sees and changes what a mailbox does with its letters: every address, every role."""

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import AuditEntry
from accounts.wishes import wishes
from policies import filing
from policies.models import FilterRule
from tests.household import Household
from tests.test_urls_rights import FILING, GONE, METHODS, ODD, VISITORS, ask, everything, kept  # noqa: F401  fixtures

FILERS = {  # whose mailbox -> who sorts its letters
    "emma": {"emma", "anna", "marco"},
    "gino": {"gino", "marco", "olivia", "oscar", "rita"},
    "anna": {"anna"},  # not the administrators
    "olivia": {"olivia"},
}


@pytest.fixture
def filed(kept: Household) -> Household:  # noqa: F811
    """A rule, switched once, in each of these mailboxes."""
    for name in FILERS:
        person, mailbox = kept.people[name], kept.mailboxes[name]
        for on in (True, False):
            with wishes(person, "test"):
                row = FilterRule.objects.filter(mailbox=mailbox).first() or FilterRule(then=[{"action": "flag"}])
                row.active = on
                filing.save_rule(person, mailbox, row)
    return kept


def filed_arguments(house: Household, address: str, name: str) -> list[object]:
    """What stands in the address for this mailbox and its rule."""
    rule = FilterRule.objects.get(mailbox=house.mailboxes[name])
    last = AuditEntry.objects.filter(kind="filterrule", what=rule.label()).latest("pk")
    more: dict[str, object] = {"filing-restore": last.pk, "mailbox-folders-found": 1}
    more |= dict.fromkeys(("rule-edit", "rule-move", "rule-switch", "rule-remove"), rule.key)
    return [rule.mailbox_id, *([more[address]] if address in more else [])]


@pytest.mark.parametrize("who", VISITORS)
def test_rules_are_there_for_whose_mailbox_it_is_and_who_stands_above(filed: Household, who: str) -> None:
    client, wrong = filed.client(who), []
    for address, statuses in FILING.items():
        for name, filers in FILERS.items():
            url = reverse(address, args=filed_arguments(filed, address, name))
            for method, status in zip(("get", "post"), statuses, strict=True):
                wanted = status if who in filers or status == ODD else GONE
                if (found := ask(client, method, url, {})[0]) != wanted:
                    wrong.append(f"{method} {url} ({name}): {found}, not {wanted}")
    assert not wrong, "\n".join(wrong)


def test_nobody_reaches_rules_without_signing_in(filed: Household) -> None:
    for address in FILING:
        url = reverse(address, args=filed_arguments(filed, address, "emma"))
        for method in METHODS:
            status, to = ask(Client(), method, url, {})
            assert (status, to.partition("?")[0]) == (302, "/sign-in/"), f"{method} {url}"
