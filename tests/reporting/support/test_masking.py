"""What a text still says once it is masked, and that nothing of it is lost."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reporting.support.corpus import Phrase, held_back, questions
from reporting.support.masking import PLACEHOLDER, Mask, ordinary_words, texts_in

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


def test_each_word_of_a_known_name_goes_though_it_is_an_ordinary_word() -> None:
    masked = Mask(names=["Thandi", "Money Will"]).hide_message("i am thandi, WILL money, get my Móney and money will")
    assert masked == "i am [NAME_1], [WORD_1] [WORD_2], get my [WORD_3] and [NAME_2]"


STRANGERS = {
    "in capitals": "I paid SIPHO DLAMINI",
    "in small letters": "i paid sipho dlamini",
    "first": "Sipho Dlamini was paid",
    "introduced": "my name is sipho, this is dlamini",
    "with marks": "I paid Łukasz Núñez and Đặng",
    "in other scripts": "I paid Наталья, محمد, 王伟 and नमस्ते",
    "with more than one capital": "I paid McDonald and O'Brien and O\u2019Brien and DeVos",
    "in quotation marks": "I paid \"Thabo\" and \u201cSipho\u201d and 'Naledi'",
    "in brackets": "I paid (Zanele) and [Thabo]",
    "without spaces": "I paid John,Mary/Peter;Zanele:Thabo.Sipho-Dlamini",
    "as an account": "I paid @thandi_m and #sipho and zanele_d",
    "as an address": "I paid thandi at example dot com, and sipho(at)example.com",
    "whose": "I have thandi's and Sipho\u2019s money",
    "letter by letter": "I paid s i p h o and T.H.A.N.D.I",
}


@pytest.mark.parametrize("message", STRANGERS.values(), ids=STRANGERS.keys())
def test_of_a_stranger_nothing_is_left_however_he_is_written(message: str) -> None:
    left = set(re.findall(r"[^\s,.:;()-]+", bare(Mask().hide_message(message))))
    assert left <= set("i paid and was my name is this at have money a".split()), left  # noqa: SIM905 - words to read


def test_names_that_phrases_tell_of_are_no_ordinary_words() -> None:
    named = "sipho usipho usizwe thandi naledi lerato thabo ayanda zodwa bongani mandla mantaha dlamini john nomsa"
    assert not ordinary_words() & set(named.split())


@pytest.mark.parametrize(
    "digits",
    [
        "oh zero one two three four five six seven eight nine ten hundred",
        "nul een twee drie vier vyf ses sewe agt nege tien honderd",
        "iqanda kunye kubili kuthathu kune isihlanu isithupha isikhombisa isishiyagalombili isishiyagalolunye ishumi",
        "ziro nye mbini ntathu ne ntlanu thandathu xhenxe bhozo thoba lishumi",
        "lefela nngwe pedi tharo nne hlano tshelela supa robedi robong leshome",
        "IV VI XII",
    ],
)
def test_a_number_that_is_spelled_goes(digits: str) -> None:
    assert not bare(Mask().hide_message(digits)).strip()


def test_signs_that_are_not_common_go() -> None:
    assert bare(Mask().hide_message("my \U0001f642 money\u2028is_gone @ & = *\u0301")).split() == [
        "my",
        "money",
        "is",
        "gone",
    ]


def test_ordinary_words_are_shown_in_small_letters() -> None:
    assert Mask().hide_message("Please Help, WHERE'S my money?\nI PAID!") == "please help, wheres my money?\ni paid!"


@pytest.mark.parametrize(
    ("asked", "at_most"),
    [
        ([one for one in held_back() if one.language == "en"], 0.14),
        ([one for one in held_back() if one.language != "en"], 0.35),
        (list(questions(UNSEEN)), 0.12),
    ],
    ids=["English", "other languages", "of another person"],
)
def test_most_words_of_a_question_are_shown(asked: list[Phrase], at_most: float) -> None:
    """Of phrases that ordinary words are not learnt from."""
    masked = [Mask().hide_message(one.text) for one in asked]
    hidden = sum(one.count("[WORD_") for one in masked)
    shown = sum(len(re.findall(r"\w+", bare(one))) for one in masked)
    assert 0.05 < hidden / (hidden + shown) < at_most


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
