"""One screen that answers a phone call: what it says, to whom, and what it costs."""

from __future__ import annotations

import datetime as dt
import itertools
import json
import re
import uuid
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts import audit
from accounts.kyc_identity import encrypted_number
from accounts.lockout import MOST_FAILURES, count_attempt, locked_seconds
from accounts.models import KycSubmission, OneTimeCode, User
from mymoolah.common.admin import list_of
from mymoolah.common.clock import business_day, now, start_of_day
from mymoolah.common.money import Money
from mymoolah.common.sql import read as sql_file
from reporting import customer_selectors
from reporting.customer_selectors import LATEST, LATEST_ENTRIES, LATEST_EVENTS
from reporting.customer_troubles import of_codes
from reporting.roles import ROLES
from reporting.support.intents import Intent
from reporting.support.models import SupportTicket
from reporting.support.staff_words import about
from reporting.support.tickets import open_ticket
from tests.back_office.house import SECRETS, Furnished, colleague, emergency, signed_in
from tests.conftest import Ledger, Person, Sql, fund, person, send
from tests.vouchers import desk
from transactions.models import Receivable, Transfer
from transactions.posting import IdempotencyKey
from transactions.services import give_demo_money
from vouchers.models import Voucher
from wallets.freezing import HOW_TO_STOP_IT, NOT_STOPPED
from wallets.models import Wallet
from wallets.services import freeze_wallet, open_house_wallets, open_wallet

SA_ID = "8001015009087"


def page(who: Person, query: str = "") -> str:
    return reverse("customer_page", args=[who.user.public_id]) + query


def seen(client: Client, who: Person, query: str = "") -> Any:
    answer = client.get(page(who, query))
    assert answer.status_code == 200
    return answer


def troubles(answer: Any) -> list[tuple[str, str]]:
    return [(trouble.level, trouble.title) for trouble in answer.context["troubles"]]


@pytest.fixture
def support(ledger: Ledger) -> Client:
    return signed_in(colleague("support"))


# What it says -----------------------------------------------------------------------------------------------------------
def test_support_reads_who_calls_and_no_secret(house: Furnished, thandi: Person) -> None:
    html = seen(signed_in(colleague("support")), thandi).content.decode()
    for text in ("thandi@example.com", "+27821110001", "460.00 ZAR", thandi.wallet.number, "…6785", "A telephone"):
        assert text in html, text
    assert [secret for secret in SECRETS if secret in html] == []


def test_a_new_customer_has_a_page_too(support: Client, thandi: Person) -> None:
    answer = seen(support, thandi)
    assert troubles(answer) == []
    html = answer.content.decode()
    assert "Nothing is wrong right now" in html
    assert "Never signed in." in html
    assert [wallet["available"] for wallet in answer.context["wallets"]] == [Decimal("0.00")]


def test_the_limits_say_what_is_used_of_what_the_tier_allows(support: Client, thandi: Person, sipho: Person) -> None:
    fund(thandi, "60000.00")
    send(thandi, sipho, "12500.00")
    wallet = seen(support, thandi).context["wallets"][0]
    assert (wallet["used_today"], wallet["per_day_amount"], wallet["used_today_percent"]) == (12500, 50000, 25)
    assert (wallet["used_this_month"], wallet["per_month_amount"], wallet["used_this_month_percent"]) == (
        12500,
        100000,
        12,
    )
    assert (wallet["balance"], wallet["highest_balance"], wallet["full_percent"]) == (47500, 100000, 47)


def test_counters_of_an_earlier_day_or_month_read_as_nothing(ledger: Ledger, thandi: Person, sipho: Person) -> None:
    fund(thandi, "1000.00")
    send(thandi, sipho, "100.00")
    today = business_day(now())
    next_month = (today.replace(day=1) + dt.timedelta(days=32)).replace(day=1)
    for day, used in ((today, (100, 100)), (next_month, (0, 0))):
        [wallet] = customer_selectors.wallets(user_id=thandi.user.pk, today=day)
        assert (wallet["used_today"], wallet["used_this_month"]) == used
    tomorrow = today + dt.timedelta(days=1)
    [wallet] = customer_selectors.wallets(user_id=thandi.user.pk, today=tomorrow)
    assert (wallet["used_today"], wallet["used_this_month"]) == (0, 100 if tomorrow.month == today.month else 0)


