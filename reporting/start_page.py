"""The first page of the back-office: what waits, what moves, whether all is well, and the way to everything else.

Each card, each chart and all lights together cost one query, and are asked for only if this person may see them.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from django.db.models import Count, Min, Sum
from django.http import HttpRequest
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.timezone import localtime

from accounts.models import KycSubmission, User
from mymoolah.common.admin import table_size
from mymoolah.common.clock import now
from reporting import health_lights
from reporting.admin import latest_refresh
from reporting.books_admin import PAGES
from reporting.health_lights import lights
from reporting.start_charts import CHARTS, Chart
from reporting.support.models import SupportTicket
from transactions.models import Proposal
from vouchers.models import SuspenseItem
from wallets.models import Wallet

COUNTED_MAX = 1_000
FINANCE: Final = "transactions.decide_proposal"
OFFICER: Final = "accounts.decide_kycsubmission"
HELPER: Final = "reporting.work_supportticket"


@dataclass(frozen=True)
class Card:
    title: str
    permission: str
    address: str
    read: Callable[[], tuple[str, str]]
    """The figure, and what there is to say about it."""
    leads_for: str = ""
    """Whoever has this permission sees it first."""


def people() -> tuple[str, str]:
    return table_size(User.objects.all(), User._meta.db_table)[1], "with an account, staff included"


def overview_age() -> tuple[str, str]:
    refresh = latest_refresh()
    if refresh is None:
        return "never refreshed", "run manage.py refresh_dashboard"
    return f"{refresh['age']} old", f"{refresh['rows']} rows, refreshed in {refresh['duration_s']} s"


def kyc_waiting() -> tuple[str, str]:
    """Bounded, and read along the queue's own index."""
    queue = KycSubmission.objects.filter(status=KycSubmission.Status.PENDING).order_by("created_at")[:COUNTED_MAX]
    waiting = queue.aggregate(count=Count("pk"), oldest=Min("created_at"))
    return up_to(waiting["count"]), since(waiting["oldest"]) or "nobody waits"


def tickets_waiting() -> tuple[str, str]:
    """Bounded, and read along the queue's own index."""
    open_ones = SupportTicket.objects.filter(status=SupportTicket.Status.OPEN)
    queue = open_ones.order_by("priority", "waits_since", "pk")[:COUNTED_MAX]
    found = queue.aggregate(count=Count("pk"), oldest=Min("waits_since"))
    return up_to(found["count"]), since(found["oldest"]) or "nobody waits"


def suspense_open() -> tuple[str, str]:
    items = SuspenseItem.objects.filter(resolved_at=None).order_by("created_at")[:COUNTED_MAX]
    found = items.aggregate(count=Count("pk"), oldest=Min("created_at"))
    return up_to(found["count"]), since(found["oldest"]) or "nothing is open"


def proposals_waiting() -> tuple[str, str]:
    waiting = Proposal.objects.filter(is_open=True).order_by("pk")[:COUNTED_MAX]
    found = waiting.aggregate(count=Count("pk"), oldest=Min("proposed_at"))
    return up_to(found["count"]), since(found["oldest"]) or "nothing waits"


def customers_money() -> tuple[str, str]:
    """All wallets of a currency sum to zero, so what customers have is what the house's few wallets lack."""
    house = Wallet.objects.exclude(kind=Wallet.Kind.CUSTOMER).values("currency").order_by("currency")
    sums = house.annotate(owed=-Sum("balance")).values_list("currency", "owed")
    return ", ".join(f"{owed:,.2f} {currency}" for currency, owed in sums) or "0.00", "owed to customers, live"


def since(oldest: dt.datetime | None) -> str:
    """The day in Johannesburg, as dates are written everywhere."""
    return f"oldest since {date_format(localtime(oldest), 'DATE_FORMAT')}" if oldest else ""


def up_to(count: int) -> str:
    return f"{COUNTED_MAX:,} or more" if count >= COUNTED_MAX else f"{count:,}"


CARDS: Final = (
    Card("People", "accounts.view_user", "admin:accounts_user_changelist", people),
    Card(
        "Customer overview",
        "reporting.view_userdashboardsummary",
        "admin:reporting_userdashboardsummary_changelist",
        overview_age,
    ),
    Card("Customers' money", "wallets.view_wallet", "admin:wallets_wallet_changelist", customers_money, FINANCE),
    Card("KYC waiting", "accounts.view_kycsubmission", "kyc_queue", kyc_waiting, OFFICER),
    Card(
        "Proposals", "transactions.view_proposal", "admin:transactions_proposal_changelist", proposals_waiting, FINANCE
    ),
    Card("Support tickets", "reporting.view_supportticket", "support_queue", tickets_waiting, HELPER),
    Card(
        "Open suspense", "vouchers.view_suspenseitem", "admin:vouchers_suspenseitem_changelist", suspense_open, FINANCE
    ),
)


