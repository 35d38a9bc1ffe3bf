"""`easypay_pay`: play the till."""

from __future__ import annotations

import http.client
import json
import time
import uuid
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from mymoolah.common.clock import iso_utc, now
from vouchers.till_authentication import SIGNATURE_HEADER, TIMESTAMP_HEADER, signature

PATH = "/api/v1/callbacks/easypay/payments"
TIMEOUT_SECONDS = 30
SENTENCES = {
    "applied": "Applied: R{amount} on {easypay_number} (reference {provider_reference}).",
    "suspense": "In suspense, for finance to decide: R{amount} on {easypay_number} (reference {provider_reference}).",
}


class Command(BaseCommand):
    help = (
        "Play the till: tell a running server, signed and over HTTP as EasyPay does, that AMOUNT rand were paid in, spent "
        "or paid out on an EasyPay NUMBER, whichever its voucher is for. The same reference again gets the first answer."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("number", metavar="NUMBER", help="the fourteen digits of an EasyPay number")
        parser.add_argument("amount", metavar="AMOUNT", help="in rand, such as 120.00")
        parser.add_argument("--reference", help="the till's own reference (default: a new one)")
        parser.add_argument("--paid-at", help="when it happened, ISO 8601 with an offset (default: now)")
        parser.add_argument("--url", default="http://127.0.0.1:8000", help="where the server is (default: %(default)s)")
        parser.add_argument("--json", action="store_true", help="print one JSON object instead of a sentence")

    def handle(self, **options: Any) -> None:
        if not settings.EASYPAY_SECRETS:
            raise CommandError("EASYPAY_SECRET holds no secret to sign with.")
        payment = {
            "easypay_number": options["number"],
            "amount": options["amount"],
            "provider_reference": options["reference"] or f"till-{uuid.uuid4().hex[:12]}",
            "paid_at": options["paid_at"] or iso_utc(now()),
        }
        result = _result(*_ask(options["url"], json.dumps(payment).encode()))
        if options["json"]:
            self.stdout.write(json.dumps({"result": result, **payment}))
        elif options["verbosity"] > 0:
            self.stdout.write(SENTENCES[result].format(**payment))


def _ask(url: str, body: bytes) -> tuple[int, bytes]:
    """The status and body of the answer to a signed report.

    :raises CommandError: nobody answered
    """
    address = urlsplit(url)
    kinds = {"http": http.client.HTTPConnection, "https": http.client.HTTPSConnection}
    try:
        kind, host, port = kinds[address.scheme], address.hostname, address.port
    except (KeyError, ValueError) as error:
        raise CommandError(f"{url} is not an address such as http://127.0.0.1:8000.") from error
    if not host:
        raise CommandError(f"{url} is not an address such as http://127.0.0.1:8000.")
    timestamp = str(int(time.time()))
    headers = {
        "Content-Type": "application/json",
        TIMESTAMP_HEADER: timestamp,
        SIGNATURE_HEADER: signature(settings.EASYPAY_SECRETS[0], timestamp=timestamp, body=body),
    }
    client = kind(host, port, timeout=TIMEOUT_SECONDS)
    try:
        client.request("POST", address.path.rstrip("/") + PATH, body, headers)
        answer = client.getresponse()
        return answer.status, answer.read()
    except (OSError, http.client.HTTPException) as error:
        raise CommandError(f"No server answers at {url} ({error}); `make demo` starts one.") from error
    finally:
        client.close()


def _result(status: int, body: bytes) -> str:
    """:raises CommandError: the server did not take the report; one line says why"""
    try:
        told = json.loads(body)
        if status == http.HTTPStatus.OK and told["result"] in SENTENCES:
            return str(told["result"])
        why = "; ".join(f"{field}: {one['detail']}" for field, found in told.get("errors", {}).items() for one in found)
        why = why or str(told["detail"])
    except (ValueError, KeyError, TypeError, AttributeError):
        raise CommandError(f"What answered ({status}) is not the API of this bank.") from None
    if status == http.HTTPStatus.UNAUTHORIZED:
        why += " Does the server have another EASYPAY_SECRET?"
    raise CommandError(f"The server refused it ({status}). {why}")
