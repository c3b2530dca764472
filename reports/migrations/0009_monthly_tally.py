# What was counted of a mailbox is there by month, too; the days of before are summed up.

from collections import Counter
from datetime import date, timedelta

from django.db import migrations, models

import reports.fields

COLUMNS = (
    "received", "sent", "home", "abroad", "away", "quick", "slow", "bounced", "deferred", "rejected", "spoofed", "full",
    "held", "asked", "failed",
)  # fmt: skip
ALL = (*COLUMNS, "received_bytes", "sent_bytes")
BATCH = 1_000
EPOCH = date(1970, 1, 1)


def sum_up(apps, _editor):
    """The months of each mailbox of which there are days."""
    daily, monthly = (apps.get_model("reports", f"{name}Tally") for name in ("Daily", "Monthly"))
    months = {}
    for row in daily.objects.iterator():
        day = EPOCH + timedelta(row.day)
        sums = months.setdefault((row.mailbox, day.year * 100 + day.month), Counter())
        sums.update({name: getattr(row, name) for name in ALL})
    made = [monthly(mailbox=key, month=month, **sums) for (key, month), sums in months.items()]
    monthly.objects.bulk_create(made, batch_size=BATCH)


class Migration(migrations.Migration):

    dependencies = [
        ('reports', '0008_mailbox_use'),
    ]

    operations = [
        migrations.CreateModel(
            name='MonthlyTally',
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("received_bytes", models.PositiveBigIntegerField(default=0)),
                ("sent_bytes", models.PositiveBigIntegerField(default=0)),
                *((name, models.PositiveIntegerField(default=0)) for name in COLUMNS),
                ("month", models.PositiveIntegerField()),
                ("mailbox", reports.fields.KeyField()),
            ],
            options={
                'verbose_name_plural': 'monthly tallies',
            },
        ),
        migrations.AddConstraint(
            model_name='monthlytally',
            constraint=models.UniqueConstraint(fields=('mailbox', 'month'), name='monthly_tally_once'),
        ),
        migrations.AddIndex(
            model_name='dailytally',
            index=models.Index(
                condition=models.Q(('sent__gt', 0)), fields=['mailbox', 'day'], name='daily_tally_sent'
            ),
        ),
        migrations.AddIndex(
            model_name='weektally',
            index=models.Index(fields=['mailbox', 'month', 'hour', 'sent'], name='week_tally_whole'),
        ),
        migrations.RunPython(sum_up, migrations.RunPython.noop),
    ]
