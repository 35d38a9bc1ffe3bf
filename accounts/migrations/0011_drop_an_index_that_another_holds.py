"""Drop the index of actors, which that of actors and times answers as well; let some take copies of the trail.

DROP INDEX takes ACCESS EXCLUSIVE on audit_events, for a moment.
"""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0010_index_the_audit_trail"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="auditevent",
            options={"permissions": [("export_auditevent", "Can take a copy of the audit trail")]},
        ),
        migrations.AlterField(
            model_name="auditevent",
            name="actor",
            field=models.ForeignKey(
                db_index=False,
                help_text="None: the system",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
    ]
