"""The example household of POLICY.md as a mail host is told it: two communities, one suspended, one shared."""

from deploy.snapshot import (
    Action,
    Alias,
    Bond,
    Circle,
    Condition,
    Domain,
    Entry,
    Filter,
    Gate,
    Mailbox,
    Rule,
    Screen,
    Sender,
    Snapshot,
)

HASH = "{SHA512-CRYPT}$6$rounds=5000$VvDXT9btpaYERIB$tWmVGZoHKzHnFZ2OVFtmVcW0GFDpAuXVJ0dIaLlbZ9mQ7yqZ1xw6mC3n5aEoD1"
OTHER_HASH = "{ARGON2ID}$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHQ$Wm9vbXpvb216b29tem9vbXpvb216b29tem9v"
GIGABYTE = 1 << 30


def mailbox(address: str, key: int, *others: str, **changes: object) -> Mailbox:
    """A mailbox of one person, or with `others` of those."""
    facts: dict[str, object] = {
        "logins": others or (address,),
        "password": "" if others else HASH,
        "quota": GIGABYTE,
        "active": True,
    }
    return Mailbox(address=address, key=f"{key:016x}", **{**facts, **changes})  # type: ignore[arg-type]


HOUSEHOLD = Snapshot(
    generation=7,
    host="primary",
    role="primary",
    domains=(
        Domain("mybusiness.com", "mail"),
        Domain("myfamily.net", "mail"),
        Domain("old-domain.example", "alias", "myfamily.net"),
        Domain("relayed.example", "backup", "mx.other.example"),
    ),
    mailboxes=(
        mailbox("anna@myfamily.net", 1, password=OTHER_HASH),
        mailbox("emma@myfamily.net", 2),
        mailbox("gino@mybusiness.com", 3, active=False),
        mailbox("info@mybusiness.com", 4, "paolo@mybusiness.com", "sara@mybusiness.com"),
        mailbox("ivo@mybusiness.com", 5),
        mailbox("luca@myfamily.net", 6, active=False),
        mailbox("marco@mybusiness.com", 7),
        mailbox("marco@myfamily.net", 8, quota=0),
        mailbox("paolo@mybusiness.com", 9),
        mailbox("rita@mybusiness.com", 10),
        mailbox("sara@mybusiness.com", 11),
    ),
    aliases=(
        Alias("@mybusiness.com", ("marco@mybusiness.com",)),
        Alias("@myfamily.net", ("marco@myfamily.net",)),
        Alias("kids@myfamily.net", ("emma@myfamily.net", "luca@myfamily.net", "nonna.rosa@gmail.com")),
        Alias("oldfriends@myfamily.net", ("anna@myfamily.net",), expires="2026-06-30T22:00:00+00:00"),
        Alias("team@mybusiness.com", ("info@mybusiness.com", "rita@mybusiness.com"), internal=True),
    ),
    circles=(
        Circle(
            "Fioretti family",
            ("anna@myfamily.net", "emma@myfamily.net", "luca@myfamily.net", "marco@myfamily.net"),
            ("anna@myfamily.net", "marco@myfamily.net"),
        ),
        Circle(
            "My Business",
            (
                "gino@mybusiness.com",
                "info@mybusiness.com",
                "ivo@mybusiness.com",
                "paolo@mybusiness.com",
                "rita@mybusiness.com",
                "sara@mybusiness.com",
            ),
            allowed=("@partner.example",),
            entries=(Entry("@partner.example", "allowed"),),
        ),
    ),
    senders=(
        Sender(
            ("emma@myfamily.net",),
            (Bond("Fioretti family", (("2026-06-30T22:00:00+00:00", "anyone"), ("", "ask"))),),
            allowed=("@scuola-verdi.edu.it", "nonna.rosa@gmail.com"),
        ),
        Sender(
            ("ivo@mybusiness.com",),
            (Bond("My Business", (("", "refuse"),), listed=False, sentence="You may write to your own people only."),),
        ),
        Sender(
            ("luca@myfamily.net",),
            (Bond("Fioretti family", (("", "anyone"),)),),
            blocked=("bully@outside.example",),
        ),
    ),
    screens=(
        Screen(
            "emma@myfamily.net",
            (
                Gate(
                    "Fioretti family",
                    (("2026-06-30T22:00:00+00:00", "anyone"), ("", "hold")),
                    careful=True,
                    entries=(
                        Entry("@scuola-verdi.edu.it", "allowed"),
                        Entry("maestra@scuola-verdi.edu.it", "allowed", "unproven"),
                        Entry("nonna.rosa@gmail.com", "allowed"),
                        Entry("zio@old.example", "allowed", "pinned", "ip:192.0.2.0/24"),
                    ),
                ),
            ),
        ),
        Screen("gino@mybusiness.com", (Gate("My Business", (("", "hold"),)),)),
        Screen("ivo@mybusiness.com", (Gate("My Business", (("", "hold"),), listed=False),)),
        Screen(
            "luca@myfamily.net",
            (
                Gate(
                    "Fioretti family",
                    (("", "proven"),),
                    careful=True,
                    entries=(Entry("bully@outside.example", "blocked"),),
                ),
            ),
        ),
    ),
    filters=(
        Filter(
            "emma@myfamily.net",
            (
                Rule(
                    "00000000000000a1",
                    "When the subject contains “compiti” or the sender is of scuola-verdi.edu.it, file it in “Scuola”.",
                    "any",
                    (
                        Condition("subject", "contains", "compiti (è ora)"),
                        Condition("from", "domain", "scuola-verdi.edu.it"),
                    ),
                    (Action("file", "Scuola/Età & co"), Action("flag")),
                ),
                Rule(
                    "00000000000000a2",
                    "When the text does not contain “regalo”, forward it to two people.",
                    "all",
                    (Condition("body", "not contains", "Regalo"), Condition("size", "under", "2097152")),
                    (Action("forward", "nonna.rosa@gmail.com"), Action("forward", "stranger@outside.example")),
                ),
            ),
            away=(("2026-06-30T22:00:00+00:00", "2026-07-02T22:00:00+00:00"),),
        ),
        Filter(
            "rita@mybusiness.com",
            (
                Rule(
                    "spam",
                    "Spam goes into Junk.",
                    "all",
                    (Condition("spam", "over", "6"),),
                    (Action("file", "Junk"), Action("tag", "[spam]")),
                ),
                Rule(
                    "forward",
                    "Everything goes to Rita's own address.",
                    "all",
                    (),
                    (Action("forward", "rita@home.example"),),
                ),
            ),
        ),
    ),
)
