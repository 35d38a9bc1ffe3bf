"""A colleague changes his own password: Django's page, and an event of the trail in the transaction of the deed."""

from __future__ import annotations

from django.contrib import admin
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import path

from accounts import audit
from accounts.models import User
from accounts.staff_session import staff_origin


def change_password(request: HttpRequest) -> HttpResponse:
    with transaction.atomic():
        answer = admin.site.password_change(request)
        if request.method == "POST" and isinstance(answer, HttpResponseRedirect):
            assert isinstance(request.user, User)
            audit.record(
                "staff.password_changed",
                subject_type="user",
                subject_id=request.user.public_id,
                origin=staff_origin(request),
            )
    return answer


urlpatterns = [path("", admin.site.admin_view(change_password, cacheable=True), name="staff_password")]
