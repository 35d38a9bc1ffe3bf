"""The pages of maker and checker: what waits, what is asked and what it would do, and the two buttons of the other one."""

from __future__ import annotations

import datetime as dt
import re
import uuid
from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any, ClassVar, Final

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Model, Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html, format_html_join
from django.utils.http import urlencode
from django.views.decorators.http import require_GET, require_POST
from unfold.widgets import (
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanWidget,
)

from accounts.audit_admin import AuditEventAdmin
from accounts.confirmation import ask_confirmation
from accounts.staff_session import staff_origin
from mymoolah.common.admin import UUID, LargeTableAdmin, Panel, Search, badge, link, money, require, shown
from mymoolah.common.clock import now
from mymoolah.common.errors import DomainError
from transactions.models import Proposal
from transactions.proposals import previews, services
from transactions.proposals.commands import COMMANDS, UnknownCommand, get_command
from transactions.proposals.previews import Preview
from transactions.proposals.services import LONGEST_REASON, Ask, PreviewChanged
from wallets.models import Wallet

ADD, DECIDE = "transactions.add_proposal", "transactions.decide_proposal"
RESULTS: Final = {
    "transfer": "admin:transactions_transfer_change",
    "fee_rule": "admin:transactions_feerule_change",
    "tier_limit": "admin:wallets_tierlimit_change",
}

FACTS: Final = {
    "status": "it is",
    "highest": "at most",
    "most": "at most",
    "least": "at least",
    "open": "still open:",
    "left": "left:",
    "voucher_status": "the voucher is",
}
"""How the facts of refusals begin in a sentence; others by their name."""
AMOUNT: Final = r"-?[0-9]+\.[0-9]{2}"


class ReasonForm(forms.Form):
    public_id = forms.UUIDField(widget=forms.HiddenInput)
    reason = forms.CharField(
        label="Why",
        max_length=LONGEST_REASON,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
        help_text="It is kept for good: a case number says who and why, names and personal matters do not belong here.",
    )


class NoteForm(forms.Form):
    note = forms.CharField(
        required=False,
        max_length=LONGEST_REASON,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 2}),
        help_text="Needed to reject. It is kept for good: no names, nothing personal.",
    )


# What waits -------------------------------------------------------------------------------------------------------------
class WaitingFilter(admin.SimpleListFilter):
    title = "what waits"
    parameter_name = "waiting"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("me", "For me to decide"), ("others", "For others: mine")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Model]) -> QuerySet[Model]:
        mine = Q(proposed_by=request.user.pk)
        wanted = {"me": ~mine, "others": mine}.get(self.value() or "")
        return queryset if wanted is None else queryset.filter(wanted, is_open=True)


