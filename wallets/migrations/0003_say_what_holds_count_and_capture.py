"""Say what of a hold counted against limits, and what was captured. Takes ACCESS EXCLUSIVE on holds, which nothing has
written yet, for a moment.
"""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("wallets", "0002_seed_limits_and_house"),
    ]

    operations = [
        migrations.AddField(
            model_name="hold",
            name="captured_amount",
            field=models.DecimalField(db_default=0, decimal_places=2, default=0, max_digits=19),
        ),
        migrations.AddField(
            model_name="hold",
            name="spent_amount",
            field=models.DecimalField(
                db_default=0,
                decimal_places=2,
                default=0,
                help_text="What of it counted against the limits when placed",
                max_digits=19,
            ),
        ),
        migrations.AddConstraint(
            model_name="hold",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("captured_amount__gte", 0),
                    ("captured_amount__lte", models.F("amount")),
                    ("spent_amount__gte", 0),
                    ("spent_amount__lte", models.F("amount")),
                ),
                name="holds_parts_within_amount",
            ),
        ),
        migrations.AddConstraint(
            model_name="hold",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("captured_amount__gt", 0), ("status", "captured")),
                    models.Q(models.Q(("status", "captured"), _negated=True), ("captured_amount", 0)),
                    _connector="OR",
                ),
                name="holds_captured_means_something",
            ),
        ),
    ]
