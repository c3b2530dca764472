"""Every installation has one primary mail host from the start."""

from django.db import migrations


def add_primary(apps, schema_editor):  # type: ignore[no-untyped-def]
    """Make the row that the worker on the first mail host serves."""
    apps.get_model("deploy", "MailHost").objects.get_or_create(name="primary", defaults={"role": "primary"})


class Migration(migrations.Migration):
    """Add the primary."""

    dependencies = [("deploy", "0001_initial")]
    operations = [migrations.RunPython(add_primary, migrations.RunPython.noop)]
