"""Adds to what is counted. In: what to add, by address. Touched: the tallies.

What is no mailbox (any more) has its part in the host's sums alone. Called inside the transaction that moves a log's
position, so nothing is added twice.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta, tzinfo
from typing import Final
from zoneinfo import ZoneInfo

from django.conf import settings

from domains.models import Mailbox
from reports.bulk import among, chunks, insert_new, insert_or_add, replace
from reports.fields import NO_WEEK, WEEK, bits, seconds
from reports.models import DailyTally, DomainTally, HourlyTally, MonthlyTally, Tally, Word
from reports.periods import month
from reports.tally import HOST, RECEIVED, SENT, Count, Partner, Slot

EPOCH: Final = date(1970, 1, 1)
A_DAY: Final = timedelta(days=1)
SIZED: Final = {RECEIVED, SENT}
Sums = dict[tuple[int, int], Counter[str]]  # of a mailbox, in an hour, on a day, in a month
Sent = dict[tuple[int, int], list[tuple[datetime, int]]]  # of a mailbox, in a month: letters by local hour


def add(host: str, counts: Mapping[Slot, Count]) -> None:
    """Add to the hours, by address."""
    keys = mailbox_keys({slot.address for slot in counts})
    found = {(keys[s.address], s.hour, s.column): count for s, count in counts.items() if s.address in keys}
    add_by_key(host, found)


def add_by_key(host: str, counts: Mapping[tuple[str, datetime, str], Count]) -> None:
    """Add to the hours: the mailbox's key, or HOST, the hour and the column; and to a mailbox's day, month, week."""
    found: dict[tuple[str, datetime], Counter[str]] = defaultdict(Counter)
    for (key, hour, column), count in counts.items():
        sums = found[key, hour]
        sums[column] += count.letters
        if column in SIZED:
            sums[f"{column}_bytes"] += count.bytes
    zones = mailbox_zones({key for key, _hour in found})
    hours: Sums = {(bits(key), seconds(hour)): sums for (key, hour), sums in found.items()}
    days: Sums = defaultdict(Counter)
    months: Sums = defaultdict(Counter)
    sent: Sent = defaultdict(list)
    for (key, hour), sums in found.items():
        if zone := zones.get(key):
            box, local = bits(key), hour.astimezone(zone)
            days[box, day_number(local)].update(sums)
            months[box, month(local)].update(sums)
            if letters := sums[SENT]:
                sent[box, month(local)].append((local, letters))
    columns = Tally.columns()
    insert_or_add(HourlyTally, ["mailbox", "hour", "host"], columns, [
        (key, hour, host, *map(row.__getitem__, columns)) for (key, hour), row in hours.items()
    ])  # fmt: skip
    insert_or_add(DailyTally, ["mailbox", "day"], columns, [
        (key, day, *map(row.__getitem__, columns)) for (key, day), row in days.items()
    ])  # fmt: skip
    insert_or_add(MonthlyTally, ["mailbox", "month"], columns, [
        (key, at, *map(row.__getitem__, columns)) for (key, at), row in months.items()
    ])  # fmt: skip
    add_weeks(sent)


def add_weeks(sent: Sent) -> None:
    """Add letters to the weeks of months; the transaction has just written their rows, so nobody else does."""
    rows, changed = {box for box, _month in sent}, []
    for some in chunks(rows):
        found = MonthlyTally.objects.filter(mailbox__in=some, month__in={at for _box, at in sent})
        for pk, key, at, sending, week in found.values_list("pk", "mailbox", "month", "sending", "week"):
            days, hours = sending, [*(week or NO_WEEK)]
            for local, letters in sent.get((bits(key), at), ()):
                days |= 1 << local.day - 1
                hours[hour_of_week(local)] += letters
            changed.append((days, WEEK.pack(*hours), pk))
    replace(MonthlyTally, ["sending", "week"], changed)


def mailbox_zones(keys: Iterable[str]) -> dict[str, tzinfo]:
    """By whose clock the days of these mailboxes are."""
    found = Mailbox.objects.filter(key__in=among(keys)).values_list("key", "domain__community__timezone")
    return {key: ZoneInfo(zone or settings.TIME_ZONE) for key, zone in found}


def day_number(local: datetime) -> int:
    """Its day, counted from 1970."""
    return (local.date() - EPOCH).days


def hour_of_week(local: datetime) -> int:
    """Its hour, counted from Monday."""
    return local.weekday() * 24 + local.hour


def add_partners(partners: Mapping[Partner, int], words: Mapping[str, int]) -> None:
    """Add to the months; `words` has the domains."""
    keys = mailbox_keys({partner.address for partner in partners})
    rows: dict[tuple[str, int, int], dict[str, int]] = defaultdict(dict)
    for partner, letters in partners.items():
        if key := keys.get(partner.address):
            rows[key, partner.month, words[partner.domain]][partner.column] = letters
    values = [
        (bits(key), month, domain, row.get(RECEIVED, 0), row.get(SENT, 0)) for (key, month, domain), row in rows.items()
    ]
    insert_or_add(DomainTally, ["mailbox", "month", "domain"], [RECEIVED, SENT], values)


def mailbox_keys(addresses: Iterable[str]) -> dict[str, str]:
    """The keys of these mailboxes by address; the host's own sum keeps its empty name."""
    return {HOST: HOST, **dict(Mailbox.objects.filter(address__in=among(addresses)).values_list("address", "key"))}


def words(texts: Iterable[str], now: datetime) -> dict[str, int]:
    """The numbers of these texts; those that are new are given one."""
    wanted = {text for text in texts if text}
    known = _words(wanted)
    for chunk in chunks(pk for _text, pk, seen in known if seen < now - A_DAY):
        Word.objects.filter(pk__in=chunk).update(seen=now)
    if new := wanted - {text for text, _pk, _seen in known}:
        insert_new(Word, ["text", "seen"], [(text, seconds(now)) for text in sorted(new)])
        known += _words(new)
    return {text: pk for text, pk, _seen in known}


def _words(texts: Iterable[str]) -> list[tuple[str, int, datetime]]:
    """Those that are there."""
    return list(Word.objects.filter(text__in=among(texts)).values_list("text", "pk", "seen"))
