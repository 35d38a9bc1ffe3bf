"""What a customer can mean: each answer of the support assistant belongs to one of these."""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class Intent(StrEnum):
    BALANCE = "balance"
    TRANSACTIONS = "transactions"
    MONEY_IN = "money_in"
    MONEY_OUT = "money_out"
    TRANSFER_STATUS = "transfer_status"
    TRANSFER_FAILED_OR_DECLINED = "transfer_failed_or_declined"
    WRONG_RECIPIENT = "wrong_recipient"
    DUPLICATE_CHARGE = "duplicate_charge"
    TOPUP_HOW = "topup_how"
    TOPUP_PENDING = "topup_pending"
    TOPUP_FAILED = "topup_failed"
    VOUCHER_LIST = "voucher_list"
    VOUCHER_HOW = "voucher_how"
    VOUCHER_PROBLEM = "voucher_problem"
    CASHOUT = "cashout"
    FEES = "fees"
    LIMITS = "limits"
    KYC_STATUS = "kyc_status"
    KYC_HOW = "kyc_how"
    KYC_REJECTED = "kyc_rejected"
    CHANGE_DETAILS = "change_details"
    PASSWORD_OR_PIN = "password_or_pin"  # noqa: S105 - a customer's question about one
    LOST_PHONE_OR_FRAUD = "lost_phone_or_fraud"
    REFUND = "refund"
    STATEMENT = "statement"
    CLOSE_ACCOUNT = "close_account"
    RECEIVE_MONEY = "receive_money"
    SUPPORTED_COUNTRIES_AND_CURRENCIES = "supported_countries_and_currencies"
    HUMAN = "human"
    GREETING = "greeting"
    OUT_OF_SCOPE = "out_of_scope"


COMMONEST: Final = (
    Intent.BALANCE,
    Intent.TRANSACTIONS,
    Intent.TRANSFER_STATUS,
    Intent.TRANSFER_FAILED_OR_DECLINED,
    Intent.WRONG_RECIPIENT,
    Intent.TOPUP_HOW,
    Intent.VOUCHER_PROBLEM,
    Intent.CASHOUT,
    Intent.PASSWORD_OR_PIN,
    Intent.LOST_PHONE_OR_FRAUD,
)
"""What is asked most: understood, and answered, in isiZulu, isiXhosa, Afrikaans and Sesotho too."""
