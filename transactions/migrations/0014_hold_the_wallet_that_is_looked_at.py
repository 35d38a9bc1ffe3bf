"""Let whoever asks whether a wallet is active keep it so until he is done. A function in the place of another: no table is
locked.
"""

from django.db import migrations

from mymoolah.common.sql import RunFile, read

_, _, REST = read("transactions", "holds_v1.sql").partition("CREATE FUNCTION require_active_wallet")
FIRST, _, _ = REST.partition("$$;")


class Migration(migrations.Migration):
    dependencies = [("transactions", "0013_ask_when_rules_were_proposed")]

    operations = [
        RunFile(
            "transactions",
            "require_active_wallet_v2.sql",
            reverse=f"CREATE OR REPLACE FUNCTION require_active_wallet{FIRST}$$;",
        )
    ]
