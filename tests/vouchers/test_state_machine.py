"""Any story that customers, tills, finance and time can tell: the bank answers as the model does, and holds what it holds.

CI tells the same stories each time. `MYMOOLAH_TEST_STORIES=300` tells that many others, which `--hypothesis-seed` repeats.
"""

from __future__ import annotations

import contextlib
import dataclasses
import datetime as dt
import hashlib
import os
import sys
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, ParamSpec, TypeVar

import pytest
from django.db import connection
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from accounts import audit
from accounts.models import User
from mymoolah.common.clock import now
from mymoolah.common.crypto import decrypt
from mymoolah.common.errors import DomainError
from mymoolah.common.money import Money
from tests.conftest import ADMIN_URL, Person, answers_kept, database_of_its_own, person, superuser
from tests.kept import assert_nothing_is_old_within, behind_the_banks_back
from tests.tables import age, digests
from tests.transactions.legs import decided
from tests.vouchers import model
from tests.vouchers.model import Account, Hold, Model, Reasons, Sent, Voucher
from transactions import corrections, holds, services
from transactions.posting import IdempotencyKey, IdempotencyKeyReused
from vouchers.models import Voucher as StoredVoucher
from vouchers.numbers import CODE_CONTEXT, with_luhn_digit
from vouchers.services import ending, issuing, redeeming, tills
from wallets import services as wallet_services
from wallets.models import Wallet

pytestmark = pytest.mark.sql

STORIES = "MYMOOLAH_TEST_STORIES"
CENT = Decimal("0.01")
CUSTOMERS = 4
NOBODYS_NUMBER = "95063123456785"
NOBODYS_CODE = with_luhn_digit("0" * 15)
EASYPAY = ("easypay_topup", "easypay_voucher", "easypay_cashout")

P = ParamSpec("P")
T = TypeVar("T")

# An amount is either itself, or stands at an edge that only the moment knows, a cent below it, or above.
EDGES = ["all that is available", "all that is left today", "all that is left this month", "all the room there is"]
ROUND = [
    "0.99",
    "1.00",
    "5.00",
    "49.99",
    "50.00",
    "93.67",
    "100.00",
    "2999.99",
    "3000.00",
    "4000.00",
    "5000.00",
    "25000.01",
]
AMOUNTS = (
    st.sampled_from(ROUND).map(Decimal)
    | st.integers(1, 600_000).map(lambda cents: cents * CENT)
    | st.tuples(st.sampled_from(EDGES), st.sampled_from([-CENT, Decimal(0), CENT]))
)
TOO_MUCH = st.just((EDGES[3], CENT))
FACES = st.sampled_from(
    [
        "5.00",
        "50.00",
        "100.00",
        "100.00",
        "250.00",
        "1500.00",
        "3000.00",
        "4000.00",
        "4.99",
        "49.99",
        "3000.01",
        "4000.01",
    ]
).map(Decimal)
WHICH = st.integers(0, 50)
OFTEN = st.sampled_from([True, True, True, True, False])


# What may happen, by the name of its method, and what of it is drawn: from a strategy, or from what the story has so far.
ACCOUNTS, TRANSFERS, HOLDS = "accounts", "transfers", "holds"
STEPS: dict[str, dict[str, Any]] = {}


def step(**drawn: Any) -> Callable[[Callable[P, None]], Callable[P, None]]:
    def register(method: Callable[P, None]) -> Callable[P, None]:
        STEPS[method.__name__] = drawn
        return method

    return register


@dataclass(frozen=True)
class Done:
    """A deed that may be asked for again, with what it answered, and when: in days that had passed by then."""

    again: Callable[[IdempotencyKey], object]
    key: IdempotencyKey
    answer: dict[str, object]
    days: int


