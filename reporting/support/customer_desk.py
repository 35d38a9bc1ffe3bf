"""The assistant beside the customer's page: a colleague types what the customer asks, and reads what he would be told."""

from __future__ import annotations

import json
import uuid
from typing import Any, Final

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget

from accounts import audit
from accounts.models import User
from accounts.staff_session import staff_origin
from mymoolah.common.admin import require
from mymoolah.common.clock import now
from reporting.customer_page import MAY_LOOK
from reporting.support.assistant import NotForThisDesk, answer_to
from reporting.support.intents import Intent
from reporting.support.staff_words import about
from reporting.support.transcripts import LONGEST_MESSAGE

UNDERSTOOD: Final = "as it is understood"


class QuestionForm(forms.Form):
    message = forms.CharField(
        max_length=LONGEST_MESSAGE, label="What the customer asks", widget=UnfoldAdminTextareaWidget(attrs={"rows": 2})
    )
    intent = forms.ChoiceField(
        choices=[("", UNDERSTOOD), *((one.value, about(one.value)) for one in Intent)],
        required=False,
        label="What is meant",
        widget=UnfoldAdminSelectWidget,
    )


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def assistant_page(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    """Ask for a customer. Who asked, and what it was taken to mean, is audited; nothing of it is kept otherwise."""
    require(request, MAY_LOOK)
    customer = get_object_or_404(User.objects.defer("password"), public_id=public_id)
    if not customer.is_customer:
        return redirect("admin:accounts_user_change", customer.pk)
    form = QuestionForm(request.POST if request.method == "POST" else None)
    context: dict[str, Any] = {
        **admin.site.each_context(request),
        "title": f"Ask for {customer.name}",
        "customer": customer,
        "form": form,
        "back": reverse("customer_page", args=[customer.public_id]),
    }
    if request.method == "POST" and form.is_valid():
        context.update(_asked(request, customer, form.cleaned_data))
    return TemplateResponse(request, "admin/support/assistant.html", context)


def _asked(request: HttpRequest, customer: User, given: dict[str, str]) -> dict[str, Any]:
    try:
        found = answer_to(
            given["message"],
            user_public_id=customer.public_id,
            chosen=Intent(given["intent"]) if given["intent"] else None,
            now=now(),
            may=request.user.has_perm,
        )
    except NotForThisDesk as refusal:
        _record(request, customer, refusal.intent, shown=False)
        return {"refused": about(refusal.intent)}
    _record(request, customer, found.intent, shown=True)
    return {
        "answer": found,
        "about": about(found.intent),
        "confidence": f"{found.confidence:.0%}",
        "facts": json.dumps(found.facts, indent=2, ensure_ascii=False),
    }


def _record(request: HttpRequest, customer: User, intent: Intent, *, shown: bool) -> None:
    audit.record(
        "support.asked_for_customer",
        subject_type="user",
        subject_id=customer.public_id,
        origin=staff_origin(request),
        intent=intent.value,
        shown=shown,
    )


urlpatterns: list[URLPattern] = [
    path("<uuid:public_id>/assistant", admin.site.admin_view(assistant_page), name="customer_assistant"),
]
