# Letters under way know more; what became of letters is kept for a while; what is counted by hour has a column each.

from datetime import UTC

import django.db.models.deletion
from django.db import migrations, models

from reports.fields import KeyField, SecondsField

COLUMNS = (
    "received", "sent", "home", "abroad", "away", "quick", "slow", "bounced", "deferred", "rejected", "spoofed", "full",
    "held", "asked", "failed",
)  # fmt: skip
KNOWN = {"in": "received", "out": "sent", "rejected": "rejected", "bounced": "bounced", "deferred": "deferred"}
BATCH = 1_000


def word(name, **options):
    return models.ForeignKey(
        "reports.word", django.db.models.deletion.DO_NOTHING, db_index=False, db_constraint=False,
        related_name=f"{name}+", **options,
    )  # fmt: skip


def maybe(name):
    return word(name, null=True, blank=True)


def carry_over(apps, _editor):
    """The figures of before, direction by direction, into their columns."""
    old, new = apps.get_model("reports", "OldTally"), apps.get_model("reports", "HourlyTally")
    rows, last = {}, None
    for row in old.objects.order_by("hour", "host", "mailbox").iterator():
        if row.hour != last and len(rows) >= BATCH:
            new.objects.bulk_create(rows.values())
            rows = {}
        last = row.hour
        place = row.hour.astimezone(UTC), row.host, row.mailbox
        made = rows.setdefault(place, new(hour=place[0], host=row.host, mailbox=row.mailbox))
        name = KNOWN[row.direction]
        setattr(made, name, row.letters)
        if name in {"received", "sent"}:
            setattr(made, f"{name}_bytes", row.bytes)
    new.objects.bulk_create(rows.values(), batch_size=BATCH)


def carry_back(apps, _editor):
    """The same, the other way; what had no direction is lost."""
    old, new = apps.get_model("reports", "OldTally"), apps.get_model("reports", "HourlyTally")
    for row in new.objects.iterator():
        for direction, name in KNOWN.items():
            if letters := getattr(row, name):
                size = getattr(row, f"{name}_bytes", 0)
                old.objects.create(hour=row.hour, host=row.host, mailbox=row.mailbox, direction=direction,
                                   letters=letters, bytes=size)  # fmt: skip


class Migration(migrations.Migration):
    dependencies = [("reports", "0002_log_position")]

    operations = [
        migrations.RenameModel("OpenLetter", "Letter"),
        migrations.AddField("letter", "sender", models.CharField(blank=True, default="", max_length=320)),
        migrations.AddField("letter", "message_id", models.CharField(blank=True, default="", max_length=250)),
        migrations.AddField("letter", "abroad", models.BooleanField(default=False)),
        migrations.CreateModel(
            name="Word",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("text", models.CharField(max_length=400, unique=True)),
                ("seen", SecondsField()),
            ],
        ),
        migrations.CreateModel(
            name="Delivery",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("host", models.CharField(max_length=60)),
                ("queue_id", models.CharField(max_length=32)),
                ("opened", SecondsField()),
                ("message", models.BigIntegerField(default=0)),
                ("size", models.PositiveBigIntegerField(default=0)),
                ("mailbox", KeyField(default="")),
                ("when", SecondsField()),
                ("status", models.CharField(max_length=8)),
                ("milliseconds", models.PositiveBigIntegerField(default=0)),
                ("dsn", models.CharField(blank=True, default="", max_length=9)),
                ("reply", models.CharField(blank=True, default="", max_length=300)),
                *((name, maybe(name)) for name in ("login", "sender", "recipient", "original", "relay")),
            ],
            options={
                "verbose_name_plural": "deliveries",
                "indexes": [
                    models.Index(fields=["queue_id"], name="delivery_queue_id"),
                    models.Index(
                        fields=["mailbox", "opened"],
                        name="delivery_mailbox",
                        condition=models.Q(("mailbox", ""), _negated=True),
                    ),
                    models.Index(
                        fields=["login", "opened"], name="delivery_login", condition=models.Q(("login__isnull", False))
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("status__in", ["sent", "bounced", "deferred", "dropped"])),
                        name="delivery_status",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="FailedSignIn",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("host", models.CharField(max_length=60)),
                ("when", SecondsField()),
                ("door", models.CharField(max_length=4)),
                ("mailbox", KeyField()),
                ("attempts", models.PositiveIntegerField(default=1)),
                ("client", word("client")),
            ],
            options={"indexes": [models.Index(fields=["mailbox", "when"], name="failed_sign_in_mailbox")]},
        ),
        migrations.CreateModel(
            name="DomainTally",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("month", models.PositiveIntegerField()),
                ("mailbox", KeyField()),
                ("received", models.PositiveIntegerField(default=0)),
                ("sent", models.PositiveIntegerField(default=0)),
                ("domain", word("domain")),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("mailbox", "month", "domain"), name="domain_once")],
            },
        ),
        migrations.RemoveConstraint("hourlytally", "hourly_tally_once"),
        migrations.RemoveConstraint("hourlytally", "hourly_tally_direction"),
        migrations.RenameModel("HourlyTally", "OldTally"),
        migrations.CreateModel(
            name="HourlyTally",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("host", models.CharField(max_length=60)),
                ("hour", SecondsField()),
                ("mailbox", KeyField(default="")),
                ("received_bytes", models.PositiveBigIntegerField(default=0)),
                ("sent_bytes", models.PositiveBigIntegerField(default=0)),
                *((name, models.PositiveIntegerField(default=0)) for name in COLUMNS),
            ],
            options={
                "verbose_name_plural": "hourly tallies",
                "constraints": [
                    models.UniqueConstraint(fields=("mailbox", "hour", "host"), name="hourly_tally_once")
                ],
            },
        ),
        migrations.RunPython(carry_over, carry_back),
        migrations.DeleteModel("OldTally"),
    ]
