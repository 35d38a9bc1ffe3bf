"""Drop the first kernel. Run it once no process of the release that posts by it is left: `migrate transactions 0006`
goes with the new release, this one after it. No lock that waits.

Not reversible: nothing that can still run calls it, and going back one step further leaves the second one out as well.
"""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("transactions", "0006_add_the_second_kernel")]

    operations = [
        migrations.RunSQL(
            """
            DROP FUNCTION post_transfers(posting_leg[], text, text, bytea, bigint, timestamptz);
            DROP TYPE posting_leg;
            """
        )
    ]
