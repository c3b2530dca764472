"""Two people who want the same address at the same moment."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.system.panel import Answer, Panel
from tests.system.server import Server

pytestmark = [pytest.mark.daemons, pytest.mark.timeout(300)]


def test_one_wins_and_the_other_gets_a_sentence(server: Server):
    domain = str(server.ask("from domains.models import Domain\nprint(Domain.objects.get().pk)"))
    visitors = [Panel(server).sign_in() for _ in range(4)]
    for round_ in range(3):
        address = f"both{round_}"

        def add(visitor: Panel, address: str = address) -> Answer:
            return visitor.post(
                "/mailboxes/add/", local=address, domain=domain, whose="new", name="Both", role="protected",
                password="il gatto di casa", quota="1G",
            )  # fmt: skip

        with ThreadPoolExecutor(4) as pool:
            answers = list(pool.map(add, visitors))
        assert sorted(answer.status for answer in answers) == [200, 422, 422, 422]
        for answer in answers:
            assert answer.status == 200 or f"{address}@rossi.example" in answer.text
    boxes = server.ask("import json\nfrom domains.models import Mailbox\nprint(json.dumps(Mailbox.objects.count()))")
    assert boxes == 5