def test_each_entry_names_its_other_end(support: Client, thandi: Person, sipho: Person) -> None:
    fund(thandi, "100.00")
    send(thandi, sipho, "12.50")
    answer = seen(support, thandi)
    sent, funded = answer.context["entries"]
    assert (sent["other"], sent["other_page"], sent["sign"], sent["balance_after"]) == (
        "Sipho Mokoena",
        page(sipho),
        "\N{MINUS SIGN}",
        Decimal("87.50"),
    )
    assert (funded["other"], funded["other_page"], funded["sign"]) == ("Adjustments", None, "+")
    assert page(sipho) in answer.content.decode()


def test_the_identity_number_is_masked_and_told_only_once_it_was_approved(support: Client, thandi: Person) -> None:
    case = KycSubmission.objects.create(
        user=thandi.user,
        id_type="sa_id",
        id_number_encrypted=encrypted_number(SA_ID),
        id_number_index=b"i" * 32,
        created_at=now(),
    )
    assert "no document approved" in seen(support, thandi).content.decode()
    KycSubmission.objects.filter(pk=case.pk).update(
        status="approved", granted_tier=1, reviewer=colleague("kyc"), decided_at=now(), waits_for=None, version=2
    )
    html = seen(support, thandi).content.decode()
    assert "****** **09 08 7" in html
    assert SA_ID not in html
    assert SA_ID[:6] not in html


# What is wrong -----------------------------------------------------------------------------------------------------------
def test_what_is_wrong_stands_on_top_the_worst_first(support: Client, thandi: Person) -> None:
    fund(thandi, "100.00")
    freeze_wallet(user_public_id=thandi.user.public_id, number=thandi.wallet.number, origin=audit.SYSTEM)
    for _ in range(MOST_FAILURES["account"]):
        count_attempt(email="thandi@example.com", address="192.0.2.1").failed()
    KycSubmission.objects.create(
        user=thandi.user,
        id_type="sa_id",
        id_number_encrypted="not read",
        id_number_index=b"i" * 32,
        created_at=now(),
        waits_for="customer",
    )
    OneTimeCode.objects.create(
        user=thandi.user,
        purpose="phone",
        target="+27821110009",
        code_digest=b"t" * 32,
        sent_at=now() - dt.timedelta(minutes=11),
        expires_at=now() - dt.timedelta(minutes=1),
        counted_from=now(),
    )
    User.objects.filter(pk=thandi.user.pk).update(phone_verified_at=None)
    answer = seen(support, thandi)
    assert troubles(answer) == [
        ("stop", "Signing in is locked"),
        ("stop", f"Wallet {thandi.wallet.number} is frozen by the customer"),
        ("warn", "Identity documents wait"),
        ("note", "The phone is not confirmed"),
        ("note", "A code to confirm a phone number was not used"),
    ]
    html = answer.content.decode()
    assert html.index("Signing in is locked") < html.index("Who this is")
    assert "+27821110009" not in html, "the code's target may be a stranger's"


def test_what_is_owed_and_what_waits_in_suspense_is_told(
    ledger: Ledger, house: Furnished, thandi: Person, sipho: Person
) -> None:
    ledger.is_broken = True  # a debt that no reversal made
    client = signed_in(colleague("support"))
    assert ("warn", "60.00 ZAR waits in suspense") in troubles(seen(client, thandi))
    another = Transfer.objects.filter(to_wallet=thandi.wallet).earliest("created_at")
    Receivable.objects.create(
        wallet=sipho.wallet, transfer=another, amount=Decimal(10), currency="ZAR", created_at=now()
    )
    assert ("warn", "Owes the bank 10.00 ZAR") in troubles(seen(client, sipho))


