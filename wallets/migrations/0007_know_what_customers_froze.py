"""Until now only its owner could freeze a wallet: say so of those that are frozen, where the audit trail agrees.

Reads wallets once; locks only the rows it changes, which move no money meanwhile anyway. Going back has nothing to undo.
"""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("wallets", "0006_say_who_wanted_a_freeze")]

    operations = [
        migrations.RunSQL(
            """
            UPDATE wallets AS w
            SET frozen_by = 'customer'
            WHERE
                w.status = 'frozen'
                AND EXISTS (
                    SELECT 1 FROM audit_events AS e
                    WHERE
                        e.subject_type = 'wallet'
                        AND e.subject_id = w.number
                        AND e.verb = 'wallet.frozen'
                        AND e.actor_id = w.user_id
                )
            """,
            migrations.RunSQL.noop,
        )
    ]
