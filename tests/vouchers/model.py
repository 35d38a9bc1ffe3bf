"""The rules of money told a second time, in dicts and lists, after the words of the design and not after the code.

Nothing of the product is imported. Each deed says for what reasons it would be refused, as clients' codes; where there is
none it is done. With several reasons the bank may name any one of them.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from dataclasses import dataclass, field
from decimal import Decimal
from zoneinfo import ZoneInfo

JOHANNESBURG = ZoneInfo("Africa/Johannesburg")
NOTHING = Decimal("0.00")

# tier: each transfer, a day, a month, highest balance; a tier without the first three neither sends nor cashes out
TIERS = {
    0: (None, None, None, Decimal(3_000)),
    1: (Decimal(5_000), Decimal(5_000), Decimal(25_000), Decimal(25_000)),
    2: (Decimal(25_000), Decimal(50_000), Decimal(100_000), Decimal(100_000)),
}
# type: least, most, fee, VAT on it
TYPES = {
    "standard": (Decimal(5), Decimal(4_000), NOTHING, NOTHING),
    "easypay_topup": (Decimal(50), Decimal(4_000), Decimal("5.50"), Decimal("0.83")),
    "easypay_voucher": (Decimal(50), Decimal(3_000), Decimal("2.50"), Decimal("0.38")),
    "easypay_cashout": (Decimal(50), Decimal(3_000), Decimal("8.00"), Decimal("1.20")),
}
PENDING = ("easypay_topup", "easypay_cashout")
OPEN_TOP_UPS = 10
LIVE = ("active", "pending_payment")
WAITING = dt.timedelta(hours=72)

Reasons = set[str]


@dataclass(eq=False)
class Spend:
    """What counts against the limits, from the day it was decided."""

    on: dt.date
    amount: Decimal


@dataclass(eq=False, repr=False)
class Account:
    """A customer and his wallet."""

    name: str
    tier: int
    balance: Decimal = NOTHING
    held: Decimal = NOTHING
    is_frozen: bool = False
    is_suspended: bool = False
    spends: list[Spend] = field(default_factory=list)

    def __repr__(self) -> str:
        return self.name

    @property
    def available(self) -> Decimal:
        return self.balance - self.held

    @property
    def stopped(self) -> Reasons:
        codes = {"wallet_frozen": self.is_frozen, "account_suspended": self.is_suspended}
        return {code for code, is_so in codes.items() if is_so}

    @property
    def ceiling(self) -> Decimal:
        return TIERS[self.tier][3]

    def spent_on(self, today: dt.date) -> Decimal:
        return sum((spend.amount for spend in self.spends if spend.on == today), NOTHING)

    def spent_in_month_of(self, today: dt.date) -> Decimal:
        month = (today.year, today.month)
        return sum((spend.amount for spend in self.spends if (spend.on.year, spend.on.month) == month), NOTHING)

    def over_limits(self, amount: Decimal, today: dt.date) -> Reasons:
        each, day, month, _ = TIERS[self.tier]
        if each is None or day is None or month is None:
            return {"not_permitted"}
        is_over = amount > each or self.spent_on(today) + amount > day or self.spent_in_month_of(today) + amount > month
        return {"limit_exceeded"} if is_over else set()


@dataclass(eq=False, repr=False)
class Hold:
    name: str
    of: Account
    amount: Decimal
    expires_at: dt.datetime | None
    status: str = "held"

    def __repr__(self) -> str:
        return self.name


@dataclass(eq=False, repr=False)
class Sent:
    name: str
    payer: Account
    payee: Account
    amount: Decimal
    spend: Spend
    is_reversed: bool = False

    def __repr__(self) -> str:
        return self.name


@dataclass(eq=False, repr=False)
class Voucher:
    name: str
    type: str
    issuer: Account
    face: Decimal
    balance: Decimal
    status: str
    expires_at: dt.datetime
    spend: Spend | None
    pins: int = 0

    def __repr__(self) -> str:
        return self.name

    @property
    def fee(self) -> Decimal:
        return TYPES[self.type][2]

    @property
    def vat(self) -> Decimal:
        return TYPES[self.type][3]

    @property
    def cost(self) -> Decimal:
        return self.face + self.fee + self.vat


class Model:
    """What everybody has, and what the bank's own wallets hold."""

    def __init__(self) -> None:
        self.now = dt.datetime.min.replace(tzinfo=dt.UTC)
        self.accounts: list[Account] = []
        self.holds: list[Hold] = []
        self.vouchers: list[Voucher] = []
        self.house: dict[str, Decimal] = defaultdict(Decimal)
        self.made = 0

    @property
    def today(self) -> dt.date:
        return self.now.astimezone(JOHANNESBURG).date()

    def name(self, what: str) -> str:
        self.made += 1
        return f"{what} {self.made}"

    def move(self, amount: Decimal, source: Account | str, target: Account | str) -> None:
        for end, change in ((source, -amount), (target, amount)):
            if isinstance(end, Account):
                end.balance += change
            else:
                self.house[end] += change

    # People -----------------------------------------------------------------------------------------------------------
    def register(self, tier: int) -> Account:
        account = Account(self.name("customer"), tier)
        self.accounts.append(account)
        return account

    def give(self, account: Account, amount: Decimal) -> Reasons:
        if account.balance + amount > account.ceiling:
            return {"balance_too_high"}
        self.move(amount, "adjustments", account)
        return set()

    # Transfers --------------------------------------------------------------------------------------------------------
    def transfer(self, payer: Account, payee: Account, amount: Decimal) -> tuple[Reasons, Sent | None]:
        reasons = payer.stopped | payer.over_limits(amount, self.today)
        if amount < 1:
            reasons.add("amount_too_small")
        if payer is payee:
            reasons.add("same_wallet")
        if payee.stopped or payee.balance + amount > payee.ceiling:
            reasons.add("recipient_cannot_receive")
        if payer.available < amount:
            reasons.add("insufficient_funds")
        if reasons:
            return reasons, None
        spend = Spend(self.today, amount)
        payer.spends.append(spend)
        self.move(amount, payer, payee)
        return set(), Sent(self.name("transfer"), payer, payee, amount, spend)

    def reverse(self, sent: Sent) -> Reasons:
        if sent.is_reversed:
            return {"already_reversed"}
        if sent.payee.available < sent.amount:
            return {"insufficient_funds"}
        sent.is_reversed = True
        sent.spend.amount -= sent.amount
        self.move(sent.amount, sent.payee, sent.payer)
        return set()

    # Holds ------------------------------------------------------------------------------------------------------------
    def place(self, account: Account, amount: Decimal, expires_at: dt.datetime | None) -> tuple[Reasons, Hold | None]:
        reasons = account.stopped
        if account.available < amount:
            reasons.add("insufficient_funds")
        if reasons:
            return reasons, None
        account.held += amount
        hold = Hold(self.name("hold"), account, amount, expires_at)
        self.holds.append(hold)
        return set(), hold

    def capture(self, hold: Hold, target: Account, amount: Decimal) -> Reasons:
        if hold.status != "held":
            return {"hold_resolved"}
        reasons = set()
        if hold.expires_at is not None and hold.expires_at <= self.now:
            reasons.add("hold_expired")
        if amount > hold.amount:
            reasons.add("capture_exceeds_hold")
        if target is hold.of:
            reasons.add("same_wallet")
        if reasons:
            return reasons
        self.free(hold, "captured")
        self.move(amount, hold.of, target)
        return set()

    def void(self, hold: Hold) -> Reasons:
        if hold.status != "held":
            return {"hold_resolved"}
        self.free(hold, "voided")
        return set()

    def free(self, hold: Hold, status: str) -> None:
        hold.status = status
        hold.of.held -= hold.amount

    def expire_holds(self) -> int:
        due = [h for h in self.holds if h.status == "held" and h.expires_at is not None and h.expires_at <= self.now]
        for hold in due:
            self.free(hold, "expired")
        return len(due)

    # Vouchers ---------------------------------------------------------------------------------------------------------
    def issue(self, account: Account, voucher_type: str, face: Decimal) -> tuple[Reasons, Voucher | None]:
        least, most, fee, vat = TYPES[voucher_type]
        reasons = account.stopped
        if not least <= face <= most:
            reasons.add("amount_out_of_range")
        if voucher_type == "easypay_topup":
            still_open = [v for v in self.vouchers if v.issuer is account and v.type == voucher_type]
            if sum(v.status == "pending_payment" for v in still_open) >= OPEN_TOP_UPS:
                reasons.add("too_many_open_vouchers")
        else:
            reasons |= account.over_limits(face, self.today)
            if account.available < face + fee + vat:
                reasons.add("insufficient_funds")
        if reasons:
            return reasons, None
        voucher = Voucher(
            self.name(voucher_type),
            voucher_type,
            account,
            face,
            balance=NOTHING if voucher_type in PENDING else face,
            status="pending_payment" if voucher_type in PENDING else "active",
            expires_at=self.end_of_term(voucher_type),
            spend=None if voucher_type == "easypay_topup" else Spend(self.today, face),
        )
        self.vouchers.append(voucher)
        if voucher.spend is not None:
            account.spends.append(voucher.spend)
        if voucher_type == "easypay_cashout":
            account.held += voucher.cost
        elif voucher_type != "easypay_topup":
            self.move(face, account, "voucher_liability")
            self.take_fees(voucher)
        return set(), voucher

    def end_of_term(self, voucher_type: str) -> dt.datetime:
        """Midnight after the last day: 36 months on, the last of that month where there is no such day; or 30 days."""
        last = self.today + dt.timedelta(days=30)
        if voucher_type == "standard":
            is_leap_day = (self.today.month, self.today.day) == (2, 29)
            last = self.today.replace(year=self.today.year + 3, day=28 if is_leap_day else self.today.day)
        return dt.datetime.combine(last + dt.timedelta(days=1), dt.time.min, JOHANNESBURG)

    def take_fees(self, voucher: Voucher) -> None:
        self.move(voucher.fee, voucher.issuer, "fee_income")
        self.move(voucher.vat, voucher.issuer, "vat_control")

    def redeem(self, account: Account, voucher: Voucher, amount: Decimal | None) -> Reasons:
        if voucher.status not in LIVE:
            return {f"voucher_{voucher.status}"}
        taken = voucher.balance if amount is None else amount
        reasons = account.stopped
        if voucher.expires_at <= self.now:
            reasons.add("voucher_expired")
        if taken > voucher.balance:
            reasons.add("redeem_exceeds_voucher")
        if account.balance + taken > account.ceiling:
            reasons.add("balance_too_high")
        if reasons:
            return reasons
        self.move(taken, "voucher_liability", account)
        voucher.balance -= taken
        if not voucher.balance:
            voucher.status = "redeemed"
        return set()

    def cancel(self, account: Account, voucher: Voucher) -> Reasons:
        if voucher.issuer is not account:
            return {"voucher_not_found"}
        if voucher.type == "standard":
            return {"voucher_not_cancellable"}
        return self.end(voucher, "cancelled")

    def finance_cancel(self, voucher: Voucher) -> Reasons:
        if voucher.type != "standard":
            return {"voucher_not_cancellable"}
        return self.end(voucher, "cancelled")

    def end(self, voucher: Voucher, status: str) -> Reasons:
        """What was paid goes back to whom it belongs, stopped or not."""
        if voucher.status not in LIVE:
            return {f"voucher_{voucher.status}"}
        reasons = set()
        if voucher.pins:
            reasons.add("voucher_under_review")
        if status == "cancelled" and voucher.expires_at <= self.now:
            reasons.add("voucher_expired")
        if reasons:
            return reasons
        if voucher.type == "easypay_cashout":
            voucher.issuer.held -= voucher.cost
        elif voucher.type != "easypay_topup":
            self.move(voucher.balance, "voucher_liability", voucher.issuer)
            self.move(voucher.fee, "fee_income", voucher.issuer)
            self.move(voucher.vat, "vat_control", voucher.issuer)
        if voucher.spend is not None:
            voucher.spend.amount -= voucher.face if voucher.type == "easypay_cashout" else voucher.balance
        voucher.status, voucher.balance = status, NOTHING
        return set()

    def expire_vouchers(self) -> int:
        due = [
            voucher
            for voucher in self.vouchers
            if voucher.status in LIVE
            and voucher.expires_at + (dt.timedelta(0) if voucher.type == "standard" else WAITING) <= self.now
        ]
        return sum(not self.end(voucher, "expired") for voucher in due)

    # At the till ------------------------------------------------------------------------------------------------------
    def till(self, voucher: Voucher | None, amount: Decimal, paid_at: dt.datetime) -> str:
        if voucher is None:
            self.move(amount, "easypay_clearing", "suspense")
            return "suspense"
        issuer = voucher.issuer
        is_right = voucher.status in LIVE and paid_at < voucher.expires_at and amount == voucher.face
        if voucher.type == "easypay_topup":
            net = amount - voucher.fee - voucher.vat
            if not is_right or issuer.stopped or issuer.balance + net > issuer.ceiling:
                voucher.pins += 1
                self.move(amount, "easypay_clearing", "suspense")
                return "suspense"
            self.move(amount, "easypay_clearing", issuer)
            self.take_fees(voucher)
        elif voucher.type == "easypay_voucher":
            if not is_right:
                voucher.pins += 1
                self.move(amount, "suspense", "easypay_clearing")
                return "suspense"
            self.move(amount, "voucher_liability", "easypay_clearing")
        else:
            if not is_right:
                voucher.pins += 1
                self.move(amount, "suspense", "cashout_clearing")
                return "suspense"
            issuer.held -= voucher.cost
            self.move(amount, issuer, "cashout_clearing")
            self.take_fees(voucher)
        voucher.status, voucher.balance = "redeemed", NOTHING
        return "applied"

    # Time -------------------------------------------------------------------------------------------------------------
    def days_to_pass(self, wanted: int) -> int:
        """At least `wanted`, such that what was spent this month stays in it, or leaves it, as a whole.

        Old rows move into the past instead of the clock into the future. Months have different days there, so a month's
        spending could fall apart in two, which time itself never does.
        """
        month = [
            spend.on.day
            for account in self.accounts
            for spend in account.spends
            if (spend.on.year, spend.on.month) == (self.today.year, self.today.month)
        ]
        if wanted < self.today.day and month and min(month) <= wanted:
            return self.today.day
        return wanted

    def age(self, days: int) -> None:
        shift = dt.timedelta(days=days)
        for account in self.accounts:
            for spend in account.spends:
                spend.on -= shift
        for voucher in self.vouchers:
            voucher.expires_at -= shift
        for hold in self.holds:
            if hold.expires_at is not None:
                hold.expires_at -= shift
