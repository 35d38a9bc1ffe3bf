"""Let vouchers, tills' reports and suspense items only go forward, whoever writes.

Takes SHARE ROW EXCLUSIVE on their tables for a moment; nothing is scanned.
"""

from django.db import migrations

from mymoolah.common.sql import RunFile


class Migration(migrations.Migration):
    dependencies = [("vouchers", "0004_tell_what_became_of_money"), ("accounts", "0002_guard_and_grant")]

    operations = [
        RunFile(
            "vouchers",
            "voucher_rules_v1.sql",
            reverse="""
            DROP TRIGGER vouchers_go_forward ON vouchers;
            DROP TRIGGER vouchers_open_top_ups_are_few ON vouchers;
            DROP TRIGGER till_events_are_answered_once ON till_events;
            DROP TRIGGER till_events_stay ON till_events;
            DROP TRIGGER suspense_items_are_resolved_once ON suspense_items;
            DROP TRIGGER suspense_items_stay ON suspense_items;
            DROP TRIGGER voucher_redemptions_append_only ON voucher_redemptions;
            DROP FUNCTION guard_voucher, refuse_too_many_open, refuse_rewriting;
            REVOKE UPDATE (result, processed_at, voucher_id) ON till_events FROM :"app_role";
            GRANT UPDATE ON vouchers, suspense_items TO :"app_role";
            """,
        )
    ]
