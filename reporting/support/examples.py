"""What Thandi asks, as the API's documentation tells it, after the day of accounts/examples.py."""

from __future__ import annotations

from wallets.examples import WALLET

CONVERSATION = "3d2c6b52-9a0f-4c17-8a59-0f6ad9a9c7d1"
QUESTION = {"message": "Where is my money?"}
LOST = {"message": "They took my phone in the taxi", "conversation": CONVERSATION}
_HUMAN = {
    "title": "Ask a person",
    "method": "POST",
    "href": "/api/v1/support/messages",
    "body": {"intent": "human"},
    "confirm": None,
}
BALANCE = {
    "id": "7f0e4c8e-55a0-4a0e-9f58-6a1f3c2b9d10",
    "conversation": CONVERSATION,
    "intent": "balance",
    "confidence": 0.91,
    "language": "en",
    "answer": "This is what you have now:\n- Wallet 6070488488: R623.67 available of R623.67; R0.00 is held for cash-outs "
    "that have not been paid out yet.",
    "data": {"state": "some", "tier": 2, "wallets": [{"number": WALLET["number"], "available": WALLET["available"]}]},
    "links": [
        {"title": "Your wallets", "method": "GET", "href": "/api/v1/wallets", "body": {}, "confirm": None},
    ],
    "clarify": None,
    "ticket": None,
}
UNSURE = {
    **BALANCE,
    "intent": "topup_pending",
    "confidence": 0.42,
    "answer": "I am not sure what you mean. Is it this: a top-up that has not come through? Or this: what is in your "
    "wallet?",
    "data": {"state": "unsure"},
    "links": [_HUMAN],
    "clarify": [
        {"intent": "topup_pending", "label": "a top-up that has not come through"},
        {"intent": "balance", "label": "what is in your wallet"},
    ],
}
TICKET = {
    "id": "b1e3f0aa-3d64-4f4e-a0a7-7f2b7d6a4c55",
    "conversation": CONVERSATION,
    "intent": "lost_phone_or_fraud",
    "status": "waiting",
    "created_at": "2026-03-01T11:24:10.118201Z",
    "first_replied_at": "2026-03-01T11:31:52.602114Z",
    "closed_at": None,
}
REPLY = {
    "id": "0a9d7c14-8d43-43a5-8c3e-7f4b1f0e2d33",
    "by": "customer",
    "text": "It is frozen now, thank you.",
    "created_at": "2026-03-01T11:40:03.000417Z",
}
WHOLE_TICKET = {
    **TICKET,
    "transcript": [{"by": "customer", "text": LOST["message"]}],
    "replies": [{**REPLY, "by": "staff", "text": "Have you frozen your wallet?"}, REPLY],
}
TICKETS = {"results": [TICKET], "next": None, "previous": None}
MESSAGES = {
    "results": [
        {
            "id": BALANCE["id"],
            "conversation": CONVERSATION,
            "message": QUESTION["message"],
            "answer": BALANCE["answer"],
            "intent": "balance",
            "confidence": 0.91,
            "helpful": True,
            "created_at": "2026-03-01T11:22:41.530046Z",
        }
    ],
    "next": None,
    "previous": None,
}
ARTICLE = {
    "slug": "freeze-a-wallet",
    "language": "en",
    "version": 1,
    "title": "When your phone is stolen or somebody uses your account",
    "body": "Freeze each wallet at once, from any device on which you can sign in.",
}
