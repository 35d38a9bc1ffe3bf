"""What is answered to each intent: from the customer's own rows, one query each, and no figure that they do not hold."""

from __future__ import annotations

import datetime as dt
import itertools
import json
import re
import string
import tomllib
import uuid
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.audit import SYSTEM
from accounts.models import KycSubmission, LoginSession, User
from mymoolah.common import sql
from mymoolah.common.clock import now
from reporting.support import tickets
from reporting.support.facts import READINGS, Facts, UnknownCustomer, facts_for
from reporting.support.intents import COMMONEST, Intent
from reporting.support.links import ARTICLE, HUMAN, LINKS, V1, links_for
from reporting.support.models import LANGUAGES
from reporting.support.references import References, references_in, without_what_is_worth_money
from reporting.support.wording import FOLDER, ROWS, answer, label, money, spoken, words_of
from tests.api import body_of, calling
from tests.conftest import Person, Sql, fund, person, send
from tests.description import description
from tests.transactions.legs import decided, key
from transactions import corrections
from vouchers.models import SuspenseItem, Voucher
from wallets.models import Wallet
from wallets.services import freeze_wallet, open_house_wallets, open_wallet

pytestmark = pytest.mark.sql
SQL = Path(sql.__file__).parents[3] / "reporting" / "sql" / "support"
NOBODY = References()


def ask(intent: Intent, who: Person, about: References = NOBODY) -> Facts:
    return facts_for(intent, user_public_id=who.user.public_id, about=about, now=now())


def said(intent: Intent, who: Person, about: References = NOBODY, *, language: str = "en") -> str:
    return answer(intent, ask(intent, who, about), language=language).replace("\N{NO-BREAK SPACE}", " ")


# Histories: every state that an answer tells -----------------------------------------------------------------------
def make_voucher(who: Person, kind: str, amount: str) -> dict[str, Any]:
    order = {"voucher_type": kind, "amount": amount, "currency": "ZAR"}
    answered = calling(who).post("vouchers", order, Idempotency_Key=uuid.uuid4().hex)
    assert answered.status_code == 201, answered.content
    found: dict[str, Any] = body_of(answered)
    return found


def a_second_currency(who: Person) -> None:
    open_house_wallets(currency="USD")
    fund(Person(who.user, open_wallet(user=who.user, currency="USD")), "2500.00")


def nothing_yet(who: Person, _: Person) -> References:
    User.objects.filter(pk=who.user.pk).update(kyc_tier=0, id_verified=False, kyc_status="not_started")
    return NOBODY


def a_busy_month(who: Person, other: Person) -> References:
    fund(who, "5432.10")
    send(who, other, "10.00")
    send(who, other, "10.00")
    send(other, who, "5.25")
    for kind, amount in (("standard", "50.00"), ("easypay_topup", "60.00"), ("easypay_voucher", "70.00")):
        make_voucher(who, kind, amount)
    make_voucher(who, "easypay_cashout", "80.00")
    cancelled = make_voucher(who, "easypay_voucher", "90.00")
    calling(who).post(f"vouchers/{cancelled['id']}/cancel", Idempotency_Key="cancel")
    tickets.open_ticket(
        user_id=who.user.pk,
        conversation=uuid.uuid4(),
        intent=Intent.HUMAN,
        said=[{"by": "customer", "text": "Hello"}],
        now=now(),
    )
    return NOBODY


def a_named_transfer(who: Person, other: Person) -> References:
    fund(who, "100.00")
    sent = send(who, other, "12.50")
    return References(transfer=sent.transfer_id)


def what_is_not_there(who: Person, other: Person) -> References:
    fund(who, "100.00")
    send(who, other, "12.50")
    return References(transfer=uuid.uuid4(), easypay_number="95063123456785", amount=Decimal("7.00"))


def frozen(who: Person, _: Person) -> References:
    fund(who, "33.00")
    freeze_wallet(number=who.wallet.number, user_public_id=who.user.public_id, origin=SYSTEM)
    return NOBODY


