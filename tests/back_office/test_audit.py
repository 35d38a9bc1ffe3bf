"""The audit trail as staff read it: found by person, subject, verb, period and request, each along an index."""

from __future__ import annotations

import csv
import io
from typing import Any
from urllib.parse import urlencode

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts import audit, services
from accounts.audit import Origin
from accounts.audit_admin import AuditEventAdmin
from accounts.models import AuditEvent, KycSubmission, LoginSession, User
from mymoolah.common.admin import page_of as looked_at
from reporting.roles import ROLES
from reporting.support.models import SupportArticle, SupportTicket
from tests.back_office.house import Furnished, colleague, furnish, list_page, page_of, signed_in
from tests.back_office.test_lists import CROWD, assert_indexed, rows_of, seen
from tests.conftest import Ledger, Person, Sql
from transactions.models import FeeRule, Proposal, Receivable, Transfer
from vouchers.models import SuspenseItem, TillEvent, Voucher
from wallets.models import TierLimit, Wallet

EXPORT = "/admin/accounts/auditevent/export/"


def wrote(verb: str, who: Person, **facts: Any) -> AuditEvent:
    """Something that Thandi did to herself, say."""
    audit.record(
        verb,
        subject_type="user",
        subject_id=who.user.public_id,
        origin=Origin(actor_id=who.user.pk, address="10.1.2.3", request_id=f"request-{verb}"),
        **facts,
    )
    return AuditEvent.objects.latest("pk")


def verbs(client: Client, **narrowed: str) -> list[str]:
    return [event.verb for event in rows_of(client.get(list_page(AuditEvent), narrowed))]  # type: ignore[attr-defined]


def exported(answer: Any) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode())))


def test_events_are_found_by_what_one_knows_of_them(ledger: Ledger, thandi: Person, sipho: Person) -> None:
    client = signed_in(colleague("auditor"))
    wrote("wallet.frozen", thandi)
    wrote("wallet.closed", sipho)
    today = AuditEvent.objects.latest("pk").at.strftime("%Y-%m-%d")
    assert verbs(client, actor="Thandi@Example.com") == ["wallet.frozen"]
    assert verbs(client, actor="+27821110002") == ["wallet.closed"]
    assert verbs(client, actor="nobody@example.com") == []
    assert verbs(client, subject=str(thandi.user.public_id))[0] == "wallet.frozen"
    assert verbs(client, subject="sipho@example.com")[0] == "wallet.closed"
    assert verbs(client, verb="wallet.frozen", actor="thandi@example.com") == ["wallet.frozen"]
    assert verbs(client, request="request-wallet.closed") == ["wallet.closed"]
    assert verbs(client, until="2001-01-01") == []
    assert verbs(client, until="9999-12-31")[0] == "wallet.closed"
    assert verbs(client, **{"from": "2001-01-01"})[0] == "wallet.closed"
    assert verbs(client, **{"from": "2999-01-01"}) == []
    assert verbs(client, **{"from": "no day"}) == []
    assert today


def test_a_day_is_one_of_johannesburg(ledger: Ledger, thandi: Person, admin_sql: Sql) -> None:
    client = signed_in(colleague("auditor"))
    late, early = wrote("late.evening", thandi), wrote("early.morning", thandi)
    admin_sql("UPDATE audit_events SET at = '2026-03-31 21:59:59.999Z' WHERE id = %s", late.pk)
    admin_sql("UPDATE audit_events SET at = '2026-03-31 22:00:00Z' WHERE id = %s", early.pk)
    assert verbs(client, until="2026-03-31") == ["late.evening"]
    assert verbs(client, **{"from": "2026-04-01"}, until="2026-04-01") == ["early.morning"]


@pytest.mark.sql
def test_every_way_of_narrowing_reads_along_an_index(
    ledger: Ledger, thandi: Person, sipho: Person, owner_sql: Sql
) -> None:
    furnish(thandi, sipho)
    owner_sql(CROWD)
    owner_sql(
        "INSERT INTO audit_events (actor_id, verb, subject_type, subject_id, facts, request_id, at) "
        "SELECT id, 'crowd.went', 'user', public_id::text, '{}', md5(id::text), now() - id * interval '1 minute' "
        "FROM users WHERE email LIKE 'crowd%'"
    )
    owner_sql("ANALYZE")
    client = signed_in(colleague("auditor"))
    for narrowed in (
        {},
        {"actor": "crowd7@example.com"},
        {"q": "crowd7@example.com"},
        {"q": "Wallet opened"},
        {"subject": str(thandi.user.public_id)},
        {"subject": "crowd9@example.com"},
        {"subject": thandi.wallet.number},
        {"verb": "wallet.opened"},
        {"verb": "crowd.went"},
        {"request": "c81e728d9d4c2f636f067f89cc14862c"},
        {"from": "2026-01-01", "until": "2099-01-01"},
        {"actor": "crowd7@example.com", "verb": "crowd.went", "from": "2001-01-01"},
    ):
        answer = client.get(list_page(AuditEvent), narrowed)
        _, statements = seen(client, f"{list_page(AuditEvent)}?{urlencode(narrowed)}")
        assert_indexed([statement for statement in statements if "LIMIT 51" in statement])
        older = answer.context["cl"].older
        if older:
            _, statements = seen(client, list_page(AuditEvent) + older)
            assert_indexed([statement for statement in statements if "LIMIT 51" in statement])


