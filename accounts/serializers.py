"""What customers send and get about themselves."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from rest_framework import serializers

from accounts.models import User
from mymoolah.common.fields import EmailField, NameField, NewPasswordField, PasswordField, PhoneField, TextField
from mymoolah.common.inputs import Input
from mymoolah.common.messages import Kind

LONGEST_NAME = 80
CONTACTS: tuple[Kind, ...] = ("email", "phone")


@contextmanager
def too_weak(field: str) -> Iterator[None]:
    """Tell what the validators find wrong with a password as errors of this field."""
    try:
        yield
    except ValidationError as error:
        details = [serializers.ErrorDetail(" ".join(one.messages), one.code or "invalid") for one in error.error_list]
        raise serializers.ValidationError({field: details}) from error


class RegisterInput(Input):
    email = EmailField(max_length=254)
    phone = PhoneField(max_length=32)
    password = NewPasswordField()
    first_name = NameField(max_length=LONGEST_NAME)
    last_name = NameField(max_length=LONGEST_NAME)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        owner = User(**{name: attrs[name] for name in ("email", "phone", "first_name", "last_name")})
        with too_weak("password"):
            validate_password(attrs["password"], owner)
        return attrs


class SignInInput(Input):
    email = EmailField(max_length=254)
    password = PasswordField()


class RefreshInput(Input):
    refresh = TextField(max_length=200)


class ProfileInput(Input):
    first_name = NameField(max_length=LONGEST_NAME, required=False)
    last_name = NameField(max_length=LONGEST_NAME, required=False)
    email = EmailField(max_length=254, required=False)
    phone = PhoneField(max_length=32, required=False)
    current_password = PasswordField(required=False, help_text="Needed where a contact changes")


class ContactInput(Input):
    contact = serializers.ChoiceField(choices=CONTACTS)


class ConfirmInput(ContactInput):
    code = TextField(validators=[RegexValidator(r"^[0-9]{6}$", "Six digits.", "invalid_code")], help_text="Six digits")


class PasswordInput(Input):
    current_password = PasswordField()
    new_password = NewPasswordField()


class ForgotInput(Input):
    email = EmailField(max_length=254)


class ResetInput(Input):
    token = TextField(max_length=200, help_text="As it stood in the message")
    new_password = NewPasswordField()


# What the answers look like, for the API's documentation -----------------------------------------------------------
class TokensOutput(serializers.Serializer[Any]):
    access = serializers.CharField(help_text="Send it as `Authorization: Bearer …`")
    refresh = serializers.CharField(help_text="Good for one refresh")
    token_type = serializers.CharField(help_text="Bearer")
    expires_in = serializers.IntegerField(help_text="Seconds that the access token is good for")


class ProfileOutput(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    email = serializers.EmailField()
    email_verified = serializers.BooleanField()
    phone = serializers.CharField(allow_null=True, help_text="E.164")
    phone_verified = serializers.BooleanField()
    pending_email = serializers.EmailField(allow_null=True, help_text="Takes the place of `email` once confirmed")
    pending_phone = serializers.CharField(allow_null=True, help_text="Takes the place of `phone` once confirmed")
    first_name = serializers.CharField()
    last_name = serializers.CharField()
    status = serializers.ChoiceField(choices=User.Status.choices)
    kyc_status = serializers.ChoiceField(choices=User.KycStatus.choices)
    id_verified = serializers.BooleanField()
    kyc_tier = serializers.IntegerField(min_value=0, max_value=2)
    created_at = serializers.DateTimeField()


class SessionOutput(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    device = serializers.CharField(help_text="As it named itself, cut to 200 characters; may be empty")
    address = serializers.CharField(allow_null=True, help_text="Where it signed in from")
    created_at = serializers.DateTimeField()
    last_used_at = serializers.DateTimeField(help_text="When it signed in or last exchanged its refresh token")
    expires_at = serializers.DateTimeField(help_text="When it ends unless it is used")
    is_current = serializers.BooleanField(help_text="The one that asks")


class SessionListOutput(serializers.Serializer[Any]):
    results = SessionOutput(many=True)
    next = serializers.URLField(allow_null=True)
    previous = serializers.URLField(allow_null=True)
