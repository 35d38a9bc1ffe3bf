"""Seed the tiers' limits and the bank's own wallets in rand. New tables only: no lock that waits."""

from decimal import Decimal

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from mymoolah.common.ids import wallet_number
from mymoolah.common.sql import RunFile

HOUSE_KINDS = (
    "bank",
    "voucher_liability",
    "easypay_clearing",
    "cashout_clearing",
    "fee_income",
    "vat_control",
    "suspense",
    "adjustments",
)
STRIPES = 16
# Wallets are locked in ascending id: these come last, and what everybody shares is held for the shortest time.
HOUSE_IDS_FROM = 9 * 10**15
# tier: per transfer, day, month, highest balance (design, section 6; FICA tiers)
LIMITS = {
    0: (None, None, None, "3000.00"),
    1: ("5000.00", "5000.00", "25000.00", "25000.00"),
    2: ("25000.00", "50000.00", "100000.00", "100000.00"),
}


def seed(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    alias = schema_editor.connection.alias
    limits = apps.get_model("wallets", "TierLimit").objects.using(alias)
    for tier, (transfer, day, month, highest) in LIMITS.items():
        limits.create(
            tier=tier,
            currency="ZAR",
            per_transfer_amount=transfer and Decimal(transfer),
            per_day_amount=day and Decimal(day),
            per_month_amount=month and Decimal(month),
            highest_balance=Decimal(highest),
            may_send=tier > 0,
            may_cash_out=tier > 0,
        )
    wallets = apps.get_model("wallets", "Wallet").objects.using(alias)
    for kind in HOUSE_KINDS:
        for stripe in range(STRIPES):
            number = wallet_number()
            wallets.create(id=HOUSE_IDS_FROM + int(number), number=number, kind=kind, stripe=stripe, currency="ZAR")


def clear(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    alias = schema_editor.connection.alias
    apps.get_model("wallets", "TierLimit").objects.using(alias).filter(currency="ZAR").delete()
    apps.get_model("wallets", "Wallet").objects.using(alias).exclude(kind="customer").filter(currency="ZAR").delete()


class Migration(migrations.Migration):
    dependencies = [("wallets", "0001_initial"), ("accounts", "0002_guard_and_grant")]

    operations = [
        migrations.RunPython(seed, clear),
        RunFile(
            "wallets",
            "wallet_rules_v1.sql",
            reverse="""
            DROP TRIGGER wallets_number_is_ten_digits ON wallets;
            DROP TRIGGER wallets_currency_is_a_code ON wallets;
            DROP TRIGGER wallets_kind_is_known ON wallets;
            DROP TRIGGER wallets_customer_has_a_user ON wallets;
            DROP TRIGGER wallets_no_entry_means_zero ON wallets;
            DROP TRIGGER wallets_status_is_known ON wallets;
            DROP TRIGGER wallets_closed_means_empty ON wallets;
            DROP TRIGGER wallets_keep_who_they_are ON wallets;
            DROP FUNCTION refuse_wallet();
            """,
        ),
    ]
