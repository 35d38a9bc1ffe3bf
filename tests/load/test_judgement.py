"""What `make load` says of a run: whether it notices what must not be."""

from __future__ import annotations

import os
from typing import Any

import pytest

from tests.load.books import Books, judge
from tests.load.figures import Answer, Run, figures

RECEIPT = {"id": "1", "balance_after": "9.00"}


def order(status: int) -> dict[str, Any]:
    return {"name": "transfer", "key": "k", "status": status, "answer": RECEIPT}


def judged(first: int, second: int, *, replayed: bool, answer: Any = RECEIPT, in_the_ledger: int = 1) -> Books:
    books = Books()
    judge(books, order(first), second, replayed, answer)
    books.in_the_ledger["transfer"] = in_the_ledger
    return books


def test_an_order_that_stands_as_it_was_answered_agrees() -> None:
    assert judged(201, 201, replayed=True).agree


@pytest.mark.parametrize(
    ("second", "replayed", "answer"),
    [(201, False, RECEIPT), (201, True, {"id": "2"}), (409, False, None), (503, False, None)],
)
def test_an_acknowledged_order_that_is_no_replay_is_lost(second: int, replayed: bool, answer: Any) -> None:
    books = judged(201, second, replayed=replayed, answer=answer)

    assert books.lost == [f"transfer k: 201, then {second}"]
    assert not books.agree


@pytest.mark.parametrize("in_the_ledger", [0, 2])
def test_an_order_that_the_ledger_has_not_once_does_not_agree(in_the_ledger: int) -> None:
    assert not judged(201, 201, replayed=True, in_the_ledger=in_the_ledger).agree


def test_an_order_without_an_answer_is_done_once_or_by_its_repeat() -> None:
    unheard, repeated = judged(0, 201, replayed=True), judged(503, 201, replayed=False)

    assert (unheard.done_unheard, repeated.done_by_repeat) == (1, 1)
    assert unheard.agree
    assert repeated.agree
    assert judged(503, 409, replayed=False, in_the_ledger=0).agree
    assert not judged(503, 503, replayed=False, in_the_ledger=0).agree


def run_of(answers: list[Answer], *, rate: int, killed_at: float | None = None) -> Run:
    return Run(rate, 60, answers, [], {"web": 60.0}, {}, killed_at)


def ten_a_second(*, ms: float = 20.0, status: int = 200) -> list[Answer]:
    return [Answer(1000 + number / 10, ms, "dashboard", status, "") for number in range(600)]


def test_a_rate_is_borne_that_was_kept_in_time_and_without_errors() -> None:
    assert run_of(ten_a_second(), rate=10).is_borne
    assert not run_of(ten_a_second(), rate=12).is_borne
    assert not run_of(ten_a_second(ms=300.0), rate=10).is_borne
    assert not run_of([*ten_a_second()[:-1], Answer(1059.9, 20.0, "dashboard", 503, "")], rate=10).is_borne


def test_the_seconds_in_which_customers_arrive_do_not_count() -> None:
    slow_at_first = [answer._replace(ms=900.0) if answer.asked_at < 1009 else answer for answer in ten_a_second()]

    assert figures(run_of(slow_at_first, rate=10))["ms"]["most"] == 20.0


def test_a_kill_shows_how_long_it_was_felt() -> None:
    answers = [
        answer._replace(ms=700.0, status=503) if 1030 <= answer.asked_at <= 1032 else answer
        for answer in ten_a_second()
    ]
    told = figures(run_of(answers, rate=10, killed_at=1030.0))

    assert told["last failure, seconds after the kill"] == 2.7
    assert told["ms, without the 30 seconds after the kill"]["most"] == 20.0
    assert told["share of both cores"] == {"web": round(60 / 60 / (os.cpu_count() or 1), 3)}
