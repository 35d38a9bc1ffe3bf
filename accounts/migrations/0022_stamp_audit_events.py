"""Let no event of the audit trail be written for another moment or another transaction.

A trigger: SHARE ROW EXCLUSIVE on `audit_events` for a moment, which waits for those who are writing events.
"""

from django.db import migrations

from mymoolah.common.sql import RunFile


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0021_keep_views_of_lists"),
    ]

    operations = [
        RunFile(
            "accounts",
            "stamp_audit_events_v1.sql",
            reverse="DROP TRIGGER audit_events_say_when ON audit_events; DROP FUNCTION stamp_audit_event();",
        ),
    ]
