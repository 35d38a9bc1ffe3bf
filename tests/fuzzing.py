"""What a fuzzer needs to get beyond refusals: people whose accounts it may use up, real ids and codes, a till that signs."""

from __future__ import annotations

import io
import itertools
import time
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from django.conf import settings
from django.core import mail
from django.db import connections

from accounts import audit, contacts, passwords, sessions
from accounts.models import User
from mymoolah.common.clock import business_day, now
from mymoolah.common.messages import MemorySms
from tests.accounts.conftest import code_in
from tests.accounts.papers import sa_id
from tests.api import access_token, body_of, calling
from tests.conftest import Person, fund, person, send
from tests.vouchers.till import SPENT, TOP_UP, issue, payment
from vouchers.models import Voucher
from vouchers.selectors import get_voucher
from vouchers.till_authentication import signature

PASSWORD = "a-good-long-passphrase"
SIGNED_ON_THE_WAY = "signed by the till"
# What an account does not survive, or can do once: done by people of their own, each followed by another.
ONCE_EACH = {
    "change_me",
    "change_password",
    "confirm_contact",
    "freeze_wallet",
    "reset_password",
    "submit_kyc",
    "verify_contact",
}

# Parts of a request that take the place of what was made up, by where they stand.
Parts = dict[str, dict[str, Any]]


class Road:
    """Leads to the bank. A till's message is signed on the way, as it is sent, and each comes from another address.

    The bank locks an address after a hundred wrong passwords; a fuzzer tries more.
    """

    def __init__(self, bank: WSGIApplication) -> None:
        self.bank = bank
        self.numbers = itertools.count()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        number = next(self.numbers)
        environ["REMOTE_ADDR"] = f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"
        if environ.get("HTTP_X_SIGNATURE") == SIGNED_ON_THE_WAY and environ.get("HTTP_X_TIMESTAMP", "").isdecimal():
            body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
            at = str(int(time.time()))
            signed = signature(settings.EASYPAY_SECRETS[0], timestamp=at, body=body)
            environ |= {"wsgi.input": io.BytesIO(body), "HTTP_X_TIMESTAMP": at, "HTTP_X_SIGNATURE": signed}
        return self.bank(environ, start_response)