def test_open_tickets_are_told_and_led_to(support: Client, thandi: Person, sipho: Person) -> None:
    """An urgent one is the first thing to read; one that was answered is a note, and one that is closed is none."""
    clerk = colleague("administrator")
    kept = [ticket_of(thandi, intent) for intent in (Intent.HUMAN, Intent.WRONG_RECIPIENT, Intent.LOST_PHONE_OR_FRAUD)]
    ticket_of(sipho, Intent.LOST_PHONE_OR_FRAUD)
    SupportTicket.objects.filter(pk=ticket_of(thandi, Intent.DUPLICATE_CHARGE).pk).update(
        status="closed", closed_at=now()
    )
    SupportTicket.objects.filter(pk=kept[0].pk).update(status="waiting", assigned_to=clerk)
    answer = seen(support, thandi)
    assert troubles(answer) == [
        ("stop", f"A support ticket waits for us: {about(Intent.LOST_PHONE_OR_FRAUD)}"),
        ("warn", f"A support ticket waits for us: {about(Intent.WRONG_RECIPIENT)}"),
        ("note", f"A support ticket waits for the customer: {about(Intent.HUMAN)}"),
    ]
    html = answer.content.decode()
    assert "nobody has taken it" in html
    assert answer.context["troubles"][0].text.startswith("Urgent, opened ")
    assert answer.context["troubles"][-1].text.endswith(f"{clerk.name} has taken it.")
    shown = [one["ticket"].pk for one in answer.context["tickets"]]
    assert shown == [ticket.pk for ticket in reversed(kept)]
    for ticket in kept:
        assert html.count(reverse("support_ticket", args=[ticket.public_id])) == 2
    assert list_of(SupportTicket, user=thandi.user.pk).replace("&", "&amp;") in html
    assert "Nothing is wrong" not in html


def test_tickets_are_told_to_who_may_see_them_only(ledger: Ledger, thandi: Person) -> None:
    ticket = ticket_of(thandi, Intent.LOST_PHONE_OR_FRAUD)
    answer = seen(signed_in(colleague("finance")), thandi)
    assert troubles(answer) == []
    assert answer.context["tickets"] is None
    html = answer.content.decode()
    assert str(ticket.public_id) not in html
    assert about(Intent.LOST_PHONE_OR_FRAUD) not in html


def ticket_of(who: Person, intent: Intent) -> SupportTicket:
    said = [{"by": "customer", "text": "Please help"}]
    return open_ticket(user_id=who.user.pk, conversation=uuid.uuid4(), intent=intent, said=said, now=now()).ticket


def test_a_used_up_limit_and_a_full_wallet_are_told(support: Client, thandi: Person, sipho: Person) -> None:
    fund(thandi, "100000.00")
    titles = [title for _, title in troubles(seen(support, thandi))]
    assert titles == [f"Wallet {thandi.wallet.number} is full"]
    send(thandi, sipho, "25000.00")
    send(thandi, sipho, "25000.00")
    assert troubles(seen(support, thandi)) == [("warn", "The limit of today is used up")]
    beginner = person("lerato", tier=0)
    assert troubles(seen(support, beginner)) == [("warn", f"Wallet {beginner.wallet.number} cannot send")]


@pytest.mark.parametrize("status", ["suspended", "closed"])
def test_an_account_that_is_not_open_says_so_big(support: Client, thandi: Person, status: str) -> None:
    User.objects.filter(pk=thandi.user.pk).update(status=status)
    answer = seen(support, thandi)
    assert troubles(answer)[0] == ("stop", f"This account is {status}")
    html = answer.content.decode()
    assert f'class="customer-banner">This account is {status}<' in html
    assert html.count(f"This account is {status}") == 1
    assert "Nothing can be done" not in html
    assert f"cannot be moved while the account is {status}" in re.sub(r"\s+", " ", html)


def test_money_in_a_frozen_wallet_is_not_called_available_nor_what_is_held_safe(
    support: Client, thandi: Person
) -> None:
    fund(thandi, "209.20")
    voucher = desk.issue(thandi, desk.CASH_OUT)
    html = seen(support, thandi).content.decode()
    assert "</span> available" in html
    assert "a till can still pay out" not in html
    freeze_wallet(user_public_id=thandi.user.public_id, number=thandi.wallet.number, origin=audit.SYSTEM)
    html = seen(support, thandi).content.decode()
    assert "</span> cannot be moved while frozen" in html
    assert "</span> available" not in html
    assert re.search(r"109\.20\D+ held, which a till can still pay out", html)
    assert f"{NOT_STOPPED} {HOW_TO_STOP_IT}" in html
    desk.cancel(thandi, voucher)
    assert "a till can still pay out" not in seen(support, thandi).content.decode()