@admin.register(Proposal)
class ProposalAdmin(LargeTableAdmin):
    """Open ones first; the page of one is where it is decided."""

    list_display = ("what", "about", "moves", "state", "proposed_by", "proposed_at", "decided_by", "decided_at")
    list_display_links = ("what",)
    list_filter = (WaitingFilter,)
    list_select_related = ("proposed_by", "decided_by")
    ordering = ("-is_open", "-pk")
    searches: ClassVar[list[Search]] = [
        Search("public id, or of what it is about", UUID, lambda text: Q(public_id=text) | about_any(text)),
        Search("wallet number", r"[1-9][0-9]{9}", lambda text: Q(subject_type="wallet", subject_id=text)),
    ]
    list_before_template = "admin/proposals/list_before.html"

    @admin.display(description="Proposal")
    def what(self, proposal: Proposal) -> str:
        return title_of(proposal)

    @admin.display(description="About")
    def about(self, proposal: Proposal) -> str:
        return f"{proposal.subject_type.replace('_', ' ')} {proposal.subject_id}"

    @admin.display(description="Customers' money")
    def moves(self, proposal: Proposal) -> str:
        changes = [(signed(Decimal(row["change"]), row["currency"]),) for row in proposal.preview["wallets"]]
        return format_html_join(", ", "{}", changes) or "-"

    @badge("Status", waits="warning", approved="success", rejected="danger", withdrawn="info", failed="danger")
    def state(self, proposal: Proposal) -> str:
        return proposal.get_status_display().lower()

    def get_urls(self) -> list[URLPattern]:
        def page(route: str, view: Callable[..., HttpResponse], name: str) -> URLPattern:
            return path(route, self.admin_site.admin_view(view), name=f"transactions_proposal_{name}")

        return [
            page("propose/", require_GET(self.commands_page), "commands"),
            page("propose/<slug:name>/", self.propose_page, "propose"),
            page("<int:pk>/check/", require_POST(self.try_again), "check"),
            page("<int:pk>/approve/", require_POST(self.approve), "approve"),
            page("<int:pk>/reject/", require_POST(self.reject), "reject"),
            page("<int:pk>/withdraw/", require_POST(self.withdraw), "withdraw"),
            *super().get_urls(),
        ]

    # Asking -------------------------------------------------------------------------------------------------------------
    def commands_page(self, request: HttpRequest) -> HttpResponse:
        """Everything that can be proposed; most of it is reached from the page of what it is about."""
        require(request, ADD)
        groups: dict[str, list[str]] = {}
        for command in COMMANDS.values():
            groups.setdefault(command.group, []).append(propose_link(command.name))
        context = {**self.admin_site.each_context(request), "title": "Propose", "groups": list(groups.items())}
        return TemplateResponse(request, "admin/proposals/commands.html", context)

    def propose_page(self, request: HttpRequest, name: str) -> HttpResponse:
        require(request, ADD)
        try:
            command = get_command(name)
        except UnknownCommand as error:
            raise Http404 from error
        asked = request.POST if request.method == "POST" else None
        schema = dressed(command.schema(asked, initial=request.GET.dict()))
        why = ReasonForm(asked, initial={"public_id": uuid.uuid4()})
        context = {
            **self.admin_site.each_context(request),
            "title": command.title,
            "schema": schema,
            "why": why,
            "action": reverse("admin:transactions_proposal_propose", args=[name]),
        }
        if asked is not None:
            known = {field.name: field.value() for field in schema if field.value()}
            context["stands_for"] = f"{request.path}?{urlencode(known)}"
        if schema.is_valid() and why.is_valid():
            ask = Ask(
                public_id=why.cleaned_data["public_id"],
                command=name,
                arguments=schema.as_arguments(),  # type: ignore[attr-defined]
                reason=why.cleaned_data["reason"],
                proposed_by=member(request),
            )
            try:
                if "propose" in request.POST:
                    proposal = services.propose(ask, now=now(), origin=staff_origin(request))
                    messages.success(request, "Proposed. A colleague of finance decides.")
                    return HttpResponseRedirect(page_of(proposal))
                context["effect"] = effect_of(services.preview(ask, now=now()))
            except DomainError as refusal:
                context["refusal"] = told(refusal)
        return TemplateResponse(request, "admin/proposals/propose.html", context)

    # Deciding -----------------------------------------------------------------------------------------------------------
    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        if request.method not in {"GET", "HEAD"} or not self.has_view_permission(request):
            raise PermissionDenied
        if not object_id.isdecimal() or len(object_id) > 18:
            raise Http404
        return self.page(request, int(object_id))

    def page(
        self,
        request: HttpRequest,
        pk: int,
        *,
        current: Preview | None = None,
        refusal: DomainError | None = None,
        is_stale: bool = False,
        note: NoteForm | None = None,
    ) -> HttpResponse:
        """One proposal: as it was asked, or with what it would do as things stand (`current`)."""
        proposal = get_object_or_404(Proposal.objects.select_related("proposed_by", "decided_by"), pk=pk)
        is_own = proposal.proposed_by_id == request.user.pk
        shown = proposal.preview if current is None else current
        titles = {
            Proposal.Status.PROPOSED: "What it would have done when it was proposed",
            Proposal.Status.APPROVED: "What it did",
        }
        context = {
            **self.admin_site.each_context(request),
            "title": title_of(proposal),
            "proposal": proposal,
            "arguments": labelled(proposal),
            "effect": effect_of(shown, earlier=proposal.preview),
            "effect_title": "What it would do now"
            if current
            else titles.get(proposal.status, "What it would have done"),  # type: ignore[call-overload]
            "seen": previews.digest(shown).hex(),
            "may_decide": proposal.is_open and not is_own and request.user.has_perm(DECIDE),
            "may_withdraw": proposal.is_open and is_own,
            "note_form": note or NoteForm(request.POST if refusal or is_stale else None),
            "result": result_of(proposal),
            "refusal": told(refusal) if refusal else "",
            "is_stale": is_stale,
            "stands_for": page_of(proposal) if request.method == "POST" else "",
            "withdraw_url": deed_url(proposal, "withdraw"),
            **{f"{deed}_attrs": {"formaction": deed_url(proposal, deed)} for deed in ("approve", "reject", "check")},
        }
        return TemplateResponse(request, "admin/proposals/proposal.html", context)

    def try_again(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Try it again, and show what it would do as things stand."""
        require(request, DECIDE)
        try:
            current = services.check(public_id=public_id_of(pk), checker_id=member(request), now=now())
        except DomainError as refusal:
            return self.page(request, pk, refusal=refusal)
        return self.page(request, pk, current=current)

    def approve(self, request: HttpRequest, pk: int) -> HttpResponse:
        require(request, DECIDE)
        if (question := ask_confirmation(request)) is not None:
            return question
        note = NoteForm(request.POST)
        if not note.is_valid():
            return self.page(request, pk, note=note)
        try:
            seen = bytes.fromhex(request.POST.get("seen", ""))
        except ValueError:
            seen = b""
        moment = now()
        try:
            done = services.approve(
                public_id=public_id_of(pk),
                approver_id=member(request),
                seen_digest=seen,
                note=note.cleaned_data["note"],
                now=moment,
                origin=staff_origin(request),
            )
        except PreviewChanged as change:
            return self.page(request, pk, current=change.preview, is_stale=True)
        except DomainError as refusal:
            return self.page(request, pk, refusal=refusal)
        if done.status == Proposal.Status.FAILED:
            messages.error(request, done.note)
        else:
            tell(request, done, moment, "Approved and done.")
        return HttpResponseRedirect(page_of(done))

    def reject(self, request: HttpRequest, pk: int) -> HttpResponse:
        require(request, DECIDE)
        note = NoteForm(request.POST)
        if not note.is_valid():
            return self.page(request, pk, note=note)
        moment = now()
        try:
            done = services.reject(
                public_id=public_id_of(pk),
                decider_id=member(request),
                note=note.cleaned_data["note"],
                now=moment,
                origin=staff_origin(request),
            )
        except DomainError as refusal:
            return self.page(request, pk, refusal=refusal)
        tell(request, done, moment, "Rejected. Nothing was done.")
        return HttpResponseRedirect(page_of(done))

    def withdraw(self, request: HttpRequest, pk: int) -> HttpResponse:
        require(request, ADD)
        moment = now()
        try:
            done = services.withdraw(
                public_id=public_id_of(pk), maker_id=member(request), now=moment, origin=staff_origin(request)
            )
        except DomainError as refusal:
            return self.page(request, pk, refusal=refusal)
        tell(request, done, moment, "Withdrawn.")
        return HttpResponseRedirect(page_of(done))


AuditEventAdmin.subjects["proposal"] = lambda public_id: Proposal.objects.filter(public_id=public_id).first()


def member(request: HttpRequest) -> int:
    """Who asks; the admin lets nobody in who has not signed in."""
    assert request.user.pk is not None
    return request.user.pk


def tell(request: HttpRequest, done: Proposal, moment: dt.datetime, words: str) -> None:
    """Say what was decided at this `moment`, or that the same had been decided before: nothing is done twice."""
    if done.decided_at == moment:
        messages.success(request, words)
    else:
        already = f"You {done.get_status_display().lower()} this already, at {shown(done.decided_at)}."
        messages.info(request, f"{already} Nothing was done again.")


def public_id_of(pk: int) -> uuid.UUID:
    found = Proposal.objects.filter(pk=pk).values_list("public_id", flat=True).first()
    if found is None:
        raise Http404
    return found


def about_any(text: str) -> Q:
    kinds = ("transfer", "receivable", "suspense_item", "voucher")
    return Q(subject_type__in=kinds, subject_id=str(uuid.UUID(text)))


def dressed(form: forms.Form) -> forms.Form:
    """The same form in the look of the back-office."""
    for field in form.fields.values():
        widget: forms.Widget
        if isinstance(field, forms.ChoiceField):
            widget = UnfoldAdminSelectWidget(choices=field.choices)
        elif isinstance(field, forms.BooleanField):
            widget = UnfoldBooleanWidget()
        elif isinstance(field, forms.DateTimeField):
            widget = UnfoldAdminTextInputWidget(attrs={"type": "datetime-local"})
        elif isinstance(field, forms.DecimalField):
            widget = UnfoldAdminTextInputWidget(attrs={"inputmode": "decimal", "autocomplete": "off"})
        else:
            widget = UnfoldAdminTextInputWidget(attrs={"autocomplete": "off"})
        widget.is_required = field.required
        field.widget = widget
    return form


# What is shown ----------------------------------------------------------------------------------------------------------
def effect_of(preview: Preview, earlier: Preview | None = None) -> dict[str, list[dict[str, object]]]:
    """A preview in figures and words; what differs from an `earlier` one says what it was. One query."""
    before = earlier or preview
    numbers = [row["number"] for row in preview["wallets"]]
    known = {wallet.number: wallet for wallet in Wallet.objects.filter(number__in=numbers).select_related("user")}
    had = {row["number"]: row for row in before["wallets"]}
    house_had = {(row["kind"], row["currency"]): row["change"] for row in before["house"]}
    facts_had = {row["what"]: (row["before"], row["after"]) for row in before["facts"]}
    return {
        "wallets": [
            {
                "wallet": link(known.get(row["number"]), row["number"]),
                "owner": known[row["number"]].user or "" if row["number"] in known else "",
                **_figures(row),
                **_held(row),
                "was": _was(had.get(row["number"]), row),
            }
            for row in preview["wallets"]
        ],
        "house": [
            {
                "wallet": Wallet.Kind(row["kind"]).label,
                **_figures(row),
                "was": ""
                if house_had.get((row["kind"], row["currency"])) == row["change"]
                else house_had.get((row["kind"], row["currency"])) or "nothing",
            }
            for row in preview["house"]
        ],
        "facts": [
            {
                **row,
                "changes": row["before"] != row["after"],
                "was": ""
                if facts_had.get(row["what"]) == (row["before"], row["after"])
                else " → ".join(facts_had.get(row["what"], ("nothing",))),
            }
            for row in preview["facts"]
        ],
    }


def _figures(row: dict[str, str]) -> dict[str, str]:
    change = Decimal(row["change"])
    verb = "receives" if change > 0 else "pays"
    return {
        "before": money(Decimal(row["before"]), row["currency"]),
        "change": signed(change, row["currency"]),
        "after": money(Decimal(row["after"]), row["currency"]),
        "sign": "plus" if change > 0 else "minus" if change < 0 else "",
        "words": f"{verb} {abs(change):,.2f}" if change else "in and out again",
    }


def _held(row: dict[str, str]) -> dict[str, str]:
    change = Decimal(row["held_after"]) - Decimal(row["held_before"])
    if not change:
        return {}
    return {
        "held_before": money(Decimal(row["held_before"]), row["currency"]),
        "held_change": signed(change, row["currency"]),
        "held_after": money(Decimal(row["held_after"]), row["currency"]),
    }


def _was(had: dict[str, str] | None, row: dict[str, str]) -> str:
    if had is None:
        return "untouched"
    return "" if had == row else f"{money(Decimal(had['after']), had['currency'])}"


def signed(change: Decimal, currency: str) -> str:
    """`+60.00 ZAR`, and what is paid with a minus sign that is as wide as a digit."""
    return format_html(
        '<span class="whitespace-nowrap">{}{} {}</span>', "+" if change > 0 else "\u2212" if change < 0 else "",
        f"{abs(change):,.2f}", currency,
    )  # fmt: skip


def told(refusal: DomainError) -> str:
    """A refusal in a sentence, with what it is about."""
    facts = ", ".join(_in_words(name, value) for name, value in refusal.facts.items() if value)
    return " ".join(part for part in (f"{refusal.title}.", refusal.detail, f"({facts})" if facts else "") if part)


def _in_words(name: str, value: object) -> str:
    """A fact of a refusal: `status=frozen` as "it is frozen", `highest=100000.00` as "at most 100,000.00"."""
    if isinstance(value, (list, tuple)):
        said = ", ".join(map(str, value))
    elif re.fullmatch(AMOUNT, str(value)):
        said = f"{Decimal(str(value)):,.2f}"
    else:
        said = str(value)
    said = said.replace("_", " ").replace("easypay", "EasyPay")
    return f"{FACTS[name]} {said}" if name in FACTS else f"{name.replace('_', ' ')}: {said}"


def title_of(proposal: Proposal) -> str:
    command = COMMANDS.get(proposal.command)
    return command.title if command else proposal.command


def labelled(proposal: Proposal) -> list[tuple[str, str]]:
    """The arguments as the form names them; what is empty or off is left out."""
    command = COMMANDS.get(proposal.command)
    fields = command.schema().fields if command else {}
    found = []
    in_order = [name for name in fields if name in proposal.arguments] or sorted(proposal.arguments)
    for name in in_order:
        value = proposal.arguments[name]
        if value in {"", False}:
            continue
        field = fields.get(name)
        choices = dict(field.choices) if isinstance(field, forms.ChoiceField) else {}  # type: ignore[arg-type]
        label = str(field.label) if field and field.label else name.replace("_", " ").capitalize()
        found.append((label, "yes" if value is True else str(choices.get(value, value))))
    return found


def result_of(proposal: Proposal) -> str:
    address = RESULTS.get(proposal.result_kind)
    words = f"{proposal.result_kind.replace('_', ' ')} {proposal.result_id}"
    if not address:
        return words
    return format_html('<a href="{}" class="text-link">{}</a>', reverse(address, args=[proposal.result_id]), words)


def page_of(proposal: Proposal) -> str:
    return reverse("admin:transactions_proposal_change", args=[proposal.pk])


def deed_url(proposal: Proposal, deed: str) -> str:
    return reverse(f"admin:transactions_proposal_{deed}", args=[proposal.pk])


# On the pages where the need is seen ------------------------------------------------------------------------------------
def propose_link(name: str, text: str = "", **arguments: object) -> str:
    """A link to the form of a command, filled in as far as it is known."""
    address = reverse("admin:transactions_proposal_propose", args=[name])
    query = f"?{urlencode({key: str(value) for key, value in arguments.items()})}" if arguments else ""
    return format_html('<a href="{}{}" class="text-link">{}</a>', address, query, text or get_command(name).title)


def offers(links: Callable[[Any], Iterable[str]], nothing: Callable[[Any], str] = lambda _: "Nothing.") -> Panel:
    """What finance can propose about an object, or why that is nothing."""
    return Panel("Propose", ADD, ("A colleague decides",), lambda obj: [(one,) for one in links(obj)], nothing=nothing)


def proposals_about(subject: Callable[[Any], tuple[str, object]]) -> Panel:
    """What was proposed about an object, newest first."""

    def rows(obj: Any) -> list[tuple[object, ...]]:
        subject_type, subject_id = subject(obj)
        found = Proposal.objects.filter(subject_type=subject_type, subject_id=str(subject_id))
        return [
            (link(row, title_of(row)), row.get_status_display(), row.proposed_by, row.proposed_at, row.decided_by)
            for row in found.select_related("proposed_by", "decided_by").order_by("-pk")[:10]
        ]

    headers = ("Proposal", "Status", "Proposed by", "At", "Decided by")
    return Panel("Proposals", "transactions.view_proposal", headers, rows)
