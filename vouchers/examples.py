"""Thandi's vouchers, as the API's documentation tells them: cash paid in at a till, and a gift that Sipho redeems."""

from __future__ import annotations

from typing import Any

CODE = "8273568548224772"
TOP_UP_ORDER = {"voucher_type": "easypay_topup", "amount": "1000.00", "currency": "ZAR"}
GIFT_ORDER = {"voucher_type": "standard", "amount": "250.00", "currency": "ZAR"}
TOP_UP: dict[str, Any] = {
    "id": "27a6aa5e-9759-4392-8da2-1d5ef4472cf2",
    "voucher_type": "easypay_topup",
    "status": "pending_payment",
    "amount": "1000.00",
    "balance": "0.00",
    "currency": "ZAR",
    "fee": "5.50",
    "vat": "0.83",
    "easypay_number": "95063123456785",
    "expires_at": "2026-03-31T22:00:00.000000Z",
    "created_at": "2026-03-01T07:12:17.377175Z",
}
GIFT: dict[str, Any] = {
    "id": "508de491-88dd-4f20-8ecf-29d72d8e1c29",
    "voucher_type": "standard",
    "status": "active",
    "amount": "250.00",
    "balance": "250.00",
    "currency": "ZAR",
    "fee": "0.00",
    "vat": "0.00",
    "easypay_number": None,
    "expires_at": "2029-03-01T22:00:00.000000Z",
    "created_at": "2026-03-01T10:40:31.051363Z",
}
GIFT_IN_PART = {**GIFT, "balance": "150.00"}
VOUCHERS = {"results": [GIFT_IN_PART, {**TOP_UP, "status": "redeemed"}], "next": None, "previous": None}
CANCELLED = {
    **TOP_UP,
    "id": "960e1da9-8e65-468d-9bb6-476fa70e9f1a",
    "status": "cancelled",
    "amount": "400.00",
    "easypay_number": "95063204816246",
}
PAID_AT_A_TILL = {
    "easypay_number": TOP_UP["easypay_number"],
    "amount": "1000.00",
    "provider_reference": "EP-2026-000001",
    "paid_at": "2026-03-01T09:30:00+02:00",
}
REDEMPTION = {
    "id": "ec1713cc-05a1-44f0-a86b-a761e6aae163",
    "amount": "100.00",
    "currency": "ZAR",
    "wallet": "6402592510",
    "balance_after": "220.00",
    "left": "150.00",
    "created_at": "2026-03-01T11:05:17.692850Z",
}
