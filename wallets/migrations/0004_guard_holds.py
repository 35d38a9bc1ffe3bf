"""Resolve each hold once, whoever writes. Takes SHARE ROW EXCLUSIVE on holds for a moment; nothing is scanned."""

from django.db import migrations

from mymoolah.common.sql import RunFile


class Migration(migrations.Migration):
    dependencies = [
        ("wallets", "0003_say_what_holds_count_and_capture"),
        ("accounts", "0002_guard_and_grant"),
    ]

    operations = [
        RunFile(
            "wallets",
            "hold_rules_v1.sql",
            reverse="DROP TRIGGER holds_are_resolved_once ON holds; DROP TRIGGER holds_stay ON holds;",
        )
    ]
