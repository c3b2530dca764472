"""What an entry of a list may be, and which entries are dangerous. Pure: text in, normal form out.

How an entry is compared, at every station:
- an address before a domain; `@school.example` is that domain alone and none below it;
- without regard to case, a domain in A-labels;
- an address outside is exactly that address: `nonna+x@gmail.com` is not `nonna@gmail.com`, unless it is listed too.
  A *blocked* address is blocked with every `+extension`: whoever is blocked may not come back by adding one;
- an address of ours is the person behind it: `emma+game@` is `emma@`, an alias is everybody it leads to.

Raises `accounts.rules.Refused`.
"""

import re
from collections.abc import Collection
from typing import Final

from accounts.rules import Refused, address, domain_name, gettext_noop as _, line, one_of, spoken

DIRECTIONS: Final = ("both", "in", "out")
KINDS: Final = ("allowed", "blocked", "always")
ASSURANCES: Final = ("proven", "pinned", "unproven")
REASONS: Final = ("malformed", "blocked", "stranger", "unproven", "spam", "content", "hours")
SILENT: Final = frozenset({"blocked", "spam"})  # reasons of which nobody is asked: they are counted
ANSWERS: Final = ("once", "always", "no", "block")
# What a letter shows whose domain publishes nothing: grammar of the fact, see deploy.render.facts.
EVIDENCE: Final = re.compile(r"(?:(?:dkim|spf):[a-z0-9.-]{1,253}|ip:[0-9a-f.:]{2,39}/(?:24|48))\Z")
MOST_LISTS: Final = 128  # different lists of whom one may write to, on a mail host: its pool of restriction classes


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Where everybody in the world can have an address.
PROVIDERS: Final = _names(
    """
    126.com 163.com alice.it aol.com arcor.de aruba.it att.net bluewin.ch btinternet.com comcast.net duck.com email.it
    fastmail.com fastwebnet.it foxmail.com free.fr freenet.de gmail.com gmx.at gmx.ch gmx.com gmx.de gmx.net
    googlemail.com hey.com hotmail.co.uk hotmail.com hotmail.de hotmail.es hotmail.fr hotmail.it icloud.com iol.it
    laposte.net legalmail.it libero.it live.co.uk live.com live.it mac.com mail.com mail.ru me.com mozmail.com msn.com
    naver.com o2.pl onet.pl orange.fr outlook.com outlook.de outlook.es outlook.fr outlook.it pec.it pm.me poste.it
    privaterelay.appleid.com proton.me protonmail.com qq.com rediffmail.com rocketmail.com seznam.cz sfr.fr sina.com
    sky.com t-online.de teletu.it tim.it tin.it tiscali.it tuta.com tutanota.com verizon.net virgilio.it vodafone.it
    wanadoo.fr web.de wp.pl yahoo.co.jp yahoo.co.uk yahoo.com yahoo.de yahoo.es yahoo.fr yahoo.it yandex.com yandex.ru
    ymail.com zoho.com
    """
)
# A short rule, not the Public Suffix List: one of these words before a country's two letters, and well-known names
# below which strangers get one of their own. A single label such as `@it` is refused as no domain at all.
SHARED_WORDS: Final = _names(
    "ac asn asso biz co com ed edu firm gen go gob gouv gov govt gv id in inf info k12 ltd me mil mus name ne net nhs"
    " nic nom or org plc police pp presse press pro pvt sch school web"
)
SHARED_NAMES: Final = _names(
    """
    altervista.org appspot.com azurewebsites.net blogspot.com blogspot.it ddns.net duckdns.org dyndns.org eu.org
    firebaseapp.com github.io gitlab.io herokuapp.com homelinux.org netlify.app no-ip.org pages.dev uk.com us.com
    vercel.app web.app wordpress.com workers.dev
    """
)
PROVIDER: Final = _(
    "“%(entry)s” lets in anyone in the world with an address there: list the person's own address, or confirm it."
)
SUFFIX: Final = _(
    "“%(entry)s” lets in everyone who owns a name that ends so: list the person's own address, or confirm it."
)
OWN: Final = _(
    "“%(entry)s” is a domain of this host: everyone who has an address in it would be listed; "
    "list the person's own address, or confirm it."
)


def entry(value: object) -> str:
    """The normal form of an address or of `@domain`."""
    text = line(value, 1000)
    return "@" + domain_name(text[1:]) if text.startswith("@") else address(text)


def entry_line(value: object) -> tuple[str, str]:
    """An entry and its name, out of `Name <entry>` or the entry alone."""
    text = line(value, 1000)
    named = re.fullmatch(r"(?P<name>.*?) ?<(?P<entry>[^<>]*)>", text)
    if not named:
        return entry(text), ""
    return entry(named["entry"].strip()), entry_name(named["name"].strip(' "'))


def entry_name(value: object) -> str:
    """How people call whom an entry means; may be empty."""
    return line(value, 100)


def direction(value: object) -> str:
    """in, out or both."""
    return one_of(value, DIRECTIONS)


def kind(value: object) -> str:
    """allowed, blocked or always."""
    return one_of(value, KINDS)


def assurance(value: object) -> str:
    """How an entry's letters prove who sent them."""
    return one_of(value, ASSURANCES)


def evidence(value: object) -> str:
    """What letters of a contact show whose domain publishes nothing, such as `ip:192.0.2.0/24`; may be empty."""
    text = line(value, 300)
    if text and not EVIDENCE.match(text):
        raise Refused(
            _("“%(value)s” is nothing that a letter shows: write it like dkim:example.org."), value=spoken(text)
        )
    return text


def danger(listed: str, of_kind: str, own_domains: Collection[str]) -> str:
    """The sentence to a domain entry that would let in people nobody thought of, or nothing. Blocking is no danger."""
    if of_kind == "blocked" or not listed.startswith("@"):
        return ""
    name = listed[1:]
    if name in own_domains:
        return OWN
    if name in PROVIDERS:
        return PROVIDER
    return SUFFIX if is_shared(name) else ""


def refuse_danger(listed: str, of_kind: str, own_domains: Collection[str], *, confirmed: bool) -> None:
    """Refuse a dangerous entry unless somebody confirmed it, on a page by typing it again."""
    sentence = danger(listed, of_kind, own_domains)
    if sentence and not confirmed:
        raise Refused(sentence, entry=listed)


def typed_again(listed: str, again: object) -> bool:
    """True when what was typed the second time is the same entry."""
    try:
        return entry(again) == listed
    except Refused:
        return False


def is_shared(name: str) -> bool:
    """True for a name below which strangers have names of their own."""
    word, _dot, country = name.rpartition(".")
    return name in SHARED_NAMES or (len(country) == 2 and word in SHARED_WORDS)


def matches(listed: str, wanted: str) -> bool:
    """True when a normal entry means a normal address: exactly it, or its domain."""
    return listed == wanted or (listed.startswith("@") and wanted.endswith(listed))
