"""The two habits that this design replaces: adding up in Python, and joining side by side.

Where no customer has a history of HISTORY entries, one gets the missing ones in a transaction that is rolled back.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

from django.db import connection, transaction

from mymoolah.common.money import Money
from reporting import selectors
from reporting.benchmarks.dashboard import Customer, customer_with_entries
from reporting.benchmarks.series import Options, in_turns, milliseconds, ratio
from reporting.models import UserFinancialSummary
from transactions import posting
from transactions.models import Kind, Transaction
from transactions.posting import House, Leg
from vouchers.models import Voucher
from wallets.models import Wallet

HISTORY = 10_000
CALLS_PER_ROUND = 3
LEGS_PER_CALL = 200

SIDE_BY_SIDE = """
SELECT
    count(v.id),
    coalesce(sum(v.balance) FILTER (WHERE v.status = 'active'), 0),
    count(t.id),
    coalesce(sum(t.amount) FILTER (WHERE t.type = 'received'), 0),
    coalesce(sum(t.amount) FILTER (WHERE t.type = 'sent'), 0)
FROM users AS u
INNER JOIN wallets AS w ON w.user_id = u.id
LEFT JOIN vouchers AS v ON v.user_id = u.id AND v.status NOT IN ('cancelled', 'expired')
LEFT JOIN transactions AS t ON t.wallet_id = w.id
WHERE u.id = %s
GROUP BY u.id
"""


def run(options: Options) -> dict[str, Any]:
    """Milliseconds for one customer's totals, each way, and what each way says they are."""
    with transaction.atomic():
        customer = _with_long_history(customer_with_entries(HISTORY))
        results = _measure(customer, options)
        transaction.set_rollback(True)
    return results


def _with_long_history(customer: Customer) -> Customer:
    """Post a cent in and out until the history has HISTORY entries."""
    wallet = Wallet.objects.get(user_id=customer.user_id)
    house, cent = House(Wallet.Kind.ADJUSTMENTS, wallet.pk), Money(Decimal("0.01"), wallet.currency)
    missing = max(0, HISTORY - customer.entries)
    for begin in range(0, missing, LEGS_PER_CALL):
        legs = [
            Leg(kind=Kind.DEMO_MONEY, source=house, target=wallet.pk, amount=cent)
            if number % 2 == 0
            else Leg(kind=Kind.DEMO_MONEY, source=wallet.pk, target=house, amount=cent)
            for number in range(begin, min(begin + LEGS_PER_CALL, missing))
        ]
        posting.post(legs)
    return replace(customer, entries=customer.entries + missing)


def _measure(customer: Customer, options: Options) -> dict[str, Any]:
    options.say(f"a customer with {customer}")
    series = in_turns(
        {
            "one": lambda: milliseconds(
                lambda: selectors.get_dashboard(user_public_id=customer.public_id), times=CALLS_PER_ROUND * 50
            ),
            "python": lambda: milliseconds(lambda: _sums_in_python(customer), times=CALLS_PER_ROUND),
            "side by side": lambda: milliseconds(lambda: _side_by_side(customer), times=1),
        },
        options,
        unit="ms",
        settle=True,
    )
    return {
        "customer": str(customer),
        "one query": series["one"],
        "several queries, sums in Python": series["python"],
        "one SELECT side by side": series["side by side"],
        "times faster than sums in Python": ratio(series["python"], series["one"]),
        "times faster than side by side": ratio(series["side by side"], series["one"]),
        "totals": {
            "of the view": _as_text(_from_view(customer)),
            "of sums in Python": _as_text(_sums_in_python(customer)),
            "of one SELECT side by side (wrong)": _as_text(_side_by_side(customer)),
        },
    }


Totals = tuple[int, Decimal, int, Decimal, Decimal]


def _as_text(totals: Totals) -> str:
    vouchers, value, entries, received, sent = totals
    return f"{vouchers:,} vouchers worth {value:,.2f}; {entries:,} entries, {received:,.2f} in, {sent:,.2f} out"


def _from_view(customer: Customer) -> Totals:
    s = UserFinancialSummary.objects.get(user_id=customer.user_id)
    return s.total_vouchers, s.active_voucher_value, s.total_transactions, s.total_received, s.total_sent


def _sums_in_python(customer: Customer) -> Totals:
    wallet = Wallet.objects.get(user_id=customer.user_id)
    vouchers = [v for v in Voucher.objects.filter(user_id=customer.user_id) if v.status not in {"cancelled", "expired"}]
    entries = list(Transaction.objects.filter(wallet=wallet))
    return (
        len(vouchers),
        sum((v.balance for v in vouchers if v.status == Voucher.Status.ACTIVE), Decimal(0)),
        len(entries),
        sum((e.amount for e in entries if e.type == Transaction.Type.RECEIVED), Decimal(0)),
        sum((e.amount for e in entries if e.type == Transaction.Type.SENT), Decimal(0)),
    )


def _side_by_side(customer: Customer) -> Totals:
    with connection.cursor() as cursor:
        cursor.execute(SIDE_BY_SIDE, [customer.user_id])
        return tuple(cursor.fetchone())
