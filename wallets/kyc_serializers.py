"""What customers send to prove who they are, and what they see of it."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from accounts.kyc import Identity
from accounts.kyc_identity import InvalidIdNumber, identity_number
from accounts.models import KycDocument, KycSubmission, User
from mymoolah.common.clock import business_day
from mymoolah.common.fields import CurrencyField, MoneyField, TextField
from mymoolah.common.inputs import Input

DOCUMENTS_MAX = 5
REQUIREMENTS = ("identity_document", "proof_of_address")
DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)


@extend_schema_field(OpenApiTypes.DATE)
class DateField(TextField):
    default_error_messages = {"invalid_date": 'Write a date such as "2031-03-01".'}

    def to_internal_value(self, data: Any) -> Any:
        text = super().to_internal_value(data)
        try:
            return dt.date.fromisoformat(text if DATE.fullmatch(text) else "")
        except ValueError:
            self.fail("invalid_date")


@extend_schema_field(OpenApiTypes.BINARY)
class DocumentField(serializers.FileField):
    """A file, as bytes."""

    default_error_messages = {"invalid": "Send this as a file, with a file name.", "empty": "This file is empty."}

    def to_internal_value(self, data: Any) -> Any:
        return super().to_internal_value(data).read()


class DocumentsField(serializers.ListField):
    child = DocumentField()
    default_error_messages = {
        "too_many": f"At most {DOCUMENTS_MAX} documents.",
        "sent_twice": "One document stands there twice.",
    }

    def to_internal_value(self, data: Any) -> list[bytes]:
        if len(data) > DOCUMENTS_MAX:
            self.fail("too_many")
        documents: list[bytes] = super().to_internal_value(data)
        if len(set(documents)) < len(documents):
            self.fail("sent_twice")
        return documents


class KycSubmissionInput(Input):
    id_type = serializers.ChoiceField(choices=KycSubmission.IdType.choices)
    id_number = TextField(
        max_length=40, help_text="13 digits, or a passport's 6 to 12 letters and digits; spaces do not matter"
    )
    passport_expires_on = DateField(required=False, help_text="The last day a passport is valid; for passports only")
    documents = DocumentsField(
        allow_empty=False,
        min_length=1,
        max_length=DOCUMENTS_MAX,
        help_text="1 to 5 files of at most 5 MiB, 15 MiB together: JPEG or PNG of at most 30 million pixels, or PDF",
    )
    kinds = serializers.ListField(
        child=serializers.ChoiceField(choices=KycDocument.Kind.choices),
        required=False,
        max_length=DOCUMENTS_MAX,
        help_text="What each of the documents is, in their order; without it all prove the identity",
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Turn the fields into the service's arguments; today is in `context["now"]`."""
        today = business_day(self.context["now"])
        documents = attrs["documents"]
        kinds = attrs.get("kinds") or [KycDocument.Kind.IDENTITY] * len(documents)
        if len(kinds) != len(documents):
            raise _refused("kinds", "not_one_each", "Name one kind for each document, or none at all.")
        return {
            "identity": Identity(
                id_type=KycSubmission.IdType(attrs["id_type"]),
                number=_number(attrs, today),
                passport_expires_on=_expiry(attrs, today),
            ),
            "documents": [(KycDocument.Kind(kind), document) for kind, document in zip(kinds, documents, strict=True)],
        }


class DocumentAgainInput(Input):
    replaces = serializers.UUIDField(help_text="The `id` of the document that was asked for again")
    document = DocumentField(
        help_text="A file of at most 5 MiB: JPEG or PNG of at most 30 million pixels, or PDF",
    )


def _number(attrs: dict[str, Any], today: dt.date) -> str:
    try:
        return identity_number(attrs["id_number"], id_type=attrs["id_type"], today=today)
    except InvalidIdNumber as error:
        raise _refused("id_number", error.code, f"{error.title}.") from error


def _expiry(attrs: dict[str, Any], today: dt.date) -> dt.date | None:
    field, expires_on = "passport_expires_on", attrs.get("passport_expires_on")
    if attrs["id_type"] != KycSubmission.IdType.PASSPORT:
        if expires_on is not None:
            raise _refused(field, "not_a_passport", "Only passports expire.")
        return None
    if expires_on is None:
        raise _refused(field, "required", "Say until when the passport is valid.")
    if expires_on < today:
        raise _refused(field, "passport_expired", "This passport is no longer valid.")
    day: dt.date = expires_on
    return day


def _refused(field: str, code: str, detail: str) -> serializers.ValidationError:
    return serializers.ValidationError({field: [serializers.ErrorDetail(detail, code)]})


# What the answers look like, for the API's documentation -----------------------------------------------------------
class KycDocumentOutput(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    kind = serializers.ChoiceField(choices=KycDocument.Kind.choices)
    content_type = serializers.CharField(help_text="What it was found to be")
    asked_again = serializers.CharField(
        allow_null=True, help_text="Why it has to be sent again, to `kyc/submissions/{id}/documents`; null: it need not"
    )


class KycSubmissionOutput(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    status = serializers.ChoiceField(choices=KycSubmission.Status.choices)
    reason = serializers.CharField(allow_null=True, help_text="Why it was rejected")
    id_type = serializers.ChoiceField(choices=KycSubmission.IdType.choices)
    id_number = serializers.CharField(help_text="Its end; stars stand for the rest")
    passport_expires_on = serializers.DateField(allow_null=True)
    documents = KycDocumentOutput(many=True)
    submitted_at = serializers.DateTimeField()
    decided_at = serializers.DateTimeField(allow_null=True)


class KycLimitsOutput(serializers.Serializer[Any]):
    """What the tier allows in a currency; null where it allows nothing."""

    currency = CurrencyField()
    may_send = serializers.BooleanField()
    may_cash_out = serializers.BooleanField()
    per_transfer = MoneyField(allow_null=True)
    per_day = MoneyField(allow_null=True)
    per_month = MoneyField(allow_null=True)
    used_today = MoneyField(help_text="Of the Johannesburg day")
    used_this_month = MoneyField(help_text="Of the Johannesburg month")
    left_today = MoneyField(allow_null=True)
    left_this_month = MoneyField(allow_null=True)
    highest_balance = MoneyField()


class RequirementOutput(serializers.Serializer[Any]):
    code = serializers.ChoiceField(choices=REQUIREMENTS)
    detail = serializers.CharField()


class NextTierOutput(serializers.Serializer[Any]):
    tier = serializers.IntegerField(min_value=1, max_value=2)
    missing = RequirementOutput(many=True, help_text="What has not been sent yet; empty while we look at what was")


class KycOutput(serializers.Serializer[Any]):
    status = serializers.ChoiceField(choices=User.KycStatus.choices)
    tier = serializers.IntegerField(min_value=0, max_value=2)
    limits = KycLimitsOutput(many=True)
    next_tier = NextTierOutput(allow_null=True, help_text="Null: there is none above")
    latest_submission = KycSubmissionOutput(allow_null=True)
