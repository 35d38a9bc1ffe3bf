"""What staff fill in."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth.password_validation import password_validators_help_text_html
from django.core.exceptions import ValidationError
from unfold.forms import AuthenticationForm
from unfold.widgets import UnfoldAdminPasswordWidget, UnfoldAdminTextInputWidget

from accounts.audit import Origin
from accounts.lockout import SignInLocked
from accounts.sessions import counted
from mymoolah.common.addresses import client_address
from mymoolah.common.errors import Unavailable


class StaffSignInForm(AuthenticationForm):  # type: ignore[misc]
    """The back-office's sign-in, which is locked by the same failures as that of customers."""

    def clean(self) -> dict[str, Any]:
        email = str(self.cleaned_data.get("username") or "")
        address, request_id = client_address(self.request), getattr(self.request, "request_id", "")
        try:
            with counted(email=email, origin=Origin(address=address, request_id=request_id), refusal=ValidationError):
                cleaned: dict[str, Any] = super().clean()
        except (SignInLocked, Unavailable) as refusal:
            raise ValidationError(refusal.title, code=refusal.code) from refusal
        return cleaned


class ConfirmationForm(forms.Form):
    """The password once more, before something that matters."""

    confirmed_by_password = forms.CharField(
        label="Your password",
        strip=False,
        max_length=4096,
        widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "current-password", "autofocus": True}),
    )


class PasswordForm(forms.Form):
    """The present password and another one, twice. Nothing here looks at whether the present one is right."""

    old_password = forms.CharField(
        label="Your password now",
        strip=False,
        max_length=4096,
        widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "current-password", "autofocus": True}),
    )
    new_password1 = forms.CharField(
        label="The new one",
        strip=False,
        max_length=4096,
        help_text=password_validators_help_text_html,
        widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "new-password"}),
    )
    new_password2 = forms.CharField(
        label="The new one again",
        strip=False,
        max_length=4096,
        widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "new-password"}),
    )

    def clean(self) -> dict[str, Any]:
        typed: dict[str, Any] = self.cleaned_data
        old, new, again = (typed.get(name) for name in self.fields)
        if new and again and new != again:
            self.add_error("new_password2", "This is not the same as the one above.")
        if old and new and old == new:
            self.add_error("new_password1", "This is the password that you have: choose another one.")
        return typed


class CodeForm(forms.Form):
    """What an authenticator app shows, or a recovery code."""

    code = forms.CharField(
        label="Code",
        max_length=40,
        widget=UnfoldAdminTextInputWidget(
            attrs={
                "autocomplete": "one-time-code",
                "autocapitalize": "none",
                "spellcheck": "false",
                "autofocus": True,
            }
        ),
    )
