"""The panel's own login, through the real daemons: its letters reach everybody, and nobody else writes as it."""

import smtplib
import stat
import uuid
from collections.abc import Iterator
from dataclasses import replace
from email.message import EmailMessage

import pytest

from deploy.host.submission import NotTaken, not_taken, own_address, own_login, submit
from deploy.setup.lay import OWN
from deploy.setup.people import group, person
from deploy.snapshot import Bond, Circle, Domain, Entry, Gate, Mailbox, Screen, Sender, Snapshot
from tests.host.letters import HASH, HOUSE, WORD, answer, letter, signed_in, signs_in, stranger
from tests.host.machine import MailHost, start_filter, wait_for
from tests.host.outside import publish, signed, written

pytestmark = pytest.mark.daemons
MUM, EMMA, LUCA, INES = (f"{name}@told.test" for name in ("mum", "emma", "luca", "ines"))
KEYS = {address: f"{number:016x}" for number, address in enumerate((MUM, EMMA, LUCA, INES), 0x70)}
HOSTNAME = OWN.partition("@")[2]
NOBODY_READS = "5.7.1 <mailadmin@mail.mailadmin.invalid>: Recipient address rejected: Nobody reads what is sent"

# Mum's letters nobody looks at. Emma hears nobody, and has blocked all that could be blocked; Luca hears whoever
# proves who he is; Ines anybody.
FAMILY = Snapshot(
    generation=1,
    host="primary",
    role="primary",
    domains=(Domain("told.test", "mail"),),
    mailboxes=tuple(Mailbox(one, key, (one,), HASH, 0, active=True) for one, key in sorted(KEYS.items())),
    aliases=(),
    circles=(Circle("Family", (EMMA, INES, LUCA, MUM), guardians=(MUM,)),),
    senders=(
        Sender((EMMA,), (Bond("Family", (("", "ask"),)),), blocked=(f"@{HOSTNAME}", OWN)),
        Sender((LUCA,), (Bond("Family", (("", "refuse"),), sentence="Ask first."),)),
    ),
    screens=(
        Screen(EMMA, (Gate("Family", (("", "hold"),), careful=True, entries=(
            Entry(OWN, "blocked"), Entry(f"@{HOSTNAME}", "blocked"))),)),
        Screen(INES, (Gate("Family", (("", "anyone"),)),)),
        Screen(LUCA, (Gate("Family", (("", "proven"),)),)),
    ),
)  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def _family(mailhost: MailHost) -> Iterator[None]:
    publish(mailhost.layout)
    mailhost.apply(FAMILY)
    yield
    mailhost.run("postsuper", "-c", str(mailhost.layout.postfix), "-d", "ALL")
    mailhost.apply(HOUSE)


def notice(to: str, author: str = f"Mailadmin <{OWN}>") -> EmailMessage:
    """A letter as the panel writes it."""
    made = EmailMessage()
    made["From"], made["To"], made["Subject"], made["Auto-Submitted"] = author, to, uuid.uuid4().hex, "auto-generated"
    made.set_content("Emma asks.\n")
    return made


def arrives(host: MailHost, address: str, token: str) -> bytes:
    """The letter with this token in somebody's inbox, once it is there."""
    return bytes(
        wait_for(lambda: [one for one in host.letters(KEYS[address]) if token.encode() in one], "the letter")[0]
    )


@pytest.mark.parametrize("to", KEYS)
def test_the_panels_letter_reaches_everybody_whatever_their_list_says(mailhost: MailHost, to: str):
    sent = notice(to)
    submit(mailhost.layout, sent, to)
    head = arrives(mailhost, to, sent["Subject"])
    assert f"X-Mailadmin-From: pass {OWN} login".encode() in head
    assert b"127.0.0.1" not in head.replace(b"[127.0.0.1]) by", b"")


def test_the_filter_says_why_it_came_in(mailhost: MailHost):
    before = len(mailhost.log("procmail.log"))
    submit(mailhost.layout, notice(EMMA), EMMA)
    line = f"box={KEYS[EMMA]} deliver in-8 - {OWN} pass/login -\n"
    wait_for(lambda: line in mailhost.log("procmail.log")[before:], "the line of the log")


def test_it_writes_to_people_outside(mailhost: MailHost):
    submit(mailhost.layout, notice("mum@elsewhere.example"), "mum@elsewhere.example")
    wait_for(lambda: "to=<mum@elsewhere.example>" in mailhost.log(), "the letter in the queue")


def test_it_opens_submission_and_nothing_else(mailhost: MailHost):
    address, secret = own_login(mailhost.layout)
    assert address == own_address(mailhost.layout) == OWN
    assert signs_in(mailhost.layout, address, secret) == "submission"
    assert signs_in(mailhost.layout, address, "") == ""
    assert signs_in(mailhost.layout, address, WORD) == ""


