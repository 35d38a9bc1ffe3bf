"""What PostgreSQL's own catalogue says of the rules that keep the money safe: so that none can vanish unseen."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection

pytestmark = [pytest.mark.sql, pytest.mark.django_db]

# c: CHECK, p: primary key, u: unique. Foreign keys stand below, since Django gives them names that nobody can guess.
CONSTRAINTS = {
    "transfers": {
        "c transfers_amount_is_positive",
        "c transfers_not_to_itself",
        "p transfers_pkey",
    },
    "transactions": {
        "c transactions_amount_is_positive",
        "c transactions_balance_is_in_minus_out",
        "p transactions_pkey",
        "u uq_transactions_head",
        "u uq_transactions_transfer_type",
        "u uq_transactions_wallet_sequence",
    },
    "idempotency_keys": {
        "p idempotency_keys_pkey",
        "u uq_idempotency_keys_actor_key",
    },
    "wallets": {
        "c wallets_available_not_negative",
        "c wallets_stripe_check",
        "p wallets_pkey",
        "u uq_wallets_number",
    },
    "holds": {
        "c holds_amount_is_positive",
        "c holds_captured_means_something",
        "c holds_parts_within_amount",
        "c holds_resolved_once",
        "c holds_status_is_known",
        "p holds_pkey",
        "u holds_public_id_key",
    },
    "tier_limits": {
        "c tier_limits_ceiling_not_negative",
        "c tier_limits_spending_is_bounded",
        "c tier_limits_tier_check",
        "p tier_limits_pkey",
        "u uq_tier_limits_tier_currency",
    },
    "receivables": {
        "c receivables_collected_within_amount",
        "p receivables_pkey",
        "u receivables_public_id_key",
        "u receivables_transfer_id_key",
    },
    "receivable_collections": {
        "c collections_amount_is_positive",
        "p receivable_collections_pkey",
        "u receivable_collections_transfer_id_key",
    },
    "fee_rules": {
        "c fee_rules_are_sane",
        "p fee_rules_pkey",
        "u uq_fee_rules_kind_from",
    },
    "vouchers": {
        "c vouchers_active_fits_type",
        "c vouchers_balance_within_amount",
        "c vouchers_cash_out_has_a_hold",
        "c vouchers_fees_not_negative",
        "c vouchers_number_fits_type",
        "c vouchers_only_active_ones_owe",
        "c vouchers_pending_fits_type",
        "c vouchers_status_is_known",
        "c vouchers_type_is_known",
        "p vouchers_pkey",
        "u vouchers_hold_id_key",
        "u vouchers_public_id_key",
    },
    "voucher_redemptions": {
        "c redemptions_amount_is_positive",
        "p voucher_redemptions_pkey",
        "u voucher_redemptions_public_id_key",
        "u voucher_redemptions_transfer_id_key",
    },
    "voucher_totals": {
        "c voucher_totals_not_negative",
        "p voucher_totals_pkey",
    },
    "suspense_items": {
        "c suspense_items_amount_is_positive",
        "c suspense_items_resolved_by_two",
        "c suspense_items_resolved_somehow",
        "p suspense_items_pkey",
        "u suspense_items_public_id_key",
        "u suspense_items_till_event_id_key",
    },
    "till_events": {
        "c till_events_amount_is_positive",
        "c till_events_result_is_known",
        "p till_events_pkey",
        "u uq_till_events_reference",
    },
    "proposals": {
        "c proposals_approved_ones_did_something",
        "c proposals_decided_by_another",
        "c proposals_decided_by_someone",
        "c proposals_say_why",
        "c proposals_status_is_known",
        "p proposals_pkey",
        "u proposals_public_id_key",
    },
    "audit_events": {
        "p audit_events_pkey",
    },
    "one_time_codes": {
        "c one_time_codes_attempts_are_few",
        "c one_time_codes_attempts_check",
        "c one_time_codes_end_after_start",
        "c one_time_codes_keep_a_digest",
        "c one_time_codes_purpose_is_known",
        "c one_time_codes_sent_count_check",
        "p one_time_codes_pkey",
        "u uq_one_time_codes_user_purpose",
    },
    "second_factors": {
        "c second_factors_used_a_code",
        "p second_factors_pkey",
    },
    "recovery_codes": {
        "c recovery_codes_keep_a_digest",
        "p recovery_codes_pkey",
        "u uq_recovery_codes_factor_digest",
    },
}

FOREIGN_KEYS = {
    "audit_events FOREIGN KEY (actor_id) REFERENCES users(id) DEFERRABLE INITIALLY DEFERRED",
    "holds FOREIGN KEY (wallet_id) REFERENCES wallets(id) DEFERRABLE INITIALLY DEFERRED",
    "one_time_codes FOREIGN KEY (user_id) REFERENCES users(id) DEFERRABLE INITIALLY DEFERRED",
    "proposals FOREIGN KEY (decided_by_id) REFERENCES users(id) DEFERRABLE INITIALLY DEFERRED",
    "proposals FOREIGN KEY (proposed_by_id) REFERENCES users(id) DEFERRABLE INITIALLY DEFERRED",
    "receivable_collections FOREIGN KEY (receivable_id) REFERENCES receivables(id) DEFERRABLE INITIALLY DEFERRED",
    "receivable_collections FOREIGN KEY (transfer_id) REFERENCES transfers(id) DEFERRABLE INITIALLY DEFERRED",
    "receivables FOREIGN KEY (transfer_id) REFERENCES transfers(id) DEFERRABLE INITIALLY DEFERRED",
    "receivables FOREIGN KEY (wallet_id) REFERENCES wallets(id) DEFERRABLE INITIALLY DEFERRED",
    "recovery_codes FOREIGN KEY (factor_id) REFERENCES second_factors(user_id) DEFERRABLE INITIALLY DEFERRED",
    "second_factors FOREIGN KEY (user_id) REFERENCES users(id) DEFERRABLE INITIALLY DEFERRED",
    "suspense_items FOREIGN KEY (approved_by_id) REFERENCES users(id) DEFERRABLE INITIALLY DEFERRED",
    "suspense_items FOREIGN KEY (resolution_transfer_id) REFERENCES transfers(id) DEFERRABLE INITIALLY DEFERRED",
    "suspense_items FOREIGN KEY (resolved_by_id) REFERENCES users(id) DEFERRABLE INITIALLY DEFERRED",
    "suspense_items FOREIGN KEY (till_event_id) REFERENCES till_events(id) DEFERRABLE INITIALLY DEFERRED",
    "suspense_items FOREIGN KEY (transfer_id) REFERENCES transfers(id) DEFERRABLE INITIALLY DEFERRED",
    "suspense_items FOREIGN KEY (user_id) REFERENCES users(id) DEFERRABLE INITIALLY DEFERRED",
    "suspense_items FOREIGN KEY (voucher_id) REFERENCES vouchers(id) DEFERRABLE INITIALLY DEFERRED",
    "till_events FOREIGN KEY (voucher_id) REFERENCES vouchers(id) DEFERRABLE INITIALLY DEFERRED",
    "transactions FOREIGN KEY (transfer_id) REFERENCES transfers(id) DEFERRABLE INITIALLY DEFERRED",
    "transactions FOREIGN KEY (wallet_id) REFERENCES wallets(id) DEFERRABLE INITIALLY DEFERRED",
    "transfers FOREIGN KEY (from_wallet_id) REFERENCES wallets(id) DEFERRABLE INITIALLY DEFERRED",
    "transfers FOREIGN KEY (reverses_id) REFERENCES transfers(id) DEFERRABLE INITIALLY DEFERRED",
    "transfers FOREIGN KEY (to_wallet_id) REFERENCES wallets(id) DEFERRABLE INITIALLY DEFERRED",
    "voucher_redemptions FOREIGN KEY (transfer_id) REFERENCES transfers(id) DEFERRABLE INITIALLY DEFERRED",
    "voucher_redemptions FOREIGN KEY (voucher_id) REFERENCES vouchers(id) DEFERRABLE INITIALLY DEFERRED",
    "voucher_redemptions FOREIGN KEY (wallet_id) REFERENCES wallets(id) DEFERRABLE INITIALLY DEFERRED",
    "voucher_totals FOREIGN KEY (user_id) REFERENCES users(id) DEFERRABLE INITIALLY DEFERRED",
    "vouchers FOREIGN KEY (hold_id) REFERENCES holds(id) DEFERRABLE INITIALLY DEFERRED",
    "vouchers FOREIGN KEY (issue_transfer_id) REFERENCES transfers(id) DEFERRABLE INITIALLY DEFERRED",
    "vouchers FOREIGN KEY (user_id) REFERENCES users(id) DEFERRABLE INITIALLY DEFERRED",
    "wallets FOREIGN KEY (id, sequence, balance, total_received, total_sent) REFERENCES transactions(wallet_id, sequence, balance_after, total_received_after, total_sent_after) DEFERRABLE INITIALLY DEFERRED",
    "wallets FOREIGN KEY (user_id) REFERENCES users(id) DEFERRABLE INITIALLY DEFERRED",
}

TRIGGERS = {
    "audit_events_append_only": ("audit_events", "refuse_change"),
    "audit_events_say_when": ("audit_events", "stamp_audit_event"),
    "fee_rules_change_by_two": ("fee_rules", "require_two_of_finance"),
    "holds_are_resolved_once": ("holds", "refuse_change"),
    "holds_stay": ("holds", "refuse_change"),
    "idempotency_keys_append_only": ("idempotency_keys", "refuse_change"),
    "kyc_notes_append_only": ("kyc_notes", "refuse_change"),
    "kyc_submissions_go_forward": ("kyc_submissions", "keep_kyc_history"),
    "proposals_are_decided_once": ("proposals", "refuse_change"),
    "proposals_begin_undecided": ("proposals", "refuse_change"),
    "proposals_name_their_transaction": ("proposals", "stamp_proposal"),
    "proposals_stay": ("proposals", "refuse_change"),
    "receivable_collections_append_only": ("receivable_collections", "refuse_change"),
    "receivables_only_fall": ("receivables", "refuse_change"),
    "receivables_stay": ("receivables", "refuse_change"),
    "recovery_codes_are_used_once": ("recovery_codes", "refuse_undoing"),
    "second_factors_go_forward": ("second_factors", "refuse_undoing"),
    "suspense_items_are_resolved_once": ("suspense_items", "refuse_rewriting"),
    "suspense_items_stay": ("suspense_items", "refuse_rewriting"),
    "till_events_are_answered_once": ("till_events", "refuse_rewriting"),
    "till_events_stay": ("till_events", "refuse_rewriting"),
    "tier_limits_change_by_two": ("tier_limits", "require_two_of_finance"),
    "transactions_append_only": ("transactions", "refuse_change"),
    "transfers_append_only": ("transfers", "refuse_change"),
    "voucher_redemptions_append_only": ("voucher_redemptions", "refuse_change"),
    "users_keep_who_they_are": ("users", "refuse_undoing"),
    "users_groups_end_sessions": ("users_groups", "end_sessions_of_role"),
    "users_standing_ends_sessions": ("users", "end_sessions_of_user"),
    "users_user_permissions_end_sessions": ("users_user_permissions", "end_sessions_of_role"),
    "vouchers_deleted_from_totals": ("vouchers", "keep_voucher_totals"),
    "vouchers_go_forward": ("vouchers", "guard_voucher"),
    "vouchers_inserted_into_totals": ("vouchers", "keep_voucher_totals"),
    "vouchers_open_top_ups_are_few": ("vouchers", "refuse_too_many_open"),
    "vouchers_updated_into_totals": ("vouchers", "keep_voucher_totals"),
    "wallets_closed_owes_nothing": ("wallets", "refuse_closing_of_debtor"),
    "wallets_closed_means_empty": ("wallets", "refuse_wallet"),
    "wallets_currency_is_a_code": ("wallets", "refuse_wallet"),
    "wallets_customer_has_a_user": ("wallets", "refuse_wallet"),
    "wallets_frozen_by_is_known": ("wallets", "refuse_wallet"),
    "wallets_head_moves_forward": ("wallets", "refuse_wallet"),
    "wallets_keep_who_they_are": ("wallets", "refuse_wallet"),
    "wallets_kind_is_known": ("wallets", "refuse_wallet"),
    "wallets_no_entry_means_zero": ("wallets", "refuse_wallet"),
    "wallets_number_is_ten_digits": ("wallets", "refuse_wallet"),
    "wallets_status_is_known": ("wallets", "refuse_wallet"),
}

# Row history: the trigger and its function have one name, which django-pghistory makes.
HISTORY = {
    "pgtrigger_delete_delete_d75a6": "auth_group",
    "pgtrigger_insert_insert_d9a3a": "auth_group",
    "pgtrigger_update_update_023a0": "auth_group",
    "pgtrigger_delete_delete_ff00d": "auth_group_permissions",
    "pgtrigger_insert_insert_febfb": "auth_group_permissions",
    "pgtrigger_update_update_837ed": "auth_group_permissions",
    "pgtrigger_delete_delete_e93a5": "fee_rules",
    "pgtrigger_insert_insert_182bf": "fee_rules",
    "pgtrigger_update_update_960da": "fee_rules",
    "pgtrigger_delete_delete_cd1ce": "kyc_documents",
    "pgtrigger_file_update_63a9a": "kyc_documents",
    "pgtrigger_insert_insert_46a92": "kyc_documents",
    "pgtrigger_update_update_600bf": "kyc_documents",
    "pgtrigger_delete_delete_632e8": "kyc_submissions",
    "pgtrigger_identity_update_75cd2": "kyc_submissions",
    "pgtrigger_insert_insert_78b1c": "kyc_submissions",
    "pgtrigger_update_update_af83d": "kyc_submissions",
    "pgtrigger_words_update_eb373": "kyc_submissions",
    "pgtrigger_delete_delete_6b887": "tier_limits",
    "pgtrigger_insert_insert_41b0c": "tier_limits",
    "pgtrigger_update_update_f0e29": "tier_limits",
    "pgtrigger_delete_delete_19f14": "users",
    "pgtrigger_insert_insert_3867c": "users",
    "pgtrigger_password_update_cf375": "users",
    "pgtrigger_profile_update_cda4d": "users",
    "pgtrigger_update_update_0e890": "users",
    "pgtrigger_delete_delete_15b35": "users_groups",
    "pgtrigger_insert_insert_c200e": "users_groups",
    "pgtrigger_update_update_1017d": "users_groups",
    "pgtrigger_delete_delete_773da": "users_user_permissions",
    "pgtrigger_insert_insert_7116a": "users_user_permissions",
    "pgtrigger_update_update_56aa0": "users_user_permissions",
    "pgtrigger_delete_delete_c7858": "vouchers",
    "pgtrigger_update_update_ef7e1": "vouchers",
    "pgtrigger_delete_delete_85ee2": "wallets",
    "pgtrigger_update_update_9f615": "wallets",
}
TRIGGERS |= {name: (table, name) for name, table in HISTORY.items()}
TRIGGERS |= {f"{table}_history_append_only": (f"{table}_history", "refuse_change") for table in HISTORY.values()}

# What the role of web and workers may do; where no column is named, with all of them.
PRIVILEGES = {
    "audit_events": "INSERT SELECT",
    "auth_group": "DELETE INSERT SELECT UPDATE",
    "auth_group_permissions": "DELETE INSERT SELECT UPDATE",
    "auth_permission": "SELECT",
    "business_day_money": "DELETE INSERT SELECT UPDATE",
    "business_day_refusals": "DELETE INSERT SELECT UPDATE",
    "business_days": "DELETE INSERT SELECT UPDATE",
    "dashboard_refreshes": "DELETE INSERT SELECT",
    "django_admin_log": "INSERT SELECT",
    "django_content_type": "SELECT",
    "django_migrations": "SELECT",
    "django_session": "DELETE INSERT SELECT UPDATE",
    "fee_rules": "INSERT SELECT",
    "holds": "SELECT",
    "idempotency_keys": "SELECT",
    "kyc_documents": "INSERT SELECT",
    "kyc_notes": "INSERT SELECT",
    "kyc_submissions": "INSERT SELECT UPDATE",
    "ledger_verifications": "INSERT SELECT",
    "login_sessions": "DELETE INSERT SELECT UPDATE",
    "maintenance_reports": "INSERT SELECT",
    "one_time_codes": "DELETE INSERT SELECT UPDATE",
    "proposals": "INSERT SELECT",
    "query_performance_hourly": "SELECT",
    "query_performance_logs": "DELETE INSERT SELECT",
    "read_cache": "SELECT",
    "receivable_collections": "INSERT SELECT",
    "receivables": "INSERT SELECT",
    "recovery_codes": "DELETE INSERT SELECT",
    "second_factors": "DELETE INSERT SELECT",
    "saved_views": "DELETE INSERT SELECT UPDATE",
    "support_articles": "INSERT SELECT",
    "support_messages": "DELETE INSERT SELECT",
    "support_replies": "DELETE INSERT SELECT",
    "support_tickets": "INSERT SELECT",
    "suspense_items": "INSERT SELECT",
    "tier_limits": "INSERT SELECT",
    "till_events": "INSERT SELECT",
    "table_sizes": "DELETE INSERT SELECT",
    "transaction_summary": "SELECT",
    "transactions": "SELECT",
    "transfers": "SELECT",
    "user_dashboard_summary": "SELECT",
    "user_financial_summary": "SELECT",
    "users": "INSERT SELECT UPDATE",
    "users_groups": "DELETE INSERT SELECT UPDATE",
    "users_user_permissions": "DELETE INSERT SELECT UPDATE",
    "voucher_redemptions": "INSERT SELECT",
    "voucher_summary": "SELECT",
    "voucher_totals": "SELECT",
    "vouchers": "INSERT SELECT",
    "wallets": "INSERT SELECT",
    "pghistory_context": "SELECT",
} | {f"{table}_history": "SELECT" for table in HISTORY.values()}
# Where something is what it is, the app changes only what becomes of it.
UPDATABLE = {
    "kyc_documents": "asked_again_at asked_again_reason",
    "proposals": "decided_at decided_by_id note result_id result_kind status",
    "read_cache": "closed_at epoch opened_at",
    "receivables": "collected_amount",
    "recovery_codes": "used_at",
    "second_factors": "last_step",
    "tier_limits": "highest_balance may_cash_out may_send per_day_amount per_month_amount per_transfer_amount",
    "support_articles": "approved_at approved_by_id author_id body helpful_count intent status title unhelpful_count",
    "support_messages": "is_helpful",
    "support_tickets": "assigned_to_id closed_at first_replied_at priority status transcript_encrypted waits_since",
    "suspense_items": "approved_by_id resolution resolution_transfer_id resolved_at resolved_by_id",
    "till_events": "processed_at result voucher_id",
    "vouchers": "balance status",
    "wallets": "frozen_by status",
}

# Functions that run with the owner's rights, and all that the app may call.
RUN_AS_OWNER = {
    "analyze_table",
    "claim_idempotency_key",
    "expire_hold",
    "keep_voucher_totals",
    "place_hold",
    "post_transfers",
    "refresh_user_dashboard_summary",
    "require_active_wallet",
    "void_hold",
} | HISTORY.keys()
CALLABLE_BY_THE_APP = {
    "analyze_table",
    "claim_idempotency_key",
    "customer_dashboard",
    "expire_hold",
    "house_wallet",
    "owners_of",
    "owners_of_hold",
    "place_hold",
    "post_transfers",
    "posted_group",
    "refresh_user_dashboard_summary",
    "require_active_wallet",
    "void_hold",
}

# Partial, covering and unique indexes that a rule or a promise of speed stands on.
INDEXES = {
    "ix_audit_events_actor": "audit_events USING btree (actor_id, at, id)",
    "ix_audit_events_at": "audit_events USING btree (at, id)",
    "ix_audit_events_request": "audit_events USING btree (request_id) WHERE (NOT ((request_id)::text = ''::text))",
    "ix_audit_events_subject": "audit_events USING btree (subject_type, subject_id, at)",
    "ix_audit_events_verb": "audit_events USING btree (verb, at)",
    "ix_business_days_open": "business_days USING btree (day) WHERE (NOT is_closed)",
    "ix_dashboard_refreshes_latest": "dashboard_refreshes USING btree (started_at DESC)",
    "ix_holds_expiry": "holds USING btree (expires_at) WHERE ((expires_at IS NOT NULL) AND ((status)::text = 'held'::text))",
    "ix_holds_live": "holds USING btree (wallet_id) WHERE ((status)::text = 'held'::text)",
    "ix_idempotency_keys_time": "idempotency_keys USING brin (created_at) WITH (autosummarize='on')",
    "ix_kyc_claimed": "kyc_submissions USING btree (assignee_id, created_at, id) WHERE ((assignee_id IS NOT NULL) AND ((status)::text = 'pending'::text))",
    "ix_kyc_decided": "kyc_submissions USING btree (decided_at) WHERE (decided_at IS NOT NULL)",
    "ix_kyc_documents_sha256": "kyc_documents USING btree (sha256)",
    "ix_kyc_submissions_identity": "kyc_submissions USING btree (id_number_index)",
    "ix_kyc_submissions_queue": "kyc_submissions USING btree (status, created_at)",
    "ix_kyc_waiting": "kyc_submissions USING btree (waits_for, created_at, id) WHERE ((status)::text = 'pending'::text)",
    "ix_kyc_waiting_red": "kyc_submissions USING btree (created_at, id) WHERE (is_red AND ((status)::text = 'pending'::text))",
    "ix_kyc_waiting_tier": "kyc_submissions USING btree (sought_tier, created_at, id) WHERE ((status)::text = 'pending'::text)",
    "ix_ledger_verifications_latest": "ledger_verifications USING btree (finished_at DESC)",
    "ix_login_sessions_expiry": "login_sessions USING btree (expires_at)",
    "ix_login_sessions_user": "login_sessions USING btree (user_id, created_at, id)",
    "ix_proposals_open_first": "proposals USING btree (is_open, id)",
    "ix_proposals_subject": "proposals USING btree (subject_type, subject_id, id)",
    "ix_query_performance_hour": "query_performance_logs USING btree (date_bin('01:00:00'::interval, created_at, '2000-01-01 00:00:00+00'::timestamp with time zone), query_type)",
    "ix_query_performance_type_time": "query_performance_logs USING btree (query_type, created_at)",
    "ix_receivables_open": "receivables USING btree (created_at) WHERE (collected_amount < amount)",
    "ix_support_articles_search": "support_articles USING gin (search)",
    "ix_support_messages_latest": "support_messages USING btree (user_id, id)",
    "ix_support_messages_time": "support_messages USING btree (created_at)",
    "ix_support_messages_user": "support_messages USING btree (user_id, conversation, id)",
    "ix_support_replies_ticket": "support_replies USING btree (ticket_id, id)",
    "ix_support_tickets_answered": "support_tickets USING btree (assigned_to_id, waits_since, id) WHERE ((status)::text = 'waiting'::text)",
    "ix_support_tickets_intent": "support_tickets USING btree (intent, id)",
    "ix_support_tickets_queue": "support_tickets USING btree (priority, waits_since, id) WHERE ((status)::text = 'open'::text)",
    "ix_support_tickets_status": "support_tickets USING btree (status, id)",
    "ix_support_tickets_to_forget": "support_tickets USING btree (closed_at) WHERE (((status)::text = 'closed'::text) AND (NOT (transcript_encrypted = ''::text)))",
    "ix_support_tickets_user": "support_tickets USING btree (user_id, id)",
    "ix_suspense_items_open": "suspense_items USING btree (created_at) WHERE (resolved_at IS NULL)",
    "ix_suspense_items_time": "suspense_items USING btree (created_at)",
    "ix_till_events_waiting": "till_events USING btree (received_at) WHERE (result IS NULL)",
    "ix_transactions_user_type": "transactions USING btree (user_id, type, created_at) INCLUDE (amount, currency)",
    "ix_transactions_wallet_time": "transactions USING btree (wallet_id, created_at, sequence)",
    "ix_transfers_group": "transfers USING btree (group_id) WHERE (NOT (group_id = id))",
    "ix_transfers_time": "transfers USING brin (created_at) WITH (autosummarize='on')",
    "ix_users_email_prefix": "users USING btree (lower((email)::text) text_pattern_ops)",
    "ix_users_kyc_id": "users USING btree (kyc_status, id_verified, id)",
    "ix_users_last_name_prefix": "users USING btree (lower((last_name)::text) text_pattern_ops)",
    "ix_users_not_active": "users USING btree (status, id) WHERE (NOT ((status)::text = 'active'::text))",
    "ix_vouchers_live": "vouchers USING btree (user_id, currency) INCLUDE (status, balance, original_amount) WHERE ((status)::text = ANY ((ARRAY['active'::character varying, 'pending_payment'::character varying])::text[]))",
    "ix_vouchers_live_expiry": "vouchers USING btree (expires_at) WHERE ((status)::text = ANY ((ARRAY['active'::character varying, 'pending_payment'::character varying])::text[]))",
    "ix_vouchers_time": "vouchers USING brin (created_at) WITH (autosummarize='on')",
    "ix_vouchers_user_created": "vouchers USING btree (user_id, created_at, id)",
    "ix_vouchers_user_status_type": "vouchers USING btree (user_id, status, voucher_type)",
    "ix_wallets_user_status": "wallets USING btree (user_id, status)",
    "kyc_identity_is_one_persons": "kyc_submissions USING gist (id_type, id_number_index, user_id) WHERE ((status)::text = 'approved'::text)",
    "uq_support_articles_approved": "support_articles USING btree (slug, language) WHERE ((status)::text = 'approved'::text)",
    "uq_support_tickets_open_intent": "support_tickets USING btree (user_id, intent) WHERE (NOT ((status)::text = 'closed'::text))",
    "uq_kyc_documents_path": "kyc_documents USING btree (path)",
    "uq_kyc_one_pending_per_user": "kyc_submissions USING btree (user_id) WHERE ((status)::text = 'pending'::text)",
    "uq_transfers_reversed_once": "transfers USING btree (reverses_id) WHERE (reverses_id IS NOT NULL)",
    "uq_users_email_lower": "users USING btree (lower((email)::text))",
    "uq_vouchers_code_index": "vouchers USING btree (code_index) WHERE (code_index IS NOT NULL)",
    "uq_vouchers_easypay_number": "vouchers USING btree (easypay_number) WHERE (easypay_number IS NOT NULL)",
    "uq_wallets_house_kind_currency": "wallets USING btree (kind, currency, stripe) WHERE (NOT ((kind)::text = 'customer'::text))",
    "uq_wallets_user_currency": "wallets USING btree (user_id, currency) WHERE ((kind)::text = 'customer'::text)",
    "user_dashboard_summary_user_id_wallet_currency_index": "user_dashboard_summary USING btree (user_id, wallet_currency)",
}

APP, PUBLIC = "mymoolah_app", 0


def ask(statement: str, *values: str | int) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values or None)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows


def test_every_constraint_of_the_money_tables_stands_and_is_valid() -> None:
    rows = ask(
        """
        SELECT c.relname, con.contype, con.conname, con.convalidated
        FROM pg_constraint AS con
        INNER JOIN pg_class AS c ON c.oid = con.conrelid
        WHERE c.relnamespace = 'public'::regnamespace AND con.contype IN ('c', 'p', 'u', 'x')
        """
    )
    found = {(table, f"{kind} {name}") for table, kind, name, _ in rows if table in CONSTRAINTS}
    assert found == {(table, rule) for table, rules in CONSTRAINTS.items() for rule in rules}
    assert all(is_valid for *_, is_valid in rows)


def test_every_foreign_key_of_the_money_tables_stands_and_is_valid() -> None:
    rows = ask(
        """
        SELECT c.relname || ' ' || pg_get_constraintdef(con.oid), con.convalidated, c.relname
        FROM pg_constraint AS con
        INNER JOIN pg_class AS c ON c.oid = con.conrelid
        WHERE c.relnamespace = 'public'::regnamespace AND con.contype = 'f'
        """
    )
    assert {key for key, _, table in rows if table in CONSTRAINTS} == FOREIGN_KEYS
    assert all(is_valid for _, is_valid, _ in rows)


def test_the_head_of_a_wallet_is_tied_to_its_entry_at_commit() -> None:
    [row] = ask(
        "SELECT condeferrable, condeferred, convalidated, confmatchtype FROM pg_constraint "
        "WHERE conname = 'wallets_head_is_an_entry'"
    )
    assert row == (True, True, True, "s")


def test_every_trigger_stands_and_is_enabled() -> None:
    rows = ask(
        """
        SELECT t.tgname, c.relname, p.proname, t.tgenabled
        FROM pg_trigger AS t
        INNER JOIN pg_class AS c ON c.oid = t.tgrelid
        INNER JOIN pg_proc AS p ON p.oid = t.tgfoid
        WHERE NOT t.tgisinternal AND c.relnamespace = 'public'::regnamespace
        """
    )
    assert {name: (table, function) for name, table, function, _ in rows} == TRIGGERS
    assert {enabled for *_, enabled in rows} == {"O"}


def test_append_only_tables_refuse_update_delete_and_truncate_before_anything_happens() -> None:
    before, delete, update, truncate = 2, 8, 16, 32
    rows = ask("SELECT tgname, tgtype::int & 63 FROM pg_trigger WHERE tgname LIKE '%append_only'")
    assert len(rows) == 7 + len(set(HISTORY.values()))
    assert {kind for _, kind in rows} == {before | delete | update | truncate}
    rows = ask("SELECT tgname, tgtype::int & 63 FROM pg_trigger WHERE tgname LIKE '%_stay'")
    assert len(rows) == 5
    assert {kind for _, kind in rows} == {before | delete | truncate}


def test_the_app_may_do_exactly_this_with_tables_and_views() -> None:
    rows = ask(
        """
        SELECT c.relname, a.privilege_type
        FROM pg_class AS c
        CROSS JOIN LATERAL aclexplode(coalesce(c.relacl, acldefault('r', c.relowner))) AS a
        WHERE
            c.relnamespace = 'public'::regnamespace
            AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
            AND a.grantee IN (%s::regrole, 0)
            AND c.relname NOT LIKE 'pg_stat_statements%%'
        """,
        APP,
    )
    found: dict[str, set[str]] = {}
    for table, privilege in rows:
        found.setdefault(table, set()).add(privilege)
    assert {table: " ".join(sorted(privileges)) for table, privileges in found.items()} == PRIVILEGES


def test_the_app_may_change_only_these_columns() -> None:
    rows = ask(
        """
        SELECT c.relname, t.attname, a.privilege_type
        FROM pg_attribute AS t
        INNER JOIN pg_class AS c ON c.oid = t.attrelid
        CROSS JOIN LATERAL aclexplode(t.attacl) AS a
        WHERE c.relnamespace = 'public'::regnamespace AND a.grantee IN (%s::regrole, 0)
        """,
        APP,
    )
    found: dict[str, set[str]] = {}
    for table, column, privilege in rows:
        assert privilege == "UPDATE", (table, column)
        found.setdefault(table, set()).add(column)
    assert {table: " ".join(sorted(columns)) for table, columns in found.items()} == UPDATABLE


def test_functions_that_run_as_the_owner_look_nowhere_but_where_they_were_told() -> None:
    rows = ask(
        """
        SELECT p.proname, p.proconfig, r.rolname
        FROM pg_proc AS p
        INNER JOIN pg_roles AS r ON r.oid = p.proowner
        WHERE p.prosecdef AND p.pronamespace = 'public'::regnamespace
        """
    )
    assert {name for name, *_ in rows} == RUN_AS_OWNER
    for name, config, owner in rows:
        assert owner == "mymoolah_owner", name
        # pg_temp stands last: otherwise it is searched first, and whoever may make a temporary table forges a wallet.
        assert config == ["search_path=pg_catalog, public, pg_temp"], name


def test_the_app_may_call_exactly_these_functions() -> None:
    rows = ask(
        """
        SELECT p.proname
        FROM pg_proc AS p
        WHERE
            p.pronamespace = 'public'::regnamespace
            AND p.prorettype <> 'trigger'::regtype
            AND has_function_privilege(%s, p.oid, 'EXECUTE')
            AND NOT EXISTS (SELECT 1 FROM pg_depend AS d WHERE d.objid = p.oid AND d.deptype = 'e')
        """,
        APP,
    )
    assert {name for (name,) in rows} == CALLABLE_BY_THE_APP


def test_no_function_of_ours_may_be_called_by_everybody() -> None:
    rows = ask(
        """
        SELECT p.proname
        FROM pg_proc AS p
        CROSS JOIN LATERAL aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) AS a
        WHERE
            p.pronamespace = 'public'::regnamespace
            AND p.prorettype <> 'trigger'::regtype
            AND a.grantee = %s
            AND NOT EXISTS (SELECT 1 FROM pg_depend AS d WHERE d.objid = p.oid AND d.deptype = 'e')
        """,
        PUBLIC,
    )
    assert rows == []


def test_the_app_takes_numbers_from_sequences_and_never_sets_them() -> None:
    rows = ask(
        """
        SELECT c.relname, has_sequence_privilege(%s, c.oid, 'USAGE'), has_sequence_privilege(%s, c.oid, 'UPDATE')
        FROM pg_class AS c
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'S'
        """,
        APP,
        APP,
    )
    assert [name for name, _, may_set in rows if may_set] == []
    assert "holds_id_seq" in {name for name, may_take, _ in rows if may_take}


def test_the_app_owns_nothing_and_stands_below_nobody() -> None:
    assert ask("SELECT relname FROM pg_class WHERE relowner = %s::regrole", APP) == []
    assert ask("SELECT proname FROM pg_proc WHERE proowner = %s::regrole", APP) == []
    assert ask(
        "SELECT rolsuper, rolcreaterole, rolcreatedb, rolreplication, rolbypassrls FROM pg_roles WHERE rolname = %s",
        APP,
    ) == [(False, False, False, False, False)]
    assert ask("SELECT roleid::regrole::text FROM pg_auth_members WHERE member = %s::regrole", APP) == [
        ("pg_read_all_stats",)
    ]
    assert ask("SELECT has_schema_privilege(%s, 'public', 'CREATE')", APP) == [(False,)]
    assert ask("SELECT has_database_privilege(%s, current_database(), 'TEMPORARY')", APP) == [(False,)]


def test_heads_have_room_on_their_page_and_no_index_on_what_changes() -> None:
    [(options,)] = ask("SELECT reloptions FROM pg_class WHERE oid = 'wallets'::regclass")
    assert "fillfactor=70" in options
    indexed = ask(
        """
        SELECT DISTINCT a.attname
        FROM pg_index AS i
        INNER JOIN pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey)
        WHERE i.indrelid = 'wallets'::regclass
        """
    )
    assert {name for (name,) in indexed} == {"id", "number", "user_id", "currency", "kind", "stripe", "status"}


def test_every_index_is_valid_and_those_that_promises_stand_on_exist() -> None:
    rows = ask(
        """
        SELECT x.relname, pg_get_indexdef(i.indexrelid), i.indisvalid AND i.indisready
        FROM pg_index AS i
        INNER JOIN pg_class AS x ON x.oid = i.indexrelid
        WHERE x.relnamespace = 'public'::regnamespace
        """
    )
    assert [name for name, _, is_valid in rows if not is_valid] == []
    definitions = {name: definition.partition(" ON public.")[2] for name, definition, _ in rows}
    assert {name: definitions.get(name) for name in INDEXES} == INDEXES


def test_nobody_can_tell_the_history_to_look_away() -> None:
    rows = ask(
        "SELECT proname, prosrc FROM pg_proc WHERE proname IN ('_pgtrigger_should_ignore', '_pgh_attach_context')"
    )
    assert {name: source.strip() for name, source in rows} == {
        "_pgtrigger_should_ignore": "SELECT false",
        "_pgh_attach_context": "SELECT NULL::uuid",
    }


def test_money_has_two_decimals_and_time_a_zone_everywhere() -> None:
    rows = ask(
        """
        SELECT c.table_name, c.column_name, c.data_type, c.numeric_precision, c.numeric_scale
        FROM information_schema.columns AS c
        INNER JOIN information_schema.tables AS t USING (table_schema, table_name)
        WHERE c.table_schema = 'public' AND t.table_type = 'BASE TABLE' AND c.data_type IN (
            'numeric', 'real', 'double precision', 'money', 'timestamp without time zone', 'time without time zone'
        )
        """
    )
    rates = {
        ("fee_rules", "vat_rate"),
        ("fee_rules_history", "vat_rate"),
        ("query_performance_logs", "execution_time_ms"),
        ("support_messages", "confidence"),
    }
    odd = {
        (table, column)
        for table, column, kind, precision, scale in rows
        if (kind, precision, scale) != ("numeric", 19, 2)
    }
    assert odd == rates