def test_who_may_cancels_beside_each_live_voucher_also_one_that_others_hide(thandi: Person, ledger: Ledger) -> None:
    fund(thandi, "5000.00")
    hidden = desk.issue(thandi, desk.CASH_OUT)
    shown = [desk.issue(thandi, desk.EASYPAY_VOUCHER, "50.00") for _ in range(2)]
    ended = desk.issue(thandi, desk.EASYPAY_VOUCHER, "50.00")
    desk.cancel(thandi, ended)
    for _ in range(LATEST):
        desk.issue(thandi, desk.STANDARD, "5.00")
    live = {str(voucher.public_id) for voucher in (hidden, *shown)}
    for role in (*ROLES, "superuser"):
        if role == "operator":
            continue
        answer = seen(signed_in(emergency() if role == "superuser" else colleague(role)), thandi)
        offered = re.findall(r"/cancel-voucher\?voucher=([0-9a-f-]{36})", answer.content.decode())
        may = role == "superuser" or "vouchers.cancel_voucher" in ROLES[role]
        assert (len(offered), set(offered)) == (3, live) if may else offered == [], role
        if may:
            assert len(answer.context["vouchers"]) == LATEST + 3
            assert "and what a till can still take" in answer.content.decode()


def test_a_code_is_a_trouble_only_once_it_should_have_been_used() -> None:
    at = dt.datetime(2026, 11, 23, 8, 0, tzinfo=dt.UTC)

    def told(sent_minutes: int, good_minutes: int) -> int:
        sent = at - dt.timedelta(minutes=sent_minutes)
        ends = sent + dt.timedelta(minutes=good_minutes)
        code = {"sent_at": sent, "expires_at": ends, "attempts": 0, "purpose_name": "choose a new password"}
        return len(list(of_codes([code], at)))

    assert [told(sent, 10) for sent in (0, 9, 10, 60)] == [0, 0, 1, 1]
    assert [told(sent, 30) for sent in (0, 9, 10, 60)] == [0, 0, 1, 1]
    assert told(2, 1) == 1


def test_a_vouchers_end_is_told_as_its_last_good_day(support: Client, thandi: Person) -> None:
    Voucher.objects.create(
        user=thandi.user,
        voucher_type="easypay_topup",
        status="pending_payment",
        easypay_number="95063000000001",
        original_amount=Decimal(60),
        balance=0,
        currency="ZAR",
        created_at=now(),
        expires_at=dt.datetime(2029, 11, 23, 22, 0, tzinfo=dt.UTC),
    )
    lists = support.get(reverse("admin:vouchers_voucher_changelist")).content.decode()
    one = support.get(reverse("admin:vouchers_voucher_change", args=[Voucher.objects.get().pk])).content.decode()
    assert 'data-label="Last good day">23 Nov 2029<' in seen(support, thandi).content.decode()
    for html in (lists, one):
        assert "23 Nov 2029" in html
        assert "24 Nov 2029" not in html


def test_what_an_entry_is_is_said_once(support: Client, thandi: Person) -> None:
    key = IdempotencyKey(actor=f"user:{thandi.user.public_id}", key="demo", request_hash=b"r" * 32)
    give_demo_money(wallet=thandi.wallet, amount=Money.parse("10.00"), key=key)
    [entry] = seen(support, thandi).context["entries"]
    assert (entry["kind_name"], entry["reference"]) == ("Demo money", "")


def test_a_lock_ends_and_is_told_for_this_account_only(ledger: Ledger, thandi: Person, sipho: Person) -> None:
    for _ in range(MOST_FAILURES["account"]):
        assert locked_seconds(email="thandi@example.com") == 0
        count_attempt(email="thandi@example.com", address="192.0.2.1").failed()
    assert 0 < locked_seconds(email="Thandi@Example.com") <= 15 * 60
    assert locked_seconds(email="sipho@example.com") == 0
    cache.clear()
    assert locked_seconds(email="thandi@example.com") == 0


# The chart ---------------------------------------------------------------------------------------------------------------
def recomputed(wallet: Wallet, day: dt.date) -> Decimal:
    """The balance when a day ended, by adding up everything before."""
    ends_at = start_of_day(day + dt.timedelta(days=1))
    transfers = Transfer.objects.filter(created_at__lt=ends_at)
    received = sum((one.amount for one in transfers.filter(to_wallet=wallet)), Decimal())
    return received - sum((one.amount for one in transfers.filter(from_wallet=wallet)), Decimal())