class Bank(RuleBasedStateMachine):
    template: str  # of the database that each story gets a copy of

    def __init__(self) -> None:
        super().__init__()
        self.stack = contextlib.ExitStack()
        ledger = self.stack.enter_context(database_of_its_own(self.template))
        self.admin_sql = self.stack.enter_context(superuser(ledger.name))
        self.stack.enter_context(answers_kept())
        self.model = Model()
        self.people: dict[Account, Person] = {}
        self.ids: dict[object, uuid.UUID] = {}
        self.sent: list[Sent] = []
        self.done: list[Done] = []
        self.days = 0
        self.decision = decided()
        self.first = [self.open(1), self.open(1)]
        for who in self.first:
            self.gets(who, Decimal("12000.00"))

    def teardown(self) -> None:
        # A story that failed has nothing to verify: what it failed with is told, not what followed from it.
        self.stack.__exit__(*sys.exc_info())

    # Asking the bank and the model ------------------------------------------------------------------------------------
    def ask(self, reasons: Reasons, deed: Callable[[IdempotencyKey], T], *, is_guess: bool = False) -> T | None:
        """What the bank answers when the model sees these reasons against it; None: it refused, for one of them."""
        key = self.key()
        but = "audit_events" if is_guess else ""
        before = digests(but=but)
        try:
            answer = deed(key)
        except DomainError as refusal:
            assert refusal.code in reasons, f"the bank refuses with {refusal.code}, the model with {reasons}"  # noqa: PT017
            after = digests(but=but)
            assert after == before, [table for table in after if after[table] != before[table]]
            return None
        assert not reasons, f"the bank agrees, the model refuses with {reasons}"
        self.done.append(Done(deed, key, facts(answer), self.days))
        return answer

    def key(self) -> IdempotencyKey:
        return IdempotencyKey("user:anybody", uuid.uuid4().hex, hashlib.sha256(b"this").digest())

    def amount(self, asked: Decimal | tuple[str, Decimal], payer: Account, payee: Account | None = None) -> Money:
        if isinstance(asked, tuple):
            edge, beside = asked
            _, day, month, _ = model.TIERS[payer.tier]
            payee = payee or payer
            exact = {
                EDGES[0]: payer.available,
                EDGES[1]: (day or Decimal(0)) - payer.spent_on(self.model.today),
                EDGES[2]: (month or Decimal(0)) - payer.spent_in_month_of(self.model.today),
                EDGES[3]: payee.ceiling - payee.balance,
            }[edge]
            asked = exact + beside
        return Money(max(asked, CENT))

    def tick(self) -> dt.datetime:
        self.model.now = now()
        return self.model.now

    # People -----------------------------------------------------------------------------------------------------------
    @initialize(tiers=st.sampled_from([(1, 1), (2, 1), (2, 2)]))
    def two_customers_begin(self, tiers: tuple[int, int]) -> None:
        for who, tier in zip(self.first, tiers, strict=True):
            self.changes_tier(who, tier)
        self.buy_one_voucher_of_each_type()

    def buy_one_voucher_of_each_type(self) -> None:
        for who in self.first:
            for voucher_type in model.TYPES:
                self.issue(who, voucher_type, Decimal("100.00"))

    @step(tier=st.integers(0, 2))
    def registers(self, tier: int) -> None:
        if len(self.people) < CUSTOMERS:
            self.open(tier)

    def open(self, tier: int) -> Account:
        account = self.model.register(tier)
        self.people[account] = person(account.name.replace(" ", ""), tier=tier)
        return account

    @step(who=ACCOUNTS, amount=AMOUNTS | TOO_MUCH)
    def gets(self, who: Account, amount: Any) -> None:
        money = self.amount(amount, who)
        self.ask(
            self.model.give(who, money.amount),
            lambda key: services.give_demo_money(wallet=self.people[who].wallet, amount=money, key=key),
        )

    @step(who=ACCOUNTS, how=st.sampled_from(["freezes", "is suspended", "goes on", "goes on", 0, 1, 1, 2, 2]))
    def is_dealt_with(self, who: Account, how: str | int) -> None:
        mine = self.people[who]
        if isinstance(how, int):
            self.changes_tier(who, how)
        elif how == "freezes":
            wallet_services.freeze_wallet(
                number=mine.wallet.number, user_public_id=mine.user.public_id, origin=audit.SYSTEM
            )
            who.is_frozen = True
        elif how == "is suspended":
            self.user(who).update(status="suspended")
            who.is_suspended = True
        else:
            Wallet.objects.filter(pk=mine.wallet.pk).update(status="active", frozen_by=None)
            self.user(who).update(status="active")
            who.is_frozen = who.is_suspended = False
        behind_the_banks_back(mine)

    def changes_tier(self, who: Account, tier: int) -> None:
        self.user(who).update(kyc_tier=tier, id_verified=True, kyc_status="verified")
        who.tier = tier
        behind_the_banks_back(self.people[who])

    def user(self, who: Account) -> Any:
        return User.objects.filter(pk=self.people[who].user.pk)

    # Transfers --------------------------------------------------------------------------------------------------------
    @step(payer=ACCOUNTS, payee=ACCOUNTS, amount=AMOUNTS)
    def sends(self, payer: Account, payee: Account, amount: Any) -> None:
        self.tick()
        self.send(payer, payee, self.amount(amount, payer, payee))

    def send(self, payer: Account, payee: Account, money: Money) -> None:
        reasons, told = self.model.transfer(payer, payee, money.amount)
        posted = self.ask(
            reasons,
            lambda key: services.send_money(
                sender_wallet_id=self.people[payer].wallet.pk,
                recipient_wallet_id=self.people[payee].wallet.pk,
                amount=money,
                reference="Lunch",
                user_id=self.people[payer].user.pk,
                key=key,
            ),
        )
        if posted is not None and told is not None:
            self.ids[told] = posted.transfer_id
            self.sent.append(told)

    @step(
        one=ACCOUNTS,
        other=ACCOUNTS,
        days=st.sampled_from([1, 1, 8]),
        share=st.sampled_from([Decimal(1), Decimal("0.7")]),
    )
    def send_to_and_fro(self, one: Account, other: Account, days: int, share: Decimal) -> None:
        """Nearly all that they may, day after day, and each time a cent too much: so a month's limit is met."""
        for _ in range(days if one is not other else 0):
            for payer, payee in ((one, other), (other, one)):
                self.tick()
                self.send(payer, payee, Money(Decimal("1.00")))
                most = self.most_to_send(payer)
                if most > 0:
                    self.send(payer, payee, Money(most + CENT))
                    self.send(payer, payee, Money(max((most * share).quantize(CENT), CENT)))
            self.pass_days(self.model.days_to_pass(1))

    def most_to_send(self, payer: Account) -> Decimal:
        each, day, month, _ = (limit or Decimal(0) for limit in model.TIERS[payer.tier])
        today = self.model.today
        return max(
            min(each, day - payer.spent_on(today), month - payer.spent_in_month_of(today), payer.available),
            Decimal(0),
        )

    @step(what=TRANSFERS)
    def reverses(self, what: Sent) -> None:
        self.tick()
        self.ask(
            self.model.reverse(what),
            lambda key: corrections.reverse_transfer(group_id=self.ids[what], decision=self.decision, key=key),
        )

    # Holds ------------------------------------------------------------------------------------------------------------
    @step(who=ACCOUNTS, amount=AMOUNTS, days=st.sampled_from([None, 1, 3, 40]))
    def holds_back(self, who: Account, amount: Any, days: int | None) -> None:
        moment, money = self.tick(), self.amount(amount, who)
        until = None if days is None else moment + dt.timedelta(days=days)
        reasons, told = self.model.place(who, money.amount, until)
        placed = self.ask(
            reasons,
            lambda key: holds.place_hold(
                wallet_id=self.people[who].wallet.pk, amount=money, purpose="taxi", expires_at=until, key=key
            ),
        )
        if placed is not None and told is not None:
            self.ids[told] = placed.public_id

    @step(
        what=HOLDS,
        payee=ACCOUNTS,
        part=st.sampled_from([None, Decimal(1), Decimal("0.3"), Decimal("1.01")]),
        is_late=st.booleans(),
    )
    def resolves_a_hold(self, what: Hold, payee: Account, part: Decimal | None, is_late: bool) -> None:
        moment = self.tick()
        if is_late and what.status == "held" and what.expires_at is not None and what.expires_at > moment:
            self.pass_days(self.model.days_to_pass((what.expires_at - moment).days + 1))
            self.tick()
        if part is None:
            self.ask(self.model.void(what), lambda key: holds.void_hold(hold_public_id=self.ids[what], key=key))
            return
        money = Money(max((what.amount * part).quantize(CENT), CENT))
        self.ask(
            self.model.capture(what, payee, money.amount),
            lambda key: holds.capture_hold(
                hold_public_id=self.ids[what], target=self.people[payee].wallet.pk, amount=money, key=key
            ),
        )

    # Vouchers ---------------------------------------------------------------------------------------------------------
    @step(
        who=ACCOUNTS,
        voucher_type=st.sampled_from(sorted(model.TYPES)),
        amount=FACES | FACES | AMOUNTS,
        times=st.sampled_from([1, 1, 1, 1, 1, 1, 1, model.OPEN_TOP_UPS + 1]),
    )
    def issues(self, who: Account, voucher_type: str, amount: Any, times: int) -> None:
        self.tick()
        if times > 1:
            voucher_type, amount = "easypay_topup", Decimal("50.00")
        face = self.amount(amount, who).amount
        for _ in range(times):
            self.issue(who, voucher_type, face)

    def issue(self, who: Account, voucher_type: str, face: Decimal) -> None:
        moment = self.tick()
        reasons, told = self.model.issue(who, voucher_type, face)
        issued = self.ask(
            reasons,
            lambda key: issuing.issue_voucher(
                user_public_id=self.people[who].user.public_id,
                voucher_type=StoredVoucher.Type(voucher_type),
                amount=Money(face),
                key=key,
                now=moment,
            ),
        )
        if issued is not None and told is not None:
            self.ids[told] = issued.voucher.public_id

    def one_of(self, which: int, *types: str, is_live: bool = True) -> Voucher | None:
        """A voucher of these types, and one that is live if there is any and it has to be; None where there is none."""
        moment = self.tick()
        fitting = [voucher for voucher in self.model.vouchers if voucher.type in types]
        live = [voucher for voucher in fitting if voucher.status in model.LIVE and voucher.expires_at > moment]
        some = live if live and is_live else fitting
        return some[which % len(some)] if some else None

    @step(
        who=ACCOUNTS,
        which=WHICH,
        is_live=OFTEN,
        part=st.sampled_from([None, Decimal("0.4"), Decimal(1), Decimal("1.01")]),
        is_code=OFTEN,
    )
    def redeems(self, *, who: Account, which: int, is_live: bool, part: Decimal | None, is_code: bool) -> None:
        voucher = self.one_of(which, "standard", is_live=is_live)
        if voucher is not None:
            self.redeem(who, voucher, part, is_code=is_code)

    def redeem(self, who: Account, voucher: Voucher, part: Decimal | None = None, *, is_code: bool = True) -> None:
        moment = self.tick()
        code = decrypt(self.stored(voucher).code_encrypted or "", context=CODE_CONTEXT)
        amount = None if part is None else max((voucher.balance * part).quantize(CENT), CENT)
        self.ask(
            self.model.redeem(who, voucher, amount) if is_code else {"voucher_not_found"},
            lambda key: redeeming.redeem_voucher(
                user_public_id=self.people[who].user.public_id,
                code=code if is_code else NOBODYS_CODE,
                amount=None if amount is None else Money(amount),
                key=key,
                now=moment,
                origin=audit.SYSTEM,
            ),
            is_guess=not is_code,
        )

    @step(who=ACCOUNTS, which=WHICH, is_live=OFTEN, is_mine=OFTEN, is_customer=st.booleans())
    def cancels(self, *, who: Account, which: int, is_live: bool, is_mine: bool, is_customer: bool) -> None:
        """A customer his EasyPay vouchers, and two of finance standard ones: each may come to the wrong door."""
        types = EASYPAY if is_customer == is_mine else ("standard",)
        voucher = self.one_of(which, *types, is_live=is_live)
        if voucher is not None and is_customer:
            self.cancel(voucher.issuer if is_mine else who, voucher)
        elif voucher is not None:
            self.finance_cancel(voucher)

    def cancel(self, who: Account, voucher: Voucher) -> None:
        moment = self.tick()
        self.ask(
            self.model.cancel(who, voucher),
            lambda key: ending.cancel_voucher(
                user_public_id=self.people[who].user.public_id,
                voucher_public_id=self.ids[voucher],
                key=key,
                now=moment,
                origin=audit.SYSTEM,
            ),
        )

    def finance_cancel(self, voucher: Voucher) -> None:
        moment = self.tick()
        self.ask(
            self.model.finance_cancel(voucher),
            lambda key: ending.cancel_for_customer(
                voucher_public_id=self.ids[voucher],
                decision=self.decision,
                key=key,
                now=moment,
                origin=audit.SYSTEM,
            ),
        )

    def stored(self, voucher: Voucher) -> StoredVoucher:
        return StoredVoucher.objects.get(public_id=self.ids[voucher])

    # Tills ------------------------------------------------------------------------------------------------------------
    @step(
        which=WHICH,
        is_live=OFTEN,
        is_known=OFTEN,
        beside=st.sampled_from([Decimal(0), Decimal(0), Decimal(0), -CENT, Decimal("10.00")]),
        is_in_time=st.booleans(),
    )
    def till_reports(self, *, which: int, is_live: bool, is_known: bool, beside: Decimal, is_in_time: bool) -> None:
        voucher = self.one_of(which, *EASYPAY, is_live=is_live)
        if voucher is not None:
            self.report(voucher, beside, is_in_time=is_in_time, is_known=is_known)

    def report(
        self, voucher: Voucher, beside: Decimal = Decimal(0), *, is_in_time: bool, is_known: bool = True
    ) -> None:
        """A message may come long after what it tells of."""
        moment = self.tick()
        number = self.stored(voucher).easypay_number if is_known else NOBODYS_NUMBER
        paid_at = min(moment, voucher.expires_at - dt.timedelta(seconds=1)) if is_in_time else moment
        amount = voucher.face + beside
        told = self.model.till(voucher if is_known else None, amount, paid_at)
        report = tills.Report(
            provider_reference=uuid.uuid4().hex,
            easypay_number=str(number),
            amount=Money(amount),
            paid_at=paid_at,
            body=b"signed",
        )
        assert self.ask(set(), lambda _: tills.report_payment(report=report, now=moment)) == told

    # Time -------------------------------------------------------------------------------------------------------------
    @step(days=st.sampled_from([1, 1, 2, None]))
    def time_passes(self, days: int | None) -> None:
        """Some days, or as many as it takes for a new month to begin."""
        today = self.tick().astimezone(model.JOHANNESBURG).day
        self.pass_days(self.model.days_to_pass(today if days is None else days))

    @step(
        who=ACCOUNTS,
        which=WHICH,
        is_easypay=OFTEN,
        days_after=st.sampled_from([-1, 0, 0, 2, 3]),
        then=st.permutations(["somebody sweeps", "it is tried"]),
        is_in_time=st.booleans(),
    )
    def a_term_ends(
        self, *, who: Account, which: int, is_easypay: bool, days_after: int, then: list[str], is_in_time: bool
    ) -> None:
        """It is a voucher's last day, the first after it, or around the end of 72 hours; then it is tried, or too late."""
        voucher = self.one_of(which, *(EASYPAY if is_easypay else ("standard",)))
        if voucher is None:
            return
        end = voucher.expires_at.astimezone(model.JOHANNESBURG).date()
        days = (end - self.model.today).days + days_after
        if days > 0:
            self.pass_days(self.model.days_to_pass(days))
        for step in then:
            if step == "somebody sweeps":
                self.sweep()
            elif not is_easypay:
                self.redeem(who, voucher)
                self.finance_cancel(voucher)
            else:
                self.report(voucher, is_in_time=is_in_time)
                self.cancel(voucher.issuer, voucher)
        self.buy_one_voucher_of_each_type()

    def pass_days(self, days: int) -> None:
        age(self.admin_sql, days=days)
        self.model.age(days)
        self.days += days
        behind_the_banks_back(*self.people.values())

    def sweep(self) -> None:
        moment = self.tick()
        assert ending.expire_vouchers(now=moment) == ending.Sweep(expired=self.model.expire_vouchers(), failed=0)
        assert holds.expire_holds(now=moment) == holds.Sweep(expired=self.model.expire_holds(), failed=0)

    # Again ------------------------------------------------------------------------------------------------------------
    @step(which=st.integers(0, 1_000), is_same=st.sampled_from([True, True, False]))
    def asks_again(self, which: int, is_same: bool) -> None:
        """The same once more; or something else with the key of what was done, which tills' reports do not have."""
        known = [earlier for earlier in self.done if is_same or "result" not in earlier.answer]
        if not known:
            return
        earlier = known[which % len(known)]
        before = digests()
        if is_same:
            answer = facts(earlier.again(earlier.key), is_replay=True)
            assert {name: back(value, self.days) for name, value in answer.items()} == {
                name: back(value, earlier.days) for name, value in earlier.answer.items()
            }
        else:
            with pytest.raises(IdempotencyKeyReused):
                earlier.again(dataclasses.replace(earlier.key, request_hash=hashlib.sha256(b"that").digest()))
        assert digests() == before

    # The story --------------------------------------------------------------------------------------------------------
    @rule(data=st.data())
    def something_happens(self, data: st.DataObject) -> None:
        """One rule for all steps: of many rules each story would leave half out, and short runs never meet the rest."""
        lists: dict[str, list[Any]] = {ACCOUNTS: self.model.accounts, TRANSFERS: self.sent, HOLDS: self.model.holds}
        name = data.draw(st.sampled_from(list(STEPS)), label="step")
        drawn = {
            word: st.sampled_from(lists[how]) if isinstance(how, str) else how
            for word, how in STEPS[name].items()
            if not (isinstance(how, str) and not lists[how])
        }
        if len(drawn) == len(STEPS[name]):
            getattr(self, name)(**data.draw(st.fixed_dictionaries(drawn)))

    # What must hold after each step -----------------------------------------------------------------------------------
    @invariant()
    def wallets_hold_what_the_model_says(self) -> None:
        today = now().astimezone(model.JOHANNESBURG).date()
        with connection.cursor() as cursor:
            cursor.execute(
                """
                SELECT
                    w.id, w.balance, w.held,
                    CASE WHEN w.spent_on = %(today)s THEN w.spent_day_amount ELSE 0 END,
                    CASE WHEN w.spent_on >= date_trunc('month', %(today)s::date) THEN w.spent_month_amount ELSE 0 END
                FROM wallets AS w
                WHERE w.kind = 'customer'
                """,
                {"today": today},
            )
            found = {wallet_id: money for wallet_id, *money in cursor.fetchall()}
            cursor.execute("SELECT w.kind, sum(w.balance) FROM wallets AS w WHERE w.kind <> 'customer' GROUP BY w.kind")
            house = {kind: balance for kind, balance in cursor.fetchall() if balance}
        assert {account.name: found[mine.wallet.pk] for account, mine in self.people.items()} == {
            account.name: [account.balance, account.held, account.spent_on(today), account.spent_in_month_of(today)]
            for account in self.people
        }
        assert house == {kind: balance for kind, balance in self.model.house.items() if balance}

    @invariant()
    def vouchers_and_holds_are_what_the_model_says(self) -> None:
        found = {
            row[0]: row[1:] for row in StoredVoucher.objects.values_list("public_id", "status", "balance", "expires_at")
        }
        assert {voucher.name: found[self.ids[voucher]] for voucher in self.model.vouchers} == {
            voucher.name: (voucher.status, voucher.balance, voucher.expires_at) for voucher in self.model.vouchers
        }
        with connection.cursor() as cursor:
            cursor.execute("SELECT h.public_id, h.status FROM holds AS h WHERE h.purpose = 'taxi'")
            statuses = dict(cursor.fetchall())
        assert {hold.name: statuses[self.ids[hold]] for hold in self.model.holds} == {
            hold.name: hold.status for hold in self.model.holds
        }

    @invariant()
    def nobody_is_told_anything_old(self) -> None:
        assert_nothing_is_old_within(self.people.values())


