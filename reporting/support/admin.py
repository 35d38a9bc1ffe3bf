"""Tickets and articles as tables to look into; what is done with them is done at the desk (desk.py)."""

from __future__ import annotations

from typing import ClassVar

from django.contrib import admin
from django.db.models import Q
from django.urls import reverse

from accounts.audit_admin import AuditEventAdmin
from mymoolah.common.admin import UUID, LargeTableAdmin, Search, link, own_pages
from reporting.support.models import SupportArticle, SupportTicket

own_pages[SupportTicket] = lambda ticket: reverse("support_ticket", args=[ticket.public_id])


@admin.register(SupportTicket)
class SupportTicketAdmin(LargeTableAdmin):
    secret: ClassVar = ("transcript_encrypted",)
    list_display = ("public_id", "intent", "status", "priority", "customer", "created_at", "first_replied_at")
    list_select_related = ("user",)
    searches: ClassVar[list[Search]] = [
        Search("a ticket's id", UUID, lambda text: Q(public_id=text)),
    ]
    linked: ClassVar = {"user": ("-pk",)}

    @admin.display(description="Customer")
    def customer(self, ticket: SupportTicket) -> str:
        return link(ticket.user, ticket.user.name)


@admin.register(SupportArticle)
class SupportArticleAdmin(LargeTableAdmin):
    list_display = ("title", "slug", "language", "version", "status", "helpful_count", "unhelpful_count", "approved_at")


AuditEventAdmin.subjects |= {
    "support_ticket": lambda public_id: SupportTicket.objects.filter(public_id=public_id).first(),
    # An article is all of its versions; the last one is shown.
    "support_article": lambda slug: SupportArticle.objects.filter(slug=slug).order_by("-pk").first(),
}
