"""While a long release is made, one more waits for its end, and the others have time for other work."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest

from deploy.export import one_at_a_time
from deploy.host import files
from deploy.host.layout import Layout
from tests.deploy.standin import Standin
from tests.host.machine import wait_for

pytestmark = pytest.mark.daemons


def enter(layout: Layout, *, patient: bool) -> str:
    """Come in once it is free."""
    with one_at_a_time(layout, patient=patient):
        return "in"


def somebody_waits(layout: Layout) -> bool:
    """Whether one of the impatient does."""
    with suppress(files.Busy), files.locked(layout.root / ".waiting", patience=0):
        return False
    return True


def test_of_the_impatient_one_at_most_waits(doors: Standin) -> None:
    layout = doors.layout
    with ThreadPoolExecutor(2) as pool:
        with files.locked(layout.root / ".reconcile"):
            first = pool.submit(enter, layout, patient=False)
            wait_for(lambda: somebody_waits(layout), "the first")
            with pytest.raises(files.Busy):
                enter(layout, patient=False)
            patient = pool.submit(enter, layout, patient=True)
            assert not first.done()
            assert not patient.done()
        assert (first.result(20), patient.result(20)) == ("in", "in")
    assert not somebody_waits(layout)
    assert enter(layout, patient=False) == "in"
