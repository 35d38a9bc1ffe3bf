"""The customer page: one screen that answers a phone call. It reads; what can be done stands in customer_actions.py."""

from __future__ import annotations

import datetime as dt
import time
import uuid
from collections.abc import Callable
from typing import Any, Final

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import Choices
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.http import urlencode
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from accounts.audit_words import subject_in_words, verb_in_words
from accounts.models import AuditEvent, LoginSession, User
from mymoolah.common.admin import list_of
from mymoolah.common.clock import business_day, now
from reporting import customer_selectors as read
from reporting import customer_troubles as troubles
from reporting.customer_actions import address_of, offers_to
from reporting.customer_chart import charts
from reporting.customer_search import MOST_FOUND, find_customers, names_of_finders
from reporting.customer_selectors import Row, Subject
from reporting.start_page import navigation
from reporting.support.models import SupportTicket
from reporting.support.staff_words import about
from transactions.models import Kind, Proposal, Transaction
from transactions.proposal_admin import ADD as MAY_PROPOSE
from transactions.proposal_admin import propose_link
from transactions.proposals.commands import COMMANDS
from vouchers.models import Voucher
from vouchers.services.ending import MAY_CANCEL
from wallets.models import Wallet

MAY_LOOK: Final = "accounts.view_user"
MAY_SEE_TICKETS: Final = "reporting.view_supportticket"
PERIODS_DAYS: Final = (30, 90)
STATUS_COLOURS: Final = {"active": "success", "suspended": "danger", "closed": "danger"}
ANCHORS: Final = (
    ("identity", "Identity", MAY_LOOK),
    ("wallets", "Wallets", "wallets.view_wallet"),
    ("balance", "Balance", "transactions.view_transaction"),
    ("entries", "Entries", "transactions.view_transaction"),
    ("vouchers", "Vouchers", "vouchers.view_voucher"),
    ("sessions", "Devices", "accounts.view_loginsession"),
    ("cases", "Identity checks", "accounts.view_kycsubmission"),
    ("tickets", "Support tickets", MAY_SEE_TICKETS),
    ("proposals", "Proposals", "transactions.view_proposal"),
    ("timeline", "What happened", "accounts.view_auditevent"),
)
May = Callable[[str], bool]


@never_cache
@require_GET
def find(request: HttpRequest) -> HttpResponse:
    """Whom a text means; if it is one, his page at once."""
    if not request.user.has_perm(MAY_LOOK):
        raise PermissionDenied
    text = request.GET.get("q", "").strip()
    found = find_customers(text=text, may=request.user.has_perm) if text else []
    if len(found) == 1:
        return redirect("customer_page", found[0].public_id)
    context = {
        **admin.site.each_context(request),
        "title": "Find a customer",
        "text": text,
        "customers": found[:MOST_FOUND],
        "are_more": len(found) > MOST_FOUND,
        "most": MOST_FOUND,
        "by": names_of_finders(may=request.user.has_perm),
    }
    return TemplateResponse(request, "admin/customer/find.html", context)


@never_cache
@require_GET
def search(request: HttpRequest) -> HttpResponse:
    """What Ctrl+K finds: pages by their titles, and customers. Unfold's own keeps what it found in the cache."""
    text, started = request.GET.get("s", "").strip(), time.perf_counter()
    pages = [
        {"title": item["title"], "description": group["title"], "link": item["link"], "icon": item["icon"]}
        for group in navigation(request)
        for item in group["items"]
        if text and text.lower() in item["title"].lower()
    ]
    customers = find_customers(text=text, may=request.user.has_perm) if text and request.user.has_perm(MAY_LOOK) else []
    people = [
        {
            "title": customer.name,
            # The theme writes the first letter large: it must not be an address'.
            "description": " · ".join(filter(None, ("Customer", customer.email, customer.phone, customer.status))),
            "link": reverse("customer_page", args=[customer.public_id]),
            "icon": "person",
        }
        for customer in customers
    ]
    shown = Paginator([*people, *pages], per_page=MOST_FOUND * 10)
    context = {
        "page_obj": shown,
        "results": shown.page(1),
        "page_counter": 0,
        "execution_time": time.perf_counter() - started,
    }
    return TemplateResponse(request, "unfold/helpers/command_results.html", context)


