"""Which operation leads on to which, and with what of its answer: links of OpenAPI 3, for readers and for fuzzers."""

from __future__ import annotations

from typing import Any

METHODS = {"get", "post", "put", "patch", "delete"}
BODY, SENT = "$response.body#/", "$request.body#/"

Link = dict[str, Any]


def into(operation: str, **parameters: str) -> Link:
    return {"operationId": operation, "parameters": parameters}


def sending(operation: str, **fields: str) -> Link:
    return {"operationId": operation, "requestBody": fields}


TOKENS = {
    "Refresh": sending("refresh", refresh=f"{BODY}refresh"),
    "SignOut": sending("sign_out", refresh=f"{BODY}refresh"),
}
OF_A_VOUCHER = {
    "Show": into("get_voucher", voucher_id=f"{BODY}id"),
    "Cancel": into("cancel_voucher", voucher_id=f"{BODY}id"),
}
# By operation and status: what to do next, by name.
LINKS: dict[tuple[str, str], dict[str, Link]] = {
    ("register", "201"): {"SignIn": sending("sign_in", email=f"{SENT}email", password=f"{SENT}password")},
    ("sign_in", "200"): TOKENS,
    ("refresh", "200"): TOKENS,
    ("forgot_password", "202"): {"Reset": into("reset_password")},
    ("verify_contact", "202"): {"Confirm": sending("confirm_contact", contact=f"{SENT}contact")},
    ("list_sessions", "200"): {"EndNewest": into("end_session", session_id=f"{BODY}results/0/id")},
    ("submit_kyc", "201"): {"ShowKyc": into("get_kyc")},
    ("get_dashboard", "200"): {
        "ShowWallet": into("get_wallet", number=f"{BODY}summaries/0/wallet_number"),
        "ShowNewest": into("get_transaction", entry_id=f"{BODY}recent_transactions/0/id"),
    },
    ("list_wallets", "200"): {
        "Show": into("get_wallet", number=f"{BODY}results/0/number"),
        "ListTransactions": into("list_transactions", wallet=f"{BODY}results/0/number"),
        "ShowStatement": into("get_statement", wallet=f"{BODY}results/0/number"),
    },
    ("get_wallet", "200"): {
        "ListTransactions": into("list_transactions", wallet=f"{BODY}number"),
        "ShowStatement": into("get_statement", wallet=f"{BODY}number"),
        "Freeze": into("freeze_wallet", number=f"{BODY}number"),
    },
    ("preview_transfer", "200"): {
        "Send": sending("send_money", to=f"{SENT}to", amount=f"{SENT}amount", currency=f"{SENT}currency")
    },
    ("send_money", "201"): {"Show": into("get_transfer", transfer_id=f"{BODY}id")},
    ("get_transfer", "200"): {"ShowEntry": into("get_transaction", entry_id=f"{BODY}transaction")},
    ("list_transactions", "200"): {
        "ShowNewest": into("get_transaction", entry_id=f"{BODY}results/0/id"),
        "ShowNewestTransfer": into("get_transfer", transfer_id=f"{BODY}results/0/transfer"),
    },
    ("get_transaction", "200"): {"ShowTransfer": into("get_transfer", transfer_id=f"{BODY}transfer")},
    ("issue_voucher", "201"): {**OF_A_VOUCHER, "Redeem": sending("redeem_voucher", code=f"{BODY}code")},
    ("get_voucher", "200"): {"Cancel": OF_A_VOUCHER["Cancel"], "Redeem": sending("redeem_voucher", code=f"{BODY}code")},
    ("list_vouchers", "200"): {"ShowNewest": into("get_voucher", voucher_id=f"{BODY}results/0/id")},
    ("cancel_voucher", "200"): {"Show": OF_A_VOUCHER["Show"]},
    ("ask_support", "200"): {
        "GoOn": sending("ask_support", conversation=f"{BODY}conversation", message=f"{SENT}message"),
        "Rate": into("rate_support_message", message_id=f"{BODY}id"),
        "ShowTicket": into("get_support_ticket", ticket_id=f"{BODY}ticket"),
        "Erase": into("erase_support_conversation", conversation_id=f"{BODY}conversation"),
    },
    ("list_support_messages", "200"): {
        "RateNewest": into("rate_support_message", message_id=f"{BODY}results/0/id"),
        "EraseNewest": into("erase_support_conversation", conversation_id=f"{BODY}results/0/conversation"),
    },
    ("list_support_tickets", "200"): {
        "ShowNewest": into("get_support_ticket", ticket_id=f"{BODY}results/0/id"),
        "ReplyToNewest": into("reply_to_support_ticket", ticket_id=f"{BODY}results/0/id"),
    },
    ("get_support_ticket", "200"): {"Reply": into("reply_to_support_ticket", ticket_id=f"{BODY}id")},
    ("redeem_voucher", "200"): {"ShowWallet": into("get_wallet", number=f"{BODY}wallet")},
}


def add_links(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Describe where each answer leads (a postprocessing hook of drf-spectacular)."""
    operations = {
        path[method]["operationId"]: path[method]
        for path in result["paths"].values()
        for method in METHODS & path.keys()
    }
    for (operation, status), links in LINKS.items():
        operations[operation]["responses"][status]["links"] = links
    return result
