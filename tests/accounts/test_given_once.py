"""What is given once is refused in one sentence that names it."""

import pytest
from django.core.exceptions import ValidationError

from accounts.models import Community, User
from accounts.wishes import wishes
from domains.models import Domain
from tests.household import Household


@pytest.mark.parametrize(
    ("row", "value"),
    [
        (User(address="Emma@MyFamily.net", name="Another"), "emma@myfamily.net"),
        (Community(name="Fioretti family"), "Fioretti family"),
        (Domain(name="MyFamily.net", kind="backup", relay_to="mx.other.example"), "myfamily.net"),
    ],
    ids=["person", "community", "domain"],
)
def test_it_is_named(household: Household, row: User | Community | Domain, value: str) -> None:
    with pytest.raises(ValidationError) as refused, wishes("test", "test"):
        row.save()
    assert refused.value.messages == [f"“{value}” is here already: choose another."]
