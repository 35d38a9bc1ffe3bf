"""The staff's side: tickets that wait, answers, articles, and the assistant beside a customer's page."""

from __future__ import annotations

import datetime as dt
import json
import re
import uuid
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.audit import Origin
from accounts.models import AuditEvent, User
from mymoolah.common.clock import now
from mymoolah.common.crypto import encrypt
from mymoolah.common.sql import read as sql_file
from reporting import start_page
from reporting.support import articles, desk, tickets
from reporting.support.intents import Intent
from reporting.support.models import SupportArticle, SupportMessage, SupportReply, SupportTicket
from reporting.support.staff_words import about
from tests.back_office.house import colleague, emergency, signed_in
from tests.conftest import Person, fund, person
from tests.vouchers.desk import at_once
from transactions.posting import IdempotencyKey

SAID = "They took my phone <b>in</b> the taxi"


def open_ticket(who: Person, intent: Intent = Intent.LOST_PHONE_OR_FRAUD, *, minutes_ago: int = 0) -> SupportTicket:
    return tickets.open_ticket(
        user_id=who.user.pk,
        conversation=uuid.uuid4(),
        intent=intent,
        said=[{"by": "customer", "text": SAID}],
        now=now() - dt.timedelta(minutes=minutes_ago),
    ).ticket


def text_of(answer: Any) -> str:
    found: str = answer.content.decode()
    return found


def ask(client: Client, customer: Person, **form: str) -> Any:
    return client.post(reverse("customer_assistant", args=[customer.user.public_id]), form)


# Tickets -------------------------------------------------------------------------------------------------------------
@pytest.mark.django_db
def test_the_queue_shows_the_most_urgent_first_and_of_these_the_oldest(thandi: Person, sipho: Person) -> None:
    naledi = person("naledi")
    open_ticket(thandi, Intent.HUMAN, minutes_ago=600)
    open_ticket(sipho, minutes_ago=5)
    open_ticket(naledi, minutes_ago=50)
    client = signed_in(colleague("support"))
    with CaptureQueriesContext(connection) as asked:
        answer = client.get(reverse("support_queue"))
    shown = [one["ticket"].user.first_name for one in answer.context["tickets"]]
    assert shown == ["Naledi", "Sipho", "Thandi"]
    assert sum("support_tickets" in query["sql"] for query in asked.captured_queries) == 3
    assert "the most urgent first: 2 urgent, 1 normal" in text_of(answer)
    assert "transcript_encrypted" not in str(asked.captured_queries)


