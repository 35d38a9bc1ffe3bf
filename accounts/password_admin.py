"""The page on which a colleague chooses another password; the rules stand in passwords.py.

It takes the place of Django's own, which counts no wrong password and writes nothing down.
"""

from __future__ import annotations

from django.contrib import admin, messages
from django.contrib.auth import update_session_auth_hash
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import URLPattern, path
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from accounts.forms import PasswordForm
from accounts.models import User
from accounts.passwords import change_password
from accounts.staff_session import staff_origin
from mymoolah.common.clock import now
from mymoolah.common.errors import DomainError


@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def password_page(request: HttpRequest) -> HttpResponse:
    assert isinstance(request.user, User)  # the admin lets in nobody else
    form = PasswordForm(request.POST if request.method == "POST" else None)
    if form.is_valid() and _is_changed(request, request.user, form):
        # Every session of his has just ended; this one goes on, under another key.
        update_session_auth_hash(request, User.objects.get(pk=request.user.pk))
        messages.success(request, "Your password is changed. Every other session of yours has ended.")
        return redirect("admin:index")
    context = {**admin.site.each_context(request), "title": "Change your password", "form": form}
    return render(request, "staff/password.html", context)


def _is_changed(request: HttpRequest, colleague: User, form: PasswordForm) -> bool:
    """Whether it was done; otherwise the form says why not."""
    try:
        change_password(
            public_id=colleague.public_id,
            session_public_id=None,
            current_password=form.cleaned_data["old_password"],
            new_password=form.cleaned_data["new_password1"],
            now=now(),
            origin=staff_origin(request),
            what="confirmation",
        )
    except ValidationError as too_weak:
        form.add_error("new_password1", too_weak)
    except DomainError as refusal:
        form.add_error("old_password", f"{refusal.title}.")
    return form.is_valid()


urlpatterns: list[URLPattern] = [
    path("password_change/", admin.site.admin_view(password_page), name="password_change"),
]
