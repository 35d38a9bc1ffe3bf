"""Make audit events append-only and give the app's role what it may do here. New tables only: no lock that waits."""

from django.db import migrations

from mymoolah.common.sql import RunFile


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0001_initial"),
        ("admin", "0003_logentry_add_action_flag_choices"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
        ("sessions", "0001_initial"),
    ]

    operations = [
        RunFile("accounts", "privileges_v1.sql"),
        RunFile(
            "accounts",
            "append_only_v1.sql",
            reverse="DROP TRIGGER audit_events_append_only ON audit_events; DROP FUNCTION refuse_change();",
        ),
    ]