def test_an_event_shows_its_subject_and_what_was_before_and_after(house: Furnished, thandi: Person) -> None:
    services.correct_profile(user_id=thandi.user.pk, values={"phone": None}, origin=audit.SYSTEM)
    event = AuditEvent.objects.get(verb="user.corrected")
    client = signed_in(colleague("auditor"))
    with CaptureQueriesContext(connection) as queries:
        answer = client.get(page_of(event))
    [panel] = answer.context["panels"]
    rows = panel["table"]["rows"]
    where = f'<a href="{page_of(thandi.user)}" class="text-link">users {thandi.user.pk}</a>'
    assert [row[:2] for row in rows] == [[where, "profile"], [where, "update"]]
    assert rows[1][2:4] == ["phone_verified_at", rows[1][3]]
    assert rows[1][4:] == ["-", "mymoolah_app"]
    assert looked_at(thandi.user) in answer.content.decode()
    assert "+27821110001" not in answer.content.decode()
    assert len(queries) <= 12


def test_changes_are_shown_to_whoever_may_see_what_changed(house: Furnished, thandi: Person) -> None:
    services.correct_profile(user_id=thandi.user.pk, values={"phone": None}, origin=audit.SYSTEM)
    event = AuditEvent.objects.get(verb="user.corrected")
    [panel] = signed_in(colleague("operator")).get(page_of(event)).context["panels"]
    assert panel["table"]["rows"] == []


def test_every_kind_of_subject_leads_to_its_page(house: Furnished, thandi: Person) -> None:
    shown = {
        "user": str(house.rows[User].public_id),  # type: ignore[attr-defined]
        "session": str(house.rows[LoginSession].public_id),  # type: ignore[attr-defined]
        "kyc_submission": str(house.rows[KycSubmission].public_id),  # type: ignore[attr-defined]
        "wallet": house.rows[Wallet].number,  # type: ignore[attr-defined]
        "voucher": str(house.rows[Voucher].public_id),  # type: ignore[attr-defined]
        "transfer": str(house.rows[Transfer].pk),
        "suspense_item": str(house.rows[SuspenseItem].public_id),  # type: ignore[attr-defined]
        "receivable": str(house.rows[Receivable].public_id),  # type: ignore[attr-defined]
        "proposal": str(house.rows[Proposal].public_id),  # type: ignore[attr-defined]
        "till_event": str(house.rows[TillEvent].pk),
        "fee_rule": str(house.rows[FeeRule].pk),
        "tier_limit": "2 ZAR",
        "support_ticket": str(house.rows[SupportTicket].public_id),  # type: ignore[attr-defined]
        "support_article": house.rows[SupportArticle].slug,  # type: ignore[attr-defined]
    }
    rows = {
        "user": User,
        "session": LoginSession,
        "kyc_submission": KycSubmission,
        "wallet": Wallet,
        "voucher": Voucher,
        "transfer": Transfer,
        "suspense_item": SuspenseItem,
        "receivable": Receivable,
        "proposal": Proposal,
        "till_event": TillEvent,
        "fee_rule": FeeRule,
        "tier_limit": TierLimit,
        "support_ticket": SupportTicket,
        "support_article": SupportArticle,
    }
    assert AuditEventAdmin.subjects.keys() == shown.keys() == rows.keys()
    auditor, operator = signed_in(colleague("auditor")), signed_in(colleague("operator"))
    for kind, number in shown.items():
        audit.record("it.happened", subject_type=kind, subject_id=number)
        event, link = AuditEvent.objects.latest("pk"), f'href="{looked_at(house.rows[rows[kind]])}"'
        assert link in auditor.get(page_of(event)).content.decode(), kind
        # An operator sees till events and the trail, and is sent to no page that would refuse him.
        assert (link in operator.get(page_of(event)).content.decode()) == (kind == "till_event"), kind
        assert verbs(auditor, subject=number)[0] == "it.happened"


