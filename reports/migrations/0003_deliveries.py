# Letters under way stay what they are; those that are over stay for a while, with what became of them.

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("reports", "0002_log_position")]

    operations = [
        migrations.RenameModel("OpenLetter", "Letter"),
        migrations.RemoveConstraint("letter", "open_letter_once"),
        migrations.RemoveIndex("letter", "open_letter_age"),
        migrations.AddField("letter", "sender", models.CharField(blank=True, default="", max_length=320)),
        migrations.AddField("letter", "message_id", models.CharField(blank=True, default="", max_length=250)),
        migrations.AddField("letter", "over", models.BooleanField(default=False)),
        migrations.AddConstraint("letter", models.UniqueConstraint(fields=("host", "queue_id"), name="letter_once")),
        migrations.AddIndex("letter", models.Index(fields=["host", "opened"], name="letter_age")),
        migrations.AddIndex(
            "letter",
            models.Index(
                condition=models.Q(("message_id", ""), _negated=True), fields=["message_id"], name="letter_message_id"
            ),
        ),
        migrations.CreateModel(
            name="Delivery",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("recipient", models.CharField(max_length=254)),
                ("original", models.CharField(blank=True, default="", max_length=254)),
                ("mailbox", models.CharField(blank=True, default="", max_length=16)),
                ("when", models.DateTimeField()),
                ("status", models.CharField(max_length=8)),
                ("relay", models.CharField(blank=True, default="", max_length=400)),
                ("delay", models.FloatField(default=0)),
                ("dsn", models.CharField(blank=True, default="", max_length=9)),
                ("reply", models.CharField(blank=True, default="", max_length=300)),
                (
                    "letter",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="deliveries", to="reports.letter"
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "deliveries",
                "indexes": [
                    models.Index(fields=["recipient", "when"], name="delivery_recipient"),
                    models.Index(fields=["mailbox", "when"], name="delivery_mailbox"),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("letter", "recipient", "original"), name="delivery_once"),
                    models.CheckConstraint(
                        condition=models.Q(("status__in", ["sent", "bounced", "deferred"])), name="delivery_status"
                    ),
                ],
            },
        ),
    ]
