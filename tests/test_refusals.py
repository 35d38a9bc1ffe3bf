"""What each call may refuse: declared, and shown by an example that is true.

That nothing else is answered, every test of the API shows besides its own: see tests/description.py.
"""

from __future__ import annotations

import importlib
import json
import pkgutil
import re
import uuid
from collections.abc import Callable, Iterator
from io import StringIO
from typing import Any, Final

import pytest
from django.conf import settings
from django.core.management import call_command
from django.http import HttpResponse

from accounts import codes
from accounts.models import User
from mymoolah.common.errors import DomainError
from mymoolah.common.management.commands.api_problems import PAGE, with_table
from mymoolah.common.refusals import declared, problems
from mymoolah.urls import api_v1
from tests.api import body_of, calling, problem
from tests.conftest import Ledger, Person, Sql, fund, person
from tests.description import PROBLEM, operations, resolved, validator_of
from transactions import fees, posting, selectors, services
from transactions.statement_files import as_pdf
from vouchers import errors, policies
from wallets import services as wallet_services
from wallets.models import Wallet

PACKAGES = ("accounts", "wallets", "transactions", "vouchers", "reporting", "mymoolah")
FIELD = "told as the code of a field, under `validation_error`"
SIGNED = "raised by BearerAuthentication as the framework's own error, and declared there"
STAFF = "of the back-office and the operators"
KERNEL = "the kernel's last word; the services of customers have said something else before"
# Errors, and modules or packages none of whose errors is declared.
NEVER_DECLARED: Final = {
    "accounts.care": STAFF,
    "accounts.decisions": STAFF,
    "accounts.kyc_desk": STAFF,
    "accounts.kyc_documents.CanAct": FIELD,
    "accounts.kyc_documents.DocumentRefused": FIELD,
    "accounts.kyc_documents.Locked": FIELD,
    "accounts.kyc_documents.TooManyPixels": FIELD,
    "accounts.kyc_documents.UnknownFormat": FIELD,
    "accounts.kyc_documents.Unreadable": FIELD,
    "accounts.kyc_identity.BirthDateInFuture": FIELD,
    "accounts.kyc_identity.InvalidBirthDate": FIELD,
    "accounts.kyc_identity.InvalidCheckDigit": FIELD,
    "accounts.kyc_identity.InvalidCitizenship": FIELD,
    "accounts.kyc_identity.InvalidIdNumber": FIELD,
    "accounts.kyc_identity.InvalidPassportNumber": FIELD,
    "accounts.kyc_number_looks": STAFF,
    "accounts.kyc_pages": STAFF,
    "accounts.saved_views": STAFF,
    "accounts.second_factor": STAFF,
    "accounts.services.UnknownRole": STAFF,
    "accounts.staff_deeds": STAFF,
    "accounts.standing": STAFF,
    "accounts.tokens.TokenExpired": SIGNED,
    "accounts.tokens.TokenInvalid": SIGNED,
    "mymoolah.common.errors.NotFound": "the base of those that say what was not found",
    "mymoolah.common.errors.Unavailable": "every call may answer it: mymoolah/common/refusals.py",
    "mymoolah.common.money.InvalidAmount": FIELD,
    "reporting.loading.plan.LoadRefused": STAFF,
    "reporting.days.DaysBeingTaken": STAFF,
    "reporting.maintenance": STAFF,
    "reporting.services.RefreshUnderWay": STAFF,
    "reporting.support.articles.ArticleNotApproved": STAFF,
    "reporting.support.articles.ArticleNotDraft": STAFF,
    "reporting.support.articles.ArticleOutdated": STAFF,
    "reporting.support.articles.OwnArticle": STAFF,
    "reporting.support.desk.NothingWritten": STAFF,
    "reporting.support.facts.UnknownCustomer": "whoever asks was found a moment before",
    "reporting.support.tickets.NotYours": STAFF,
    "transactions.corrections": STAFF,
    "transactions.fees.FeeAlreadySet": STAFF,
    "transactions.fees.FeeInThePast": STAFF,
    "transactions.fees.InvalidRate": STAFF,
    "transactions.fees.UnknownFee": STAFF,
    "transactions.holds.HoldHasAnOwner": STAFF,
    "transactions.posting.CaptureExceedsHold": KERNEL,
    "transactions.posting.HoldExpired": KERNEL,
    "transactions.posting.HoldResolved": KERNEL,
    "transactions.posting.NotReversible": STAFF,
    "transactions.posting.UnknownHold": KERNEL,
    "transactions.posting.UnknownTransfer": KERNEL,
    "transactions.posting.UnknownWallet": KERNEL,
    "transactions.posting.WalletNotActive": "the base of WalletFrozen and WalletClosed, which are told",
    "transactions.posting.WrongCurrency": KERNEL,
    "transactions.proposals": STAFF,
    "transactions.statements.SeveralWallets": FIELD,
    "vouchers.services.closing": STAFF,
    "vouchers.services.resolving.deciding": STAFF,
    "wallets.freezing": STAFF,
    "wallets.limits": STAFF,
    "wallets.services.WalletExists": STAFF,
}


