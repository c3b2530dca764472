"""Rules of a mailbox, as the tests of their pages make, send and read them."""

import re

from django.urls import reverse

from accounts.wishes import wishes
from policies import filing
from policies.models import FilterRule

HOMEWORK = {"field": "subject", "op": "contains", "value": "compiti"}
SCHOOL = {"action": "file", "folder": "Scuola"}


def url(household, who="anna", verb="list", *more):
    return reverse(f"rule-{verb}", args=[household.mailboxes[who].pk, *more])


def stored(household, who="anna", *rows, by=None):
    """Rules of this mailbox, as `(when, then)`, in order."""
    person, mailbox = household.people[by or who], household.mailboxes[who]
    with wishes(person, "test"):
        return [filing.save_rule(person, mailbox, FilterRule(when=list(when), then=list(then))) for when, then in rows]


def sent(when, then, match="all", **more):
    """What a browser sends for these rows; each is what is typed, place by place."""
    data = {"match": match, **more}
    for part, rows in (("when", when), ("then", then)):
        data |= {f"{part}-TOTAL_FORMS": str(len(rows)), f"{part}-INITIAL_FORMS": "0"}
        for number, row in enumerate(rows):
            data |= {f"{part}-{number}-{name}": value for name, value in row.items()}
    return data


def text_of(answer, status=200):
    assert answer.status_code == status
    return " ".join(answer.text.split())


def plain(text):
    """What is read of a piece of a page."""
    return " ".join(re.sub(r"<[^>]+>", "", text).split())


def rules(household, who="anna"):
    return [(row.match, row.when, row.then) for row in filing.rules_of(household.mailboxes[who])]


def shown_rules(text):
    """The sentences of a list, from the top."""
    return [plain(found) for found in re.findall(r'<a class="row-link" id="rule-[^>]*>(.*?)</a>', text)]