def test_an_event_leads_to_no_page_that_its_reader_may_not_open(house: Furnished, thandi: Person) -> None:
    services.correct_profile(user_id=thandi.user.pk, values={"phone": None}, origin=Origin(actor_id=thandi.user.pk))
    event = AuditEvent.objects.get(verb="user.corrected")
    for role, count in (("auditor", 2), ("operator", 0)):
        html = signed_in(colleague(role)).get(page_of(event)).content.decode()
        for people in (looked_at(thandi.user), page_of(thandi.user)):
            assert html.count(f'href="{people}"') == count, role
        assert "Profile corrected by staff" in html
        assert "<strong>changed</strong>: phone" in html
        assert "Whose row history" not in html


def test_verbs_are_offered_in_words(ledger: Ledger) -> None:
    html = signed_in(colleague("auditor")).get(list_page(AuditEvent)).content.decode()
    assert '<option value="wallet.frozen">Wallet frozen</option>' in html


def test_a_copy_holds_what_the_list_showed_and_is_an_event_itself(
    ledger: Ledger, thandi: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("accounts.audit_admin.ROWS_AT_ONCE", 2)
    for number in range(5):
        wrote("wallet.frozen", thandi, reason=f"=1+{number}")
    wrote("=cmd()", thandi)
    auditor = colleague("auditor")
    client = signed_in(auditor)
    answer = client.post(f"{EXPORT}?verb=wallet.frozen&actor=thandi%40example.com")
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    rows = exported(answer)
    assert [row["facts"] for row in rows] == [f'{{"reason": "=1+{number}"}}' for number in (4, 3, 2, 1, 0)]
    assert {row["actor"] for row in rows} == {str(thandi.user.public_id)}
    event = AuditEvent.objects.get(verb="audit.exported")
    assert (event.actor_id, event.facts) == (
        auditor.pk,
        {"narrowed": {"verb": "wallet.frozen"}, "narrowed_by": ["actor"]},
    )
    everything = exported(client.post(EXPORT))
    assert len(everything) == AuditEvent.objects.count()
    assert "'=cmd()" in {row["verb"] for row in everything}


def test_the_box_finds_by_words_verb_subject_and_whoever_did_it_or_had_it_done(
    ledger: Ledger, thandi: Person, sipho: Person
) -> None:
    auditor, clerk = colleague("auditor"), colleague("support")
    client = signed_in(auditor)
    audit.record("user.renamed", subject_type="user", subject_id=sipho.user.public_id, origin=Origin(actor_id=clerk.pk))
    audit.record("user.renamed", subject_type="user", subject_id=clerk.public_id, origin=Origin(actor_id=auditor.pk))
    wrote("wallet.frozen", thandi)
    for words in ("Wallet frozen", " wallet FROZEN ", "wallet.frozen"):
        assert verbs(client, q=words) == ["wallet.frozen"], words
    assert verbs(client, q="Whole identity number looked at") == []
    assert verbs(client, q="THANDI@example.com")[0] == "wallet.frozen"
    assert "user.renamed" in verbs(client, q="sipho@example.com")
    assert verbs(client, q=str(sipho.user.public_id))[0] == "user.renamed"
    assert verbs(client, q=clerk.email).count("user.renamed") == 1  # what a colleague did, not what was done to him
    assert verbs(client, q="naledi@example.com") == []
    assert "Nothing here is found by" in client.get(list_page(AuditEvent), {"q": "Wallet froz"}).content.decode()


def test_no_page_offers_a_history_that_is_not_there(house: Furnished, thandi: Person) -> None:
    event, client = wrote("wallet.frozen", thandi), signed_in(colleague("administrator"))
    for address in (page_of(event), page_of(thandi.user)):
        assert "/history/" not in client.get(address).content.decode()


@pytest.mark.parametrize("role", sorted(ROLES))
def test_only_auditors_and_administrators_take_copies(ledger: Ledger, role: str) -> None:
    client = signed_in(colleague(role))
    allowed = role in {"auditor", "administrator"}
    assert client.post(EXPORT).status_code == (200 if allowed else 403)
    assert client.get(EXPORT).status_code == 403
    assert ('id="export"' in client.get(list_page(AuditEvent)).content.decode()) == allowed
    assert AuditEvent.objects.filter(verb="audit.exported").exists() == allowed


def test_a_stranger_takes_no_copy(ledger: Ledger, thandi: Person) -> None:
    assert Client().post(EXPORT).status_code == 302
    assert signed_in(thandi.user).post(EXPORT).status_code == 302
    assert Client(enforce_csrf_checks=True).post(reverse("admin:accounts_auditevent_export")).status_code in {302, 403}
    assert not AuditEvent.objects.filter(verb="audit.exported").exists()