def rejected(who: Person, other: Person) -> References:
    moment = now()
    User.objects.filter(pk=who.user.pk).update(kyc_tier=0, id_verified=False, kyc_status="rejected")
    KycSubmission.objects.create(
        user=who.user,
        id_type="sa_id",
        id_number_encrypted="x",
        id_number_index=b"i" * 32,
        status="rejected",
        reason="The photograph of page 2 is dark",
        waits_for=None,
        reviewer=other.user,
        created_at=moment,
        decided_at=moment,
    )
    return NOBODY


def waits_for_finance(who: Person, _: Person) -> References:
    posted = fund(who, "100.00")
    SuspenseItem.objects.create(
        user=who.user,
        direction="owed_to_customer",
        reason="late",
        amount=Decimal("61.00"),
        currency="ZAR",
        transfer_id=posted.transfer_id,
        created_at=now(),
    )
    return NOBODY


def two_currencies(who: Person, _: Person) -> References:
    """One of which the tier has no limits in."""
    a_second_currency(who)
    return NOBODY


def suspended(who: Person, _: Person) -> References:
    User.objects.filter(pk=who.user.pk).update(status="suspended")
    return NOBODY


STORIES: list[Callable[[Person, Person], References]] = [
    nothing_yet,
    a_busy_month,
    a_named_transfer,
    what_is_not_there,
    frozen,
    rejected,
    waits_for_finance,
    two_currencies,
    suspended,
]
FIGURE = re.compile(r"[0-9]+(?:[\s\N{NO-BREAK SPACE}][0-9]{3})*(?:\.[0-9]+)?")
NUMBERS = re.compile(r"[0-9]+(?:\.[0-9]+)?")


def figures_of(text: str) -> set[str]:
    return {re.sub(r"\s", "", found) for found in FIGURE.findall(text)}


def numbers_of(facts: Facts) -> set[str]:
    """Every number that stands in the facts, as it is written there."""
    return set(NUMBERS.findall(json.dumps(facts)))


@pytest.mark.parametrize("story", STORIES)
def test_every_figure_of_every_answer_stands_in_its_data(
    ledger: Any, thandi: Person, sipho: Person, story: Callable[[Person, Person], References]
) -> None:
    ledger.is_broken = story is waits_for_finance  # whose item no leg has put there
    about = story(thandi, sipho)
    for intent in Intent:
        facts = ask(intent, thandi, about)
        for language in LANGUAGES:
            text = answer(intent, facts, language=spoken(intent, language))
            assert text
            assert "None" not in text, (intent, text)
            assert "{" not in text, (intent, text)
            assert figures_of(text) <= numbers_of(facts), (intent, text, facts)


def test_an_invented_figure_would_be_noticed() -> None:
    facts = {"wallets": [{"balance": "1234.50", "number": "6070488488"}]}
    assert figures_of("R1\N{NO-BREAK SPACE}234.50 in 6070488488") <= numbers_of(facts)
    assert not figures_of("R1\N{NO-BREAK SPACE}234.51 in 6070488488") <= numbers_of(facts)
    assert not figures_of("34.50") <= numbers_of(facts)


# Templates -----------------------------------------------------------------------------------------------------------
def texts(node: Any) -> Iterator[str]:
    if isinstance(node, str):
        yield node
    else:
        for inner in node.values():
            yield from texts(inner)


