"""A small load, judged by a plain recomputation in Python from what stands in the database."""

from __future__ import annotations

import contextlib
import datetime as dt
import io
import json
import uuid
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import phonenumbers
import pytest
from django.core.management import CommandError, call_command
from django.db import connections
from django.db.models import Count
from stdnum import luhn

from accounts.models import User
from mymoolah.common.clock import business_day, now
from mymoolah.common.crypto import decrypt
from mymoolah.common.money import Money
from reporting.loading.plan import LoadRefused, Order
from reporting.loading.service import Report, load
from tests.conftest import Ledger, Person, create, drop, fund, use_database
from transactions import services
from transactions.models import IdempotencyKey as KeyRow
from transactions.models import Kind, Transaction, Transfer
from transactions.posting import IdempotencyKey, LimitExceeded
from vouchers.models import Voucher, VoucherRedemption
from vouchers.numbers import CODE_CONTEXT, is_voucher_code
from wallets.models import TierLimit, Wallet

SMALL = Order(users=60, vouchers=200, entries=2_000, seed=1)
BATCHED = Order(users=60, vouchers=120, entries=600, seed=7)  # three batches of twenty
COUNTED_KINDS = {Kind.TRANSFER, Kind.VOUCHER_ISSUE}  # what a customer decides; redeeming and fees are not limited
LOGICAL = {
    "users": """
        SELECT email, phone, public_id, password, first_name, last_name, kyc_status, kyc_tier, created_at
        FROM users WHERE email LIKE '%%@load.example.com' ORDER BY email
    """,
    "wallets": """
        SELECT number, kind, stripe, status, balance, held, total_received, total_sent, received_count, sent_count,
            sequence, last_entry_at, spent_on, spent_day_amount, spent_month_amount
        FROM wallets ORDER BY number
    """,
    "transfers": """
        SELECT t.id, t.kind, f.number, w.number, t.amount, t.reference, t.group_id, u.email, t.created_at
        FROM transfers AS t
        INNER JOIN wallets AS f ON f.id = t.from_wallet_id
        INNER JOIN wallets AS w ON w.id = t.to_wallet_id
        LEFT JOIN users AS u ON u.id = t.initiated_by_id
        ORDER BY t.id
    """,
    "entries": """
        SELECT t.transfer_id, w.number, t.type, t.amount, t.sequence, t.balance_after, t.total_received_after,
            t.total_sent_after, t.created_at
        FROM transactions AS t INNER JOIN wallets AS w ON w.id = t.wallet_id ORDER BY w.number, t.sequence
    """,
    "vouchers": """
        SELECT v.public_id, u.email, v.voucher_type, v.status, v.code_index, v.easypay_number, v.original_amount,
            v.balance, v.fee_amount, v.vat_amount, v.issue_transfer_id, v.expires_at, v.created_at
        FROM vouchers AS v INNER JOIN users AS u ON u.id = v.user_id ORDER BY v.public_id
    """,
    "redemptions": """
        SELECT r.public_id, v.public_id, w.number, r.transfer_id, r.amount, r.created_at
        FROM voucher_redemptions AS r
        INNER JOIN vouchers AS v ON v.id = r.voucher_id
        INNER JOIN wallets AS w ON w.id = r.wallet_id
        ORDER BY r.public_id
    """,
    "keys": "SELECT actor, key, request_hash, produced_kind, produced_id FROM idempotency_keys ORDER BY key",
}


def contents() -> dict[str, list[tuple[Any, ...]]]:
    """Everything but the ids that sequences of the database gave."""
    found = {}
    with connections["default"].cursor() as cursor:
        for name, statement in LOGICAL.items():
            cursor.execute(statement)
            found[name] = cursor.fetchall()
    return found


@pytest.fixture
def small(ledger: Ledger) -> Report:
    return load(SMALL, now=now())


@pytest.fixture
def elsewhere(ledger: Ledger, template: str) -> Callable[[], contextlib.AbstractContextManager[None]]:
    @contextlib.contextmanager
    def another_database() -> Iterator[None]:
        name = f"elsewhere_{uuid.uuid4().hex}"
        create(name, template=template)
        use_database(name)
        try:
            yield
        finally:
            use_database(ledger.name)
            drop(name)

    return another_database


def test_the_counts_are_exact(small: Report) -> None:
    assert User.objects.filter(email__endswith="@load.example.com").count() == 60
    assert Wallet.objects.filter(kind="customer").count() == 60
    assert Transaction.objects.count() == 2_000
    assert Transfer.objects.count() == 1_000
    assert Voucher.objects.count() == 200
    assert not small.was_loaded


def test_user1_has_a_tenth_of_all_entries_and_a_twentieth_of_all_vouchers(small: Report) -> None:
    assert Transaction.objects.filter(user__email="user1@load.example.com").count() == 200
    assert Voucher.objects.filter(user__email="user1@load.example.com").count() == 10


