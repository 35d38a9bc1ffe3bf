"""What staff fill in."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any

from django import forms
from django.contrib.auth.password_validation import password_validators_help_text_html
from django.core.exceptions import ValidationError
from django.forms.models import model_to_dict
from unfold.forms import AuthenticationForm
from unfold.widgets import UnfoldAdminPasswordWidget, UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from accounts.audit import Origin
from accounts.lockout import SignInLocked
from accounts.models import User, plain_email
from accounts.sessions import counted
from accounts.staff_deeds import WORDS_MAX
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


class ResetForm(forms.Form):
    """Why a colleague's second factor is taken away."""

    reason = forms.CharField(
        label="Why, and how you made sure who asks (kept for good: nothing personal)",
        max_length=WORDS_MAX,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 2}),
    )


class ProfileForm(forms.ModelForm):  # type: ignore[type-arg]
    """Names, contacts and roles, and what they were when the page was opened: one that is out of date saves nothing."""

    seen = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial["seen"] = digest_of(in_words(self.initial, self.names))

    @property
    def names(self) -> list[str]:
        return sorted(self.fields.keys() - {"seen"})

    def clean_email(self) -> str:
        email = plain_email(str(self.cleaned_data["email"]))
        if User.objects.with_email(email).exclude(pk=self.instance.pk).exists():
            raise ValidationError("Somebody else uses this e-mail address.")
        return email

    def clean_phone(self) -> str | None:
        phone: str | None = self.cleaned_data["phone"]
        if phone and User.objects.filter(phone=phone).exclude(pk=self.instance.pk).exists():
            raise ValidationError("Somebody else uses this phone number.")
        return phone or None

    def clean(self) -> dict[str, Any]:
        """Lock the person, and refuse what was typed on an older page; it is kept, and saved again it is meant."""
        present = User.objects.select_for_update(no_key=True).get(pk=self.instance.pk)
        kept = in_words(model_to_dict(present), self.names)
        if self.cleaned_data["seen"] == digest_of(kept):
            return self.cleaned_data
        typed = in_words(self.cleaned_data, self.cleaned_data.keys() & self.names)
        for name, text in typed.items():
            if text != kept[name]:
                self.add_error(name, f"Now it is “{kept[name]}”." if kept[name] else "Now it is empty.")
        renewed: Any = self.data.copy()  # type: ignore[attr-defined]
        renewed["seen"] = digest_of(kept)
        self.data = renewed
        raise ValidationError(
            "This changed since you opened it, so nothing was saved. What you typed is still here: look again, then save."
        )


def in_words(values: Mapping[str, Any], names: Iterable[str]) -> dict[str, str]:
    """What stands in a person's fields, or was typed into them; roles by name."""
    words = {name: values[name] or "" for name in names}
    return {name: text if isinstance(text, str) else ", ".join(sorted(map(str, text))) for name, text in words.items()}


def digest_of(words: Mapping[str, str]) -> str:
    return hashlib.sha256(json.dumps(words, sort_keys=True).encode()).hexdigest()