@pytest.mark.django_db
def test_the_queue_goes_on_beyond_a_page_along_its_index(thandi: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    moment = now()
    others = [person(f"caller{number}") for number in range(3)]
    SupportTicket.objects.bulk_create(
        SupportTicket(
            user=who.user,
            conversation=uuid.uuid4(),
            intent=intent.value,
            priority=tickets.PRIORITIES[intent],
            transcript_encrypted=encrypt("[]", context=tickets.TRANSCRIPT),
            created_at=moment,
            waits_since=moment,
        )
        for who in (thandi, *others)
        for intent in tickets.PRIORITIES
    )
    monkeypatch.setattr(desk, "ROWS_PER_PAGE", 3)
    client, seen, address = signed_in(colleague("support")), [], reverse("support_queue")
    while address:
        context = client.get(address).context
        seen += [one["ticket"].pk for one in context["tickets"]]
        address = context["more"] and reverse("support_queue") + context["more"]
    expected = SupportTicket.objects.order_by("priority", "waits_since", "pk").values_list("pk", flat=True)
    assert seen == list(expected)
    assert len(seen) == 16


@pytest.mark.django_db
@pytest.mark.parametrize("after", ["x", "[]", "[1]", '["a", "b", "c"]', '[1, "2030-01-01", 2]', "[1e400, 2, 3]"])
def test_a_key_that_is_none_begins_at_the_beginning(thandi: Person, after: str) -> None:
    open_ticket(thandi)
    answer = signed_in(colleague("support")).get(reverse("support_queue"), {"after": after})
    assert len(answer.context["tickets"]) == 1


def test_the_desk_is_read_along_its_indexes(ledger: Any, thandi: Person) -> None:
    """What waits, how many, and what one has answered: nothing is sorted, whatever there is."""
    clerk, ticket = colleague("support"), open_ticket(thandi)
    reply(ticket, clerk)
    client = signed_in(clerk)
    with CaptureQueriesContext(connection) as asked:
        client.get(reverse("support_queue"))
    plans = [plan_of(query["sql"]) for query in asked.captured_queries if "support_tickets" in query["sql"]]
    assert [re.findall(r"ix_support_tickets_\w+", plan) for plan in plans] == [
        ["ix_support_tickets_queue"],
        ["ix_support_tickets_queue"],
        ["ix_support_tickets_answered"],
    ]
    assert not re.search(r'"Node Type": "(Sort|Seq Scan)"[^{}]*support_tickets', str(plans))


def plan_of(statement: str, *, without: tuple[str, ...] = ("seqscan", "bitmapscan", "sort")) -> str:
    with connection.cursor() as cursor, transaction.atomic():
        for way in without:
            cursor.execute(f"SET LOCAL enable_{way} = off")
        cursor.execute(f"EXPLAIN (FORMAT JSON) {statement}")
        return json.dumps(cursor.fetchone()[0])


def reply(ticket: SupportTicket, clerk: User, text: str = "Is it frozen?") -> None:
    origin, seen = Origin(actor_id=clerk.pk), ticket.replies.count()
    tickets.reply_as_staff(
        ticket=ticket.public_id, text=text, once=uuid.uuid4().hex, seen=seen, now=now(), origin=origin
    )


@pytest.mark.django_db
def test_what_one_has_answered_is_found_below_the_queue_the_newest_first(thandi: Person, sipho: Person) -> None:
    clerk, other, naledi = colleague("support"), colleague("administrator"), person("naledi")
    old, new, theirs = open_ticket(thandi, minutes_ago=90), open_ticket(sipho, minutes_ago=5), open_ticket(naledi)
    for ticket, by in ((old, clerk), (new, clerk), (theirs, other)):
        reply(ticket, by)
    client = signed_in(clerk)
    answer = client.get(reverse("support_queue"))
    assert [one["ticket"].pk for one in answer.context["answered"]] == [new.pk, old.pk]
    assert answer.context["tickets"] == []
    assert "Nothing waits for us" in text_of(answer)
    assert "Taken by you, waiting for the customer" in text_of(answer)
    assert "transcript_encrypted" not in answer.context["answered"][0]["ticket"].__dict__
    close_it(client, new)
    assert [one["ticket"].pk for one in client.get(reverse("support_queue")).context["answered"]] == [old.pk]


def close_it(client: Client, ticket: SupportTicket) -> None:
    client.post(reverse("support_deed", args=[ticket.public_id, "close"]), {"seen": ticket.replies.count()})


@pytest.mark.django_db
def test_a_count_ends_where_nobody_counts_any_more(thandi: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    for intent in tickets.PRIORITIES:
        open_ticket(thandi, intent)
    monkeypatch.setattr(desk, "COUNTED_MAX", 2)
    monkeypatch.setattr(start_page, "COUNTED_MAX", 2)
    answer = signed_in(colleague("support")).get(reverse("support_queue"))
    assert answer.context["waiting"] == "1 urgent, 2 or more high, 1 normal"


@pytest.mark.django_db
def test_a_ticket_offers_only_what_there_is_to_do_and_says_whose_words_they_are(thandi: Person) -> None:
    clerk = colleague("support")
    ticket = tickets.open_ticket(
        user_id=thandi.user.pk,
        conversation=uuid.uuid4(),
        intent=Intent.LOST_PHONE_OR_FRAUD,
        said=[
            {"by": "customer", "text": "Hello"},
            {"by": "assistant", "text": "How can I help?"},
            {"by": "customer", "text": SAID},
        ],
        now=now(),
    ).ticket
    client, page = signed_in(clerk), reverse("support_ticket", args=[ticket.public_id])

    shown = text_of(client.get(page))
    assert f"Thandi Mokoena: {about(Intent.LOST_PHONE_OR_FRAUD)}" in shown
    assert re.findall(r"<h3>(.+)</h3>", shown) == [
        "The customer asked",
        "The assistant answered",
        "The customer asked",
    ]
    assert "Take this ticket" in shown
    assert "Close without answering" in shown

    client.post(reverse("support_deed", args=[ticket.public_id, "take"]))
    shown = text_of(client.get(page))
    assert "taken by you" in shown
    assert "Take" not in shown.partition('id="answer"')[2].partition("</main>")[0]
    assert "Close without answering" in shown

    reply(ticket, clerk)
    shown = text_of(client.get(page))
    assert "We answered, " in shown
    assert "Close it" in shown
    assert "Close without answering" not in shown

    open_ticket(thandi)  # asks once more
    shown = text_of(client.get(page))
    assert "The customer wrote, " in shown
    assert "Close without answering" in shown
    other = text_of(signed_in(colleague("administrator")).get(page))
    assert f"Take it over from {clerk.name}" in other


@pytest.mark.django_db
def test_an_answer_that_crossed_the_customers_next_words_says_so(thandi: Person) -> None:
    ticket, client = open_ticket(thandi), signed_in(colleague("support"))
    open_ticket(thandi)  # asks once more
    form = {"text": "Is it frozen?", "once": "o", "seen": 0}
    answer = client.post(reverse("support_deed", args=[ticket.public_id, "reply"]), form, follow=True)
    assert "wrote something meanwhile" in text_of(answer)


# All tickets, as a table -----------------------------------------------------------------------------------------------
@pytest.mark.django_db
def test_all_tickets_are_told_in_words_and_narrowed_by_status_and_meaning(thandi: Person, sipho: Person) -> None:
    clerk, fraud, wrong = colleague("support"), open_ticket(thandi), open_ticket(sipho, Intent.WRONG_RECIPIENT)
    reply(wrong, clerk)
    client, address = signed_in(clerk), reverse("admin:reporting_supportticket_changelist")

    def listed(query: str) -> list[int]:
        return [row.pk for row in client.get(address + query).context["cl"].result_list]

    shown = text_of(client.get(address))
    assert about(Intent.LOST_PHONE_OR_FRAUD) in shown
    assert "lost_phone_or_fraud (" not in shown
    heading = shown.partition("<h1")[2].partition("</h1>")[0]
    assert "Support desk" in heading
    assert "Figures" not in heading
    assert listed("") == [wrong.pk, fraud.pk]
    assert listed("?status__exact=open") == [fraud.pk]
    assert listed("?status__exact=waiting") == [wrong.pk]
    assert listed("?intent=wrong_recipient") == [wrong.pk]
    assert listed("?intent=wrong_recipient&status__exact=open") == []
    assert listed(f"?q={thandi.user.email}") == [fraud.pk]
    assert reverse("support_ticket", args=[fraud.public_id]) in shown
    row = text_of(client.get(reverse("admin:reporting_supportticket_change", args=[fraud.pk])))
    assert about(Intent.LOST_PHONE_OR_FRAUD) in row
    assert "Figures" not in row.partition("<h1")[2].partition("</h1>")[0]


@pytest.mark.django_db
def test_other_figures_keep_their_heading() -> None:
    shown = text_of(signed_in(emergency()).get(reverse("admin:reporting_dashboardrefresh_changelist")))
    assert "Figures" in shown.partition("<h1")[2].partition("</h1>")[0]


@pytest.mark.parametrize("intent", Intent)
def test_no_colleague_is_told_of_his_own_account(intent: Intent) -> None:
    assert not re.search(r"\byou", about(intent), re.IGNORECASE)


@pytest.mark.django_db
def test_a_clerk_takes_answers_and_closes_a_ticket(thandi: Person) -> None:
    clerk, ticket = colleague("support"), open_ticket(thandi)
    client, page = signed_in(clerk), reverse("support_ticket", args=[ticket.public_id])
    shown = text_of(client.get(page))
    assert "They took my phone &lt;b&gt;in&lt;/b&gt; the taxi" in shown
    shown_form = client.get(page).context["form"].initial

    assert client.post(reverse("support_deed", args=[ticket.public_id, "take"])).status_code == 302
    for _ in range(2):  # a form that is sent twice
        client.post(reverse("support_deed", args=[ticket.public_id, "reply"]), {"text": "Is it frozen?", **shown_form})
    assert SupportReply.objects.count() == 1
    ticket.refresh_from_db()
    assert (ticket.assigned_to_id, ticket.status) == (clerk.pk, "waiting")
    client.post(reverse("support_deed", args=[ticket.public_id, "close"]), {"seen": 1})
    ticket.refresh_from_db()
    assert ticket.status == "closed"
    assert "Send answer" not in text_of(client.get(page))
    told = AuditEvent.objects.filter(actor=clerk, subject_id=str(ticket.public_id)).order_by("pk")
    assert [event.verb for event in told] == [
        "support_ticket.read",
        "support_ticket.read",
        "support_ticket.taken",
        "support_ticket.answered",
        "support_ticket.closed",
        "support_ticket.read",
    ]
    assert "frozen?" not in str(list(told.values()))


@pytest.mark.django_db
def test_an_empty_answer_is_none(thandi: Person) -> None:
    ticket = open_ticket(thandi)
    client = signed_in(colleague("support"))
    for text in ("", "   ", "\N{RIGHT-TO-LEFT OVERRIDE}", "x" * 2_001):
        answer = client.post(
            reverse("support_deed", args=[ticket.public_id, "reply"]),
            {"text": text, "once": "o", "seen": 0},
            follow=True,
        )
        assert "Write something" in text_of(answer)
    assert not SupportReply.objects.exists()


@pytest.mark.django_db
def test_a_form_that_comes_back_with_other_words_is_another_answer(thandi: Person) -> None:
    ticket, origin = open_ticket(thandi), Origin(actor_id=colleague("support").pk)
    for text in ("Is it frozen?", "Is it frozen?", "Is it frozen now?"):
        tickets.reply_as_staff(ticket=ticket.public_id, text=text, once="the form's", seen=0, now=now(), origin=origin)
    assert [reply["text"] for reply in tickets.replies_of(ticket)] == ["Is it frozen?", "Is it frozen now?"]


@pytest.mark.django_db
def test_what_a_customer_wrote_since_the_page_was_opened_is_not_closed_with_it(thandi: Person) -> None:
    ticket, client = open_ticket(thandi), signed_in(colleague("support"))
    open_ticket(thandi)  # asks once more
    close, reply = (reverse("support_deed", args=[ticket.public_id, name]) for name in ("close", "reply"))

    assert "has changed since" in text_of(client.post(close, {"seen": 0}, follow=True))
    assert "has changed since" in text_of(client.post(close, follow=True))
    client.post(reply, {"text": "Is it frozen?", "once": "o", "seen": 0})
    ticket.refresh_from_db()
    assert ticket.status == "open", "what came between waits for us still"
    client.post(reply, {"text": "I see, thank you.", "once": "o", "seen": 2})
    ticket.refresh_from_db()
    assert ticket.status == "waiting"
    client.post(close, {"seen": 3}, follow=True)
    ticket.refresh_from_db()
    assert ticket.status == "closed"


@pytest.mark.django_db
def test_whoever_fills_a_ticket_keeps_nobody_from_answering(thandi: Person) -> None:
    ticket, origin = open_ticket(thandi), Origin(actor_id=colleague("support").pk)

    def write(number: int) -> None:
        tickets.reply_as_customer(
            user_public_id=thandi.user.public_id,
            ticket=ticket.public_id,
            text="Hello",
            key=IdempotencyKey("a", f"key {number}", b"x" * 32),
            now=now(),
        )

    for number in range(tickets.MOST_UNANSWERED):
        write(number)
    with pytest.raises(tickets.TicketFull):
        write(1_000)
    open_ticket(thandi)  # adds nothing, and fails nothing
    assert ticket.replies.count() == tickets.MOST_UNANSWERED
    tickets.reply_as_staff(ticket=ticket.public_id, text="Hello?", once="o", seen=0, now=now(), origin=origin)
    write(1_000)


@pytest.mark.django_db
def test_who_may_only_look_changes_nothing(thandi: Person) -> None:
    ticket, client = open_ticket(thandi), signed_in(colleague("auditor"))
    assert "Send answer" not in text_of(client.get(reverse("support_ticket", args=[ticket.public_id])))
    for name in ("take", "reply", "close"):
        assert client.post(reverse("support_deed", args=[ticket.public_id, name])).status_code == 403
    assert SupportTicket.objects.get().status == "open"


# Articles ------------------------------------------------------------------------------------------------------------
@pytest.mark.django_db
def test_an_article_is_written_by_one_and_approved_by_another() -> None:
    writer, other = signed_in(colleague("support")), signed_in(colleague("administrator"))
    form = {"slug": "top-up-at-a-till", "language": "en", "intent": "topup_how", "title": "Cash", "body": "A new way"}
    assert writer.get(reverse("support_article_write") + "?slug=top-up-at-a-till&language=en").context["form"].initial
    assert writer.post(reverse("support_article_write"), form).status_code == 302
    draft = SupportArticle.objects.get(status="draft")
    approve = reverse("support_article_approve", args=[draft.pk])
    assert "Somebody else has to approve" in text_of(writer.post(approve, follow=True))
    assert "is quoted from now on" in text_of(other.post(approve, follow=True))
    draft.refresh_from_db()
    assert (draft.status, draft.version) == ("approved", 2)
    verbs = AuditEvent.objects.filter(subject_type="support_article").order_by("pk").values_list("verb", flat=True)
    assert list(verbs) == ["support_article.written", "support_article.approved"]


def draft(origin: Origin, body: str) -> SupportArticle:
    return articles.write_article(
        slug="new", language="en", intent="", title="New", body=body, now=now(), origin=origin
    )


@pytest.mark.django_db
def test_an_article_that_is_sent_twice_is_written_once() -> None:
    writer, other = (Origin(actor_id=colleague(role).pk) for role in ("support", "administrator"))
    assert draft(writer, "One") == draft(writer, "One")
    assert [draft(writer, "Two").version, draft(other, "Two").version] == [2, 3]


@pytest.mark.django_db
def test_an_older_draft_does_not_replace_what_is_quoted() -> None:
    writer, approver = Origin(actor_id=colleague("support").pk), Origin(actor_id=colleague("administrator").pk)
    older, newer = draft(writer, "One"), draft(writer, "Two")
    articles.approve_article(article_id=newer.pk, now=now(), origin=approver)
    with pytest.raises(articles.ArticleOutdated):
        articles.approve_article(article_id=older.pk, now=now(), origin=approver)
    assert SupportArticle.objects.get(slug="new", status="approved") == newer


def test_articles_are_written_and_approved_at_once_without_an_error(race: Callable[..., list[Any]]) -> None:
    writer, approver = Origin(actor_id=colleague("support").pk), Origin(actor_id=colleague("administrator").pk)
    assert race(6, lambda: draft(writer, "One").version) == [1] * 6
    drafts = [draft(writer, f"Text {number}") for number in range(5)]

    approvals = [
        partial(articles.approve_article, article_id=one.pk, now=now(), origin=approver) for one in reversed(drafts)
    ]
    answers = at_once(race, *approvals)

    assert answers[0] == drafts[-1], "the newest"
    assert {type(answer) for answer in answers} <= {SupportArticle, articles.ArticleOutdated}
    assert SupportArticle.objects.get(slug="new", status="approved") == drafts[-1]


@pytest.mark.django_db
def test_what_did_not_help_stands_first() -> None:
    article = SupportArticle.objects.get(slug="what-it-costs")
    article.unhelpful_count = 3
    article.save(update_fields=["unhelpful_count"])
    shown = signed_in(colleague("support")).get(reverse("support_articles")).context["quoted"]
    assert shown[0].slug == "what-it-costs"


@pytest.mark.django_db
def test_drafts_stand_first_and_are_approved_by_others_only() -> None:
    clerk, other = colleague("support"), colleague("administrator")
    mine, theirs = draft(Origin(actor_id=clerk.pk), "Mine"), draft(Origin(actor_id=other.pk), "Theirs")
    answer = signed_in(clerk).get(reverse("support_articles"))
    assert answer.context["drafts"] == [mine, theirs]
    shown = text_of(answer)
    assert "2 drafts wait for approval" in shown
    assert shown.index("2 drafts wait") < shown.index("What the assistant quotes")
    assert reverse("support_article_approve", args=[theirs.pk]) in shown
    assert reverse("support_article_approve", args=[mine.pk]) not in shown
    articles.approve_article(article_id=theirs.pk, now=now(), origin=Origin(actor_id=clerk.pk))
    answer = signed_in(clerk).get(reverse("support_articles"))
    assert answer.context["drafts"] == [], "one that was overtaken waits for nobody"
    assert "wait for approval" not in text_of(answer)


@pytest.mark.django_db
def test_retiring_asks_first() -> None:
    article, client = SupportArticle.objects.get(slug="what-it-costs"), signed_in(colleague("support"))
    address = reverse("support_article_retire", args=[article.pk])
    assert address in text_of(client.get(reverse("support_articles")))
    asked = text_of(client.get(address))
    assert "What will happen" in asked
    assert article.title in asked
    article.refresh_from_db()
    assert article.status == "approved"
    assert "is retired" in text_of(client.post(address, follow=True))
    article.refresh_from_db()
    assert article.status == "retired"
    assert "there is nothing to do here" in text_of(client.get(address))
    assert "Only an approved article can be retired" in text_of(client.post(address, follow=True))
    assert signed_in(colleague("auditor")).get(address).status_code == 403


@pytest.mark.django_db
def test_articles_are_found_by_their_words_the_best_first() -> None:
    client = signed_in(colleague("support"))

    def found(text: str) -> list[str]:
        return [article.slug for article in client.get(reverse("support_articles"), {"q": text}).context["found"]]

    assert found("freezing wallets")[0] == "freeze-a-wallet", "as English knows its words, a title's before a text's"
    assert len(found("wallet")) > 3
    assert found("wallet zebra") == []
    assert found("the") == []
    assert found("zebra\0 ' & | !( <->") == []
    writer = Origin(actor_id=colleague("administrator").pk)
    assert draft(writer, "A zebra crossing").slug in found("zebras")
    texts = {"slug": "iqwarha", "intent": "", "title": "Iqwarha", "body": "Amaqwarha"}
    articles.write_article(language="xh", **texts, now=now(), origin=writer)
    assert found("iqwarha") == found("Amaqwarha") == ["iqwarha"]
    assert found("qwarha") == [], "isiXhosa is searched as it is written"
    SupportArticle.objects.filter(slug="freeze-a-wallet").update(status="retired")
    assert "freeze-a-wallet" not in found("freezing wallets")


@pytest.mark.django_db
def test_articles_are_sought_along_their_index() -> None:
    statement = sql_file("reporting", "queries/support_articles_found.sql")
    with connection.cursor() as cursor:
        asked = cursor.mogrify(statement, {"question": "frozen wallet", "most": 50})
    assert "ix_support_articles_search" in plan_of(asked, without=("seqscan", "indexscan"))


# Beside the customer's page -------------------------------------------------------------------------------------------
def test_a_clerk_reads_what_the_customer_would_be_told_and_is_audited(ledger: Any, thandi: Person) -> None:
    fund(thandi, "1234.50")
    clerk = colleague("support")
    shown = text_of(ask(signed_in(clerk), thandi, message=SAID, intent="balance")).replace("\N{NO-BREAK SPACE}", " ")
    assert "R1 234.50" in shown
    assert about(Intent.BALANCE) in shown
    event = AuditEvent.objects.get(verb="support.asked_for_customer")
    assert (event.actor_id, event.subject_id) == (clerk.pk, str(thandi.user.public_id))
    assert event.facts == {"intent": "balance", "shown": True}
    assert not SupportMessage.objects.exists()
    assert not SupportTicket.objects.exists()


def test_a_role_sees_no_more_by_the_assistant_than_on_the_page(ledger: Any, thandi: Person) -> None:
    fund(thandi, "1234.50")
    client = signed_in(colleague("kyc"))
    for intent, seen in (
        ("balance", False),
        ("transactions", False),
        ("voucher_list", False),
        ("lost_phone_or_fraud", False),
        ("kyc_status", True),
    ):
        shown = text_of(ask(client, thandi, message="x", intent=intent))
        assert ("which your role does not see" in shown) != seen, intent
        assert ("What the customer would be told" in shown) == seen, intent
        assert thandi.wallet.number not in shown
    told = AuditEvent.objects.filter(verb="support.asked_for_customer").order_by("pk")
    assert [event.facts["shown"] for event in told] == [False, False, False, False, True]


@pytest.mark.django_db
def test_the_customers_page_leads_to_the_assistant(thandi: Person) -> None:
    page = signed_in(colleague("support")).get(reverse("customer_page", args=[thandi.user.public_id]))
    assert reverse("customer_assistant", args=[thandi.user.public_id]) in text_of(page)


@pytest.mark.django_db
def test_nobody_asks_for_a_colleague() -> None:
    clerk, other = colleague("support"), colleague("finance")
    address = reverse("customer_assistant", args=[other.public_id])
    assert signed_in(clerk).get(address).status_code == 302
