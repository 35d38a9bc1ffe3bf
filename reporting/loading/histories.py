"""What the customers of a batch did: one move after the other, each allowed at its moment by the rules of money."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from reporting.loading.books import Account, Books, Limits
from reporting.loading.plan import DAY_MS, Batch, LoadRefused
from reporting.loading.vouchers import Redemption, Slip
from transactions.models import Kind
from vouchers.models import Voucher

TRIES = 300  # to find somebody who may make the move that is due
POOR = 50_00  # below this a customer is given money
LEAST_TRANSFER = 1_00
MOST_TRANSFER = 500_00
LEAST_STANDARD, MOST_STANDARD = 5_00, 400_00
LEAST_EASYPAY, MOST_EASYPAY = 50_00, 300_00
RECENT_DAYS = 29  # an EasyPay voucher of this age is still live
MOST_TOP_UPS = 10  # open at a time
USER1_POOR = 1_000_00
USER1_STANDARD = 8_00  # at most: user1 issues very many
USER1_MONTH = 20_000_00  # what user1's transfers may come to, on average
REFERENCES = ("", "", "", "Lunch", "Rent", "Taxi", "Thanks", "Groceries", "Airtime", "School fees", "Birthday")


@dataclass(frozen=True, kw_only=True)
class House:
    """The bank's own wallets of one stripe."""

    adjustments: Account
    voucher_liability: Account
    fee_income: Account
    vat_control: Account

    def accounts(self) -> tuple[Account, ...]:
        return self.adjustments, self.voucher_liability, self.fee_income, self.vat_control


@dataclass(frozen=True, kw_only=True)
class Fee:
    """In cents."""

    fee: int
    vat: int


@dataclass(frozen=True, kw_only=True)
class Rules:
    """What the database says about tiers and fees today; limits by tier."""

    limits: dict[int, Limits]
    top_up: Fee
    easypay_voucher: Fee


