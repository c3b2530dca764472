# A month has its week in one value, and the days on which letters were sent; before, the week had a row for each hour.

from collections import defaultdict
from datetime import date, timedelta

from django.db import migrations, models

import reports.fields

BATCH = 1_000
EPOCH = date(1970, 1, 1)


def pack(apps, _editor):
    """Rows for each hour, and days -> the months."""
    daily, monthly, weekly = (apps.get_model("reports", f"{name}Tally") for name in ("Daily", "Monthly", "Week"))
    weeks, sending = defaultdict(lambda: [0] * 168), defaultdict(int)
    for key, month, hour, sent in weekly.objects.values_list("mailbox", "month", "hour", "sent").iterator():
        weeks[key, month][hour] += sent
    for key, number in daily.objects.filter(sent__gt=0).values_list("mailbox", "day").iterator():
        day = EPOCH + timedelta(number)
        sending[key, day.year * 100 + day.month] |= 1 << day.day - 1
    changed = []
    for row in monthly.objects.iterator():
        row.week, row.sending = weeks.get((row.mailbox, row.month), ()), sending[row.mailbox, row.month]
        changed.append(row)
    monthly.objects.bulk_update(changed, ["week", "sending"], batch_size=100)


def unpack(apps, _editor):
    """The months -> a row for each hour."""
    monthly, weekly = (apps.get_model("reports", f"{name}Tally") for name in ("Monthly", "Week"))
    made = (
        weekly(mailbox=row.mailbox, month=row.month, hour=hour, sent=sent)
        for row in monthly.objects.iterator()
        for hour, sent in enumerate(row.week)
        if sent
    )
    weekly.objects.bulk_create(made, batch_size=BATCH)


class Migration(migrations.Migration):

    dependencies = [
        ('reports', '0009_monthly_tally'),
    ]

    operations = [
        migrations.AddField(
            model_name='monthlytally',
            name='sending',
            field=models.PositiveIntegerField(db_default=0),
        ),
        migrations.AddField(
            model_name='monthlytally',
            name='week',
            field=reports.fields.WeekField(db_default=b''),
        ),
        migrations.RunPython(pack, unpack),
        migrations.RemoveIndex(
            model_name='dailytally',
            name='daily_tally_sent',
        ),
        migrations.DeleteModel(
            name='WeekTally',
        ),
    ]
