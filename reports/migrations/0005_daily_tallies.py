# What was counted of a mailbox is there by day, too, and what it sent by month and hour of the week; the hours of before
# are summed up.

from collections import Counter
from datetime import date
from zoneinfo import ZoneInfo

from django.db import migrations, models

import reports.fields

COLUMNS = (
    "received", "sent", "home", "abroad", "away", "quick", "slow", "bounced", "deferred", "rejected", "spoofed", "full",
    "held", "asked", "failed",
)  # fmt: skip
ALL = (*COLUMNS, "received_bytes", "sent_bytes")
BATCH = 1_000


def sum_up(apps, _editor):
    """The days and weeks of each mailbox that is there, by the clock of its community."""
    hourly, daily, weekly = (apps.get_model("reports", f"{name}Tally") for name in ("Hourly", "Daily", "Week"))
    boxes = apps.get_model("domains", "Mailbox").objects.values_list("key", "domain__community__timezone")
    for key, zone in boxes:
        days, weeks = {}, Counter()
        for row in hourly.objects.filter(mailbox=key).iterator():
            local = row.hour.astimezone(ZoneInfo(zone or "UTC"))
            if row.sent:
                weeks[local.year * 100 + local.month, local.weekday() * 24 + local.hour] += row.sent
            day = (local.date() - date(1970, 1, 1)).days
            days.setdefault(day, Counter()).update({name: getattr(row, name) for name in ALL})
        made = [daily(mailbox=key, day=day, **sums) for day, sums in days.items()]
        daily.objects.bulk_create(made, batch_size=BATCH)
        made = [weekly(mailbox=key, month=month, hour=hour, sent=sent) for (month, hour), sent in weeks.items()]
        weekly.objects.bulk_create(made, batch_size=BATCH)


class Migration(migrations.Migration):

    dependencies = [
        ('reports', '0004_access_entry'),
        ('domains', '0001_initial'),
    ]

    operations = [
        migrations.AddIndex(
            model_name='hourlytally',
            index=models.Index(
                condition=models.Q(('sent__gte', 30)), fields=['mailbox', 'hour', 'sent'], name='hourly_tally_burst'
            ),
        ),
        migrations.CreateModel(
            name='DailyTally',
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("received_bytes", models.PositiveBigIntegerField(default=0)),
                ("sent_bytes", models.PositiveBigIntegerField(default=0)),
                *((name, models.PositiveIntegerField(default=0)) for name in COLUMNS),
                ("day", models.PositiveIntegerField()),
                ("mailbox", reports.fields.KeyField()),
            ],
            options={
                'verbose_name_plural': 'daily tallies',
            },
        ),
        migrations.CreateModel(
            name='WeekTally',
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("month", models.PositiveIntegerField()),
                ("mailbox", reports.fields.KeyField()),
                ("hour", models.PositiveSmallIntegerField()),
                ("sent", models.PositiveIntegerField(default=0)),
            ],
            options={
                'verbose_name_plural': 'week tallies',
            },
        ),
        migrations.AddConstraint(
            model_name='dailytally',
            constraint=models.UniqueConstraint(fields=('mailbox', 'day'), name='daily_tally_once'),
        ),
        migrations.AddConstraint(
            model_name='weektally',
            constraint=models.UniqueConstraint(fields=('mailbox', 'month', 'hour'), name='week_tally_once'),
        ),
        migrations.RunPython(sum_up, migrations.RunPython.noop),
    ]
