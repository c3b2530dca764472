"""Two guardians who answer the same question at the same moment, over HTTP and through two connections."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.system.held import family_of, hold
from tests.system.panel import Answer, Panel
from tests.system.server import Server

pytestmark = [pytest.mark.daemons, pytest.mark.timeout(300)]
GIVEN = """
import json
from policies.models import Answer, Contact
print(json.dumps([list(Answer.objects.values_list("question", "choice", "by")), Contact.objects.count()]))
"""


def test_the_first_wins_and_the_other_is_told(server: Server):
    family_of(server)
    ada, ugo = (Panel(server).sign_in(f"{name}@rossi.example") for name in ("ada", "ugo"))
    before = server.ask(GIVEN)[1]
    always = 0
    for round_ in range(4):
        _letter, question = hold(server, f"zia{round_}@gmail.com")

        def give(one: tuple[Panel, str], question: int = question) -> Answer:
            return one[0].post(f"/waiting/questions/{question}/", choice=one[1])

        with ThreadPoolExecutor(2) as pool:
            answers = list(pool.map(give, [(ada, "no"), (ugo, "always")]))
        assert sorted(answer.status for answer in answers) == [200, 422]
        second = next(answer.text for answer in answers if answer.status == 422)
        assert ("Ugo" if answers[0].status == 422 else "Ada") in second
        assert "has answered already" in second
        given, contacts = server.ask(GIVEN)
        mine = [(choice, by) for number, choice, by in given if number == question]
        assert mine in ([("no", "ada@rossi.example")], [("always", "ugo@rossi.example")])
        always += mine[0][0] == "always"
        assert contacts == before + always
