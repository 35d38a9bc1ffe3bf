"""Thandi's wallet and tier, as the API's documentation tells them, after the day of accounts/examples.py."""

from __future__ import annotations

from accounts.examples import NEWCOMER

NUMBER = "6070488488"
WALLET = {
    "number": NUMBER,
    "currency": "ZAR",
    "status": "active",
    "balance": "623.67",
    "available": "623.67",
    "held": "0.00",
    "limits": {
        "tier": 2,
        "may_send": True,
        "may_cash_out": True,
        "per_transfer": "25000.00",
        "per_day": "50000.00",
        "per_month": "100000.00",
        "left_today": "49630.00",
        "left_this_month": "99630.00",
        "highest_balance": "100000.00",
    },
}
FROZEN = {**WALLET, "status": "frozen"}
WALLETS = {"results": [WALLET], "next": None, "previous": None}
NOTHING_YET = {"balance": "0.00", "available": "0.00", "held": "0.00"}
LIMITS_OF_TIER_0 = {
    "tier": 0,
    "may_send": False,
    "may_cash_out": False,
    "per_transfer": None,
    "per_day": None,
    "per_month": None,
    "left_today": None,
    "left_this_month": None,
    "highest_balance": "3000.00",
}
REGISTERED = {"user": NEWCOMER, "wallet": {**WALLET, **NOTHING_YET, "limits": LIMITS_OF_TIER_0}}
SUBMISSION = {
    "id": "d50c9f79-c64d-47c1-8efc-2cc7b62ccf99",
    "status": "pending",
    "reason": None,
    "id_type": "sa_id",
    "id_number": "****** **44 08 9",
    "passport_expires_on": None,
    "documents": [
        {
            "id": "5f0c7a52-3c53-4a3e-9a43-6a1b7f5d2c11",
            "kind": "identity",
            "content_type": "image/jpeg",
            "asked_again": None,
        },
        {
            "id": "b7e1d0c4-8f2a-4d6b-9c35-1e0f4a2b7d88",
            "kind": "proof_of_address",
            "content_type": "application/pdf",
            "asked_again": None,
        },
    ],
    "submitted_at": "2026-03-01T06:01:17.167177Z",
    "decided_at": None,
}
KYC = {
    "status": "verified",
    "tier": 2,
    "next_tier": None,
    "latest_submission": {**SUBMISSION, "status": "approved", "decided_at": "2026-03-01T06:40:12.900417Z"},
    "limits": [
        {
            "currency": "ZAR",
            "may_send": True,
            "may_cash_out": True,
            "per_transfer": "25000.00",
            "per_day": "50000.00",
            "per_month": "100000.00",
            "used_today": "370.00",
            "used_this_month": "370.00",
            "left_today": "49630.00",
            "left_this_month": "99630.00",
            "highest_balance": "100000.00",
        }
    ],
}
KYC_OF_NEWCOMER = {
    "status": "not_started",
    "tier": 0,
    "next_tier": {
        "tier": 1,
        "missing": [
            {
                "code": "identity_document",
                "detail": "Your identity number, and a photograph or scan of your ID card, ID book or passport.",
            }
        ],
    },
    "latest_submission": None,
    "limits": [
        {
            "currency": "ZAR",
            "may_send": False,
            "may_cash_out": False,
            "per_transfer": None,
            "per_day": None,
            "per_month": None,
            "used_today": "0.00",
            "used_this_month": "0.00",
            "left_today": None,
            "left_this_month": None,
            "highest_balance": "3000.00",
        }
    ],
}
