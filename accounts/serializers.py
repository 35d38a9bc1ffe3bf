"""What customers send and get about themselves."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from rest_framework import serializers

from accounts.models import User
from mymoolah.common.fields import EmailField, PasswordField, PhoneField, TextField

LONGEST_NAME = 80


class RegisterInput(serializers.Serializer[Any]):
    email = EmailField(max_length=254)
    phone = PhoneField(max_length=32)
    password = PasswordField()
    first_name = TextField(max_length=LONGEST_NAME)
    last_name = TextField(max_length=LONGEST_NAME)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        owner = User(**{name: attrs[name] for name in ("email", "phone", "first_name", "last_name")})
        try:
            validate_password(attrs["password"], owner)
        except ValidationError as error:
            details = [
                serializers.ErrorDetail(" ".join(one.messages), one.code or "invalid") for one in error.error_list
            ]
            raise serializers.ValidationError({"password": details}) from error
        return attrs


class SignInInput(serializers.Serializer[Any]):
    email = EmailField(max_length=254)
    password = PasswordField()


class RefreshInput(serializers.Serializer[Any]):
    refresh = TextField(max_length=200)


class ProfileInput(serializers.Serializer[Any]):
    first_name = TextField(max_length=LONGEST_NAME, required=False)
    last_name = TextField(max_length=LONGEST_NAME, required=False)


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
    first_name = serializers.CharField()
    last_name = serializers.CharField()
    status = serializers.ChoiceField(choices=User.Status.choices)
    kyc_status = serializers.ChoiceField(choices=User.KycStatus.choices)
    id_verified = serializers.BooleanField()
    kyc_tier = serializers.IntegerField(min_value=0, max_value=2)
    created_at = serializers.DateTimeField()
