"""The customer page: one screen that answers a phone call. It reads; what can be done stands in customer_actions.py."""

from __future__ import annotations

import uuid
from typing import Any, Final

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from accounts.models import User
from mymoolah.common.clock import business_day, now
from reporting import customer_selectors as read

MAY_LOOK: Final = "accounts.view_user"


@never_cache
@require_GET
def customer_page(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    """Everything about one customer, each section for those who may see it."""
    if not request.user.has_perm(MAY_LOOK):
        raise PermissionDenied
    customer = get_object_or_404(User.objects.defer("password"), public_id=public_id)
    if not customer.is_customer:
        return redirect("admin:accounts_user_change", customer.pk)
    moment = now()
    context: dict[str, Any] = {
        **admin.site.each_context(request),
        "title": customer.name,
        "customer": customer,
        "wallets": read.wallets(user_id=customer.pk, today=business_day(moment))
        if request.user.has_perm("wallets.view_wallet")
        else [],
    }
    return TemplateResponse(request, "admin/customer/page.html", context)


urlpatterns: list[URLPattern] = [
    path("<uuid:public_id>", admin.site.admin_view(customer_page), name="customer_page"),
]
