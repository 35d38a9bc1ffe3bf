"""Thandi's dashboard, as the API's documentation tells it, after the day of accounts/examples.py."""

from __future__ import annotations

from transactions.examples import ENTRIES, GIFT, STATEMENT
from wallets.examples import WALLET

DASHBOARD = {
    "summaries": [
        {
            "kyc_status": "verified",
            "id_verified": True,
            "wallet_number": WALLET["number"],
            "wallet_status": WALLET["status"],
            "wallet_balance": WALLET["balance"],
            "available_balance": WALLET["available"],
            "wallet_currency": WALLET["currency"],
            "total_vouchers": 2,
            "active_vouchers": 1,
            "pending_vouchers": 0,
            "active_voucher_value": "150.00",
            "pending_voucher_value": "0.00",
            "total_transactions": len(ENTRIES),
            "total_received": STATEMENT["total_in"],
            "total_sent": STATEMENT["total_out"],
            "last_transaction_date": GIFT["created_at"],
        }
    ],
    "recent_transactions": ENTRIES[::-1],
    "as_of": "2026-03-01T11:20:17.732022Z",
}