def all_of_ours() -> Iterator[type[DomainError]]:
    """Every error of the house; whatever module it stands in is imported first."""
    for package in map(importlib.import_module, PACKAGES):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if ".migrations" not in module.name:
                importlib.import_module(module.name)
    waiting = [DomainError]
    while waiting:
        found = [one for one in waiting.pop().__subclasses__() if one.__module__.partition(".")[0] in PACKAGES]
        waiting += found
        yield from found


def declared_by_calls() -> set[object]:
    views = [route.callback.cls for route in api_v1]  # type: ignore[union-attr]
    handlers = [getattr(view, method, None) for view in views for method in ("get", "post", "patch", "delete")]
    return {refusal for handler in handlers for refusal in declared(handler)}


def named(error: type[DomainError]) -> str:
    """The error, or what of NEVER_DECLARED it stands in."""
    name = f"{error.__module__}.{error.__qualname__}"
    return next((known for known in NEVER_DECLARED if name.startswith(f"{known}.")), name)


def test_each_refusal_is_declared_by_a_call_or_has_a_reason_not_to_be() -> None:
    ours, told = set(all_of_ours()), declared_by_calls()
    assert {named(error) for error in ours - told} == NEVER_DECLARED.keys()
    assert told <= ours
    assert not {named(error) for error in ours & told} & NEVER_DECLARED.keys()


def test_each_example_of_a_problem_stands_where_it_belongs() -> None:
    count = 0
    for _, _, operation in operations():
        for status, answer in operation["responses"].items():
            for code, example in answer.get("content", {}).get(PROBLEM, {}).get("examples", {}).items():
                body = resolved(example)["value"]
                assert (str(body["status"]), body["code"], body["type"]) == (
                    status,
                    code,
                    f"urn:mymoolah:problem:{code}",
                )
                assert f"- `{code}`: {body['title']}" in answer["description"].split("\n")
                count += 1
    assert count > 300


# What stands in an example's facts ----------------------------------------------------------------------------------
def pays(who: Person, **changed: str) -> HttpResponse:
    person("sipho")
    order = {"to": "sipho@example.com", "amount": "100.00", "currency": "ZAR", **changed}
    return calling(who).post("transfers", order, Idempotency_Key="k")


def makes(
    who: Person, voucher_type: str = "standard", *, amount: str = "100.00", currency: str = "ZAR"
) -> HttpResponse:
    body = {"voucher_type": voucher_type, "amount": amount, "currency": currency}
    return calling(who).post("vouchers", body, Idempotency_Key=uuid.uuid4().hex)


def redeems(who: Person, **changed: str) -> HttpResponse:
    """Redeem a voucher of R100.00 that Sipho made."""
    sipho = person("sipho")
    fund(sipho, "100.00")
    return calling(who).post("vouchers/redeem", {"code": body_of(makes(sipho))["code"], **changed}, Idempotency_Key="k")


def closes(who: Person) -> None:
    Wallet.objects.filter(pk=who.wallet.pk).update(status="closed")


def pays_from_a_closed_wallet(who: Person) -> HttpResponse:
    closes(who)
    return pays(who)


def pays_from_a_frozen_wallet(who: Person) -> HttpResponse:
    Wallet.objects.filter(pk=who.wallet.pk).update(status="frozen")
    return pays(who)


def pays_while_suspended(who: Person) -> HttpResponse:
    User.objects.filter(pk=who.user.pk).update(status="suspended")
    return pays(who)


def pays_at_tier_0(who: Person) -> HttpResponse:
    User.objects.filter(pk=who.user.pk).update(kyc_tier=0)
    return pays(who)


def redeems_too_much_for_tier_0(who: Person) -> HttpResponse:
    fund(who, "2950.00")
    User.objects.filter(pk=who.user.pk).update(kyc_tier=0)
    return redeems(who)


def freezes_a_closed_wallet(who: Person) -> HttpResponse:
    closes(who)
    return calling(who).post(f"wallets/{who.wallet.number}/freeze")


def makes_eleven(who: Person) -> HttpResponse:
    return [makes(who, "easypay_topup") for _ in range(11)][-1]


def cancels_a_standard_one(who: Person) -> HttpResponse:
    fund(who, "100.00")
    return calling(who).post(f"vouchers/{body_of(makes(who))['id']}/cancel", Idempotency_Key="k")