@never_cache
@require_GET
def customer_page(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    """Everything about one customer, each section for those who may see it."""
    if not request.user.has_perm(MAY_LOOK):
        raise PermissionDenied
    customer = get_object_or_404(User.objects.defer("password"), public_id=public_id)
    if not customer.is_customer:
        return redirect("admin:accounts_user_change", customer.pk)
    days = next((days for days in PERIODS_DAYS if request.GET.get("days") == str(days)), PERIODS_DAYS[0])
    context: dict[str, Any] = {
        **admin.site.each_context(request),
        "title": customer.name,
        "deeds": offers_to(request.user, customer),
        **sections(customer, may=request.user.has_perm, now=now(), days=days),
        "may_cancel": request.user.has_perm(MAY_CANCEL) and request.user.pk != customer.pk,
    }
    return TemplateResponse(request, "admin/customer/page.html", context)


def sections(customer: User, *, may: May, now: dt.datetime, days: int) -> dict[str, Any]:
    """What the page shows; a section that this person may not see is None, and is not even read."""

    def seen(permission: str, section: Callable[[], Any]) -> Any:
        return section() if may(permission) else None

    pk, today = customer.pk, business_day(now)
    wallets = seen("wallets.view_wallet", lambda: read.wallets(user_id=pk, today=today)) or []
    wallets = [{**row, "stuck": why_stuck(row, customer), "adjust": adjust_link(row, may=may)} for row in wallets]
    entries = seen("transactions.view_transaction", lambda: read.entries(user_id=pk))
    vouchers = seen("vouchers.view_voucher", lambda: read.vouchers(user_id=pk, now=now))
    sessions = seen("accounts.view_loginsession", lambda: read.sessions(user_id=pk, now=now))
    receivables = seen("transactions.view_receivable", lambda: read.open_receivables(user_id=pk)) or []
    suspense = seen("vouchers.view_suspenseitem", lambda: read.open_suspense(user_id=pk)) or []
    tickets = seen(MAY_SEE_TICKETS, lambda: read.open_tickets(user_id=pk))
    cases, may_open_cases = read.kyc_cases(user_id=pk), may("accounts.view_kycsubmission")
    subjects: list[Subject] = [
        ("user", str(customer.public_id)),
        *(("wallet", row["number"]) for row in wallets),
        *(("voucher", str(row["public_id"])) for row in vouchers or []),
        *(("transfer", str(row["group_id"])) for row in entries or []),
        *(("receivable", str(row["public_id"])) for row in receivables),
        *(("suspense_item", str(row["public_id"])) for row in suspense),
    ]
    about = [*subjects, *(("session", str(row["public_id"])) for row in sessions or [])]
    about += [("support_ticket", str(ticket.public_id)) for ticket in tickets or []]
    if may_open_cases:
        about += [("kyc_submission", str(row["public_id"])) for row in cases]
    return {
        "customer": customer,
        "tier": f"tier {customer.kyc_tier}",
        "status_colour": STATUS_COLOURS[customer.status],
        "wallets": wallets,
        "may_see_wallets": may("wallets.view_wallet"),
        "troubles": troubles.sorted_troubles(
            troubles.of_account(customer),
            troubles.of_sign_in(customer),
            troubles.of_wallets(wallets),
            troubles.of_receivables(receivables),
            troubles.of_suspense(suspense),
            troubles.of_tickets(tickets or []),
            troubles.of_identity(customer, cases, may_open=may_open_cases),
            troubles.of_codes(read.unused_codes(user_id=pk), now),
        ),
        "masked_id": next((case for case in cases if case["masked_number"]), None),
        "charts": seen(
            "transactions.view_transaction", lambda: charts(read.balances(user_id=pk, today=today, days=days))
        ),
        "days": days,
        "periods": PERIODS_DAYS,
        "entries": None if entries is None else [shown_entry(row) for row in entries],
        "entry_lists": [(row["number"], list_of(Transaction, wallet=row["id"])) for row in wallets],
        "voucher_totals": seen("vouchers.view_vouchertotal", lambda: read.voucher_totals(user_id=pk)),
        "vouchers": None if vouchers is None else [shown_voucher(row, customer) for row in vouchers],
        "has_older_vouchers": len(vouchers or ()) > read.LATEST,
        "all_vouchers": list_of(Voucher, user=pk),
        "sessions": sessions,
        "all_sessions": list_of(LoginSession, user=pk),
        "cases": cases if may_open_cases else None,
        "tickets": None if tickets is None else [shown_ticket(one) for one in tickets],
        "all_tickets": list_of(SupportTicket, user=pk),
        "proposals": seen(
            "transactions.view_proposal", lambda: [shown_proposal(row) for row in read.proposals(subjects=subjects)]
        ),
        "events": seen(
            "accounts.view_auditevent",
            lambda: [shown_event(row, customer) for row in read.events(user_id=pk, subjects=about)],
        ),
        "all_events": audit_list(subject=str(customer.public_id)),
        "own_events": audit_list(actor=customer.email),
        "may_edit": may("accounts.change_user"),
        "anchors": [(anchor, name) for anchor, name, permission in ANCHORS if may(permission)],
    }


def why_stuck(wallet: Row, customer: User) -> str:
    """Since when its customer cannot move what is available: `while frozen`. What is held a till can still pay out."""
    if customer.status != User.Status.ACTIVE:
        return f"while the account is {customer.status}"
    return "" if wallet["status"] == Wallet.Status.ACTIVE else f"while {wallet['status']}"


def adjust_link(wallet: Row, *, may: May) -> str:
    """Where finance proposes to correct what is in it."""
    if wallet["status"] == Wallet.Status.CLOSED or not may(MAY_PROPOSE):
        return ""
    return propose_link("adjust_wallet", "Propose an adjustment", wallet=wallet["number"])


def shown_entry(row: Row) -> Row:
    is_house, kind = row["other_kind"] != Wallet.Kind.CUSTOMER, name_of(Kind(row["kind"]))
    return {
        **row,
        "kind_name": kind,
        "reference": "" if row["reference"].lower() == kind.lower() else row["reference"],
        "other": name_of(Wallet.Kind(row["other_kind"])) if is_house else row["other_name"],
        "other_page": None if is_house else reverse("customer_page", args=[row["other_user"]]),
        "sign": "\N{MINUS SIGN}" if row["type"] == Transaction.Type.SENT else "+",
    }


def shown_voucher(row: Row, customer: User) -> Row:
    cancel = address_of("cancel-voucher", customer, voucher=str(row["public_id"])) if row["can_be_cancelled"] else ""
    return {
        **row,
        "cancel": cancel,
        "type_name": name_of(Voucher.Type(row["voucher_type"])),
        "status_name": name_of(Voucher.Status(row["status"])),
    }


def shown_ticket(ticket: SupportTicket) -> Row:
    return {"ticket": ticket, "about": about(ticket.intent)}


def shown_proposal(row: Row) -> Row:
    title = COMMANDS[row["command"]].title if row["command"] in COMMANDS else row["command"]
    return {**row, "title": title, "status_name": Proposal.Status(row["status"]).label}


def shown_event(row: Row, customer: User) -> Row:
    """In words, and by whom; which wallet it was about is worth saying, other subjects are told by the words."""
    who = f"{row['actor_first_name']} {row['actor_last_name']}" if row["actor_id"] else "the system"
    if row["actor_id"] == customer.pk:
        who = "the customer"
    about = subject_in_words("wallet", row["subject_id"]) if row["subject_type"] == "wallet" else ""
    return {**row, "words": verb_in_words(row["verb"]), "who": who, "about": about}


def name_of(choice: Choices) -> str:
    """A choice as people write it: `Pending payment`, `EasyPay topup`."""
    return str(choice.label).capitalize().replace("Easypay", "EasyPay")


def audit_list(**narrowed: str) -> str:
    """The address of the trail's own screen, narrowed."""
    return f"{reverse(f'admin:{AuditEvent._meta.app_label}_auditevent_changelist')}?{urlencode(narrowed)}"


urlpatterns: list[URLPattern] = [
    path("customers/", admin.site.admin_view(find), name="customer_find"),
    path("search/", admin.site.admin_view(search)),
    path("customers/<uuid:public_id>", admin.site.admin_view(customer_page), name="customer_page"),
]
