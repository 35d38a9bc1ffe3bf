# ruff: noqa: S608 - tables named here
"""What rows were before each change, whoever made it: seen by triggers, kept for good, without secrets."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.db import connection, transaction

from accounts import audit, services
from accounts.models import AuditEvent, KycDocument, KycSubmission, User
from accounts.row_history import Change, changes_in, history_models
from mymoolah.common.clock import now
from tests.conftest import Ledger, Person, Sql, fund, refused, send
from transactions.models import FeeRule
from vouchers.models import Voucher
from wallets.models import TierLimit, Wallet

pytestmark = [pytest.mark.sql]

KEPT = {
    "auth_group_history": "name",
    "auth_group_permissions_history": "group_id permission_id",
    "fee_rules_history": "currency fee_amount kind valid_from vat_rate",
    "kyc_documents_history": "asked_again_at content_type kind replaces_id size_bytes submission_id",
    "kyc_submissions_history": "assignee_id decided_at granted_tier id_type is_red proposed_by_id proposed_checks "
    "proposed_tier reviewer_id second_reviewer_id sought_tier status user_id waits_for",
    "tier_limits_history": "currency highest_balance may_cash_out may_send per_day_amount per_month_amount "
    "per_transfer_amount tier",
    "users_groups_history": "group_id user_id",
    "users_history": "email_verified_at id_verified is_staff is_superuser kyc_status kyc_tier phone_verified_at status",
    "users_user_permissions_history": "permission_id user_id",
    "vouchers_history": "balance currency expires_at original_amount status",
    "wallets_history": "frozen_by status",
}


def last_changes() -> list[Change]:
    """What the newest transaction that changed something has changed."""
    tables = " UNION ALL ".join(f"SELECT max(transaction_id) AS last FROM {table}" for table in KEPT)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT max(last) FROM ({tables}) AS everything")
        [newest] = cursor.fetchone()
    return changes_in(transaction_id=newest, may_see=lambda _: True)


def last_change() -> tuple[str, str, dict[str, tuple[Any, Any]]]:
    [change] = last_changes()
    return change.table, change.label, change.differences()


def pending_case(person: Person) -> KycSubmission:
    return KycSubmission.objects.create(
        user=person.user,
        id_type="sa_id",
        id_number_encrypted="the-encrypted-identity",
        id_number_index=b"i" * 32,
        created_at=now(),
    )


def voucher_of(person: Person, number: int = 1) -> Voucher:
    return Voucher.objects.create(
        user=person.user,
        voucher_type="easypay_topup",
        status="pending_payment",
        easypay_number=f"9506300000{number:04}",
        original_amount=Decimal(60),
        balance=0,
        currency="ZAR",
        expires_at=now() + dt.timedelta(days=30),
        created_at=now(),
    )


@pytest.mark.django_db
def test_only_these_columns_are_kept_and_none_is_a_secret_or_must_be_erasable() -> None:
    own = {"pgh_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "transaction_id", "role"}
    assert {model._meta.db_table for model in history_models()} == KEPT.keys()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT table_name, column_name FROM information_schema.columns WHERE table_name LIKE '%\\_history'"
        )
        found: dict[str, set[str]] = {}
        for table, column in cursor.fetchall():
            found.setdefault(table, set()).add(column)
    assert {table: " ".join(sorted(columns - own)) for table, columns in found.items()} == KEPT


def test_raw_sql_leaves_what_was_before_and_under_which_role_it_came(thandi: Person, owner_sql: Sql) -> None:
    owner_sql("UPDATE users SET status = 'suspended' WHERE id = %s", thandi.user.pk)
    [change] = last_changes()
    assert (change.table, change.row_id, change.label) == ("users", thandi.user.pk, "update")
    assert change.differences() == {"status": ("active", "suspended")}
    assert change.role == "mymoolah_owner"
    User.objects.filter(pk=thandi.user.pk).update(status="closed")
    [change] = last_changes()
    assert change.differences() == {"status": ("suspended", "closed")}
    assert change.role == "mymoolah_app"


def test_what_came_after_is_what_the_next_change_found(thandi: Person, app_sql: Sql) -> None:
    app_sql("UPDATE users SET status = 'suspended' WHERE id = %s", thandi.user.pk)
    [first] = last_changes()
    [(number,)] = app_sql("SELECT max(transaction_id) FROM users_history")
    app_sql("UPDATE users SET status = 'active' WHERE id = %s", thandi.user.pk)
    app_sql("UPDATE users SET status = 'closed' WHERE id = %s", thandi.user.pk)
    [again] = changes_in(transaction_id=number, may_see=lambda _: True)
    assert again.differences() == first.differences() == {"status": ("active", "suspended")}


def test_that_names_contacts_and_passwords_changed_is_kept_and_what_they_were_is_not(
    thandi: Person, app_sql: Sql
) -> None:
    before = app_sql("SELECT count(*) FROM users_history")
    app_sql("UPDATE users SET last_name = 'Dlamini', email = 'new@example.com' WHERE id = %s", thandi.user.pk)
    assert last_change() == ("users", "profile", {})
    app_sql("UPDATE users SET password = '!' WHERE id = %s", thandi.user.pk)
    assert last_change() == ("users", "password", {})
    app_sql("UPDATE users SET last_login = now() WHERE id = %s", thandi.user.pk)
    [(rows,)] = app_sql("SELECT count(*) FROM users_history")
    assert rows == before[0][0] + 2
    [(text,)] = app_sql("SELECT string_agg(h::text, ' ') FROM users_history AS h")
    assert not [word for word in ("thandi@", "new@", "Mokoena", "Dlamini", "argon2", "+27") if word in text]


def test_a_customer_begins_without_history_and_a_colleague_with(ledger: Ledger, thandi: Person, app_sql: Sql) -> None:
    assert app_sql("SELECT count(*) FROM users_history WHERE pgh_label = 'insert'") == [(0,)]
    app_sql(
        "INSERT INTO users (password, is_superuser, public_id, email, first_name, last_name, is_staff) "
        "VALUES ('!', true, gen_random_uuid(), 'root@example.com', 'R', 'T', false)"
    )
    table, label, differences = last_change()
    assert (table, label, differences["is_superuser"]) == ("users", "insert", (None, True))


def test_money_leaves_no_history_of_wallets_and_freezing_does(thandi: Person, sipho: Person, app_sql: Sql) -> None:
    fund(thandi, "100.00")
    send(thandi, sipho, "10.00")
    assert app_sql("SELECT count(*) FROM wallets_history") == [(0,)]
    app_sql("UPDATE wallets SET status = 'frozen' WHERE id = %s", thandi.wallet.pk)
    assert last_change() == ("wallets", "update", {"status": ("active", "frozen")})
    assert Wallet.objects.get(pk=thandi.wallet.pk).status == "frozen"


def test_roles_given_and_taken_are_seen_though_nobody_asked_a_service(thandi: Person, app_sql: Sql) -> None:
    kyc = Group.objects.get(name="kyc")
    app_sql("INSERT INTO users_groups (user_id, group_id) VALUES (%s, %s)", thandi.user.pk, kyc.pk)
    given = {"user_id": (None, thandi.user.pk), "group_id": (None, kyc.pk)}
    assert last_change() == ("users_groups", "insert", given)
    app_sql("DELETE FROM users_groups WHERE user_id = %s", thandi.user.pk)
    taken = {column: (was, None) for column, (_, was) in given.items()}
    assert last_change() == ("users_groups", "delete", taken)
    app_sql("DELETE FROM auth_group_permissions WHERE group_id = %s", kyc.pk)
    changes = last_changes()
    assert {(change.table, change.label) for change in changes} == {("auth_group_permissions", "delete")}
    assert len(changes) > 1


def test_limits_and_fees_are_kept_to_the_cent(ledger: Ledger, app_sql: Sql, owner_sql: Sql) -> None:
    TierLimit.objects.using("owner").filter(tier=0).update(highest_balance=Decimal("2500.50"))
    assert last_change() == ("tier_limits", "update", {"highest_balance": ("3000.00", "2500.50")})
    rule = FeeRule.objects.earliest("pk")
    FeeRule.objects.using("owner").create(
        kind=rule.kind, currency="ZAR", fee_amount=Decimal("6.00"), vat_rate=Decimal("0.15"), valid_from=now()
    )
    table, label, differences = last_change()
    assert (table, label, differences["fee_amount"]) == ("fee_rules", "insert", (None, "6.00"))
    assert app_sql("SELECT fee_amount FROM fee_rules_history ORDER BY pgh_id DESC LIMIT 1") == [(Decimal("6.00"),)]


def test_a_kyc_case_and_its_documents_are_followed_without_number_and_file(
    thandi: Person, app_sql: Sql, owner_sql: Sql
) -> None:
    case = pending_case(thandi)
    assert last_change()[:2] == ("kyc_submissions", "insert")
    KycDocument.objects.create(
        submission=case, path="a/path", content_type="image/png", size_bytes=9, sha256=b"d" * 32, created_at=now()
    )
    assert last_change()[:2] == ("kyc_documents", "insert")
    app_sql("UPDATE kyc_submissions SET id_number_index = %s, version = version + 1", b"x" * 32)
    assert last_change() == ("kyc_submissions", "identity", {})
    app_sql("UPDATE kyc_submissions SET override_reason = 'Her aunt says so', version = version + 1")
    assert last_change() == ("kyc_submissions", "words", {})
    app_sql("UPDATE kyc_documents SET asked_again_at = now(), asked_again_reason = 'dark'")
    [table, label, differences] = last_change()
    assert (table, label, list(differences)) == ("kyc_documents", "update", ["asked_again_at"])
    owner_sql("UPDATE kyc_documents SET path = 'another/path'")
    assert last_change() == ("kyc_documents", "file", {})
    owner_sql("UPDATE kyc_documents SET kind = 'proof_of_address'")
    assert last_change() == ("kyc_documents", "update", {"kind": ("identity", "proof_of_address")})
    for column in ("path = 'mine'", "kind = 'identity'", "sha256 = ''", "submission_id = 1"):
        with refused("42501"):
            app_sql(f"UPDATE kyc_documents SET {column}")
    [(text,)] = app_sql("SELECT string_agg(h::text, ' ') FROM kyc_submissions_history AS h")
    assert "aunt" not in text


def test_who_has_a_case_and_what_the_first_officer_saw_is_followed(thandi: Person, sipho: Person, app_sql: Sql) -> None:
    case = pending_case(thandi)
    app_sql("UPDATE kyc_submissions SET assignee_id = %s, claimed_at = now(), version = 2", sipho.user.pk)
    assert last_change() == ("kyc_submissions", "update", {"assignee_id": (None, sipho.user.pk)})
    app_sql(
        "UPDATE kyc_submissions SET assignee_id = NULL, claimed_at = NULL, waits_for = 'second', proposed_by_id = %s, "
        'proposed_at = now(), proposed_tier = 2, proposed_checks = \'[["name", "red"]]\', is_red = true, version = 3 '
        "WHERE id = %s",
        sipho.user.pk,
        case.pk,
    )
    assert last_change() == (
        "kyc_submissions",
        "update",
        {
            "assignee_id": (sipho.user.pk, None),
            "waits_for": ("officer", "second"),
            "proposed_by_id": (None, sipho.user.pk),
            "proposed_tier": (None, 2),
            "proposed_checks": (None, [["name", "red"]]),
            "is_red": (False, True),
        },
    )


def test_many_vouchers_changed_by_one_statement_are_each_kept(thandi: Person, app_sql: Sql) -> None:
    vouchers = [voucher_of(thandi, number) for number in range(1, 4)]
    Voucher.objects.update(status="cancelled")
    assert {change.row_id: change.differences() for change in last_changes()} == {
        voucher.pk: {"status": ("pending_payment", "cancelled")} for voucher in vouchers
    }


@pytest.mark.parametrize("table", sorted(KEPT))
def test_history_is_only_ever_added_to_and_by_triggers_alone(
    thandi: Person, app_sql: Sql, owner_sql: Sql, table: str
) -> None:
    for statement in (f"UPDATE {table} SET pgh_label = 'x'", f"DELETE FROM {table}", f"TRUNCATE {table}"):
        with refused("MM900"):
            owner_sql(statement)
        with refused("42501"):
            app_sql(statement)
    with refused("42501"):
        app_sql(f"INSERT INTO {table} (pgh_label, pgh_created_at, pgh_obj_id) VALUES ('insert', now(), 1)")


def test_a_session_cannot_tell_the_history_to_look_away(thandi: Person, app_sql: Sql) -> None:
    with transaction.atomic():
        app_sql(
            "SELECT set_config('pgtrigger.ignore', (SELECT array_agg(tgname)::text FROM pg_trigger), true), "
            "set_config('pghistory.context_id', gen_random_uuid()::text, true), "
            "set_config('pghistory.context_metadata', '{}', true)"
        )
        app_sql("UPDATE users SET status = 'suspended' WHERE id = %s", thandi.user.pk)
    assert last_change() == ("users", "update", {"status": ("active", "suspended")})
    assert app_sql("SELECT count(*) FROM pghistory_context") == [(0,)]


def test_an_audit_event_leads_to_what_its_transaction_changed(ledger: Ledger, thandi: Person) -> None:
    services.correct_profile(user_id=thandi.user.pk, values={"phone": None}, origin=audit.SYSTEM)
    event = AuditEvent.objects.get(verb="user.corrected")
    changes = changes_in(transaction_id=event.transaction_id, may_see=lambda _: True)
    assert [(change.row_id, change.label) for change in changes] == [
        (thandi.user.pk, "profile"),
        (thandi.user.pk, "update"),
    ]
    assert list(changes[1].differences()) == ["phone_verified_at"]
    assert changes_in(transaction_id=event.transaction_id, may_see=lambda code: code != "accounts.view_user") == []


def test_what_is_rolled_back_leaves_nothing(thandi: Person, app_sql: Sql) -> None:
    before = app_sql("SELECT count(*) FROM users_history")
    with transaction.atomic():
        User.objects.filter(pk=thandi.user.pk).update(status="closed")
        transaction.set_rollback(True)
    assert app_sql("SELECT count(*) FROM users_history") == before


def test_reading_what_a_transaction_changed_is_one_query(thandi: Person, django_assert_num_queries: Any) -> None:
    event = AuditEvent.objects.latest("pk")
    with django_assert_num_queries(1):
        changes_in(transaction_id=event.transaction_id, may_see=lambda _: True)
    with django_assert_num_queries(0):
        changes_in(transaction_id=None, may_see=lambda _: True)
