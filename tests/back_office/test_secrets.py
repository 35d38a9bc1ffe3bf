"""What each role must not see: every screen of a bank with people in it, searched for what only its owners may know."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings as django_settings

from accounts.kyc_identity import decrypted_number
from accounts.models import KycSubmission, LoginSession, OneTimeCode, User
from mymoolah.common.clock import now
from reporting.demo.cases import make_cases
from reporting.roles import ROLES
from tests.back_office.house import PASSWORD, SECRETS, Furnished
from tests.browser.screens import addresses, at_the_screen, staff
from tests.conftest import Person, fund
from tests.vouchers.desk import STANDARD, code_of, issue
from tests.vouchers.till import SPENT, TOP_UP
from vouchers.models import Voucher

MODEL_KEY = "sk-of-a-language-model-1f2e3d"
UNREADABLE = {"the-encrypted-identity", "the-encrypted-code"}


def secrets() -> dict[str, str]:
    """Each secret of this bank, by what it is."""
    found = {f"secret {number}": text for number, text in enumerate(SECRETS)}
    found |= {f"password of {user}": user.password for user in User.objects.all() if len(user.password) > 1}
    for case in KycSubmission.objects.exclude(id_number_encrypted__in=UNREADABLE):
        found |= {
            f"identity number of {case}": decrypted_number(case.id_number_encrypted),
            f"cipher of {case}": case.id_number_encrypted,
            f"blind index of {case}": bytes(case.id_number_index).hex(),
        }
    for voucher in Voucher.objects.exclude(code_encrypted__in=UNREADABLE):
        if voucher.code_encrypted:
            found[f"code of {voucher}"] = code_of(voucher)
        if voucher.easypay_number:
            found[f"number of {voucher}"] = voucher.easypay_number
    found |= {f"digest of {code}": bytes(code.code_digest).hex() for code in OneTimeCode.objects.all()}
    found |= {f"token of {one}": bytes(one.token_digest).hex() for one in LoginSession.objects.all()}
    found |= {"what signs": django_settings.SECRET_KEY, "what blinds": django_settings.BLIND_INDEX_KEY}
    found |= {"what a model is asked with": MODEL_KEY}
    found |= {"what encrypts": django_settings.ENCRYPTION_KEYS[0], "how staff sign in": PASSWORD}
    return found


def test_no_screen_shows_a_secret_to_anybody(house: Furnished, thandi: Person, tmp_path: Path, settings: Any) -> None:
    settings.DOCUMENTS_DIR, settings.LLM_KEY = tmp_path / "documents", MODEL_KEY
    make_cases(now=now())
    fund(thandi, "900.00")
    for kind in (STANDARD, TOP_UP, SPENT):
        issue(thandi, kind, "100.00")
    clients = staff().clients
    known = secrets()
    assert {what.partition(" of ")[0] for what in known} >= {"code", "number", "identity number", "password", "token"}
    everywhere = sorted({*addresses(house)})  # as a superuser finds them
    clients["superuser"] = at_the_screen(User.objects.get(is_superuser=True))
    assert clients.keys() == {*ROLES, "superuser"}
    told = []
    for role, client in clients.items():
        opened = 0
        for address in everywhere:
            answer = client.get(address, follow=True)
            opened += answer.status_code == 200
            html = b"".join(answer).decode(errors="replace")
            told += [f"{role} at {address}: {what}" for what, text in known.items() if text in html]
        assert opened > 10, role
    assert told == []