def test_the_chart_is_the_balance_at_the_end_of_each_johannesburg_day(support: Client, thandi: Person) -> None:
    today = business_day(now())
    open_house_wallets(currency="USD")
    dollars = Person(thandi.user, open_wallet(user=thandi.user, currency="USD"))
    edge, day = dt.timedelta(microseconds=1), dt.timedelta(days=1)
    fund(thandi, "1000.00", at=start_of_day(today - 40 * day))
    fund(thandi, "10.00", at=start_of_day(today - 5 * day) - edge)
    fund(thandi, "7.00", at=start_of_day(today - 5 * day))
    fund(dollars, "3.00", at=start_of_day(today - 2 * day))
    fund(thandi, "1.50")
    answer = seen(support, thandi)
    rand, dollar = answer.context["charts"]
    assert [len(chart.days) for chart in (rand, dollar)] == [30, 3]
    for chart, wallet in ((rand, thandi.wallet), (dollar, dollars.wallet)):
        assert dict(chart.days) == {on: recomputed(wallet, on) for on, _ in chart.days}
    assert dict(rand.days)[today - 6 * day] == Decimal("1010.00")
    assert dict(rand.days)[today - 5 * day] == Decimal("1017.00")
    drawn = json.loads(rand.data)["datasets"][0]["data"]
    assert drawn == [str(balance) for _, balance in rand.days]
    html = answer.content.decode()
    assert html.count('class="chart"') == 2
    assert "1,017.00 ZAR" in html, "the table has what the chart draws"
    assert [len(chart.days) for chart in seen(support, thandi, "?days=90").context["charts"]] == [41, 3]
    assert seen(support, thandi, "?days=1000000").context["days"] == 30


# The timeline ------------------------------------------------------------------------------------------------------------
def test_the_timeline_tells_what_she_did_and_what_was_done_to_hers_in_words(support: Client, thandi: Person) -> None:
    clerk = User.objects.get(email="support@example.com")
    hers, number = audit.Origin(actor_id=thandi.user.pk), thandi.wallet.number
    audit.record("wallet.frozen", subject_type="wallet", subject_id=number, origin=hers)
    by_clerk = audit.Origin(actor_id=clerk.pk)
    audit.record("user.corrected", subject_type="user", subject_id=thandi.user.public_id, origin=by_clerk)
    audit.record("session.started", subject_type="session", subject_id="elsewhere", origin=hers)
    audit.record("wallet.frozen", subject_type="wallet", subject_id="9999999999")
    events = seen(support, thandi).context["events"]
    assert [(event["words"], event["who"], event["about"]) for event in events] == [
        ("Session started", "the customer", ""),
        ("Profile corrected by staff", clerk.name, ""),
        ("Wallet frozen", "the customer", f"Wallet {number}"),
        ("Wallet opened", "the system", f"Wallet {number}"),
        ("User registered", "the system", ""),
    ]


def test_proposals_about_her_wallets_are_shown_to_finance(house: Furnished, thandi: Person, sipho: Person) -> None:
    client = signed_in(colleague("finance"))
    [proposal] = seen(client, thandi).context["proposals"]
    assert (proposal["reason"], proposal["status_name"]) == ("Case 17", "waits")
    assert seen(client, sipho).context["proposals"] == []


# Who sees what -----------------------------------------------------------------------------------------------------------
SECTIONS: Mapping[str, tuple[str, ...]] = {
    "wallets": ("administrator", "finance", "auditor", "support", "superuser"),
    "balance": ("administrator", "finance", "auditor", "support", "superuser"),
    "entries": ("administrator", "finance", "auditor", "support", "superuser"),
    "vouchers": ("administrator", "finance", "auditor", "support", "superuser"),
    "sessions": ("administrator", "auditor", "support", "superuser"),
    "cases": ("administrator", "kyc", "auditor", "superuser"),
    "tickets": ("administrator", "auditor", "support", "superuser"),
    "proposals": ("administrator", "finance", "auditor", "superuser"),
    "timeline": ("administrator", "kyc", "finance", "auditor", "support", "superuser"),
}