def facts(answer: object, *, is_replay: bool = False) -> dict[str, object]:
    """What an answer tells for good: of a voucher which one, for it goes on to live."""
    if isinstance(answer, list):
        return {
            f"{at} {name}": fact
            for at, one in enumerate(answer)
            for name, fact in facts(one, is_replay=is_replay).items()
        }
    if not dataclasses.is_dataclass(answer):
        return {"result": answer}
    told = {entry.name: getattr(answer, entry.name) for entry in dataclasses.fields(answer)}
    assert told.pop("replayed") is is_replay
    if "voucher" in told:
        told["voucher"] = told["voucher"].public_id
    return told


def back(value: object, days: int) -> object:
    """The moment that an answer told after `days` had passed, as the first day knew it."""
    return value + dt.timedelta(days=days) if isinstance(value, dt.datetime) else value


def test_the_bank_answers_as_the_model_does_in_any_story(
    django_db_setup: None, template: str, django_db_blocker: Any
) -> None:
    if ADMIN_URL not in os.environ:
        pytest.skip(f"{ADMIN_URL} is not set")
    wanted = os.environ.get(STORIES)
    story = type("Story", (Bank,), {"template": template})
    with django_db_blocker.unblock():
        run_state_machine_as_test(
            story,
            settings=settings(
                max_examples=int(wanted or 30),
                stateful_step_count=30,
                derandomize=wanted is None,
                deadline=None,
                suppress_health_check=list(HealthCheck),
                print_blob=True,
            ),
        )
