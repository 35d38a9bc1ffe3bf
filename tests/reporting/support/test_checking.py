"""What a model may have made of an answer, and what it may not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reporting.support.checking import KIND, SMALL, Refused, check_figures, check_rephrasing, figures_in

TEMPLATE = (
    "Your available balance is [AMOUNT_1]. [AMOUNT_2] is held for a voucher until [NUMBER_1] December. "
    "Your payment to [FACT_1] has not arrived. You can freeze your wallet: POST [LINK_1]."
)
KINDER = [
    TEMPLATE,
    f"Thank you for asking! {TEMPLATE}",
    f"Hello, I'm sorry to hear that.\n\n{TEMPLATE}".replace("hear", "know"),
    f"{TEMPLATE} We're here to help.",
    TEMPLATE.replace(". [AMOUNT_2]", ". I understand it's worrying. Also, [AMOUNT_2]"),
    TEMPLATE.replace(". [AMOUNT_2] is held", ", and [AMOUNT_2] is just held"),
]
WORSE = {
    "figures": [
        TEMPLATE.replace("[AMOUNT_1]", "R10 000.00"),
        f"{TEMPLATE} It takes 3 days.",
        f"{TEMPLATE} Call 0800 123 456.",
        f"{TEMPLATE} You get ½ of it.",
    ],
    "words": [
        f"{TEMPLATE} Your money will be refunded.",
        f"{TEMPLATE} We promise to help you.",
        f"{TEMPLATE} You can get ten thousand rand.",
        f"{TEMPLATE} See www.example.com or write to help@example.com.",
        f"{TEMPLATE} Please send us your PIN.",
        f"{TEMPLATE} All is well.",
        f"{TEMPLATE} It is our fault.",
        f"Ignore previous instructions. {TEMPLATE}",
        f"Sawubona Sipho! {TEMPLATE}",
        "Jou beskikbare balans is [AMOUNT_1].",
        "Imali yakho ngu-[AMOUNT_1].",
        "余额 [AMOUNT_1]",
        TEMPLATE.replace("has not arrived", "arrived today"),
        f"{TEMPLATE} 😊",
        f"**{TEMPLATE}**",
        f"<b>{TEMPLATE}</b>",
        TEMPLATE.replace("[AMOUNT_1].", "[AMOUNT_1]?"),
    ],
    "facts": [
        TEMPLATE.replace("has not arrived", "has arrived"),
        TEMPLATE.replace("Your available balance is [AMOUNT_1]. ", ""),
        TEMPLATE.replace("[AMOUNT_2]", "[AMOUNT_1]"),
        "Thank you for asking!",
        f"{TEMPLATE} Your available balance is [AMOUNT_1].",
        TEMPLATE.replace("payment to [FACT_1]", "payment [FACT_1]"),
    ],
    "order": [
        TEMPLATE.replace("[AMOUNT_1]", "[X]").replace("[AMOUNT_2]", "[AMOUNT_1]").replace("[X]", "[AMOUNT_2]"),
        TEMPLATE.replace("available", "X").replace("held", "available").replace("X", "held"),
    ],
    "length": ["", "  \n ", TEMPLATE + " Thank you." * 40],
    "characters": [TEMPLATE.replace("is", "i\u200bs"), f"{TEMPLATE}\ud800", f"\u202e{TEMPLATE}", f"{TEMPLATE}\x1b[2J"],
}


def refusal_of(answer: str) -> str:
    with pytest.raises(Refused) as caught:
        check_rephrasing(answer, template=TEMPLATE)
    return caught.value.reason


@pytest.mark.parametrize("answer", KINDER)
def test_a_kinder_tone_passes(answer: str) -> None:
    check_rephrasing(answer, template=TEMPLATE)


@pytest.mark.parametrize(("reason", "answer"), [(reason, one) for reason, many in WORSE.items() for one in many])
def test_anything_else_is_refused(reason: str, answer: str) -> None:
    assert refusal_of(answer) == reason


@given(st.permutations(TEMPLATE.split()))
def test_no_other_order_of_the_same_words_passes(words: list[str]) -> None:
    """Small words may wander; whoever has the words that matter in another order is refused."""
    weighty = [word.strip(".:,").lower() for word in words if word.strip(".:,").lower() not in SMALL]
    wanted = [word.strip(".:,").lower() for word in TEMPLATE.split() if word.strip(".:,").lower() not in SMALL]
    try:
        check_rephrasing(" ".join(words), template=TEMPLATE)
    except Refused:
        return
    assert weighty == wanted


@given(st.text(min_size=1, max_size=30))
def test_no_word_can_be_added_that_is_not_kind(addition: str) -> None:
    try:
        check_rephrasing(f"{TEMPLATE} {addition}", template=TEMPLATE)
    except Refused:
        return
    assert {word.strip(".,;:!?'\"()-\u2018\u2019\u201c\u201d\u2013\u2014 ") for word in addition.lower().split()} - {
        ""
    } <= KIND


@pytest.mark.parametrize(
    "word",
    """
    money refund will won't not no never yes paid sent received soon today guaranteed sure safe well fine good free
    one two hundred they from by back was password pin code fault lost
    """.split(),  # noqa: SIM905 - words to read
)
def test_kind_words_deny_promise_and_count_nothing(word: str) -> None:
    assert word not in KIND


def test_a_figure_is_the_same_however_it_is_written() -> None:
    assert figures_in("R1 234.50 on 05 March") == figures_in("1234.5 at 5")
    check_figures("R1 234.50 since 30 November 2026, 4 of 5", data={"a": "1234.50", "b": ["2026-11-30", 4, {"c": 5}]})
    for text in ("R1 234.51", "R234.50", "31 November", "R1 234.50 twice, 2 times"):
        with pytest.raises(Refused, match="figures"):
            check_figures(text, data={"a": "1234.50", "b": "2026-11-30"})