def test_each_role_sees_the_sections_it_has_and_nothing_is_read_for_the_others(
    house: Furnished, thandi: Person
) -> None:
    for role in (*ROLES, "superuser"):
        client = signed_in(emergency() if role == "superuser" else colleague(role))
        if role == "operator":
            assert client.get(page(thandi)).status_code == 403
            continue
        with CaptureQueriesContext(connection) as queries:
            html = seen(client, thandi).content.decode()
        shown = {name for name in SECTIONS if f'<h2 id="{name}">' in html}
        assert shown == {name for name, roles in SECTIONS.items() if role in roles}, role
        assert {name for name in SECTIONS if f'href="#{name}"' in html} == shown, role
        if role == "kyc":
            assert not re.search(r'FROM "?(vouchers|transactions|login_sessions|proposals)\b', str(list(queries)))
            assert "460.00" not in html


def test_headings_are_in_order_and_every_table_has_headers(house: Furnished, thandi: Person) -> None:
    html = seen(signed_in(emergency()), thandi).content.decode()
    levels = [int(level) for level in re.findall(r"<h([1-6])[ >]", html)]
    assert levels.count(1) == 1
    content = levels[levels.index(1) :]
    assert all(after - before <= 1 for before, after in itertools.pairwise(content)), content
    tables = re.findall(r"<table>.*?</table>", html, re.DOTALL)
    assert len(tables) >= 7
    for table in tables:
        assert '<th scope="col"' in table
        assert table.count("<tr>") - 1 == table.count('<th scope="row"')


def test_a_colleague_has_no_customer_page(support: Client) -> None:
    clerk = User.objects.get(email="support@example.com")
    answer = support.get(reverse("customer_page", args=[clerk.public_id]))
    assert answer.status_code == 302
    assert answer["Location"] == reverse("admin:accounts_user_change", args=[clerk.pk])


# What it costs -----------------------------------------------------------------------------------------------------------
QUERIES: Mapping[str, int] = {"support": 20, "superuser": 20}

CROWD = """
INSERT INTO users (password, is_superuser, public_id, email, phone, first_name, last_name)
SELECT '!', false, gen_random_uuid(), 'crowd' || n || '@example.com', '+2760' || lpad(n::text, 7, '0'), 'Crowd', 'Name' || n
FROM generate_series(1, 20000) AS n;

INSERT INTO wallets (number, user_id, kind, stripe, currency, status)
SELECT (3000000000 + u.id * 10)::text, u.id, 'customer', 0, 'ZAR', 'active'
FROM users AS u
WHERE u.email LIKE 'crowd%';

INSERT INTO audit_events (verb, subject_type, subject_id, facts, request_id)
SELECT 'crowd.came', 'user', gen_random_uuid()::text, '{}', md5(n::text)
FROM generate_series(1, 20000) AS n;

INSERT INTO login_sessions (public_id, user_id, device, token_digest, rotated_at, created_at, last_used_at, expires_at)
SELECT gen_random_uuid(), u.id, 'crowd', '\\x00', now(), now(), now(), now()
FROM users AS u
WHERE u.email LIKE 'crowd%';
"""

# Thandi's wallet receives a rand from the house 30,000 times, once a minute until now.
HISTORY = """
WITH ends AS (
    SELECT w.id AS wallet_id, w.user_id, h.id AS house_id
    FROM wallets AS w, (SELECT id FROM wallets WHERE kind = 'adjustments' ORDER BY id LIMIT 1) AS h
    WHERE w.number = '{number}'
), made AS (
    INSERT INTO transfers (id, kind, from_wallet_id, to_wallet_id, amount, currency, reference, group_id, created_at)
    SELECT md5(n::text)::uuid, 'demo_money', e.house_id, e.wallet_id, 1, 'ZAR', '', md5(n::text)::uuid,
        now() - (30001 - n) * interval '1 minute'
    FROM ends AS e, generate_series(1, 30000) AS n
)
INSERT INTO transactions (
    transfer_id, wallet_id, user_id, type, amount, currency, sequence, balance_after, total_received_after,
    total_sent_after, created_at
)
SELECT md5(n::text)::uuid, e.wallet_id, e.user_id, 'received', 1, 'ZAR', n, n, n, 0,
    now() - (30001 - n) * interval '1 minute'
FROM ends AS e, generate_series(1, 30000) AS n;

UPDATE wallets SET balance = 30000, total_received = 30000, received_count = 30000, sequence = 30000,
    last_entry_at = now() - interval '1 minute'
WHERE number = '{number}';

INSERT INTO audit_events (actor_id, verb, subject_type, subject_id, facts, request_id)
SELECT {user}, 'session.started', 'session', gen_random_uuid()::text, '{{}}', ''
FROM generate_series(1, 5000) AS n;

INSERT INTO login_sessions (public_id, user_id, device, token_digest, rotated_at, created_at, last_used_at, expires_at)
SELECT gen_random_uuid(), {user}, 'her own', '\\x00', now(), now(), now(), now()
FROM generate_series(1, 5000) AS n;
"""


