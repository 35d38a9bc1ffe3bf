"""Tickets and articles as tables to look into; what is done with them is done at the desk (desk.py)."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from accounts.admin import by_owner
from accounts.audit_admin import AuditEventAdmin
from mymoolah.common.admin import UUID, LargeTableAdmin, Search, badge, link, own_pages
from reporting.support.models import SupportArticle, SupportTicket
from reporting.support.staff_words import about
from reporting.support.tickets import PRIORITIES

own_pages[SupportTicket] = lambda ticket: reverse("support_ticket", args=[ticket.public_id])


class DeskAdmin(LargeTableAdmin):
    """A table of the desk: what stands above it leads there, not to all the figures of this app."""

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        request.heading = self.heading()  # type: ignore[attr-defined]
        return super().changelist_view(request, extra_context)

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        request.heading = self.heading()  # type: ignore[attr-defined]
        return super().changeform_view(request, *args, **kwargs)

    def heading(self) -> dict[str, str]:
        return {"title": "Support desk", "link": reverse("support_queue")}


class MeaningFilter(admin.SimpleListFilter):
    title = "what it is about"
    parameter_name = "intent"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(intent.value, about(intent)) for intent in PRIORITIES]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Model]) -> QuerySet[Model]:
        return queryset.filter(intent=self.value()) if self.value() else queryset


@admin.register(SupportTicket)
class SupportTicketAdmin(DeskAdmin):
    secret: ClassVar = ("transcript_encrypted",)
    list_display = ("meaning", "state", "urgency", "customer", "taken_by", "created_at", "first_replied_at")
    list_select_related = ("user", "assigned_to")
    list_filter = ("status", MeaningFilter)
    searches: ClassVar[list[Search]] = [
        Search("a ticket's id", UUID, lambda text: Q(public_id=text)),
        *by_owner(),
    ]
    linked: ClassVar = {"user": ("-pk",)}
    fields = (
        ("public_id", "customer"),
        ("meaning", "state", "urgency"),
        ("taken_by", "waits_since"),
        ("created_at", "first_replied_at", "closed_at"),
    )

    @admin.display(description="About")
    def meaning(self, ticket: SupportTicket) -> str:
        return about(ticket.intent)

    @badge("Status", open="warning", waiting="info", closed="success")
    def state(self, ticket: SupportTicket) -> tuple[str, str]:
        return ticket.status, ticket.get_status_display().lower()

    @badge("Priority", urgent="danger", high="warning", normal="")
    def urgency(self, ticket: SupportTicket) -> str:
        return ticket.get_priority_display().lower()

    @admin.display(description="Customer")
    def customer(self, ticket: SupportTicket) -> str:
        return link(ticket.user, ticket.user.name)

    @admin.display(description="Taken by")
    def taken_by(self, ticket: SupportTicket) -> str:
        return ticket.assigned_to.name if ticket.assigned_to else "nobody"


@admin.register(SupportArticle)
class SupportArticleAdmin(DeskAdmin):
    list_display = (
        "title",
        "meaning",
        "slug",
        "language",
        "version",
        "state",
        "helpful_count",
        "unhelpful_count",
        "approved_at",
    )

    @admin.display(description="Answers best")
    def meaning(self, article: SupportArticle) -> str:
        return about(article.intent) if article.intent else "-"

    @badge("Status", draft="warning", approved="success", retired="")
    def state(self, article: SupportArticle) -> str:
        return article.status


AuditEventAdmin.subjects |= {
    "support_ticket": lambda public_id: SupportTicket.objects.filter(public_id=public_id).first(),
    # An article is all of its versions; the last one is shown.
    "support_article": lambda slug: SupportArticle.objects.filter(slug=slug).order_by("-pk").first(),
}
