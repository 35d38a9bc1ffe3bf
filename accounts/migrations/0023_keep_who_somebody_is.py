"""Let nobody become another person, no code be good again, and no second factor be changed in its place.

Triggers and grants: SHARE ROW EXCLUSIVE on `users`, `second_factors` and `recovery_codes` for a moment.
"""

from django.db import migrations

from mymoolah.common.sql import RunFile


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0022_stamp_audit_events"),
    ]

    operations = [
        RunFile(
            "accounts",
            "keep_who_somebody_is_v1.sql",
            reverse="""
            DROP TRIGGER users_keep_who_they_are ON users;
            DROP TRIGGER second_factors_go_forward ON second_factors;
            DROP TRIGGER recovery_codes_are_used_once ON recovery_codes;
            DROP FUNCTION refuse_undoing();
            REVOKE UPDATE (last_step) ON second_factors FROM :"app_role";
            REVOKE UPDATE (used_at) ON recovery_codes FROM :"app_role";
            GRANT UPDATE ON second_factors, recovery_codes TO :"app_role";
            """,
        ),
    ]