def test_histories_are_uneven(small: Report) -> None:
    counts = Counter(
        dict(Transaction.objects.filter(user__isnull=False).values_list("user__email").annotate(n=Count("id")))
    )
    ranked = [many for email, many in counts.most_common() if email != "user1@load.example.com"]

    assert len(ranked) < 59  # some have none
    assert ranked[0] > 5 * ranked[-1]


def test_every_tenth_customer_is_of_tier_0_and_never_sends(small: Report) -> None:
    tiers = dict(User.objects.values_list("email", "kyc_tier"))
    tier_0 = Wallet.objects.filter(user__kyc_tier=0)

    assert tiers == {f"user{n}@load.example.com": 0 if n % 10 == 0 else 2 for n in range(1, 61)}
    assert {wallet.sent_count for wallet in tier_0} == {0}
    assert all(wallet.balance <= 3_000 for wallet in tier_0)


def test_customers_have_verified_contacts_and_no_password(small: Report) -> None:
    for user in User.objects.all():
        number = phonenumbers.parse(user.phone or "")
        assert phonenumbers.is_valid_number(number)
        assert phonenumbers.number_type(number) == phonenumbers.PhoneNumberType.MOBILE
        assert user.email_verified_at == user.phone_verified_at == user.created_at
        assert not user.has_usable_password()
        assert not user.check_password(user.password)
    for wallet in Wallet.objects.filter(kind="customer"):
        assert luhn.is_valid(wallet.number)
        assert wallet.last_entry_at is None or wallet.created_at <= wallet.last_entry_at


def test_histories_end_yesterday(small: Report) -> None:
    yesterday = business_day(now()) - dt.timedelta(days=1)

    assert business_day(Transaction.objects.latest("created_at").created_at) == yesterday


def test_every_history_keeps_the_limits_and_leaves_the_counters_that_the_kernel_would(small: Report) -> None:
    limits = {limit.tier: limit for limit in TierLimit.objects.filter(currency="ZAR")}
    entries = Transaction.objects.select_related("transfer", "user").filter(user__isnull=False)
    days: dict[tuple[int, dt.date], Decimal] = defaultdict(Decimal)
    months: dict[tuple[int, int, int], Decimal] = defaultdict(Decimal)
    last_spent: dict[int, dt.date] = {}
    for entry in entries.order_by("wallet", "sequence"):
        assert entry.user is not None
        assert 0 <= entry.balance_after <= limits[entry.user.kyc_tier].highest_balance
        if entry.type == "sent" and entry.transfer.kind in COUNTED_KINDS:
            day, limit = business_day(entry.created_at), limits[entry.user.kyc_tier]
            days[entry.wallet_id, day] += entry.amount
            months[entry.wallet_id, day.year, day.month] += entry.amount
            last_spent[entry.wallet_id] = day
            assert limit.may_send
            assert entry.amount <= limit.per_transfer_amount
            assert days[entry.wallet_id, day] <= limit.per_day_amount
            assert months[entry.wallet_id, day.year, day.month] <= limit.per_month_amount / 2
    for wallet in Wallet.objects.filter(kind="customer"):
        spent = last_spent.get(wallet.pk)
        assert wallet.spent_on == spent
        if spent:
            assert spent < business_day(now())
            assert wallet.spent_day_amount == days[wallet.pk, spent]
            assert wallet.spent_month_amount == months[wallet.pk, spent.year, spent.month]


def test_each_kind_of_voucher_is_there_and_owes_what_its_legs_say(small: Report) -> None:
    kinds = Counter(Voucher.objects.values_list("voucher_type", "status"))
    paid_out: dict[int, Decimal] = defaultdict(Decimal)
    for part in VoucherRedemption.objects.select_related("transfer"):
        assert part.transfer.kind == Kind.VOUCHER_REDEEM
        assert part.transfer.to_wallet_id == part.wallet_id
        assert part.transfer.amount == part.amount
        paid_out[part.voucher_id] += part.amount
    issues = Counter(
        Transfer.objects.filter(kind=Kind.VOUCHER_ISSUE).values_list("initiated_by_id", "amount", "created_at")
    )

    assert {kind for kind, _ in kinds} >= {"standard", "easypay_topup"}
    assert {status for _, status in kinds} >= {"active", "redeemed", "pending_payment", "cancelled"}
    for voucher in Voucher.objects.all():
        if voucher.voucher_type == "easypay_topup":
            assert voucher.issue_transfer is None
            assert voucher.balance == 0
            assert 50 <= voucher.original_amount <= 4_000
            assert (voucher.fee_amount, voucher.vat_amount) == (Decimal("5.50"), Decimal("0.83"))
            continue
        issues[voucher.user_id, voucher.original_amount, voucher.created_at] -= 1
        assert voucher.issue_transfer is not None
        assert (voucher.issue_transfer.kind, voucher.issue_transfer.amount) == (
            "voucher_issue",
            voucher.original_amount,
        )
        assert (voucher.issue_transfer.initiated_by_id, voucher.issue_transfer.created_at) == (
            voucher.user_id,
            voucher.created_at,
        )
        assert voucher.balance == voucher.original_amount - paid_out[voucher.pk]
        assert voucher.expires_at > now()
        if voucher.voucher_type == "standard":
            code = decrypt(voucher.code_encrypted or "", context=CODE_CONTEXT)
            assert is_voucher_code(code)
            assert 5 <= voucher.original_amount <= 4_000
    assert set(issues.values()) == {0}


