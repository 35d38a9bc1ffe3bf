"""Drop the index of devices by whose they are, which that of people and times answers as well.

DROP INDEX takes ACCESS EXCLUSIVE on login_sessions, for a moment.
"""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("accounts", "0016_index_devices_by_time")]

    operations = [
        migrations.AlterField(
            model_name="loginsession",
            name="user",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="login_sessions",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
    ]
