"""Who of the staff may see and change what: the one table of roles. docs/roles.md shows it to people.

A role is a group of Django's. `SyncRoles` in a migration brings the groups of a database in line with this table; a
change here comes with a new migration that does it again. Nobody may change money through the admin, so no role has
`change_wallet` or the like: money moves by services, each with rules of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from django.apps.registry import Apps
from django.contrib.auth.management import create_permissions
from django.contrib.contenttypes.models import ContentType
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

PEOPLE: Final = ("accounts.view_user",)
SIGN_INS: Final = ("accounts.view_loginsession",)
IDENTITY: Final = ("accounts.view_kycsubmission", "accounts.view_kycdocument", "accounts.view_kycnote")
DECIDE_IDENTITY: Final = ("accounts.decide_kycsubmission",)
REVEAL_IDENTITY: Final = ("accounts.reveal_kycsubmission",)
ASSIST: Final = ("accounts.assist_user",)
STANDING: Final = ("accounts.suspend_user", "accounts.close_user")
REOPEN: Final = ("accounts.reopen_user",)
AUDIT: Final = ("accounts.view_auditevent",)
COPIES: Final = ("accounts.export_auditevent",)
WALLETS: Final = ("wallets.view_wallet", "wallets.view_hold")
FREEZE: Final = ("wallets.freeze_wallet",)
UNFREEZE: Final = ("wallets.unfreeze_wallet",)
RULES: Final = ("wallets.view_tierlimit", "transactions.view_feerule")
LEDGER: Final = (
    "transactions.view_transfer",
    "transactions.view_transaction",
    "transactions.view_receivable",
    "transactions.view_receivablecollection",
)
KEYS: Final = ("transactions.view_idempotencykey",)
VOUCHERS: Final = ("vouchers.view_voucher", "vouchers.view_voucherredemption", "vouchers.view_vouchertotal")
TILLS: Final = ("vouchers.view_tillevent",)
CANCEL: Final = ("vouchers.cancel_voucher",)
SUSPENSE: Final = ("vouchers.view_suspenseitem",)
PROPOSALS: Final = ("transactions.view_proposal",)
DECISIONS: Final = ("transactions.add_proposal", "transactions.decide_proposal")
EXPORTS: Final = ("transactions.export_transaction",)
SUMMARIES: Final = (
    "reporting.view_transactionsummary",
    "reporting.view_userfinancialsummary",
    "reporting.view_vouchersummary",
)
OVERVIEW: Final = ("reporting.view_userdashboardsummary", "reporting.view_dashboardrefresh")
HEALTH: Final = (
    "reporting.view_dashboardrefresh",
    "reporting.view_queryperformancelog",
    "reporting.view_queryperformancehour",
)
DAYS: Final = ("reporting.view_businessday",)
DAYS_MONEY: Final = ("reporting.view_businessdaymoney",)
DAYS_REFUSALS: Final = ("reporting.view_businessdayrefusal",)
VERIFICATIONS: Final = ("reporting.view_ledgerverification",)
DATABASE: Final = ("reporting.view_tablesize", "reporting.view_maintenancereport")
ROLES_THEMSELVES: Final = ("auth.view_group",)
KEPT_VIEWS: Final = ("accounts.view_savedview",)

TICKETS: Final = ("reporting.view_supportticket",)
WORK_TICKETS: Final = ("reporting.work_supportticket",)
ARTICLES: Final = ("reporting.view_supportarticle",)
WRITE_ARTICLES: Final = ("reporting.write_supportarticle", "reporting.approve_supportarticle")

LOST_TELEPHONES: Final = ("accounts.reset_secondfactor",)

EVERYTHING: Final = (
    *(PEOPLE + SIGN_INS + IDENTITY + AUDIT),
    *(WALLETS + RULES + LEDGER + PROPOSALS + KEYS + VOUCHERS + TILLS + SUSPENSE),
    *(SUMMARIES + OVERVIEW + HEALTH + ROLES_THEMSELVES),
    *(DAYS + DAYS_MONEY + DAYS_REFUSALS + VERIFICATIONS + DATABASE + KEPT_VIEWS),
    *(TICKETS + ARTICLES),
)

ROLES: Final[Mapping[str, frozenset[str]]] = {
    "administrator": frozenset(
        EVERYTHING
        + (COPIES + LOST_TELEPHONES + ASSIST + STANDING + REOPEN + FREEZE + UNFREEZE + CANCEL)
        + (WORK_TICKETS + WRITE_ARTICLES)
        + ("accounts.change_user", "auth.change_group")
    ),
    "kyc": frozenset(
        (PEOPLE + IDENTITY + DECIDE_IDENTITY + REVEAL_IDENTITY + STANDING + AUDIT + RULES + OVERVIEW) + DAYS
    ),
    "finance": frozenset(
        PEOPLE
        + (AUDIT + WALLETS + RULES + LEDGER + KEYS + VOUCHERS + TILLS + SUSPENSE + SUMMARIES + OVERVIEW + HEALTH)
        + (PROPOSALS + DECISIONS + EXPORTS + FREEZE + UNFREEZE + CANCEL)
        + (DAYS + DAYS_MONEY + DAYS_REFUSALS + VERIFICATIONS)
    ),
    "auditor": frozenset(EVERYTHING + COPIES + EXPORTS),
    "support": frozenset(
        (PEOPLE + SIGN_INS + AUDIT + WALLETS + RULES + LEDGER + VOUCHERS + TILLS + SUSPENSE + SUMMARIES + OVERVIEW)
        + (ASSIST + FREEZE + CANCEL + REVEAL_IDENTITY)
        + (DAYS + DAYS_REFUSALS)
        + (TICKETS + WORK_TICKETS + ARTICLES + WRITE_ARTICLES)
    ),
    "operator": frozenset(AUDIT + TILLS + HEALTH + DAYS + DAYS_REFUSALS + VERIFICATIONS + DATABASE),
}


def sync_roles(apps: Any, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Give each role's group exactly what the table says, as far as its models exist yet. Safe to run again."""
    alias = schema_editor.connection.alias
    make_permissions(apps, alias)
    permissions = apps.get_model("auth", "Permission").objects.using(alias)
    groups = apps.get_model("auth", "Group").objects.using(alias)
    known = {
        f"{label}.{codename}": pk
        for pk, label, codename in permissions.values_list("pk", "content_type__app_label", "codename")
    }
    for role, wanted in ROLES.items():
        group, _ = groups.get_or_create(name=role)
        group.permissions.set([known[permission] for permission in sorted(wanted) if permission in known])


def make_permissions(apps: Apps, alias: str) -> None:
    """Django makes permissions only after all migrations; make those of the models that exist by now."""
    ContentType.objects.clear_cache()
    for config in apps.get_app_configs():
        config.models_module = True  # type: ignore[assignment]  # historical apps have none, and would be skipped
        create_permissions(config, apps=apps, using=alias, verbosity=0)


class SyncRoles(migrations.RunPython):
    """The step of a migration that puts the table of roles into the database. Rows are locked, no table is."""

    def __init__(self) -> None:
        super().__init__(sync_roles, migrations.RunPython.noop)

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        return "SyncRoles", [], {}
