"""The page of what waits, and the answers."""

from accounts.wishes import wishes
from policies.models import Contact, Question
from tests.policies.letters import STRANGER, asked_out, held


def test_pages(household):
    emma = household.mailboxes["emma"]
    a = held(emma, STRANGER)
    b = held(emma, STRANGER, fact="none {} ip:192.0.2.0/24")
    c = held(emma, "nonna.r0sa@gmail.com", like="nonna.rosa@gmail.com")
    d = asked_out(emma, "gino@example.org", "pino@example.org")
    e = held(emma, "spam@example.org", reason="spam")
    f = held(emma, reason="malformed", station="in-1", fact="malformed")
    with wishes("t", "t"):
        row = Contact(person=household.people["emma"], address="@scuola.example", name="Scuola")
        row.save()
    anna = household.client("anna")
    for url in [
        "/",
        "/waiting/",
        "/waiting/summary/",
        "/waiting/silent/",
        *(f"/waiting/{x.pk}/" for x in (a, b, c, d, e, f)),
        *(f"/waiting/questions/{q.pk}/?choice=always" for q in Question.objects.all()),
        f"/family/{household.people['emma'].pk}/",
        f"/family/{household.people['emma'].pk}/people/",
        f"/family/{household.people['emma'].pk}/people/add/",
        f"/family/{household.people['emma'].pk}/people/paste/",
        f"/family/{household.people['emma'].pk}/people/{row.pk}/",
        f"/family/community/{household.family.pk}/people/",
        f"/family/{household.people['emma'].pk}/level/{household.people['emma'].memberships.get().pk}/",
    ]:
        response = anna.get(url)
        assert response.status_code == 200, url