PROMISES = re.compile(
    r"\b(will be (refunded|paid|returned|credited|reversed)|we will|guarantee|we promise|definitely|certainly)",
    re.IGNORECASE,
)


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_template_holds_a_figure_or_a_promise(language: str) -> None:
    found = list(texts(tomllib.loads((FOLDER / f"{language}.toml").read_text())))
    assert found
    for text in found:
        plain = "".join(literal for literal, *_ in string.Formatter().parse(text))
        assert not re.search(r"[0-9]", plain), text
        assert not PROMISES.search(plain), text


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_translation_says_nothing_of_what_english_does_not_and_fills_in_the_same(language: str) -> None:
    def names(text: str) -> set[str]:
        return {f"{name}:{spec}" for _, name, spec, _ in string.Formatter().parse(text) if name}

    english, theirs = words_of("en"), words_of(language)
    for part, sentences in theirs.items():
        for name, text in sentences.items():
            assert name in english[part], f"{part}.{name}"
            assert names(text) == names(english[part][name]), f"{part}.{name}"
    if language != "en":
        assert {intent.value for intent in COMMONEST} <= theirs.keys()
        for intent in COMMONEST:
            assert theirs[intent.value].keys() == english[intent.value].keys(), intent


def test_each_intent_has_a_reading_words_links_and_a_name() -> None:
    assert READINGS.keys() == LINKS.keys() == set(Intent)
    for intent in Intent:
        assert words_of("en")[intent.value]
        assert label(intent, language="en")
    assert set(ROWS) <= set(Intent)
    assert {reading.query for reading in READINGS.values()} <= {file.stem for file in SQL.glob("*.sql")}


def test_every_link_is_a_call_that_there_is() -> None:
    def shape(path: str) -> str:
        return re.sub(r"\{\w+\}", "{}", path)

    served = {(method.upper(), shape(path)) for path, calls in description()["paths"].items() for method in calls}
    links = [*itertools.chain(*LINKS.values()), ARTICLE, HUMAN]
    assert {(link.method, shape(V1 + link.path)) for link in links} <= served


def test_amounts_are_written_in_one_way() -> None:
    plain = {
        amount: money(amount, "ZAR").replace("\N{NO-BREAK SPACE}", " ") for amount in ("0.00", "1234.50", "1000000.05")
    }
    assert plain == {"0.00": "R0.00", "1234.50": "R1 234.50", "1000000.05": "R1 000 000.05"}
    assert money("-1234.50", "USD").replace("\N{NO-BREAK SPACE}", " ") == "\N{MINUS SIGN}1 234.50 USD"


# What a message names ------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("message", "amount"),
    [
        ("I sent R120 to the wrong guy", "120"),
        ("r1 250,50 is gone", "1250.50"),
        ("R1,250.00 twice", "1250.00"),
        ("where is my 300 rand", "300"),
        ("my 50.5rand", "50.5"),
        ("I am 42 years old", None),
        ("R99999999999999999999", None),
    ],
)
def test_an_amount_is_found_as_people_write_it(message: str, amount: str | None) -> None:
    assert references_in(message).amount == (amount and Decimal(amount))


def test_a_transfer_and_a_number_are_found() -> None:
    found = references_in("transfer 0192F7A0-1111-7abc-8def-000000000001, number 9506 3123 4567 85?")
    assert found.transfer == uuid.UUID("0192f7a0-1111-7abc-8def-000000000001")
    assert found.easypay_number == "95063123456785"


@pytest.mark.parametrize(
    "written",
    [
        "4532 1234 5678 9012",
        "4532123456789012",
        "4532-1234-5678-9012",
        "4532\n1234\n5678\n9012",
        "4532/1234/5678/9012",
        "4532, 1234, 5678, 9012",
        "4532_1234_5678_9012",
        "4532" + " " * 12 + "1234........5678\n\n\n\n\n\n\n\n9012",
        "4532 \N{EN DASH} 1234 \N{EN DASH} 5678 \N{EN DASH} 9012",
        "4532\N{ZERO WIDTH JOINER}123456789012",
        "\uff14\uff15\uff13\uff12 1234 5678 9012",
        "4\u0665\u0663\u0662 1234 5678 9012",
    ],
)
@pytest.mark.parametrize("around", ["{}", "CODE-{}", "my code{}x", "abc{}", "({})."])
def test_of_a_code_the_last_four_digits_are_kept_however_it_is_written(written: str, around: str) -> None:
    kept = without_what_is_worth_money(around.format(written))

    assert kept == around.format("\N{BULLET}" * 12 + "9012")


