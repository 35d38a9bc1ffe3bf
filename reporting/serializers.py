"""What the dashboard looks like, for the API's documentation: PostgreSQL writes the answer itself."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from accounts.models import User
from mymoolah.common.fields import CurrencyField, MoneyField
from transactions.serializers import EntryOutput
from wallets.models import Wallet


class SummaryOutput(serializers.Serializer[Any]):
    """One wallet: every column of the view user_financial_summary that may leave the bank."""

    kyc_status = serializers.ChoiceField(choices=User.KycStatus.choices)
    id_verified = serializers.BooleanField()
    wallet_number = serializers.RegexField(r"^[1-9][0-9]{9}$")
    wallet_status = serializers.ChoiceField(choices=Wallet.Status.choices)
    wallet_balance = MoneyField()
    available_balance = MoneyField()
    wallet_currency = CurrencyField()
    total_vouchers = serializers.IntegerField()
    active_vouchers = serializers.IntegerField()
    pending_vouchers = serializers.IntegerField()
    active_voucher_value = MoneyField(help_text="What active vouchers still hold")
    pending_voucher_value = MoneyField(help_text="What vouchers that wait for a till are made out for")
    total_transactions = serializers.IntegerField()
    total_received = MoneyField()
    total_sent = MoneyField()
    last_transaction_date = serializers.DateTimeField(allow_null=True)


class DashboardOutput(serializers.Serializer[Any]):
    summaries = SummaryOutput(many=True)
    recent_transactions = EntryOutput(many=True, help_text="The five newest of all wallets")
    as_of = serializers.DateTimeField()
