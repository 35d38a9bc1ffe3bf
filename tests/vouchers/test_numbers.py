from __future__ import annotations

import logging
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum import luhn

from vouchers import numbers
from vouchers.numbers import ACCOUNTS, EasyPayNumbersExhausted

KEY = b"k" * 32


@pytest.mark.parametrize(
    ("receiver", "account", "number"),
    [
        ("5063", 12345678, "95063123456785"),
        ("5063", 1, "95063000000011"),
        ("2021", 12345678, "92021123456786"),
    ],
)
def test_an_easypay_number_is_nine_receiver_account_and_luhn_digit(receiver: str, account: int, number: str) -> None:
    assert numbers.easypay_number(account, receiver) == number


@pytest.mark.parametrize("account", [-1, ACCOUNTS])
def test_an_account_has_eight_digits(account: int) -> None:
    with pytest.raises(ValueError, match="eight digits"):
        numbers.easypay_number(account)


@given(st.integers(0, ACCOUNTS - 1))
def test_the_luhn_digit_is_over_the_twelve_digits_without_the_nine(account: int) -> None:
    number = numbers.easypay_number(account)

    assert len(number) == 14
    assert number[0] == "9"
    assert luhn.is_valid(number[1:])


@pytest.mark.parametrize("half", [1, 2, 7, 64])
def test_a_small_domain_is_permuted_onto_itself(half: int) -> None:
    assert sorted(numbers.permuted(n, half=half, key=KEY) for n in range(half * half)) == list(range(half * half))


@given(st.sets(st.integers(0, ACCOUNTS - 1), min_size=2, max_size=200))
def test_no_two_counts_share_an_account(counts: set[int]) -> None:
    accounts = {numbers.easypay_account(count) for count in counts}

    assert len(accounts) == len(counts)
    assert all(0 <= account < ACCOUNTS for account in accounts)


@pytest.mark.parametrize("count", [-1, ACCOUNTS])
def test_a_count_outside_the_sequence_has_no_account(count: int) -> None:
    with pytest.raises(ValueError, match="is not below"):
        numbers.easypay_account(count)


def test_the_next_account_cannot_be_told_from_those_before() -> None:
    accounts = [numbers.easypay_account(count) for count in range(2_000)]
    steps = {after - before for before, after in pairwise(accounts)}
    tenths = [sum(account * 10 // ACCOUNTS == tenth for account in accounts) for tenth in range(10)]

    assert len(steps) > 1_990  # no step comes back
    assert min(tenths) > 120  # 200 each are expected, with a deviation of 13
    assert max(tenths) < 280


def test_another_key_gives_other_accounts(settings: Any) -> None:
    before = [numbers.easypay_account(count) for count in range(100)]
    settings.BLIND_INDEX_KEY = "A" * 43 + "="
    after = [numbers.easypay_account(count) for count in range(100)]

    assert sum(a == b for a, b in zip(before, after, strict=True)) < 3


@pytest.mark.django_db
def test_each_number_is_given_once() -> None:
    assert len({numbers.next_easypay_number() for _ in range(50)}) == 50


def test_the_last_number_is_given_and_then_there_is_none(owner_sequence: Callable[[int], None]) -> None:
    owner_sequence(ACCOUNTS - 2)

    numbers.next_easypay_number()

    with pytest.raises(EasyPayNumbersExhausted):
        numbers.next_easypay_number()


def test_a_warning_comes_at_eighty_percent(
    owner_sequence: Callable[[int], None], caplog: pytest.LogCaptureFixture
) -> None:
    owner_sequence(79_999_998)
    with caplog.at_level(logging.WARNING):
        numbers.next_easypay_number()
        assert not caplog.records
        numbers.next_easypay_number()

    assert "80000001 of 100000000 EasyPay numbers" in caplog.text


@pytest.fixture
def owner_sequence(ledger: object, owner_sql: Callable[..., list[tuple[Any, ...]]]) -> Callable[[int], None]:
    """Say which count was the last."""

    def last_was(count: int) -> None:
        owner_sql("SELECT setval('easypay_accounts', %s)", count)

    return last_was


def test_a_code_has_sixteen_digits_and_a_luhn_digit() -> None:
    codes = {numbers.voucher_code() for _ in range(1_000)}

    assert len(codes) == 1_000
    assert all(numbers.is_voucher_code(code) and luhn.is_valid(code) for code in codes)


def test_a_code_with_a_mistyped_digit_is_none() -> None:
    code = numbers.voucher_code()
    for place in range(16):
        wrong = code[:place] + str((int(code[place]) + 1) % 10) + code[place + 1 :]
        assert not numbers.is_voucher_code(wrong)


@pytest.mark.parametrize("text", ["", "1234", "4111 1111 1111 1111", "411111111111111a", "٤١١١١١١١١١١١١١١١"])
def test_what_is_not_sixteen_digits_is_no_code(text: str) -> None:
    assert not numbers.is_voucher_code(text)
