# What was counted of a mailbox is there by day, too; the days of before are summed up.

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
    """The days of each mailbox that is there, by the clock of its community."""
    hourly, daily = apps.get_model("reports", "HourlyTally"), apps.get_model("reports", "DailyTally")
    boxes = apps.get_model("domains", "Mailbox").objects.values_list("key", "domain__community__timezone")
    for key, zone in boxes:
        days = {}
        for row in hourly.objects.filter(mailbox=key).iterator():
            day = (row.hour.astimezone(ZoneInfo(zone or "UTC")).date() - date(1970, 1, 1)).days
            days.setdefault(day, Counter()).update({name: getattr(row, name) for name in ALL})
        made = [daily(mailbox=key, day=day, **sums) for day, sums in days.items()]
        daily.objects.bulk_create(made, batch_size=BATCH)


class Migration(migrations.Migration):

    dependencies = [
        ('reports', '0004_access_entry'),
        ('domains', '0001_initial'),
    ]

    operations = [
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
        migrations.AddIndex(
            model_name='hourlytally',
            index=models.Index(condition=models.Q(('sent__gt', 0)), fields=['mailbox', 'hour', 'sent'], name='hourly_tally_sent'),
        ),
        migrations.AddConstraint(
            model_name='dailytally',
            constraint=models.UniqueConstraint(fields=('mailbox', 'day'), name='daily_tally_once'),
        ),
        migrations.RunPython(sum_up, migrations.RunPython.noop),
    ]