@pytest.mark.parametrize(
    "plain",
    [
        "0192f7a0-1111-7abc-8def-000000000001",
        "01920001-1111-7111-8111-000000000001",
        "my number is 0821234567, wallet 6070488488",
        "R100 and R200 and R300 and R400 and R500",
        "2026-11-30 14:05",
    ],
)
def test_what_is_worth_no_money_is_kept_as_it_is(plain: str) -> None:
    assert without_what_is_worth_money(plain) == plain


# One query, of one's own rows ----------------------------------------------------------------------------------------
def test_each_intent_costs_one_query(ledger: Any, thandi: Person, sipho: Person) -> None:
    a_busy_month(thandi, sipho)
    for intent in Intent:
        with CaptureQueriesContext(connection) as asked:
            ask(intent, thandi)
        assert len(asked) == 1, intent


def test_what_is_somebody_elses_is_as_if_it_were_not_there(ledger: Any, thandi: Person, sipho: Person) -> None:
    """Naledi names everything of Thandi's that a message can name, and learns what she learns of nothing."""
    naledi = person("naledi")
    fund(naledi, "70.00")
    fund(thandi, "5432.10")
    sent = send(thandi, sipho, "1234.00")
    top_up = make_voucher(thandi, "easypay_topup", "60.00")
    LoginSession.objects.filter(user=thandi.user).count()
    hers = References(transfer=sent.transfer_id, easypay_number=top_up["easypay_number"], amount=Decimal("1234.00"))
    nothing = References(transfer=uuid.uuid4(), easypay_number="90000000000000", amount=Decimal("1234.00"))
    for intent in Intent:
        facts = ask(intent, naledi, hers)
        assert facts == ask(intent, naledi, nothing), intent
        written = json.dumps(facts)
        for secret in (thandi.wallet.number, str(sent.transfer_id), "Thandi", "5432", "1234", top_up["id"]):
            assert secret not in written, (intent, secret)


def test_a_voucher_of_another_kind_is_no_top_up_and_no_cash_out(ledger: Any, thandi: Person) -> None:
    """A cash-out that was named as a top-up was told to have been credited."""
    fund(thandi, "500.00")
    made = {kind: make_voucher(thandi, f"easypay_{kind}", "60.00") for kind in ("topup", "voucher", "cashout")}
    fitting = {
        Intent.TOPUP_PENDING: {"topup"},
        Intent.TOPUP_FAILED: {"topup"},
        Intent.CASHOUT: {"cashout"},
        Intent.VOUCHER_PROBLEM: {"topup", "voucher", "cashout"},
    }
    for intent, kinds in fitting.items():
        for kind, voucher in made.items():
            facts = ask(intent, thandi, References(easypay_number=voucher["easypay_number"]))
            assert facts["state"] == ("some" if kind in kinds else "not_found"), (intent, kind)


def test_what_a_till_claims_is_not_told_as_the_customers_money(ledger: Any, thandi: Person) -> None:
    ledger.is_broken = True  # an item that no leg has put there
    SuspenseItem.objects.create(
        user=thandi.user,
        direction="owed_to_till",
        reason="again",
        amount=Decimal("61.00"),
        currency="ZAR",
        transfer_id=fund(thandi, "100.00").transfer_id,
        created_at=now(),
    )
    for intent in (Intent.TOPUP_PENDING, Intent.CASHOUT, Intent.VOUCHER_PROBLEM, Intent.REFUND):
        assert "61.00" not in said(intent, thandi), intent


def test_nobody_has_no_facts(ledger: Any) -> None:
    for intent in Intent:
        if READINGS[intent].query == "wallets":
            continue  # an aggregate of nothing: no wallet
        with pytest.raises(UnknownCustomer):
            facts_for(intent, user_public_id=uuid.uuid4(), about=NOBODY, now=now())


def test_every_query_is_bound_to_one_customer() -> None:
    shared = {"article", "forget_messages"}  # of everybody, and of nobody
    for file in SQL.glob("*.sql"):
        statements = file.read_text()
        if file.stem not in shared:
            assert "%(user)s" in statements, file.name
            assert re.search(r"public_id = %\(user\)s", statements), file.name