def test_nobody_has_more_than_ten_open_top_ups_nor_an_old_one(small: Report) -> None:
    pending = Voucher.objects.filter(status="pending_payment")

    assert max(Counter(pending.values_list("user_id", flat=True)).values()) <= 10
    assert all(now() - dt.timedelta(days=30) < voucher.created_at for voucher in pending)
    assert all(now() < voucher.expires_at for voucher in pending)
    assert all(voucher.expires_at < now() for voucher in Voucher.objects.filter(status="expired"))


def test_easypay_vouchers_are_sold_with_their_fee_in_one_group(ledger: Ledger) -> None:
    load(Order(users=400, vouchers=2_000, entries=8_000, seed=1), now=now())
    sold = Voucher.objects.filter(voucher_type="easypay_voucher")

    assert sold
    for voucher in sold:
        assert voucher.issue_transfer_id is not None
        legs = Transfer.objects.filter(group_id=voucher.issue_transfer_id).order_by("entries__id").distinct()
        amounts = {leg.kind: leg.amount for leg in legs}
        assert amounts == {"voucher_issue": voucher.balance, "fee": Decimal("2.50"), "vat": Decimal("0.38")}


def test_the_kernel_goes_on_where_the_load_ended(small: Report, thandi: Person) -> None:
    sender = Wallet.objects.get(user__email="user1@load.example.com")

    def send(amount: str) -> None:
        services.send_money(
            sender_wallet_id=sender.pk,
            recipient_wallet_id=thandi.wallet.pk,
            amount=Money.parse(amount),
            reference="",
            user_id=sender.user_id or 0,
            key=IdempotencyKey(f"user:{sender.number}", amount, amount.encode().ljust(32)),
        )

    send("10.00")

    after = Wallet.objects.get(pk=sender.pk)
    assert after.sequence == (sender.sequence or 0) + 1
    assert after.balance == sender.balance - 10
    assert (after.spent_on, after.spent_day_amount) == (business_day(now()), 10)
    with pytest.raises(LimitExceeded):
        send("25000.01")


def test_the_same_run_again_says_so_and_does_nothing(ledger: Ledger) -> None:
    sizes = {"users": 60, "vouchers": 200, "transactions": 2_000}
    first, again, machine = io.StringIO(), io.StringIO(), io.StringIO()
    call_command("load_customers", **sizes, stdout=first)
    before = contents()

    call_command("load_customers", **sizes, stdout=again)
    call_command("load_customers", **sizes, stdout=machine, json=True)

    assert "Loaded 60 users, 200 vouchers and 2,000 transactions in" in first.getvalue()
    assert "loaded already; nothing was done" in again.getvalue()
    report = json.loads(machine.getvalue())
    assert (report["users"], report["vouchers"], report["transactions"]) == (60, 200, 2_000)
    assert report["was_loaded"] is True
    assert report["peak_rss_mib"] > 0
    assert contents() == before


def test_another_run_beside_a_load_is_refused(small: Report) -> None:
    before = contents()

    with pytest.raises(CommandError, match="this database holds another load"):
        call_command("load_customers", users=61, vouchers=200, transactions=2_000)

    assert contents() == before


@pytest.mark.parametrize(
    ("order", "reason"),
    [
        ({"users": 60, "vouchers": 0, "transactions": 7}, "even"),
        ({"users": 0, "vouchers": 0, "transactions": 0}, "at least one user"),
        ({"users": 5, "vouchers": -1, "transactions": 0}, "negative"),
        ({"users": 1, "vouchers": 0, "transactions": 2}, "each user besides user1"),
        ({"users": 20, "vouchers": 0, "transactions": 100_000}, "each user besides user1"),
        ({"users": 11_000_000, "vouchers": 0, "transactions": 0}, "phone number"),
    ],
)
def test_what_the_rules_do_not_allow_is_refused(ledger: Ledger, order: dict[str, int], reason: str) -> None:
    with pytest.raises(CommandError, match=reason):
        call_command("load_customers", **order)

    assert not User.objects.exists()


