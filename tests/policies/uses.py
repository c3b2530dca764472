"""Versions of an acceptable-use policy, for tests that need some."""

from accounts.models import Membership
from accounts.wishes import wishes
from policies import publishing
from policies.models import UsagePolicy
from tests.household import Household


def published(house: Household, who: str = "anna", before: str = "Ciao", after: str = "") -> UsagePolicy:
    """A version, of somebody's family or business."""
    person = house.people[who]
    community = house.family if who in ("anna", "marco") else house.business
    with wishes(person, "test"):
        return publishing.publish(person, community, before, after)


def read(house: Household, who: str, policy: UsagePolicy) -> None:
    """Somebody says that she has read it."""
    with wishes(house.people[who], "test"):
        publishing.acknowledge(house.people[who], policy)


def level(house: Household, who: str, token: str, **override: str) -> None:
    """Give somebody a level, with an exception that lasts."""
    with wishes("test", "test"):
        row = Membership.objects.get(user=house.people[who])
        row.level = token
        row.overrides = [{**override, "until": "2199-12-31"}] if override else []
        row.save()
