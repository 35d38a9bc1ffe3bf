"""What the answers about wallets look like, for the API's documentation."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from accounts.serializers import ProfileOutput
from mymoolah.common.fields import CurrencyField, MoneyField
from wallets.models import Wallet


class LimitsOutput(serializers.Serializer[Any]):
    """What the customer's tier allows this wallet; null where it allows nothing."""

    tier = serializers.IntegerField(min_value=0, max_value=2)
    may_send = serializers.BooleanField()
    may_cash_out = serializers.BooleanField()
    per_transfer = MoneyField(allow_null=True)
    per_day = MoneyField(allow_null=True)
    per_month = MoneyField(allow_null=True)
    left_today = MoneyField(allow_null=True, help_text="Of the Johannesburg day")
    left_this_month = MoneyField(allow_null=True, help_text="Of the Johannesburg month")
    highest_balance = MoneyField(allow_null=True)


class WalletOutput(serializers.Serializer[Any]):
    number = serializers.RegexField(r"^[1-9][0-9]{9}$")
    currency = CurrencyField()
    status = serializers.ChoiceField(choices=Wallet.Status.choices)
    balance = MoneyField()
    available = MoneyField(help_text="The balance less what is held")
    held = MoneyField()
    limits = LimitsOutput()


class WalletListOutput(serializers.Serializer[Any]):
    results = WalletOutput(many=True)
    next = serializers.URLField(allow_null=True, help_text="Always null: nobody has many wallets")
    previous = serializers.URLField(allow_null=True)


class RegisteredOutput(serializers.Serializer[Any]):
    user = ProfileOutput()
    wallet = WalletOutput()