# Some answers, as they read ------------------------------------------------------------------------------------------
def test_the_balance_is_told_with_what_is_held(ledger: Any, thandi: Person) -> None:
    fund(thandi, "1234.50")
    make_voucher(thandi, "easypay_cashout", "100.00")
    text = said(Intent.BALANCE, thandi)
    assert f"Wallet {thandi.wallet.number}: R1 125.30 available of R1 234.50; R109.20 is held" in text


def test_two_currencies_are_told_each_in_its_own(ledger: Any, thandi: Person) -> None:
    fund(thandi, "10.00")
    a_second_currency(thandi)
    text = said(Intent.BALANCE, thandi)
    assert ": R10.00 available." in text
    assert ": 2 500.00 USD available." in text


def test_a_wallet_without_limits_is_told_to_be_one(ledger: Any, thandi: Person) -> None:
    a_second_currency(thandi)
    for intent in (Intent.LIMITS, Intent.TRANSFER_FAILED_OR_DECLINED):
        assert "no limits in USD" in said(intent, thandi), intent


def test_a_payment_made_twice_is_found_and_one_of_another_amount_is_not(
    ledger: Any, thandi: Person, sipho: Person
) -> None:
    fund(thandi, "500.00")
    for amount in ("20.00", "30.00", "20.00"):
        send(thandi, sipho, amount)
    facts = ask(Intent.DUPLICATE_CHARGE, thandi)
    assert facts["state"] == "some"
    assert [pair["amount"] for pair in facts["pairs"]] == ["20.00"]
    assert ask(Intent.DUPLICATE_CHARGE, sipho)["state"] == "none"


def test_freezing_is_offered_for_active_wallets_only_and_asks_first(ledger: Any, thandi: Person) -> None:
    def offers() -> list[dict[str, Any]]:
        found = links_for(Intent.LOST_PHONE_OR_FRAUD, ask(Intent.LOST_PHONE_OR_FRAUD, thandi), language="en")
        return [link for link in found if link["href"].endswith("/freeze")]

    [freeze] = offers()
    assert freeze["href"] == f"/api/v1/wallets/{thandi.wallet.number}/freeze"
    assert freeze["method"] == "POST"
    assert freeze["confirm"]
    assert Wallet.objects.get(pk=thandi.wallet.pk).status == "active"
    assert calling(thandi).post(freeze["href"].removeprefix("/api/v1/")).status_code == 200
    assert offers() == []


def test_who_lost_a_phone_is_shown_what_can_still_be_cashed_and_cancels_it_though_frozen(
    ledger: Any, thandi: Person
) -> None:
    fund(thandi, "500.00")
    cash_out = make_voucher(thandi, "easypay_cashout", "60.00")
    make_voucher(thandi, "standard", "50.00")
    make_voucher(thandi, "easypay_topup", "70.00")
    freeze_wallet(number=thandi.wallet.number, user_public_id=thandi.user.public_id, origin=SYSTEM)
    facts = ask(Intent.LOST_PHONE_OR_FRAUD, thandi)
    end = cash_out["easypay_number"][-4:]
    told = said(Intent.LOST_PHONE_OR_FRAUD, thandi)
    assert f"R60.00, number ending in {end}" in told
    assert "whoever has the code can still redeem R50.00. Only we can stop that" in told
    assert "R70.00" not in told
    assert "is frozen: no voucher can be made" in said(Intent.CASHOUT, thandi)
    [cancel] = [
        link for link in links_for(Intent.LOST_PHONE_OR_FRAUD, facts, language="en") if link["href"].endswith("/cancel")
    ]
    assert cancel["confirm"]
    answer = calling(thandi).post(cancel["href"].removeprefix("/api/v1/"), Idempotency_Key="c")
    assert answer.status_code == 200, answer.content
    assert [one["line"] for one in ask(Intent.LOST_PHONE_OR_FRAUD, thandi)["vouchers"]] == ["code"]