@dataclass
class Cast:
    """Who asks for what, by the operation's id: Thandi for most. What is real about them, too, is told by operation."""

    thandi: Person
    sipho: Person
    naledi: Person
    once: dict[str, Person] = field(default_factory=dict)
    turns: Counter[str] = field(default_factory=Counter)
    numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    def who(self, operation: str) -> Person:
        if operation not in ONCE_EACH:
            return self.thandi
        if operation not in self.once:
            self.once[operation] = person(f"{operation.replace('_', '')}{next(self.numbers)}", tier=0)
        return self.once[operation]

    def token(self, operation: str) -> str:
        return access_token(self.who(operation).user)

    def stranger(self) -> str:
        return access_token(self.naledi.user)

    def is_done(self, operation: str) -> None:
        """Somebody else comes next."""
        self.once.pop(operation, None)

    def real(self, operation: str) -> Parts:
        """What this operation succeeds with, every second time; nothing where anything will do."""
        self.turns[operation] += 1
        found = getattr(self, f"_{operation}", None)
        return found() if found is not None and self.turns[operation] % 2 else {}

    # By operation ---------------------------------------------------------------------------------------------------
    def _register(self) -> Parts:
        number = next(self.numbers)
        return sending(email=f"new{number}@example.com", phone=f"+2781{number:07d}", password=PASSWORD)

    def _sign_in(self) -> Parts:
        return sending(email=self.thandi.user.email, password=PASSWORD)

    def _refresh(self) -> Parts:
        return sending(refresh=self._refresh_token())

    _sign_out = _refresh

    def _end_session(self) -> Parts:
        return at(session_id=self._refresh_token().partition(".")[0])

    def _forgot_password(self) -> Parts:
        return sending(email=self.thandi.user.email)

    def _reset_password(self) -> Parts:
        public_id = self.who("reset_password").user.public_id
        passwords.send_reset(public_id=public_id, asked_at=now(), now=now(), origin=audit.SYSTEM)
        token = str(mail.outbox[-1].body).split("\n\n")[1]
        return sending(token=token, new_password=f"another-passphrase-{next(self.numbers)}")

    def _change_password(self) -> Parts:
        return sending(current_password=PASSWORD, new_password=f"another-passphrase-{next(self.numbers)}")

    def _change_me(self) -> Parts:
        number = next(self.numbers)
        return sending(current_password=PASSWORD, email=f"other{number}@example.com", phone=f"+2784{number:07d}")

    def _verify_contact(self) -> Parts:
        self._unverified("verify_contact")
        return sending(contact="phone")

    def _confirm_contact(self) -> Parts:
        user = self._unverified("confirm_contact")
        contacts.send_code(public_id=user.public_id, contact="phone", now=now(), origin=audit.SYSTEM)
        return sending(contact="phone", code=code_in(MemorySms.outbox[-1]))

    def _list_sessions(self) -> Parts:
        self._refresh_token()
        self._refresh_token()
        return self._second_page("auth/sessions")

    def _get_wallet(self) -> Parts:
        return at(number=self.thandi.wallet.number)

    def _freeze_wallet(self) -> Parts:
        return at(number=self.who("freeze_wallet").wallet.number)

    def _preview_transfer(self) -> Parts:
        return sending(to=self.sipho.user.phone, amount="1.00", currency="ZAR")

    def _send_money(self) -> Parts:
        return sending(to=self.sipho.user.email, amount="1.00", currency="ZAR")

    def _get_transfer(self) -> Parts:
        return at(transfer_id=str(send(self.thandi, self.sipho, "1.00").transfer_id))

    def _get_transaction(self) -> Parts:
        return at(entry_id=f"{self.thandi.wallet.number}-1")

    def _list_transactions(self) -> Parts:
        return self._second_page("transactions")

    def _get_statement(self) -> Parts:
        today = business_day(now())
        return {"query": {"from": f"{today:%Y-%m}-01", "to": str(today), "wallet": self.thandi.wallet.number}}

    def _issue_voucher(self) -> Parts:
        return sending(voucher_type="standard", amount="5.00", currency="ZAR")

    def _get_voucher(self) -> Parts:
        return at(voucher_id=str(issue(self.thandi, Voucher.Type.STANDARD, "5.00").public_id))

    def _list_vouchers(self) -> Parts:
        return self._second_page("vouchers")

    def _cancel_voucher(self) -> Parts:
        return at(voucher_id=str(issue(self.thandi, SPENT).public_id))

    def _redeem_voucher(self) -> Parts:
        voucher = issue(self.sipho, Voucher.Type.STANDARD, "5.00")
        shown = get_voucher(user_public_id=self.sipho.user.public_id, public_id=voucher.public_id)
        return sending(code=shown["code"], amount="1.00")

    def _report_easypay_payment(self) -> Parts:
        return sending(**payment(issue(self.sipho, TOP_UP)))

    # What they need -------------------------------------------------------------------------------------------------
    def _refresh_token(self) -> str:
        given = sessions.start_session(user=self.thandi.user, device="telephone", now=now(), origin=audit.SYSTEM)
        return given.refresh

    def _unverified(self, operation: str) -> User:
        user = self.who(operation).user
        User.objects.filter(pk=user.pk).update(phone_verified_at=None)
        return user

    def _second_page(self, path: str) -> Parts:
        following = body_of(calling(self.thandi).get(path, limit=1)).get("next")
        return {"query": {"cursor": parse_qs(urlsplit(following).query)["cursor"][0]}} if following else {}

    def papers(self, sent: Any) -> Any:
        """An identity number that nobody else has, where one of South Africa has a length that may be."""
        if not isinstance(sent, dict) or sent.get("id_type") != "sa_id" or "passport_expires_on" in sent:
            return sent
        number = sent.get("id_number")
        if not isinstance(number, str) or not 1 <= len(number) <= 40:
            return sent
        return {**sent, "id_number": sa_id(f"800101{next(self.numbers) % 10_000:04d}08")}


class Backstage:
    """Where the cast does what the fuzzer needs next: one thread with one connection, whichever thread asks."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(1)
        self._cast = self._pool.submit(_assemble).result()

    def __getattr__(self, name: str) -> Any:
        return lambda *given: self._pool.submit(getattr(self._cast, name), *given).result()

    def close(self) -> None:
        self._pool.submit(connections.close_all).result()
        self._pool.shutdown()


def _assemble() -> Cast:
    thandi, sipho, naledi = person("thandi"), person("sipho"), person("naledi")
    fund(thandi, "1000000.00")
    fund(sipho, "1000000.00")
    send(thandi, sipho, "10.00")
    send(sipho, thandi, "10.00")
    return Cast(thandi, sipho, naledi)


def sending(**fields: Any) -> Parts:
    return {"body": fields}


def at(**parameters: Any) -> Parts:
    return {"path_parameters": parameters}
