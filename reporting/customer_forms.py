"""What staff fill in before they do something for a customer: why, and what the deed asks besides."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, ClassVar

from django import forms
from django.db import models
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminRadioSelectWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
)

from accounts.models import LoginSession
from accounts.staff_deeds import WORDS_MAX, Why
from wallets.freezing import CUSTOMERS_WISH, Question

CONTACTS = [("phone", "The phone, by SMS"), ("email", "The e-mail address")]
KEPT = "Kept for good in the audit trail: nothing personal."


class WhyForm(forms.Form):
    """A reason from the deed's list, and words where it wants some. `seen` is what the page showed."""

    left_out: ClassVar[Collection[str]] = ()
    """Reasons of the list that are none here."""

    seen = forms.CharField(widget=forms.HiddenInput, required=False)
    reason = forms.ChoiceField(label="Reason", widget=UnfoldAdminSelectWidget)
    words = forms.CharField(
        label="In a sentence",
        help_text=KEPT,
        max_length=WORDS_MAX,
        required=False,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 2}),
    )

    def __init__(self, *args: Any, reasons: type[models.TextChoices], in_words: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        reason, words = self.fields["reason"], self.fields["words"]
        assert isinstance(reason, forms.ChoiceField)
        # "Choose" first: a careless click decides nothing.
        reason.choices = [("", "Choose"), *(choice for choice in reasons.choices if choice[0] not in self.left_out)]
        words.required = words.widget.is_required = in_words
        self.order_fields([name for name in self.fields if name not in {"reason", "words"}] + ["reason", "words"])

    @property
    def why(self) -> Why:
        return Why(reason=self.cleaned_data["reason"], words=self.cleaned_data["words"])


class FreezeForm(WhyForm):
    """Words where it is the bank's wish; the service knows which reasons that are."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["words"].help_text = f"Needed unless the customer asks for it. {KEPT}"


class CancelForm(FreezeForm):
    """`once` is the page's own, so that a form that is sent twice is done once."""

    once = forms.RegexField(r"\A[A-Za-z0-9_-]{16,64}\Z", strip=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # A voucher has one status in which it can be cancelled: a page that is out of date shows what has ended since.
        del self.fields["seen"]


class TakeOverForm(WhyForm):
    """The bank's reasons only: as its customer wishes, the wallet is frozen already."""

    left_out = CUSTOMERS_WISH


class AnsweredForm(WhyForm):
    """What the caller answered right, for a wallet that he froze himself."""

    answered = forms.MultipleChoiceField(
        label="The caller was asked, and answered right",
        choices=Question.choices,
        required=False,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
    )


class SessionField(forms.ModelChoiceField):  # type: ignore[type-arg]
    def label_from_instance(self, obj: LoginSession) -> str:
        return f"{obj.device or 'unknown device'}, {obj.address or 'no address'}"


class SessionForm(WhyForm):
    session = SessionField(
        LoginSession.objects.none(),
        to_field_name="public_id",
        label="Where",
        required=False,
        empty_label="Everywhere",
        widget=UnfoldAdminRadioSelectWidget,
    )

    def __init__(self, *args: Any, live: models.QuerySet[LoginSession], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        session = self.fields["session"]
        assert isinstance(session, SessionField)
        session.queryset = live


class ContactForm(WhyForm):
    contact = forms.ChoiceField(label="To", widget=UnfoldAdminRadioSelectWidget)

    def __init__(self, *args: Any, waiting: Collection[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        contact = self.fields["contact"]
        assert isinstance(contact, forms.ChoiceField)
        contact.choices = [(kind, name) for kind, name in CONTACTS if kind in waiting]
