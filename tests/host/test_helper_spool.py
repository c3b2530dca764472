"""Letters that were put off, through the helper: listed with why, tried again, removed; a held one is never touched."""

import json
import time
from typing import Any

import pytest

from deploy.host.helper import HelperError, ask, fetch
from tests.host.family import ANNA, settle, written
from tests.host.letters import signed_in
from tests.host.machine import MailHost, wait_for
from tests.host.test_helper_queue import STRANGER, held, queue_of
from tests.host.test_helper_requests import say

pytestmark = pytest.mark.daemons


@pytest.fixture(scope="module")
def home(mailhost: MailHost) -> MailHost:
    settle(mailhost)
    mailhost.run("postsuper", "-c", str(mailhost.layout.postfix), "-d", "ALL")
    return mailhost


def put_off(host: MailHost, *recipients: str) -> str:
    """A letter of Anna's to the world outside, which this host does not reach; its queue id."""
    with signed_in(host.layout, ANNA) as dialogue:
        dialogue.mail(ANNA)
        for recipient in recipients or (STRANGER,):
            dialogue.rcpt(recipient)
        queue_id = dialogue.data(written(f"From: {ANNA}")[1])[1].decode().rpartition(" ")[2]
    wait_for(lambda: queue_of(host, queue_id) == "deferred", "the letter to be put off", 60)
    return queue_id


def listed(host: MailHost) -> dict[str, Any]:
    """Every letter of the queue by its id."""
    found = json.loads(fetch(host.layout, "queue-list"))
    assert found["all"] == len(found["letters"])
    return {one["queue_id"]: one for one in found["letters"]}


def tries(host: MailHost, queue_id: str) -> int:
    """How often Postfix has said why the letter waits."""
    return host.log().count(f"{queue_id}: to=<{STRANGER}>")


def test_what_waits_is_listed_with_why(home: MailHost) -> None:
    before = time.time()
    queue_id, other = put_off(home, STRANGER, "zia@elsewhere.example"), held(home)
    one = listed(home)[queue_id]
    assert before - 2 < one.pop("arrived") < time.time() + 1
    assert one.pop("due") > before
    assert one.pop("size") > 200
    assert sorted(to["address"] for to in one["recipients"]) == [STRANGER, "zia@elsewhere.example"]
    assert {to["reason"] for to in one.pop("recipients")} == {"deferred transport"}
    assert one == {"queue_id": queue_id, "queue": "deferred", "sender": ANNA, "count": 2}
    assert (listed(home)[other]["queue"], listed(home)[other]["due"]) == ("hold", None)


def test_a_letter_is_tried_now(home: MailHost) -> None:
    queue_id = put_off(home)
    arrived, before = str(listed(home)[queue_id]["arrived"]), tries(home, queue_id)
    assert ask(home.layout, "queue-retry", queue_id, arrived) == "tried"
    wait_for(lambda: tries(home, queue_id) > before, "Postfix to try it", 60)
    wait_for(lambda: queue_of(home, queue_id) == "deferred", "the letter to be put off again", 60)


def test_all_are_tried_now_and_nothing_leaves_a_host_that_keeps_letters(home: MailHost) -> None:
    ids = [put_off(home), put_off(home)]
    before = [tries(home, one) for one in ids]
    assert ask(home.layout, "queue-retry-all") == "tried"
    wait_for(lambda: all(tries(home, one) > many for one, many in zip(ids, before, strict=True)), "all tries", 60)
    for one in ids:
        assert "status=deferred (deferred transport)" in home.log().rpartition(f"{one}: to=<")[2].splitlines()[0]


def test_a_letter_is_removed_without_a_word(home: MailHost) -> None:
    queue_id, other = put_off(home), put_off(home)
    arrived = str(listed(home)[queue_id]["arrived"])
    many = len(listed(home))
    assert ask(home.layout, "queue-remove", queue_id, arrived) == "removed"
    assert (queue_of(home, queue_id), queue_of(home, other)) == ("", "deferred")
    assert len(listed(home)) == many - 1  # no report is on its way
    for verb in ("queue-remove", "queue-retry"):
        assert ask(home.layout, verb, queue_id, arrived) == "gone"


@pytest.mark.parametrize("verb", ["queue-retry", "queue-remove"])
def test_a_held_letter_waits_for_its_answer(home: MailHost, verb: str) -> None:
    queue_id = held(home)
    arrived = str(listed(home)[queue_id]["arrived"])
    with pytest.raises(HelperError, match="waits for an answer"):
        ask(home.layout, verb, queue_id, arrived)
    ask(home.layout, "queue-retry-all")
    assert queue_of(home, queue_id) == "hold"


@pytest.mark.parametrize("verb", ["queue-retry", "queue-remove"])
def test_only_the_letter_that_is_meant(home: MailHost, verb: str) -> None:
    queue_id = put_off(home)
    arrived, before = listed(home)[queue_id]["arrived"], tries(home, queue_id)
    for wrong in (arrived + 1, arrived - 1):
        with pytest.raises(HelperError, match="another time"):
            ask(home.layout, verb, queue_id, str(wrong))
    assert (queue_of(home, queue_id), tries(home, queue_id)) == ("deferred", before)


@pytest.mark.parametrize(
    "request_",
    [
        "queue-list all",
        "queue-list ",
        "queue-retry-all now",
        "queue-retry",
        "queue-retry {id}",
        "queue-retry ALL {at}",
        "queue-remove ALL {at}",
        "queue-remove - {at}",
        "queue-remove -d {at}",
        "queue-remove {id}",
        "queue-remove {id} now",
        "queue-remove {id} -1",
        "queue-remove {id}  {at}",
        "queue-remove {id} {at} hold",
        "queue-remove {id} {at} ",
        "queue-remove {id} {at}\r",
        "queue-remove {id}\x00 {at}",
        "queue-remove ../deferred/{id} {at}",
        "queue-remove *{id} {at}",
        "queue-remove {id},{id} {at}",
        "queue-remove $(id) {at}",
    ],
)
def test_other_words_are_refused(home: MailHost, request_: str) -> None:
    queue_id = put_off(home)
    text = request_.format(id=queue_id, at=listed(home)[queue_id]["arrived"])
    assert say(home, text.encode() + b"\n").startswith("refused ")
    assert queue_of(home, queue_id) == "deferred"


def test_a_link_in_the_place_of_a_letter_leads_nowhere(home: MailHost) -> None:
    """Postfix's own user may write into the queue; what it puts there must not be touched in its place."""
    queue_id = put_off(home)
    arrived = str(listed(home)[queue_id]["arrived"])
    path = next((home.var / "spool" / "postfix" / "deferred").rglob(queue_id))
    elsewhere = home.var / "elsewhere"
    path.rename(elsewhere)
    path.symlink_to(elsewhere)
    before = elsewhere.stat().st_mtime
    try:
        assert ask(home.layout, "queue-retry", queue_id, arrived) == "gone"
    finally:
        path.unlink()
        elsewhere.rename(path)
    assert path.stat().st_mtime == before
