# Sentences of published versions stay in their order on PostgreSQL, too.

from django.db import migrations

import policies.models.usage


class Migration(migrations.Migration):

    dependencies = [
        ('policies', '0005_usage_policies'),
    ]

    operations = [
        migrations.AlterField(
            model_name='usagepolicy',
            name='generated',
            field=policies.models.usage.OrderedJSONField(blank=True, default=dict, verbose_name='rules'),
        ),
    ]
