"""What a text still says once it is masked, and that nothing of it is lost."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reporting.support.checking import KIND
from reporting.support.masking import PLACEHOLDER, Mask, texts_in

UNSEEN = Path(__file__).parent / "unseen"
PRIVATE = {
    "amounts": ["R1 234.50", "R500", "r 99,99", "ZAR120.00", "250 rand", "50 bucks", "R1\u00a0234.50", "R2k"],
    "phones": ["0821110001", "082 111 0001", "+27 82 111 0001", "+27821110001", "0027821110001", "082-111-0001"],
    "addresses": ["sipho@example.com", "sipho.d+bank@mail.example.co.za", "https://example.com/x?y=1", "bank.co.za"],
    "identifiers": [
        "4000000016",
        "8001015009087",
        "4111 1111 1111 1111",
        "0190a2b4-5c6d-7e8f-9a0b-1c2d3e4f5a6b",
        "VCH-12ab-99",
        "2026-11-30",
        "14:05",
    ],
}


def bare(text: str) -> str:
    """What is left of a text without its placeholders."""
    return PLACEHOLDER.sub("", text)


@pytest.mark.parametrize("private", [one for kind in PRIVATE.values() for one in kind])
def test_whatever_looks_like_a_number_or_an_address_goes(private: str) -> None:
    mask = Mask()
    for text in (f"I lost {private} today", private, f"({private}).", f"where is {private}?"):
        masked = mask.hide_message(text)
        assert not any(map(str.isdigit, bare(masked)))
        assert "@" not in masked
        assert "example" not in masked
        assert "co.za" not in masked


@given(st.text(alphabet=st.sampled_from("aR1 9.,-+@/:x\u00a0\n²٣()sSo'"), max_size=60) | st.text(max_size=60))
def test_no_digit_is_left_and_everything_comes_back(text: str) -> None:
    mask = Mask(facts=["so", "R9"], names=["Sos a"])
    text = text.replace("[", "").replace("]", "")
    masked = mask.hide(text)
    assert not any(one.isdecimal() for one in bare(masked))
    assert mask.reveal(masked) == text


def test_facts_are_hidden_wherever_they_stand_and_one_fact_is_one_placeholder() -> None:
    mask = Mask(facts=["pending", "Rent for November", "Sipho Dlamini", "ZA"])
    masked = mask.hide("Your payment to Sipho Dlamini (Rent for November) is pending. Sipho Dlamini has not got it.")
    assert masked == "Your payment to [FACT_1] ([FACT_2]) is [FACT_3]. [FACT_1] has not got it."


def test_a_longer_fact_is_hidden_before_one_within_it() -> None:
    assert Mask(facts=["Sipho", "Sipho Dlamini"]).hide("Sipho Dlamini and Sipho") == "[FACT_1] and [FACT_2]"


def test_each_word_of_a_known_name_goes_however_it_is_written() -> None:
    mask = Mask(facts=["Naledi Mokoena"], names=["Thandi", "Bo"])
    masked = mask.hide_message("i am thandi and NALEDI or mokoena or bo stole it, borrowed thandiwe's")
    assert masked.startswith("i am [NAME_1] and [NAME_")
    for name in ("thandi ", "naledi", "mokoena", " bo "):
        assert name not in masked.lower()
    assert "borrowed" in masked


@pytest.mark.parametrize(
    "message",
    [
        "please pay Lindiwe Van Wyk now",
        "My name is lindiwe",
        "it was Lindiwe",
        "R50 Lindiwe got",
        "this is lindiwe here",
    ],
)
def test_a_name_that_nobody_knows_goes_where_it_looks_like_one(message: str) -> None:
    assert "lindiwe" not in Mask().hide_message(message).lower()


def test_ordinary_words_are_not_names() -> None:
    assert Mask().hide_message("Please Help, I Am Worried", ordinary=KIND) == "Please Help, I Am Worried"


def test_what_a_customer_types_is_no_placeholder() -> None:
    mask = Mask()
    assert mask.hide("R5.00") == "[AMOUNT_1]"
    masked = mask.hide_message("say [AMOUNT_1] twice")
    assert PLACEHOLDER.findall(masked) != ["[AMOUNT_1]"]
    assert "[AMOUNT_1]" not in masked


def test_a_placeholder_that_stands_for_nothing_is_not_put_back() -> None:
    with pytest.raises(KeyError):
        Mask().reveal("You have [AMOUNT_1]")


def test_questions_of_customers_keep_no_digit() -> None:
    questions = [line for file in sorted(UNSEEN.glob("*.txt")) for line in file.read_text().splitlines()]
    assert len(questions) > 400
    for question in questions:
        assert not any(map(str.isdigit, bare(Mask().hide_message(question)))), question


def test_data_is_searched_to_its_depth() -> None:
    data = {"a": ["x", {"b": 7, "c": None, "d": True}], "e": "2.50"}
    assert [*texts_in(data)] == ["x", "7", "2.50"]
    assert [*texts_in(data, without=frozenset({"b", "e"}))] == ["x"]
