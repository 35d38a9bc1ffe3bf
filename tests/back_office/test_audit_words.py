"""The lists of verbs and subjects are those that the code writes."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings

from accounts import lockout
from accounts.audit_admin import AuditEventAdmin
from accounts.audit_words import SUBJECTS, VERBS, WORDS, subject_in_words, verb_in_words
from transactions.models import Proposal

APPS = ("accounts", "wallets", "transactions", "vouchers", "reporting")
# What else is written with a dot: permissions and tasks of an app, files, and purposes of keys.
NO_VERBS = re.compile(
    rf"({'|'.join(APPS)}|auth|admin|unfold|mymoolah|kyc_submissions|recovery_codes|staff_second_factors"
    r"|support_messages|support_replies|support_tickets)\..*"
    r"|.*\.(html|sql|json|py|csv|log|lock|draft|pdf|xlsx|css|js|svg|txt|code)"
)
NO_PAGE = {
    "audit_trail": "the list itself",
    "books": "no row: the name of a table that was exported",
    "load": "no row: the plan of a load",
    "page": "no row: the name of a page",
}


def constants() -> Iterator[tuple[ast.AST, str]]:
    for app in APPS:
        for path in (Path(settings.BASE_DIR) / app).rglob("*.py"):
            # Benchmarks write into banks of their own.
            if not {"migrations", "benchmarks"} & set(path.parts) and path.name != "audit_words.py":
                for node in ast.walk(ast.parse(path.read_text())):
                    if isinstance(node, ast.Constant) and isinstance(node.value, str):
                        yield node, node.value
                    elif isinstance(node, ast.keyword) and node.arg == "subject_type":
                        yield node, str(node.value.value) if isinstance(node.value, ast.Constant) else ""


def test_every_verb_in_the_code_is_known_and_every_known_one_is_in_the_code() -> None:
    written = {
        text for _, text in constants() if re.fullmatch(r"[a-z_]+\.[a-z_]+", text) and not NO_VERBS.fullmatch(text)
    }
    decided = {f"proposal.{status.value}" for status in Proposal.Status if status != Proposal.Status.PROPOSED}
    counted = {f"{what}.locked" for what in lockout.LIMITS} | {"sign_in.failed", "second_factor.failed"}
    assert written | decided | counted == VERBS


def test_every_kind_of_subject_in_the_code_is_known_and_has_a_page_or_says_why_not() -> None:
    written = {text for node, text in constants() if isinstance(node, ast.keyword) and text}
    assert written == set(SUBJECTS)
    assert AuditEventAdmin.subjects.keys() == SUBJECTS.keys() - NO_PAGE.keys()


@pytest.mark.parametrize(
    ("verb", "words"),
    [
        ("kyc.approved", "KYC approved"),
        ("wallet.frozen", "Wallet frozen"),
        ("house.settled", "Settlement entered"),
        ("something.of_long_ago", "Something of long ago"),
    ],
)
def test_verbs_are_told_in_words(verb: str, words: str) -> None:
    assert verb_in_words(verb) == words
    assert set(WORDS) <= VERBS


def test_subjects_are_told_in_words() -> None:
    assert subject_in_words("suspense_item", "17") == "Suspense item 17"
    assert subject_in_words("audit_trail", "") == "Audit trail"
    assert subject_in_words("old_thing", "9") == "old thing 9"