class Histories:
    """One batch at play. `members` are all who move money but user1, those who joined first in front."""

    def __init__(
        self,
        batch: Batch,
        *,
        members: Sequence[Account],
        user1: Account,
        houses: Sequence[House],
        rules: Rules,
        chance: random.Random,
    ) -> None:
        self.batch, self.members, self.user1, self.rules = batch, members, user1, rules
        self.houses = houses
        self.books = Books(chance)
        self.slips: list[Slip] = []
        self.redemptions: list[Redemption] = []
        self._chance = chance.random
        self._joined = 0
        self._open: list[Slip] = []
        self._moves_left = batch.transfers - batch.user1_transfers
        self._user1_moves_left = batch.user1_transfers
        own_vouchers = batch.vouchers - batch.user1_vouchers
        self._issues_left = min(own_vouchers // 2, self._moves_left * 3 // 10)
        self._redeems_left = self._issues_left * 6 // 10
        self._user1_issues_left = min(batch.user1_vouchers // 2, batch.user1_transfers // 15)
        self._easypay_left = min(own_vouchers // 12, self._moves_left // 300)
        monthly = max(1, batch.user1_transfers * 15 * DAY_MS // max(1, batch.user1_until_ms - batch.user1_from_ms))
        self._user1_most = max(2 * LEAST_TRANSFER, min(2 * USER1_MONTH // monthly, MOST_TRANSFER))

    def play(self) -> None:
        """Make exactly the batch's transfers and vouchers.

        :raises LoadRefused: nobody could make a move that was due
        """
        batch = self.batch
        if batch.transfers and not self.members:
            raise LoadRefused(detail="So many transactions need more users.")
        own = self._moments(self._moves_left, batch.starts_ms, batch.ends_ms)
        if own:
            own[0] = max(
                own[0], batch.ends_ms - int((1 - self._chance()) * DAY_MS)
            )  # yesterday, whatever the others are
        theirs = self._moments(self._user1_moves_left, batch.user1_from_ms, batch.user1_until_ms)
        while own or theirs:
            if theirs and (not own or theirs[-1] <= own[-1]):
                self._move_user1(theirs.pop())
                self._user1_moves_left -= 1
            else:
                for _ in range(self._move(own[-1])):
                    own.pop()
                    self._moves_left -= 1
        self._let_in(batch.ends_ms)
        self._draw_top_ups()

    def _moments(self, many: int, from_ms: int, until_ms: int) -> list[int]:
        """Random moments, the first at the end of the list."""
        return sorted((from_ms + int(self._chance() * (until_ms - from_ms)) for _ in range(many)), reverse=True)

    # Who ------------------------------------------------------------------------------------------------------------
    def _let_in(self, at_ms: int) -> None:
        members = self.members
        while self._joined < len(members) and members[self._joined].joined_ms <= at_ms:
            self._joined += 1

    def _busy(self) -> Account:
        """Somebody who has joined, rather one of those who did so early: histories are uneven."""
        draw = self._chance()
        return self.members[int(self._joined * draw * draw)]

    def _anyone(self) -> Account:
        return self.members[int(self._joined * self._chance())]

    def _house(self, account: Account) -> House:
        return self.houses[account.user % len(self.houses)]

    def _house_is_open(self, at_ms: int) -> bool:
        return self.batch.house_from_ms <= at_ms < self.batch.house_until_ms

    # Moves ----------------------------------------------------------------------------------------------------------
    def _move(self, at_ms: int) -> int:
        """Let somebody but user1 move money; how many transfers it took."""
        self._let_in(at_ms)
        is_open = self._house_is_open(at_ms)
        if is_open:
            if self._sell_easypay(at_ms):
                return 3
            draw = self._chance() * self._moves_left - self._issues_left
            if draw < 0 and self._issue(self._busy(), self._between(LEAST_STANDARD, MOST_STANDARD), at_ms):
                self._issues_left -= 1
                return 1
            if 0 <= draw < self._redeems_left and self._redeem(self._anyone(), at_ms):
                self._redeems_left -= 1
                return 1
        for _ in range(TRIES):
            payer = self._busy()
            if is_open and payer.balance < POOR and self._give(payer, at_ms):
                return 1
            cents = min(self._between(LEAST_TRANSFER, MOST_TRANSFER), payer.balance)
            if self._send(payer, self._anyone(), cents, at_ms):
                return 1
        for _ in range(TRIES if is_open else 0):
            if self._give(self._anyone(), at_ms):
                return 1
        raise LoadRefused(detail="So many transactions for so few users do not fit the limits of their tiers.")

    def _move_user1(self, at_ms: int) -> None:
        self._let_in(at_ms)
        user1 = self.user1
        issue_is_due = self._chance() * self._user1_moves_left < self._user1_issues_left
        if issue_is_due and self._issue(user1, self._between(LEAST_STANDARD, USER1_STANDARD), at_ms):
            self._user1_issues_left -= 1
            return
        if user1.balance < USER1_POOR and self._give(user1, at_ms):
            return
        pays = self._chance() < 0.5
        # Somebody else may well be too poor to pay; if user1 paid then, the month would not do for all of it.
        for user1_pays in (pays, not pays):
            for _ in range(TRIES if self._joined else 0):
                cents = LEAST_TRANSFER + int(self._chance() * (self._user1_most - LEAST_TRANSFER))
                payer, payee = (user1, self._anyone()) if user1_pays else (self._anyone(), user1)
                if self._send(payer, payee, cents, at_ms):
                    return
        if not self._give(user1, at_ms):
            raise LoadRefused(detail="So many transactions of user1 do not fit the limits of tier 2.")

    def _between(self, least: int, most: int) -> int:
        """Cents; small amounts are common."""
        draw = self._chance()
        return least + int(draw * draw * draw * (most - least))

    def _give(self, account: Account, at_ms: int) -> bool:
        most = 2_000_00 if account.limits.may_send else 200_00
        if account is self.user1:
            most = 5_000_00
        cents = 10_00 + int(self._chance() * most) // 10_00 * 10_00
        if not account.has_room_for(cents):
            return False
        self.books.post(
            Kind.DEMO_MONEY.value, self._house(account).adjustments, account, cents, at_ms, reference="Demo money"
        )
        return True

    def _send(self, payer: Account, payee: Account, cents: int, at_ms: int) -> bool:
        if (
            cents < LEAST_TRANSFER
            or payer is payee
            or not payee.has_room_for(cents)
            or not payer.may_spend(cents, at_ms)
        ):
            return False
        payer.spend(cents, at_ms)
        reference = REFERENCES[int(self._chance() * len(REFERENCES))]
        self.books.post(Kind.TRANSFER.value, payer, payee, cents, at_ms, reference=reference, by=payer.user_id)
        return True

    def _issue(self, issuer: Account, cents: int, at_ms: int) -> bool:
        cents = min(cents, issuer.balance)
        if cents < LEAST_STANDARD or not issuer.may_spend(cents, at_ms):
            return False
        issuer.spend(cents, at_ms)
        liability = self._house(issuer).voucher_liability
        paid_by = self.books.post(Kind.VOUCHER_ISSUE.value, issuer, liability, cents, at_ms, by=issuer.user_id)
        slip = Slip(
            issuer=issuer,
            kind=Voucher.Type.STANDARD,
            status=Voucher.Status.ACTIVE,
            amount=cents,
            balance=cents,
            issued_ms=at_ms,
            paid_by=paid_by,
        )
        self.slips.append(slip)
        self._open.append(slip)
        return True

    def _redeem(self, account: Account, at_ms: int) -> bool:
        """Put an open voucher, or in three cases of ten a part of it, into somebody's wallet."""
        if not self._open:
            return False
        place = int(self._chance() * len(self._open))
        slip = self._open[place]
        cents = slip.balance if self._chance() < 0.7 else 1 + int(self._chance() * slip.balance)
        if not account.has_room_for(cents):
            return False
        liability = self._house(slip.issuer).voucher_liability
        transfer = self.books.post(Kind.VOUCHER_REDEEM.value, liability, account, cents, at_ms, by=account.user_id)
        self.redemptions.append(Redemption(slip=slip, account=account, transfer=transfer, cents=cents, at_ms=at_ms))
        slip.balance -= cents
        if not slip.balance:
            slip.status = Voucher.Status.REDEEMED
            self._open[place] = self._open[-1]
            self._open.pop()
        return True

    def _sell_easypay(self, at_ms: int) -> bool:
        """Near the end of the days, sell a voucher to be spent at a till: face, fee and VAT in one group."""
        is_recent = at_ms >= self.batch.ends_ms - RECENT_DAYS * DAY_MS
        if not is_recent or not self._easypay_left or self._moves_left < 4 or self._chance() > 0.2:
            return False
        issuer, price = self._busy(), self.rules.easypay_voucher
        cents = self._between(LEAST_EASYPAY, MOST_EASYPAY)
        if cents + price.fee + price.vat > issuer.balance or not issuer.may_spend(cents, at_ms):
            return False
        issuer.spend(cents, at_ms)
        house, by = self._house(issuer), issuer.user_id
        post = self.books.post
        group = post(Kind.VOUCHER_ISSUE.value, issuer, house.voucher_liability, cents, at_ms, by=by)
        post(Kind.FEE.value, issuer, house.fee_income, price.fee, at_ms, by=by, group=group)
        post(Kind.VAT.value, issuer, house.vat_control, price.vat, at_ms, by=by, group=group)
        self.slips.append(
            Slip(
                issuer=issuer,
                kind=Voucher.Type.EASYPAY_VOUCHER,
                status=Voucher.Status.ACTIVE,
                amount=cents,
                balance=cents,
                issued_ms=at_ms,
                fee=price.fee,
                vat=price.vat,
                paid_by=group,
            )
        )
        self._easypay_left -= 1
        return True

    # Vouchers without legs ------------------------------------------------------------------------------------------
    def _draw_top_ups(self) -> None:
        """Make up the number of vouchers by top-ups, which move no money until a till is paid."""
        mine = sum(slip.issuer is self.user1 for slip in self.slips)
        for _ in range(self.batch.user1_vouchers - mine):
            self._draw_top_up(self.user1, may_be_open=self.batch.is_last)
        for _ in range(self.batch.vouchers - len(self.slips)):
            self._draw_top_up(self._anyone() if self.members else self.user1, may_be_open=True)

    def _draw_top_up(self, issuer: Account, *, may_be_open: bool) -> None:
        batch, price = self.batch, self.rules.top_up
        from_ms = max(batch.starts_ms, issuer.joined_ms)
        draw = self._chance()
        status = Voucher.Status.CANCELLED
        if may_be_open and draw < 0.6 and issuer.top_ups < MOST_TOP_UPS:
            status = Voucher.Status.EXPIRED if draw < 0.3 else Voucher.Status.PENDING_PAYMENT
            issuer.top_ups += 1
        until_ms = batch.ends_ms
        if status == Voucher.Status.EXPIRED:
            until_ms -= (RECENT_DAYS + 3) * DAY_MS
        elif status == Voucher.Status.PENDING_PAYMENT:
            from_ms = max(from_ms, batch.ends_ms - RECENT_DAYS * DAY_MS)
        self.slips.append(
            Slip(
                issuer=issuer,
                kind=Voucher.Type.EASYPAY_TOPUP,
                status=status,
                amount=5_000 + int(self._chance() * 40) * 1_000,
                balance=0,
                issued_ms=from_ms + int(self._chance() * (until_ms - from_ms)),
                fee=price.fee,
                vat=price.vat,
            )
        )