def test_a_reversal_is_told_from_the_side_of_who_asks(ledger: Any, thandi: Person, sipho: Person) -> None:
    fund(thandi, "100.00")
    sent = send(thandi, sipho, "40.00")
    about = References(transfer=sent.transfer_id)
    assert "to Sipho M. has arrived" in said(Intent.TRANSFER_STATUS, thandi, about)
    corrections.reverse_transfer(group_id=sent.transfer_id, decision=decided(), key=key("reverse", "it"))
    assert "to Sipho M. was reversed" in said(Intent.TRANSFER_STATUS, thandi, about)
    assert "from Thandi M. was reversed" in said(Intent.TRANSFER_STATUS, sipho, about)


def test_a_payment_that_the_bank_gave_back_was_not_taken_from_who_received_it(
    ledger: Any, thandi: Person, sipho: Person
) -> None:
    fund(thandi, "100.00")
    sent = send(thandi, sipho, "40.00")
    send(sipho, person("naledi"), "40.00")
    corrections.force_reversal(transfer_id=sent.transfer_id, decision=decided(), key=key("force", "it"))
    about = References(transfer=sent.transfer_id)
    assert "to Sipho M. was reversed" in said(Intent.TRANSFER_STATUS, thandi, about)
    assert "came from Thandi M." in said(Intent.TRANSFER_STATUS, sipho, about)


def test_what_has_ended_is_not_usable_though_no_sweep_has_come(ledger: Any, thandi: Person, owner_sql: Sql) -> None:
    fund(thandi, "500.00")
    for kind in ("easypay_voucher", "easypay_cashout", "easypay_topup"):
        make_voucher(thandi, kind, "60.00")
    later = now() + dt.timedelta(days=31)

    def told(intent: Intent) -> str:
        facts = facts_for(intent, user_public_id=thandi.user.public_id, about=NOBODY, now=later)
        return answer(intent, facts, language="en")

    assert "no voucher that can still be used" in told(Intent.VOUCHER_LIST)
    assert "is held a little longer" in told(Intent.CASHOUT)
    assert "no till had told us" in told(Intent.TOPUP_PENDING)
    assert "can still be used at a till" not in told(Intent.LOST_PHONE_OR_FRAUD)


def test_closing_names_all_that_is_in_its_way(ledger: Any, thandi: Person) -> None:
    assert "can be closed" in said(Intent.CLOSE_ACCOUNT, thandi)
    make_voucher(thandi, "easypay_topup", "60.00")
    KycSubmission.objects.create(
        user=thandi.user,
        id_type="sa_id",
        id_number_encrypted="x",
        id_number_index=b"i" * 32,
        waits_for="officer",
        created_at=now(),
    )
    told = said(Intent.CLOSE_ACCOUNT, thandi)
    assert "only once nothing is left" in told
    assert "- Vouchers that can still be used: 1" in told
    assert "- Identity checks that are waiting: 1" in told


def test_entries_say_what_they_are(ledger: Any, thandi: Person) -> None:
    fund(thandi, "500.00")
    make_voucher(thandi, "easypay_voucher", "60.00")
    told = said(Intent.TRANSACTIONS, thandi)
    for line in ("R60.00, a voucher that was made", "R2.50, a fee", "R0.38, VAT on a fee"):
        assert line in told
    assert "R0.38, VAT on a fee" in said(Intent.MONEY_OUT, thandi)


def test_an_expired_top_up_says_its_last_day(ledger: Any, thandi: Person) -> None:
    make_voucher(thandi, "easypay_topup", "60.00")
    [voucher] = Voucher.objects.filter(user=thandi.user)
    last_day = (voucher.expires_at - dt.timedelta(microseconds=1)).astimezone(dt.timezone(dt.timedelta(hours=2))).date()
    assert f"It ends after {last_day}." in said(Intent.TOPUP_PENDING, thandi)