def cost(client: Client, who: Person) -> list[str]:
    with CaptureQueriesContext(connection) as queries:
        seen(client, who, "?days=90")
    return [query["sql"] for query in queries]


def test_it_takes_as_many_queries_for_nothing_as_for_thirty_thousand_entries(
    ledger: Ledger, thandi: Person, sipho: Person, admin_sql: Sql
) -> None:
    ledger.is_broken = True  # a history that no posting made
    clients = {"support": signed_in(colleague("support")), "superuser": signed_in(emergency())}
    nothing = {role: len(cost(client, thandi)) for role, client in clients.items()}
    assert nothing == QUERIES
    three_by_four(thandi, sipho)
    assert {role: len(cost(client, thandi)) for role, client in clients.items()} == nothing
    admin_sql(HISTORY.format(number=sipho.wallet.number, user=sipho.user.pk))
    assert {role: len(cost(client, sipho)) for role, client in clients.items()} == nothing


def three_by_four(thandi: Person, sipho: Person) -> None:
    """Three vouchers and four transactions, in two currencies."""
    open_house_wallets(currency="USD")
    for amount in ("500.00", "20.00", "30.00", "40.00"):
        fund(thandi, amount)
    fund(Person(thandi.user, open_wallet(user=thandi.user, currency="USD")), "5.00")
    for number in range(3):
        Voucher.objects.create(
            user=thandi.user,
            voucher_type="easypay_topup",
            status="pending_payment",
            easypay_number=f"9506300000000{number}",
            original_amount=Decimal(60),
            balance=0,
            currency="ZAR",
            created_at=now(),
            expires_at=now() + dt.timedelta(days=30),
        )


@pytest.mark.sql
def test_every_query_reads_along_an_index_and_as_little_as_it_shows(
    ledger: Ledger, thandi: Person, admin_sql: Sql, owner_sql: Sql
) -> None:
    """Among twenty thousand strangers, for somebody of thirty thousand entries and five thousand sign-ins."""
    ledger.is_broken = True
    owner_sql(CROWD)
    admin_sql(HISTORY.format(number=thandi.wallet.number, user=thandi.user.pk))
    owner_sql("ANALYZE")
    client = signed_in(emergency())
    answer = seen(client, thandi, "?days=90")
    assert len(answer.context["entries"]) == LATEST_ENTRIES
    assert len(answer.context["events"]) == LATEST_EVENTS
    assert len(answer.context["sessions"]) == LATEST
    statements = [
        statement for statement in cost(client, thandi) if statement.lstrip().startswith(("SELECT", "WITH", "--"))
    ]
    assert len(statements) >= QUERIES["superuser"] - 2
    for statement in statements:
        with connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {statement}")
            plan = cursor.fetchone()[0][0]["Plan"]
        scans = [node["Relation Name"] for node in nodes(plan) if node["Node Type"] == "Seq Scan"]
        large = {"users", "wallets", "transactions", "transfers", "audit_events", "login_sessions"}
        assert not large & set(scans), statement
        assert plan["Shared Hit Blocks"] + plan["Shared Read Blocks"] < 1_000, statement


def nodes(plan: dict[str, Any]) -> list[dict[str, Any]]:
    return [plan, *(node for child in plan.get("Plans", []) for node in nodes(child))]


@pytest.mark.parametrize(
    "name", ["customer_wallets", "customer_entries", "customer_balances", "customer_proposals", "customer_events"]
)
def test_no_query_of_the_page_sums(name: str) -> None:
    assert not re.search(r"\bsum\(", sql_file("reporting", f"queries/{name}.sql"), re.IGNORECASE)
