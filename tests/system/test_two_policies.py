"""Two guardians who publish rules at the same moment, over HTTP and through two connections."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.system.held import family_of
from tests.system.panel import Answer, Panel
from tests.system.server import Server

pytestmark = [pytest.mark.daemons, pytest.mark.timeout(300)]
PUBLISHED = """
import json
from policies.models import UsagePolicy
found = UsagePolicy.objects.filter(community__name="Rossi").order_by("number")
print(json.dumps([[row.number, row.before, row.by, row.acknowledgements.count()] for row in found]))
"""
NUMBER = "from accounts.models import Community\nprint(Community.objects.get(name='Rossi').pk)"


def test_each_gets_a_number_of_its_own(server: Server):
    family_of(server)
    path = f"/use/{server.ask(NUMBER)}/write/"
    writers = {name: Panel(server).sign_in(f"{name}@rossi.example") for name in ("ada", "ugo")}
    for round_ in range(4):

        def publish(name: str, round_: int = round_) -> Answer:
            return writers[name].post(path, before=f"{name} {round_}", publish="yes")

        with ThreadPoolExecutor(2) as pool:
            answers = list(pool.map(publish, writers))
        assert [answer.status for answer in answers] == [200, 200]
    found = server.ask(PUBLISHED)
    assert [row[0] for row in found] == list(range(1, 9))
    assert {(row[1], row[2]) for row in found} == {
        (f"{name} {round_}", f"{name}@rossi.example") for name in writers for round_ in range(4)
    }
    assert {row[3] for row in found} == {1}
