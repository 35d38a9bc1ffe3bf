"""Thandi's first day with the bank, as the API's documentation tells it: who she is, and how she signs in."""

from __future__ import annotations

PASSWORD, NEW_PASSWORD = "a-good-long-passphrase", "another-good-passphrase"
SIGN_IN = {"email": "thandi@example.com", "password": PASSWORD}
REGISTRATION = {**SIGN_IN, "phone": "082 111 0001", "first_name": "Thandi", "last_name": "Mokoena"}
SESSION_ID, REGISTERED_AT = "75c3cdd6-1206-46de-bcc3-a698d66ac9a4", "2026-03-01T05:55:16.341717Z"
REFRESH = {"refresh": f"{SESSION_ID}.NHurRLJ8CLQqzBoWCNajN7ZuYMxgExynCGRtwkMy0Bk3fCurPiSriBh2Q4jLYlEma"}
TOKENS = {
    "access": "eyJhbGciOiJFZERTQSIsImtpZCI6ImszNWEyNzYzOSIsInR5cCI6IkpXVCJ9.eyJpc3MiOiJteW1vb2xhaCJ9.Kdm7fgZsY3YwmSJ5",
    **REFRESH,
    "token_type": "Bearer",
    "expires_in": 900,
}
NEWCOMER = {
    "id": "4be04cc0-0208-4bd8-9f6f-eff9a766118a",
    "email": "thandi@example.com",
    "email_verified": False,
    "phone": "+27821110001",
    "phone_verified": False,
    "pending_email": None,
    "pending_phone": None,
    "first_name": "Thandi",
    "last_name": "Mokoena",
    "status": "active",
    "kyc_status": "not_started",
    "id_verified": False,
    "kyc_tier": 0,
    "created_at": REGISTERED_AT,
}
PROFILE = {
    **NEWCOMER,
    "email_verified": True,
    "phone_verified": True,
    "kyc_status": "verified",
    "id_verified": True,
    "kyc_tier": 2,
}
WITH_NEW_NUMBER = {**PROFILE, "pending_phone": "+27821110009"}
RESET = {
    "token": f"{NEWCOMER['id']}.Zk3qT0cV1mXy8nRb5wUe2sGh7jLp4dFa9iKo6tQxNvM",
    "new_password": NEW_PASSWORD,
}
SESSIONS = {
    "results": [
        {
            "id": SESSION_ID,
            "device": "MyMoolah/1.4 (Android 15)",
            "address": "196.25.1.9",
            "created_at": "2026-03-01T05:57:17.071493Z",
            "last_used_at": "2026-03-01T10:14:55.630012Z",
            "expires_at": "2026-03-31T10:14:55.630012Z",
            "is_current": True,
        }
    ],
    "next": None,
    "previous": None,
}
