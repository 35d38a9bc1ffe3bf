"""Say rightly what a freeze stops, and whose money is that was paid to the wrong person: two rows retired, two added.

ROW EXCLUSIVE on support_articles. It is not taken back: an answer may have quoted the second versions.
"""

from django.db import migrations

from mymoolah.common.sql import RunFile


class Migration(migrations.Migration):
    dependencies = [("reporting", "0021_index_the_support_desk")]
    operations = [RunFile("reporting", "support_articles_v2.sql", reverse=migrations.RunSQL.noop)]