def start_page(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Unfold's DASHBOARD_CALLBACK."""
    moment, may = now(), request.user.has_perm
    cards = []
    for card in seen_by(may, CARDS):
        figure, note = card.read()
        cards.append({"title": card.title, "figure": figure, "note": note, "address": reverse(card.address)})
    return {
        **context,
        "title": "Start",
        "cards": cards,
        "charts": [drawing for chart in seen_by(may, CHARTS) for drawing in chart.drawings(at=moment)],
        "lights": lights(at=moment) if may(health_lights.PERMISSION) else [],
    }


Seen = TypeVar("Seen", Card, Chart)


def seen_by(may: Callable[[str], bool], things: Sequence[Seen]) -> list[Seen]:
    """What somebody may see, what his work is about first."""
    seen = [thing for thing in things if may(thing.permission)]
    return sorted(seen, key=lambda thing: not (thing.leads_for and may(thing.leads_for)))


# What the sidebar lists: group, then (title, icon, model), and the address where it is not the model's list.
NAVIGATION: Final = {
    "Customers": (
        ("Overview", "group", "reporting.userdashboardsummary"),
        ("People", "person", "accounts.user"),
        ("KYC desk", "fact_check", "accounts.kycsubmission", "kyc_queue"),
        ("KYC cases", "badge", "accounts.kycsubmission"),
        ("KYC documents", "description", "accounts.kycdocument"),
        ("KYC notes", "sticky_note_2", "accounts.kycnote"),
        ("Devices", "devices", "accounts.loginsession"),
    ),
    "Support": (
        ("Support desk", "support_agent", "reporting.supportticket", "support_queue"),
        ("Support tickets", "forum", "reporting.supportticket"),
        ("Support articles", "menu_book", "reporting.supportarticle", "support_articles"),
        ("All articles", "library_books", "reporting.supportarticle"),
    ),
    "Money": (
        ("Wallets", "account_balance_wallet", "wallets.wallet"),
        ("Entries", "receipt_long", "transactions.transaction"),
        ("Transfers", "swap_horiz", "transactions.transfer"),
        ("Proposals", "approval", "transactions.proposal"),
        ("Holds", "lock_clock", "wallets.hold"),
        ("Receivables", "assignment_late", "transactions.receivable"),
        ("Collections", "assignment_returned", "transactions.receivablecollection"),
        ("Summaries, live", "analytics", "reporting.userfinancialsummary"),
        ("Turnover, live", "monitoring", "reporting.transactionsummary"),
    ),
    "Vouchers and tills": (
        ("Vouchers", "confirmation_number", "vouchers.voucher"),
        ("Redemptions", "redeem", "vouchers.voucherredemption"),
        ("Till events", "point_of_sale", "vouchers.tillevent"),
        ("Suspense", "help_center", "vouchers.suspenseitem"),
    ),
    "Rules and records": (
        ("Audit trail", "history", "accounts.auditevent"),
        ("Tier limits", "speed", "wallets.tierlimit"),
        ("Fees", "sell", "transactions.feerule"),
        ("Roles", "admin_panel_settings", "auth.group"),
        ("Colleagues' sign-in", "shield_person", "auth.group", "colleagues"),
        ("Kept views", "bookmarks", "accounts.savedview"),
        ("Idempotency keys", "key", "transactions.idempotencykey"),
        ("Overview refreshes", "update", "reporting.dashboardrefresh"),
        ("Days", "calendar_month", "reporting.businessday"),
        ("Verifications", "verified", "reporting.ledgerverification"),
        ("Query times by hour", "av_timer", "reporting.queryperformancehour"),
        ("Query times", "timer", "reporting.queryperformancelog"),
        ("Database health", "monitor_heart", "reporting.tablesize", "database_health"),
        ("Maintenance", "construction", "reporting.maintenancereport"),
        ("Read cache", "bolt", "reporting.tablesize", "read_cache"),
        ("Table sizes", "database", "reporting.tablesize"),
    ),
}


def address_of(label: str, name: str | None = None) -> str:
    return reverse(name or f"admin:{label.replace('.', '_')}_changelist")


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """Unfold's SIDEBAR navigation: what this person may see."""
    groups: list[dict[str, Any]] = []
    for group, entries in NAVIGATION.items():
        items: list[dict[str, Any]] = [
            {"title": title, "icon": icon, "link": address_of(label, *address)}
            for title, icon, label, *address in entries
            if request.user.has_perm(f"{label.replace('.', '.view_')}")
        ]
        if items:
            groups.append({"title": group, "items": items})
    books = [
        {"title": title, "icon": icon, "link": reverse(name)}
        for title, icon, name, permission in PAGES
        if request.user.has_perm(permission)
    ]
    groups += [{"title": "Books", "items": books}] if books else []
    every = [item for group in groups for item in group["items"]]
    here = max((item["link"] for item in every if request.path.startswith(item["link"])), key=len, default="")
    for item in every:
        item["active"] = item["link"] == here  # the theme would mark all whose addresses this one begins with
    return groups
