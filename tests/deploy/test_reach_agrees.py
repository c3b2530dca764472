"""Whom somebody may forward to: what a page says before it is saved is what the mail host's own rules say."""

from datetime import UTC, datetime

import pytest
from django.db import transaction
from hypothesis import HealthCheck, assume, given, settings, strategies as st

from accounts.models import Membership
from accounts.services import join
from accounts.wishes import wishes
from deploy.gather import gather
from deploy.models import MailHost
from deploy.render.book import book
from deploy.render.verdicts import PASS, REFUSE, rules
from policies.models import Contact
from policies.reach import Reach

OUTSIDE = ["zia@outside.example", "zia+x@outside.example", "zio@outside.example", "bo@sub.outside.example"]
HERE = ["anna@myfamily.net", "luca@myfamily.net", "sara@mybusiness.com", "info@mybusiness.com", "mix@myfamily.net"]
LISTED = [
    *OUTSIDE,
    "anna@myfamily.net",
    "@outside.example",
    "sara@mybusiness.com",
    "luca@myfamily.net",
    "@mybusiness.com",
]
ENTRIES = st.lists(
    st.tuples(
        st.sampled_from(LISTED),
        st.sampled_from(["emma", "family", "business"]),
        st.sampled_from(["allowed", "blocked", "always"]),
        st.sampled_from(["both", "in", "out"]),
    ),
    max_size=6,
    unique_by=lambda entry: entry[:2],
)

pytestmark = pytest.mark.django_db


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    ENTRIES, st.sampled_from(["starter", "explorer", "trusted"]), st.sampled_from(["", "inside", "partners", "open"])
)
def test_a_page_and_the_mail_host_say_the_same(household, entries, level, work):
    above = {address for address, whose, kind, _direction in entries if (whose, kind) != ("emma", "blocked")}
    above.add("anna@myfamily.net")
    assume(not any(entry[1:3] == ("emma", "blocked") and entry[0] in above for entry in entries))  # refused, rightly
    with transaction.atomic():
        write(household, entries, level, work)
        told = Reach([household.people["emma"]], [*OUTSIDE, *HERE])
        page = {address: told.refuses(household.people["emma"], address) for address in [*OUTSIDE, *HERE]}
        host = on_host(page)
        transaction.set_rollback(True)
    assert {address: bool(said) for address, said in page.items()} == {one: bool(said) for one, said in host.items()}
    assert {one for one, said in page.items() if said == "blocked"} <= {
        one for one, said in host.items() if said == REFUSE
    }


def write(household, entries, level, work):
    """Emma's level at home, perhaps one in the business too, and what the lists say."""
    emma = household.people["emma"]
    owners = {
        "emma": {"person": emma},
        "family": {"community": household.family},
        "business": {"community": household.business},
    }
    with wishes("a test", "test"):
        household.mailbox("mix", household.home, "luca", "sara")
        if work:
            join(emma, household.business, "member")
        for row in Membership.objects.filter(user=emma):
            row.level = level if row.community == household.family else work
            row.save()
        for address, whose, kind, direction in entries:
            Contact(address=address, kind=kind, direction=direction, confirmed=True, **owners[whose]).save()


def on_host(addresses):
    """The verdicts of the mail host's rules, from its own snapshot."""
    found, now = gather(MailHost.objects.get()), datetime.now(UTC)
    sender = next((one for one in found.senders if "emma@myfamily.net" in one.logins), None)
    if sender is None:
        return dict.fromkeys(addresses, PASS)
    said = rules(book(found, now), {circle.name: circle for circle in found.circles}, sender, now)
    return {address: said.verdict(address, f"@{address.rpartition('@')[2]}") for address in addresses}
