"""Write the capitals of older e-mail addresses small, and hold all rows to the rule of the migration before.

Locks the rows it changes, few if any, then takes SHARE UPDATE EXCLUSIVE on users while it reads them once: reads and
writes go on. Fails, and changes nothing, while an address with letters beyond ASCII is there: somebody has to ask its
owner for another. Going back leaves small letters: which ones were capitals is not kept here.
"""

from django.contrib.postgres.operations import ValidateConstraint
from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("accounts", "0008_keep_emails_small_ascii")]

    operations = [
        migrations.RunSQL(
            "UPDATE users SET email = lower(email) WHERE email ~ '[A-Z]' AND email !~ '[^!-~]'",
            migrations.RunSQL.noop,
        ),
        ValidateConstraint(model_name="user", name="users_email_is_small_ascii"),
    ]
