"""Refuse to close a wallet whose owner owes the bank something. Takes SHARE ROW EXCLUSIVE on wallets, for a moment: postings
wait for it.
"""

from django.db import migrations

from mymoolah.common.sql import RunFile


class Migration(migrations.Migration):
    dependencies = [("transactions", "0011_change_rules_by_two"), ("wallets", "0006_say_who_wanted_a_freeze")]

    operations = [
        RunFile(
            "transactions",
            "closing_v1.sql",
            reverse="DROP TRIGGER wallets_closed_owes_nothing ON wallets; DROP FUNCTION refuse_closing_of_debtor();",
        )
    ]
