"""Say in one row whether answers may be kept in Redis, and find owners of wallets fast. A new table; no other is locked.

Going back forgets whether the cache was closed: stop web and workers first, or empty their Redis.
"""

from django.db import migrations

from mymoolah.common.sql import RunFile


class Migration(migrations.Migration):
    dependencies = [("wallets", "0007_know_what_customers_froze")]

    operations = [
        RunFile(
            "wallets",
            "read_cache_v1.sql",
            reverse="DROP FUNCTION owners_of_hold, owners_of; DROP TABLE read_cache;",
        )
    ]