@pytest.mark.parametrize(
    "author", [MUM, f"x@{HOSTNAME}", f"mailadmin+x@{HOSTNAME}", f'"{OWN}" <{MUM}>', "someone@elsewhere.example"]
)
def test_it_writes_as_exactly_its_address(mailhost: MailHost, author: str):
    with pytest.raises(NotTaken, match="may not write as") as caught:
        submit(mailhost.layout, notice(MUM, author), MUM)
    assert caught.value.refused


def test_it_sends_in_nobody_elses_name(mailhost: MailHost):
    with signed_in(mailhost.layout, *own_login(mailhost.layout)) as dialogue:
        for sender in (MUM, f"x@{HOSTNAME}", "someone@elsewhere.example"):
            assert "not owned by user" in answer(dialogue, sender, MUM), sender
        assert answer(dialogue, OWN, MUM).startswith("250")


@pytest.mark.parametrize("login", [MUM, EMMA, INES])
def test_no_other_login_writes_as_the_panel(mailhost: MailHost, login: str):
    with signed_in(mailhost.layout, login) as dialogue:
        for sender in (OWN, OWN.upper(), f"mailadmin+x@{HOSTNAME}", f"other@{HOSTNAME}"):
            assert "not owned by user" in answer(dialogue, sender, MUM), sender
        for author in (OWN, f"Mailadmin <{OWN.upper()}>", f"mailadmin+x@{HOSTNAME}"):
            dialogue.rset()
            with pytest.raises(smtplib.SMTPDataError, match="may not write as"):
                dialogue.sendmail(login, MUM, letter("forged", author=author))


@pytest.mark.parametrize("sender", [OWN, OWN.upper(), f"mailadmin+x@{HOSTNAME}", f"root@{HOSTNAME}"])
def test_no_stranger_sends_as_the_panel(mailhost: MailHost, sender: str):
    with stranger(mailhost.layout) as dialogue:
        for to in KEYS:
            assert (
                answer(dialogue, sender, to)
                == f"550 5.7.1 <{sender}>: Sender address rejected: This host alone writes in its own name."
            )


@pytest.mark.parametrize("to", KEYS)
@pytest.mark.parametrize(
    "author",
    [
        f"From: {OWN}",
        f"From: Mailadmin <{OWN.upper()}>",
        f"From: mailadmin(comment)@{HOSTNAME}",
        f'From: "mailadmin"@{HOSTNAME}',
        f"From: mailadmin@(comment){HOSTNAME}",
        f"From: mailadmin+x@{HOSTNAME}",
        f'From: "{OWN}" <rosa@strict.test>',
        "From: =?utf-8?q?mailadmin=40mail=2Emailadmin=2Einvalid?= <rosa@strict.test>",
        f"From: rosa@strict.test\r\nFrom: {OWN}",
        f"From: rosa@strict.test,\r\n\t{OWN}",
        f"From : {OWN}",
    ],
)
def test_no_strangers_letter_is_from_the_panel(mailhost: MailHost, to: str, author: str):
    with stranger(mailhost.layout) as dialogue, pytest.raises(smtplib.SMTPDataError) as caught:
        dialogue.sendmail("rosa@strict.test", to, signed("strict.test")(written(author)))
    assert caught.value.smtp_error == b"5.7.1 This host alone writes in its own name."


def test_a_list_does_not_take_the_claim_for_the_proof(mailhost: MailHost):
    """Should a letter come past the filter's refusal: what is not from the login is nobody's that is listed."""
    script = str(mailhost.layout.etc / "who.awk")
    current = mailhost.layout.root / "current" / "procmail"
    listed = next(path for path in (current / "lists").iterdir() if f"{HOSTNAME} blocked" in path.read_text())
    for how, verdict in (
        ("pass login", "deliver in-8 -"),
        ("none -", "hold in-2 blocked"),
        ("pass dmarc", "hold in-2 blocked"),
    ):
        proof, means = how.split()
        facts = f"X-Mailadmin-From: {proof} {OWN} {means}\nX-Mailadmin-Reply-To: none\nX-Mailadmin-List: none\n"
        said = mailhost.run(
            "awk", "-f", script, str(listed), "-", stdin=f"{facts}X-Mailadmin-Spam: ham 0.0\n\n".encode()
        )
        assert said.stdout.decode().startswith(verdict), how


def test_who_answers_it_is_told_that_nobody_reads(mailhost: MailHost):
    with stranger(mailhost.layout) as dialogue:
        for to in (OWN, f"mailadmin+x@{HOSTNAME}"):
            assert "Nobody reads what is sent to this address" in answer(dialogue, "someone@elsewhere.example", to)
            assert "Nobody reads" in answer(dialogue, "", to)
    for login in (MUM, EMMA, LUCA):
        with signed_in(mailhost.layout, login) as dialogue:
            assert answer(dialogue, login, OWN).startswith(f"554 {NOBODY_READS}")
            assert answer(dialogue, login, MUM).startswith("250")


def test_an_address_that_nobody_has_is_refused_with_a_sentence(mailhost: MailHost):
    with pytest.raises(NotTaken, match="refused: 550") as caught:
        submit(mailhost.layout, notice("nobody@told.test"), "nobody@told.test")
    assert caught.value.refused


