"""Refuse e-mail addresses that are not ASCII in small letters, in rows that are written from now on.

Takes ACCESS EXCLUSIVE on users for a moment: no row is read.
"""

from django.contrib.postgres.operations import AddConstraintNotValid
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("accounts", "0007_index_the_kyc_desk")]

    operations = [
        AddConstraintNotValid(
            model_name="user",
            constraint=models.CheckConstraint(
                condition=models.Q(("email__regex", "^[!-@\\[-~]+$")), name="users_email_is_small_ascii"
            ),
        )
    ]
