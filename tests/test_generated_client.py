"""A client that a program wrote from the schema banks with us: what is awkward for it is a defect of the schema."""

from __future__ import annotations

import datetime as dt
import io
import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, get_args
from urllib.parse import parse_qs, urlsplit

import pytest
import yaml
from django.core.mail import EmailMessage
from django.core.management import call_command
from django.test import Client

from accounts.models import User
from mymoolah.common.clock import business_day, now
from mymoolah.common.messages import MemorySms
from tests.accounts.conftest import code_in, sms  # noqa: F401 - the latter is a fixture
from tests.accounts.papers import THANDIS_ID, picture
from tests.conftest import Person

PACKAGE = "mymoolah_client"
PASSWORD = "a-good-long-passphrase"
GROUPS = {"accounts", "kyc", "wallets", "transfers", "vouchers", "statements", "tills", "support"}
# Their success has no body.
SILENT = {
    "sign_out",
    "forgot_password",
    "reset_password",
    "change_password",
    "verify_contact",
    "end_session",
    "end_other_sessions",
    "erase_support_messages",
    "erase_support_conversation",
    "rate_support_message",
}


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The client's folder, written without a warning, and importable."""
    home = tmp_path_factory.mktemp("generated")
    schema, configuration, folder = home / "schema.yaml", home / "configuration.json", home / PACKAGE
    call_command("spectacular", "--fail-on-warn", "--validate", file=str(schema))
    configuration.write_text(json.dumps({"post_hooks": []}))  # they would put it in shape with programs of their own
    command = [sys.executable, "-m", "openapi_python_client", "generate", "--meta", "none", "--fail-on-warning"]
    command += ["--path", str(schema), "--config", str(configuration), "--output-path", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    assert "warning" not in said.lower()
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(home)
        yield folder


@pytest.fixture
def documents(settings: Any, tmp_path: Path) -> None:
    settings.DOCUMENTS_DIR = tmp_path


@pytest.fixture
def connect(generated: Path) -> Iterator[Callable[..., Any]]:
    """Make a client, signed in or not, whose connections close when the test ends."""
    package: Any = import_module(PACKAGE)
    with ExitStack() as open_clients:

        def make(address: str, token: str | None = None) -> Any:
            settings = {"base_url": address, "raise_on_unexpected_status": True}
            client = package.AuthenticatedClient(token=token, **settings) if token else package.Client(**settings)
            return open_clients.enter_context(client)

        yield make


def the(operation: str) -> Any:
    """The generated module of an operation."""
    [group] = [group for group in GROUPS if find_spec(f"{PACKAGE}.api.{group}.{operation}")]
    return import_module(f"{PACKAGE}.api.{group}.{operation}")


def types_of(operation: str) -> set[str]:
    return {one.__name__ for one in get_args(the(operation).sync.__annotations__["return"])}


def page_from(address: str) -> str:
    return parse_qs(urlsplit(address).query)["cursor"][0]


def test_the_client_is_grouped_and_typed_as_a_mobile_team_would_have_it(generated: Path) -> None:
    files = [file for file in (generated / "api").glob("*/*.py") if file.stem != "__init__"]
    assert {file.parent.name for file in files} == GROUPS
    untyped = {file.stem for file in files if types_of(file.stem) <= {"Any", "Problem", "NoneType"}}
    assert untyped == SILENT
    names = [file.stem for file in (generated / "models").glob("*.py")]
    # No class is named for where the generator happened to find it, and none for a clash of two.
    awkward = re.compile(r"(_enum|_input|_output|_type_\d+|_response_\d+|^(get|list)_(?!statement_format).*)")
    assert [name for name in names if awkward.search(name)] == []


@pytest.mark.usefixtures("documents", "sms", "worker_at_hand")
def test_a_generated_client_banks_with_us(
    address: str, connect: Callable[..., Any], sipho: Person, mailoutbox: list[EmailMessage]
) -> None:
    models: Any = import_module(f"{PACKAGE}.models")
    types: Any = import_module(f"{PACKAGE}.types")
    nobody = connect(address)

    def signed_in(email: str) -> tuple[Any, Any]:
        given = the("sign_in").sync(client=nobody, body=models.SignInRequest(email=email, password=PASSWORD))
        assert isinstance(given, models.Tokens)
        return connect(address, given.access), given

    # She registers and signs in.
    registered = the("register").sync(
        client=nobody,
        body=models.RegisterRequest(
            email="thandi@example.com",
            phone="082 111 0001",
            password=PASSWORD,
            first_name="Thandi",
            last_name="Mokoena",
        ),
    )
    assert isinstance(registered, models.Registered)
    number = registered.wallet.number
    assert registered.wallet.status is models.WalletStatus.ACTIVE
    thandi, tokens = signed_in("thandi@example.com")

    # She proves who she is, and that she can be reached.
    submitted = the("submit_kyc").sync(
        client=thandi,
        body=models.KycSubmissionRequest(
            id_type=models.IdType.SA_ID,
            id_number=THANDIS_ID,
            documents=[
                types.File(io.BytesIO(picture()), "card.jpg", "image/jpeg"),
                types.File(io.BytesIO(picture("PNG")), "bill.png", "image/png"),
            ],
            kinds=[models.KycDocumentKind.IDENTITY, models.KycDocumentKind.PROOF_OF_ADDRESS],
        ),
    )
    assert isinstance(submitted, models.KycSubmission)
    assert submitted.status is models.KycSubmissionStatus.PENDING
    assert [one.kind for one in submitted.documents] == list(models.KycDocumentKind)
    verified = {"kyc_tier": 2, "id_verified": True, "kyc_status": User.KycStatus.VERIFIED}
    User.objects.filter(public_id=registered.user.id).update(**verified)
    allowed = the("get_kyc").sync(client=thandi)
    assert (allowed.tier, allowed.next_tier) == (2, None)
    assert allowed.limits[0].per_day == "50000.00"
    for contact, outbox in ((models.Contact.PHONE, MemorySms.outbox), (models.Contact.EMAIL, mailoutbox)):
        asked = the("verify_contact").sync_detailed(client=thandi, body=models.ContactRequest(contact=contact))
        assert asked.status_code == 202
        code = code_in(outbox[-1])
        confirmed = the("confirm_contact").sync(client=thandi, body=models.ConfirmRequest(contact=contact, code=code))
        assert isinstance(confirmed, models.Profile)
    profile = the("get_me").sync(client=thandi)
    assert (profile.phone_verified, profile.email_verified) == (True, True)

    # Cash comes in at a till.
    top_up = the("issue_voucher").sync(
        client=thandi,
        idempotency_key="top-up-1",
        body=models.VoucherRequest(voucher_type=models.VoucherType.EASYPAY_TOPUP, amount="500.00", currency="ZAR"),
    )
    assert isinstance(top_up, models.VoucherWithCode)
    assert (top_up.status, top_up.code) == (models.VoucherStatus.PENDING_PAYMENT, None)
    call_command("easypay_pay", top_up.easypay_number, "500.00", url=address, verbosity=0)
    wallet = the("get_wallet").sync(number, client=thandi)
    assert wallet.balance == "493.67"  # less R5.50 and VAT

    # She pays Sipho, once, however often she says it.
    to_sipho = {"to": "sipho@example.com", "amount": "120.00", "currency": "ZAR"}
    preview = the("preview_transfer").sync(client=thandi, body=models.PreviewRequest(**to_sipho))
    assert (preview.to.name, preview.fee) == ("Sipho M.", "0.00")
    answers = [
        the("send_money").sync_detailed(
            client=thandi, idempotency_key="lunch-1", body=models.TransferRequest(**to_sipho, reference="Lunch")
        )
        for _ in range(2)
    ]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert [answer.headers.get("Idempotency-Replayed") for answer in answers] == [None, "true"]
    receipt, again = (answer.parsed for answer in answers)
    assert isinstance(receipt, models.Receipt)
    assert receipt == again
    assert (receipt.kind, receipt.balance_after) == (models.TransferKind.TRANSFER, "373.67")
    transfer = the("get_transfer").sync(receipt.id, client=thandi)
    assert (transfer.type_, transfer.counterparty.name) == (models.EntryType.SENT, "Sipho M.")

    # She makes a gift, of which he takes a part.
    gift = the("issue_voucher").sync(
        client=thandi,
        idempotency_key="gift-1",
        body=models.VoucherRequest(voucher_type=models.VoucherType.STANDARD, amount="200.00", currency="ZAR"),
    )
    friend, _ = signed_in("sipho@example.com")
    redeemed = the("redeem_voucher").sync(
        client=friend, idempotency_key="gift-1", body=models.RedeemRequest(code=gift.code, amount="80.00")
    )
    assert isinstance(redeemed, models.Redemption)
    assert (redeemed.left, redeemed.balance_after, redeemed.wallet) == ("120.00", "200.00", sipho.wallet.number)
    live = the("list_vouchers").sync(client=thandi, status=models.VoucherStatus.ACTIVE)
    assert [(one.id, one.balance) for one in live.results] == [(gift.id, "120.00")]

    # She looks at it all.
    dashboard = the("get_dashboard").sync(client=thandi)
    assert isinstance(dashboard, models.Dashboard)
    [summary] = dashboard.summaries
    assert (summary.wallet_balance, summary.total_sent, summary.active_voucher_value) == (
        "173.67",
        "326.33",
        "120.00",
    )
    assert [one.number for one in the("list_wallets").sync(client=thandi).results] == [number]
    entries, cursor = [], types.UNSET
    while cursor is not None:
        page = the("list_transactions").sync(client=thandi, limit=2, cursor=cursor)
        assert isinstance(page, models.EntryList)
        entries += page.results
        cursor = page_from(page.next_) if page.next_ else None
    assert [one.id for one in entries] == [f"{number}-{sequence}" for sequence in (5, 4, 3, 2, 1)]
    sent = the("list_transactions").sync(client=thandi, kind=models.TransferKind.TRANSFER, type_=models.EntryType.SENT)
    assert [one.transfer for one in sent.results] == [receipt.id]
    assert the("get_transaction").sync(entries[0].id, client=thandi) == entries[0]
    today = business_day(now())
    statement = the("get_statement").sync(client=thandi, from_=today - dt.timedelta(days=1), to=today)
    assert isinstance(statement, models.Statement)
    assert (statement.from_, statement.opening_balance, statement.closing_balance) == (
        today - dt.timedelta(days=1),
        "0.00",
        "173.67",
    )
    assert statement.entries == entries[::-1]

    # What is refused says what to do about it.
    refused = the("send_money").sync_detailed(
        client=thandi,
        idempotency_key="rent-1",
        body=models.TransferRequest(to="sipho@example.com", amount="5000.00", currency="ZAR"),
    )
    assert refused.status_code == 409
    assert isinstance(refused.parsed, models.Problem)
    assert (refused.parsed.code, refused.parsed.facts["available"]) == ("insufficient_funds", "173.67")
    mistyped = the("send_money").sync(
        client=thandi,
        idempotency_key="rent-2",
        body=models.TransferRequest(to="sipho@example.com", amount="12.345", currency="ZAR"),
    )
    assert isinstance(mistyped, models.Problem)
    assert [one.code for one in mistyped.errors["amount"]] == ["invalid_amount"]

    # The session goes on, and ends.
    renewed = the("refresh").sync(client=nobody, body=models.RefreshRequest(refresh=tokens.refresh))
    assert isinstance(renewed, models.Tokens)
    thandi = connect(address, renewed.access)
    assert the("get_me").sync(client=thandi).id == registered.user.id
    devices = the("list_sessions").sync(client=thandi)
    assert [one.is_current for one in devices.results] == [True]
    left = the("sign_out").sync_detailed(client=thandi, body=models.RefreshRequest(refresh=renewed.refresh))
    assert left.status_code == 204
    ended = the("refresh").sync(client=nobody, body=models.RefreshRequest(refresh=renewed.refresh))
    assert (ended.status, ended.code) == (401, "refresh_token_invalid")


@pytest.mark.django_db
def test_the_schema_that_is_served_is_the_one_a_client_is_generated_from(generated: Path, client: Client) -> None:
    written = yaml.safe_load((generated.parent / "schema.yaml").read_text())
    for asked, format_, read in (
        ("*/*", "application/vnd.oai.openapi", yaml.safe_load),
        ("application/json", "application/json", json.loads),
    ):
        answer = client.get("/api/schema", headers={"Accept": asked})
        assert answer["Content-Type"] == f"{format_}; charset=utf-8"
        assert read(answer.content) == written
