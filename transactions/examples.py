"""What Thandi's money did, as the API's documentation tells it: cash in at a till, lunch for Sipho, a voucher."""

from __future__ import annotations

from wallets.examples import NUMBER

SIPHO = {"name": "Sipho M.", "wallet": "…2510"}
THE_BANK = {"name": "MyMoolah", "wallet": None}
TO_SIPHO = {"to": "082 111 0002", "amount": "120.00", "currency": "ZAR"}
LUNCH = {**TO_SIPHO, "reference": "Lunch"}
PREVIEW = {"to": SIPHO, "amount": "120.00", "currency": "ZAR", "fee": "0.00"}
PAID_IN = {
    "id": f"{NUMBER}-1",
    "transfer": "019ca84d-e106-78cb-b5f2-c686cf7059a3",
    "type": "received",
    "kind": "top_up",
    "amount": "1000.00",
    "currency": "ZAR",
    "balance_after": "1000.00",
    "counterparty": THE_BANK,
    "reference": "EasyPay top-up",
    "created_at": "2026-03-01T07:30:02.118204Z",
}
FEE = {
    **PAID_IN,
    "id": f"{NUMBER}-2",
    "transfer": "019ca84d-e106-7a50-96c7-3b3f220b13ae",
    "type": "sent",
    "kind": "fee",
    "amount": "5.50",
    "balance_after": "994.50",
}
VAT = {
    **FEE,
    "id": f"{NUMBER}-3",
    "transfer": "019ca84d-e106-7270-8004-df4b43792312",
    "kind": "vat",
    "amount": "0.83",
    "balance_after": "993.67",
}
SENT = {
    "id": f"{NUMBER}-4",
    "transfer": "019ca8e5-0d5a-7920-8da6-3eb12544b0fe",
    "type": "sent",
    "kind": "transfer",
    "amount": "120.00",
    "currency": "ZAR",
    "balance_after": "873.67",
    "counterparty": SIPHO,
    "reference": "Lunch",
    "created_at": "2026-03-01T10:15:09.402871Z",
}
GIFT = {
    **SENT,
    "id": f"{NUMBER}-5",
    "transfer": "019ca8fc-4563-70f3-88e6-f2d21b1bddf7",
    "kind": "voucher_issue",
    "amount": "250.00",
    "balance_after": "623.67",
    "counterparty": THE_BANK,
    "reference": "Voucher",
    "created_at": "2026-03-01T10:40:31.075530Z",
}
ENTRIES = [PAID_IN, FEE, VAT, SENT, GIFT]
NEWEST_FIRST = {"results": ENTRIES[::-1], "next": None, "previous": None}
TRANSFER = {**SENT, "id": SENT["transfer"], "transaction": SENT["id"]}
del TRANSFER["transfer"]
RECEIPT = {
    "id": SENT["transfer"],
    "kind": "transfer",
    "amount": "120.00",
    "currency": "ZAR",
    "reference": "Lunch",
    "to": {"wallet": "…2510"},
    "balance_after": "873.67",
    "created_at": SENT["created_at"],
}
STATEMENT = {
    "wallet": NUMBER,
    "name": "Thandi Mokoena",
    "currency": "ZAR",
    "from": "2026-03-01",
    "to": "2026-03-31",
    "opening_balance": "0.00",
    "closing_balance": "623.67",
    "total_in": "1000.00",
    "total_out": "376.33",
    "entry_count": len(ENTRIES),
    "entries": ENTRIES,
}
