"""Messages: where each kind goes, and what an installation is told to send them with."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.core.mail import EmailMessage

from mymoolah.common.keys import KeyRing
from mymoolah.common.messages import Message, MessageNotSent, NoSms, send

ROOT = Path(__file__).resolve().parent.parent.parent
HELLO = Message(to="+27821110001", subject="Hello", text="Sawubona, Thandi")
READ = """
import json
from django.conf import settings
names = ["BACKEND", "HOST", "PORT", "HOST_USER", "HOST_PASSWORD", "USE_TLS", "USE_SSL"]
mail = {name: getattr(settings, f"EMAIL_{name}") for name in names}
print(json.dumps({**mail, "FROM": settings.DEFAULT_FROM_EMAIL, "SMS": settings.SMS_BACKEND}))
"""


def production(**named: str) -> dict[str, Any]:
    """What production's settings say of messages."""
    keys = KeyRing.generate()
    environment = {
        "PATH": os.environ["PATH"],
        "DJANGO_SETTINGS_MODULE": "mymoolah.settings",
        "MYMOOLAH_ENV": "production",
        "MYMOOLAH_SECRET_KEY": keys.secret_key,
        "MYMOOLAH_ENCRYPTION_KEYS": keys.encryption_keys,
        "MYMOOLAH_BLIND_INDEX_KEY": keys.blind_index_key,
        "MYMOOLAH_SIGNING_KEYS": keys.signing_keys,
        "EASYPAY_SECRET": keys.easypay_secret,
        "MYMOOLAH_METRICS_TOKEN": "read-by-prometheus",
        "DATABASE_URL": "postgresql:///mymoolah",
        "REDIS_URL": "redis://localhost/0",
        "MYMOOLAH_READ_CACHE_URL": "redis://localhost/2",
        "MYMOOLAH_BROKER_URL": "redis://localhost/1",
        "MYMOOLAH_DOCUMENTS_DIR": "/var/lib/mymoolah/documents",
        **named,
    }
    done = subprocess.run([sys.executable, "-c", READ], cwd=ROOT, env=environment, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_on_a_developers_machine_an_sms_stands_on_the_console(capsys: pytest.CaptureFixture[str]) -> None:
    send("phone", HELLO)
    assert capsys.readouterr().out == "SMS to +27821110001: Sawubona, Thandi\n"


def test_an_email_goes_by_djangos_backend(mailoutbox: list[EmailMessage]) -> None:
    send("email", Message(to="thandi@example.com", subject="Hello", text="Sawubona"))
    [mail] = mailoutbox
    assert (mail.to, mail.subject, mail.body) == (["thandi@example.com"], "Hello", "Sawubona")


def test_without_a_provider_nothing_is_sent_and_the_refusal_repeats_nothing() -> None:
    with pytest.raises(MessageNotSent) as caught:
        NoSms().send(to=HELLO.to, text=HELLO.text)
    assert "Thandi" not in str(caught.value)


def test_production_writes_no_code_on_a_console() -> None:
    found = production(MYMOOLAH_EMAIL_URL="", MYMOOLAH_SMS_BACKEND="")
    assert found["BACKEND"] == "django.core.mail.backends.smtp.EmailBackend"
    assert found["SMS"] == "mymoolah.common.messages.NoSms"


def test_one_address_says_how_mail_is_sent() -> None:
    found = production(
        MYMOOLAH_EMAIL_URL="smtp+tls://bank%40example.com:p%3Aw@mail.example.com:587",
        MYMOOLAH_EMAIL_FROM="MyMoolah <no-reply@bank.example>",
        MYMOOLAH_SMS_BACKEND="bank.sms.Provider",
    )
    assert found == {
        "BACKEND": "django.core.mail.backends.smtp.EmailBackend",
        "HOST": "mail.example.com",
        "PORT": 587,
        "HOST_USER": "bank@example.com",
        "HOST_PASSWORD": "p:w",
        "USE_TLS": True,
        "USE_SSL": False,
        "FROM": "MyMoolah <no-reply@bank.example>",
        "SMS": "bank.sms.Provider",
    }