def mistypes_a_code(who: Person) -> HttpResponse:
    User.objects.filter(pk=who.user.pk).update(phone_verified_at=None)
    assert calling(who).post("me/contacts/verify", {"contact": "phone"}).status_code == 202
    # One of two codes is wrong, and so is its answer; the other would have to be sent.
    wrong = [
        calling(who).post("me/contacts/confirm", {"contact": "phone", "code": code}) for code in ("000000", "111111")
    ]
    return next(answer for answer in wrong if answer.status_code == 409)


def asks_for_a_long_statement(who: Person) -> HttpResponse:
    fund(who, "1.00")
    return calling(who).get("statements", **{"from": "2026-01-01", "to": "2999-12-31", "format": "pdf"})


STORIES: Final[dict[type[DomainError], Callable[[Person], HttpResponse]]] = {
    codes.CodeWrong: mistypes_a_code,
    errors.RedeemExceedsVoucher: lambda who: redeems(who, amount="100.01"),
    errors.TooManyOpenVouchers: makes_eleven,
    errors.VoucherNotCancellable: cancels_a_standard_one,
    fees.FeeNotSet: lambda who: makes(who, "easypay_voucher"),
    policies.AmountOutOfRange: lambda who: makes(who, amount="4.99"),
    policies.VoucherNotOffered: lambda who: makes(who, currency="USD"),
    posting.BalanceTooHigh: redeems_too_much_for_tier_0,
    posting.InsufficientFunds: pays,
    posting.LimitExceeded: lambda who: pays(who, amount="25000.01"),
    posting.NotPermitted: pays_at_tier_0,
    posting.UserNotActive: pays_while_suspended,
    posting.WalletClosed: pays_from_a_closed_wallet,
    posting.WalletFrozen: pays_from_a_frozen_wallet,
    selectors.NoWalletInCurrency: lambda who: pays(who, currency="USD"),
    services.AmountTooSmall: lambda who: pays(who, amount="0.99"),
    as_pdf.StatementTooLong: asks_for_a_long_statement,
    wallet_services.CannotFreeze: freezes_a_closed_wallet,
}


@pytest.mark.parametrize("error", STORIES, ids=lambda error: error.__name__)
def test_an_example_has_the_facts_that_are_told(
    ledger: Ledger, thandi: Person, owner_sql: Sql, monkeypatch: pytest.MonkeyPatch, error: type[DomainError]
) -> None:
    monkeypatch.setattr(as_pdf, "MOST_ENTRIES", 0)
    if error is fees.FeeNotSet:
        owner_sql("DELETE FROM fee_rules")
    found = problem(STORIES[error](thandi), error.status, error.code)
    [shown] = problems([error])
    assert found["facts"].keys() == shown.facts.keys()
    for name, value in found["facts"].items():
        assert type(value) is type(shown.facts[name]), name
    assert ledger.name


def test_each_error_whose_example_has_facts_has_its_story() -> None:
    with_facts = {error for error in declared_by_calls() if error(**error.example).facts}  # type: ignore[operator,attr-defined]
    assert with_facts == STORIES.keys()


# What is sent and answered ------------------------------------------------------------------------------------------
def test_each_call_shows_what_is_sent_and_what_is_answered() -> None:
    for path, method, operation in operations():
        if "requestBody" in operation:
            for media_type, content in operation["requestBody"]["content"].items():
                assert_examples(f"{method} {path} {media_type}", content)
        for status, answer in operation["responses"].items():
            shown = answer.get("content", {}).get("application/json")
            if shown is not None:
                assert_examples(f"{method} {path} {status}", shown)


def assert_examples(where: str, content: dict[str, Any]) -> None:
    assert content.get("examples"), where
    check = validator_of(content["schema"])
    for name, example in content["examples"].items():
        problems = [error.message for error in check.iter_errors(resolved(example)["value"])]
        assert not problems, (where, name, problems)


# What docs/api.md says ----------------------------------------------------------------------------------------------
def test_the_page_has_the_table_of_problems_that_the_code_has() -> None:
    """If this fails: manage.py api_problems --write."""
    page = PAGE.read_text()
    assert with_table(page) == page
    output = StringIO()
    call_command("api_problems", stdout=output)
    assert output.getvalue() in page
    call_command("api_problems", "--json", stdout=(as_json := StringIO()))
    assert {row["code"] for row in json.loads(as_json.getvalue())} > {"insufficient_funds", "rate_limited", "not_found"}


def test_the_page_has_the_rate_limits_of_the_settings() -> None:
    told = re.findall(r"^\| `(\w+)` \| (\d+) \|", PAGE.read_text().partition("## Problems")[0], re.MULTILINE)
    assert {group: int(requests) for group, requests in told} == settings.RATE_LIMITS_PER_MINUTE
    hourly = re.findall(r"^\| `(\w+)` \| (\d+) an hour \|", PAGE.read_text(), re.MULTILINE)
    assert {group: int(requests) for group, requests in hourly} == settings.RATE_LIMITS_PER_HOUR