def test_what_comes_back_to_it_goes_nowhere(mailhost: MailHost):
    before = len(mailhost.log())
    words = ["sendmail", "-C", str(mailhost.layout.postfix), "-f", OWN, f"lost@{HOSTNAME}"]
    assert mailhost.run(*words, stdin=f"From: {OWN}\nSubject: lost\n\nx\n".encode()).returncode == 0
    lines = wait_for(
        lambda: [one for one in mailhost.log()[before:].splitlines() if f"to=<{OWN}>" in one], "the bounce"
    )
    assert "status=bounced" in lines[0]
    queue_id = lines[0].partition(f": to=<{OWN}>")[0].rpartition(" ")[2]
    wait_for(lambda: f"{queue_id}: removed" in mailhost.log()[before:], "the end of the bounce")
    queue = mailhost.run("postqueue", "-c", str(mailhost.layout.postfix), "-j").stdout.decode()
    assert f'"address": "{OWN}"' not in queue


def test_a_suspended_mailbox_refuses_it_with_a_sentence(mailhost: MailHost):
    boxes = tuple(replace(box, active=box.address != LUCA) for box in FAMILY.mailboxes)
    mailhost.apply(replace(FAMILY, generation=2, mailboxes=boxes))
    try:
        with pytest.raises(NotTaken, match=r"550 5\.2\.1 .*suspended") as caught:
            submit(mailhost.layout, notice(LUCA), LUCA)
        assert caught.value.refused
    finally:
        mailhost.apply(replace(FAMILY, generation=3))


def test_a_mailbox_of_the_same_name_opens_nothing(mailhost: MailHost):
    """Should somebody make this host's name a domain: its people are not the panel."""
    domains = (*FAMILY.domains, Domain(HOSTNAME, "mail"))
    box = Mailbox(OWN, "7" * 16, (OWN,), HASH, 0, active=True)
    mailhost.apply(replace(FAMILY, generation=4, domains=domains, mailboxes=(*FAMILY.mailboxes, box)))
    try:
        assert "submission" not in signs_in(mailhost.layout, OWN, WORD)
        assert signs_in(mailhost.layout, OWN, own_login(mailhost.layout)[1]) == "submission"
    finally:
        mailhost.apply(replace(FAMILY, generation=5))


def test_only_the_agent_and_dovecot_read_the_secret(mailhost: MailHost):
    for name, readers in (("own-login", "mailadmin-agent"), ("own-passwd", "dovecot")):
        path = mailhost.layout.etc / name
        status = path.stat()
        assert (status.st_uid, status.st_gid, stat.S_IMODE(status.st_mode)) == (0, group(readers), 0o640)
        for user in ("mailadmin", "vmail", "nobody", "postfix", "_rspamd"):
            assert mailhost.run("cat", "--", str(path), user=user).returncode != 0, (name, user)
    assert person("mailadmin-agent").gid == group("mailadmin-agent")
    assert own_login(mailhost.layout)[1] not in (mailhost.layout.etc / "own-passwd").read_text()


def test_a_mail_host_that_is_down_is_said_so_and_nothing_is_refused(mailhost: MailHost):
    away = replace(mailhost.layout, submission=1)
    with pytest.raises(NotTaken, match="could not be submitted") as caught:
        submit(away, notice(MUM), MUM)
    assert not caught.value.refused
    with pytest.raises(NotTaken, match="no login of its own"):
        submit(replace(mailhost.layout, etc=mailhost.var), notice(MUM), MUM)


def test_while_the_filter_is_away_nothing_is_refused(mailhost: MailHost):
    mailhost.running.control("stop", "rspamd")
    try:
        with pytest.raises(NotTaken) as caught:
            submit(mailhost.layout, notice(MUM), MUM)
        assert not caught.value.refused
    finally:
        start_filter(mailhost)
    submit(mailhost.layout, notice(MUM), MUM)


@pytest.mark.parametrize(("code", "refused"), [(421, False), (451, False), (452, False), (550, True), (552, True)])
def test_only_an_answer_for_good_is_a_refusal(code: int, refused: bool):
    found = not_taken(MUM, code, b"4.3.0 Mail system\nfull\x00")
    assert found.refused == refused
    assert str(found).startswith(f"The letter to {MUM} was {'refused' if refused else 'put off'}: {code} 4.3.0 Mail")


def test_a_letter_that_was_taken_is_taken_however_the_dialogue_ends(
    mailhost: MailHost, monkeypatch: pytest.MonkeyPatch
):
    """Postfix is stopped between its 250 and the farewell: to say that nobody was told would tell her twice."""

    def interrupted(_dialogue: smtplib.SMTP) -> None:
        raise smtplib.SMTPResponseException(421, b"4.3.2 Service shutting down")

    monkeypatch.setattr(smtplib.SMTP, "quit", interrupted)
    submit(mailhost.layout, notice(MUM), MUM)
