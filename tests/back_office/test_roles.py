"""The table of roles: one in the code, one in the docs, one in the database."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.db import connections

from accounts.models import AuditEvent, OneTimeCode, RecoveryCode, SecondFactor
from accounts.services import AlreadyRegistered, UnknownRole, create_staff
from reporting.roles import ROLES, sync_roles
from reporting.support.models import SupportMessage, SupportReply
from tests.back_office.house import OURS
from tests.conftest import Ledger, Person

DOCS = Path(settings.BASE_DIR) / "docs" / "roles.md"
# Nobody looks at these rows, so there is no permission to.
SECRETS = {OneTimeCode, RecoveryCode, SecondFactor, SupportMessage, SupportReply}
PERMISSIONS = {f"{model._meta.app_label}.view_{model._meta.model_name}" for model in OURS if model not in SECRETS}


def in_docs() -> dict[str, set[str]]:
    rows = [[cell.strip() for cell in line[1:-1].split("|")] for line in DOCS.read_text().splitlines()]
    table = [row for row in rows if len(row) == len(ROLES) + 1]
    header, _, *body = table
    found: dict[str, set[str]] = {role: set() for role in header[1:]}
    for what, *cells in body:
        app, _, model = re.sub("[` ]", "", what).partition(".")
        for role, cell in zip(header[1:], cells, strict=True):
            found[role] |= {f"{app}.{verb}_{model}" for verb in re.findall("[a-z]+", cell)}
    return found


def in_database() -> dict[str, set[str]]:
    return {
        group.name: {
            f"{app}.{code}" for app, code in group.permissions.values_list("content_type__app_label", "codename")
        }
        for group in Group.objects.all()
    }


def test_the_docs_show_the_table() -> None:
    assert in_docs() == ROLES


@pytest.mark.django_db
def test_the_database_holds_the_table() -> None:
    assert in_database() == ROLES


def test_syncing_again_heals_what_somebody_changed(ledger: Ledger) -> None:
    from django.apps import apps

    group = Group.objects.using("owner").get(name="support")
    group.permissions.clear()
    Group.objects.using("owner").filter(name="kyc").delete()
    for _ in range(2):
        with connections["owner"].schema_editor() as editor:
            sync_roles(apps, editor)
    assert in_database() == ROLES


def test_no_role_may_change_money() -> None:
    changes = {code for role in ROLES.values() for code in role if ".view_" not in code}
    assert changes == {
        "accounts.assist_user",
        "accounts.change_user",
        "accounts.close_user",
        "accounts.decide_kycsubmission",
        "accounts.export_auditevent",
        "accounts.reopen_user",
        "accounts.reset_secondfactor",
        "accounts.reveal_kycsubmission",
        "accounts.suspend_user",
        "auth.change_group",
        "reporting.approve_supportarticle",
        "reporting.work_supportticket",
        "reporting.write_supportarticle",
        "transactions.add_proposal",
        "transactions.decide_proposal",
        "transactions.export_transaction",
        "vouchers.cancel_voucher",
        "wallets.freeze_wallet",
        "wallets.unfreeze_wallet",
    }
    proposers = {
        role for role, codes in ROLES.items() if any("_proposal" in code and "view" not in code for code in codes)
    }
    assert proposers == {"finance"}


def test_the_auditor_sees_everything_and_changes_nothing() -> None:
    copies = {"accounts.export_auditevent", "transactions.export_transaction"}
    assert ROLES["auditor"] == PERMISSIONS | copies | {"auth.view_group"}


@pytest.mark.django_db
def test_staff_are_made_in_one_role_and_the_trail_says_so() -> None:
    user = create_staff(
        email="kyc@example.com", password="a-good-long-passphrase", first_name="K", last_name="Y", role="kyc"
    )
    assert user.is_staff
    assert not user.is_superuser
    assert user.check_password("a-good-long-passphrase")
    assert user.get_all_permissions() == ROLES["kyc"]
    event = AuditEvent.objects.get(verb="staff.created")
    assert (event.subject_id, event.facts) == (str(user.public_id), {"role": "kyc"})


@pytest.mark.django_db
def test_staff_need_a_role_that_exists_and_an_email_of_their_own(thandi: Person) -> None:
    with pytest.raises(UnknownRole):
        create_staff(email="x@example.com", password="x", first_name="X", last_name="Y", role="king")
    with pytest.raises(AlreadyRegistered):
        create_staff(email="Thandi@Example.com", password="x", first_name="X", last_name="Y", role="kyc")
    with pytest.raises(ValidationError, match="plain letters"):
        create_staff(email="\u212aate@example.com", password="x", first_name="X", last_name="Y", role="kyc")
    kate = create_staff(email="Kate@Example.com", password="x", first_name="X", last_name="Y", role="kyc")
    assert kate.email == "kate@example.com"