@pytest.mark.parametrize(("entries", "of_user1"), [(10_000_000, 1_000_000), (20_000_000, 1_000_000)])
def test_user1_has_no_more_than_the_limits_allow(entries: int, of_user1: int) -> None:
    order = Order(users=3_000_000, vouchers=0, entries=entries, seed=1)
    order.check()
    assert order.user1_entries == of_user1


@pytest.mark.parametrize(
    ("users", "vouchers", "entries"),
    [(1, 0, 0), (1, 30, 0), (2, 0, 20), (2, 40, 100), (10, 0, 0), (10, 100, 100), (7, 3, 1_000)],
)
def test_any_small_size_can_be_loaded(ledger: Ledger, users: int, vouchers: int, entries: int) -> None:
    load(Order(users=users, vouchers=vouchers, entries=entries, seed=3), now=now())

    assert User.objects.count() == users
    assert Voucher.objects.count() == vouchers
    assert Transaction.objects.count() == entries


def test_one_seed_makes_one_world_and_another_another(elsewhere: Any) -> None:
    moment = now()
    load(SMALL, now=moment)
    here = contents()
    with elsewhere():
        load(SMALL, now=moment)
        assert contents() == here
    with elsewhere():
        load(Order(users=60, vouchers=200, entries=2_000, seed=2), now=moment)
        assert contents()["transfers"] != here["transfers"]


def test_a_killed_run_is_taken_up_where_it_was(elsewhere: Any) -> None:
    moment, heard = now(), Counter[str]()

    def fail_in_the_second_batch(table: str, rows: int) -> None:
        heard[table] += 1
        if heard["vouchers"] == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        load(BATCHED, now=moment, users_per_batch=20, advance=fail_in_the_second_batch)
    call_command("verify_ledger", verbosity=0)
    assert User.objects.count() == 20
    assert KeyRow.objects.filter(actor="loader").count() == 1

    # Taken up a day later: the days are those of the first run.
    load(BATCHED, now=moment + dt.timedelta(days=1), users_per_batch=999)
    here = contents()

    assert len(here["users"]) == 60
    with elsewhere():
        load(BATCHED, now=moment, users_per_batch=20)
        assert contents() == here


def test_more_batches_than_stripes_follow_each_other(ledger: Ledger) -> None:
    load(Order(users=100, vouchers=200, entries=1_000, seed=1), now=now(), users_per_batch=5)

    stripes = Wallet.objects.filter(kind="adjustments", sequence__isnull=False)
    assert KeyRow.objects.filter(actor="loader").count() == 20
    assert stripes.count() == 16
    assert Transaction.objects.filter(user__email="user1@load.example.com").count() == 100


def test_a_stripe_with_newer_entries_is_left_alone(thandi: Person, ledger: Ledger) -> None:
    fund(thandi, "100.00")
    busy = Wallet.objects.get(kind="adjustments", sequence__isnull=False)

    load(SMALL, now=now())

    assert Wallet.objects.get(pk=busy.pk).sequence == busy.sequence


def test_money_that_moves_meanwhile_stops_the_load_before_it_breaks_a_chain(thandi: Person, ledger: Ledger) -> None:
    batches = Counter[str]()

    def meddle(table: str, rows: int) -> None:
        batches[table] += 1
        if table == "users" and batches["users"] == 2:
            for stripe_wallet in Wallet.objects.filter(kind="adjustments"):
                give(thandi, stripe_wallet)
            connections["default"].close()  # of the thread that writes

    with pytest.raises(LoadRefused, match="Money was moved"):
        load(BATCHED, now=now(), users_per_batch=20, advance=meddle)

    assert User.objects.filter(email__endswith="@load.example.com").count() == 20


def give(who: Person, source: Wallet) -> None:
    from transactions import posting
    from transactions.posting import Leg

    posting.post([Leg(kind=Kind.DEMO_MONEY, source=source.pk, target=who.wallet.pk, amount=Money.parse("1.00"))])


def test_a_phone_number_that_somebody_has_stops_the_load(thandi: Person, ledger: Ledger) -> None:
    User.objects.filter(pk=thandi.user.pk).update(phone="+27710000007")

    with pytest.raises(LoadRefused, match="phone number"):
        load(SMALL, now=now())


def test_a_wallet_number_that_the_bank_gave_to_somebody_else_is_not_used_twice(elsewhere: Any, thandi: Person) -> None:
    with elsewhere():
        load(SMALL, now=now())
        taken = Wallet.objects.get(user__email="user9@load.example.com").number
    Wallet.objects.create(number=taken, kind="customer", user=thandi.user, currency="USD")

    load(SMALL, now=now())

    assert Wallet.objects.get(user__email="user9@load.example.com").number != taken
