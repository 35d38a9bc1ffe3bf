"""What the assistant makes of a message: how often it is right, and that no message is too odd for it."""

from __future__ import annotations

import json
import subprocess
import sys
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from reporting.support import accuracy, classifier, corpus
from reporting.support.features import LONGEST, known_concepts, normalise
from reporting.support.intents import COMMONEST, Intent
from reporting.support.understanding import understand

UNSEEN = Path(__file__).parent / "unseen"
LEAST = {"accuracy": 0.79, "right_at_once": 0.89, "right_at_once_or_among_the_two_asked": 0.85}
LEAST_UNSEEN = {"accuracy": 0.91, "right_at_once": 0.95, "right_at_once_or_among_the_two_asked": 0.94}
"""Shares of the phrases that are held back, which were written to be hard, and of questions of other people."""
LEAST_FRAUD_NOTICED = 0.94
SLOWEST_MILLISECONDS = 5
FEWEST_JUDGED = 40
"""So many questions of one step of confidence say something about it."""
MOST_OVERSTATED = 0.1

ODD_MESSAGES = {
    "empty": "",
    "blank": " \n\t ",
    "emoji": "😭😭😭🙏",
    "another script": "我的钱在哪里",
    "another script, right to left": "أين نقودي",
    "control characters": "\x00\x01\u202e\u200b",
    "lone surrogate": "\ud800",
    "one letter": "x",
    "very long": "a" * 1_000_000,
    "many words": "my money " * 100_000,
    "marks without letters": "\u0301" * 10_000,
    "ligatures that grow": "\ufdfa" * 10_000,
}


@pytest.fixture(scope="module")
def given() -> list[accuracy.Answer]:
    return list(accuracy.answers(corpus.held_back()))


@pytest.fixture(scope="module")
def unseen() -> list[accuracy.Answer]:
    """Questions of two people who had not seen the phrases; none of them may ever be learnt from."""
    return list(accuracy.answers(corpus.questions(UNSEEN)))


def test_phrases_that_were_held_back_are_understood(given: list[accuracy.Answer]) -> None:
    found = accuracy.summary(given)

    assert {name: share for name, share in LEAST.items() if found[name] < share} == {}
    assert found["milliseconds_p50"] < SLOWEST_MILLISECONDS


def test_questions_of_other_people_are_understood(unseen: list[accuracy.Answer]) -> None:
    found = accuracy.summary(unseen)

    assert {name: share for name, share in LEAST_UNSEEN.items() if found[name] < share} == {}


def test_confidence_means_what_it_says(given: list[accuracy.Answer], unseen: list[accuracy.Answer]) -> None:
    steps = [step for step in accuracy.summary([*given, *unseen])["calibration"] if step["questions"] >= FEWEST_JUDGED]

    assert len(steps) >= 5
    for step in steps:
        assert step["said"] == pytest.approx(step["right"], abs=MOST_OVERSTATED), step


def test_who_may_be_losing_money_is_noticed(given: list[accuracy.Answer], unseen: list[accuracy.Answer]) -> None:
    unsafe = [answer for answer in [*given, *unseen] if answer.phrase.intent is Intent.LOST_PHONE_OR_FRAUD]

    assert sum(answer.is_helped for answer in unsafe) / len(unsafe) >= LEAST_FRAUD_NOTICED


@pytest.mark.parametrize(
    "message",
    [
        "my phone was stolen",
        "I lost my cell phone yesterday and the voucher code was on it",
        "is this fraud? my balance",
        "bangebele ifoni",
        "my foon is gesteel",
        "founo ya ka e utswitswe",
    ],
)
def test_a_theft_is_asked_about_whatever_else_is_said(message: str) -> None:
    understood = understand(message)

    assert Intent.LOST_PHONE_OR_FRAUD in {understood.intent, understood.runner_up}
    assert understood.intent is Intent.LOST_PHONE_OR_FRAUD or not understood.is_sure


@pytest.mark.parametrize("message", ODD_MESSAGES.values(), ids=ODD_MESSAGES)
def test_no_message_is_too_odd(message: str) -> None:
    understood = understand(message)

    assert understood.intent is not understood.runner_up
    assert 0 <= understood.confidence <= 1
    assert len(normalise(message)) <= LONGEST


def test_what_says_nothing_known_is_asked_about() -> None:
    for message in ("", "😭😭😭🙏", "我的钱在哪里"):
        understood = understand(message)
        assert (understood.intent, understood.confidence, understood.is_sure) == (Intent.OUT_OF_SCOPE, 0.0, False)


def test_capitals_accents_and_full_width_letters_change_nothing() -> None:
    plain = understand("what is my balance")

    assert understand("WHAT IS MY BALANCE???") == plain
    assert understand("  whát   is\nmy balancë ") == plain
    assert understand("\uff57hat is my balance") == plain


@pytest.mark.parametrize(
    ("message", "topic"),
    [
        ("I want a debit card", "card"),
        ("do you cash cheques", "cheque"),
        ("can I buy bitcoin", "crypto"),
        ("where is the nearest atm", "cash machine"),
        ("what is the exchange rate", "exchange"),
        ("tell me a joke", None),
    ],
)
def test_what_the_bank_does_not_offer_is_named(message: str, topic: str | None) -> None:
    understood = understand(message)

    assert (understood.intent, understood.topic) == (Intent.OUT_OF_SCOPE, topic)


@pytest.mark.parametrize(
    ("message", "language"),
    [
        ("how much money do I have", "en"),
        ("ngicela ukubona imali yami", "zu"),
        ("ndicela ukubona imali yam", "xh"),
        ("hoeveel geld het ek oor", "af"),
        ("ke kopa ho bona tjhelete ya ka", "st"),
    ],
)
def test_the_language_is_guessed(message: str, language: str) -> None:
    understood = understand(message)

    assert (understood.language, understood.intent) == (language, Intent.BALANCE)


def test_every_meaning_has_its_phrases() -> None:
    english = dict.fromkeys(Intent, 0)
    others = {(language, intent): 0 for language in ("zu", "xh", "af", "st") for intent in COMMONEST}
    for phrase in corpus.phrases():
        if phrase.language == "en":
            english[phrase.intent] += 1
        elif (phrase.language, phrase.intent) in others:
            others[phrase.language, phrase.intent] += 1

    assert min(english.values()) >= 60
    assert min(others.values()) >= 20
    assert all(name == name.lower() for name in known_concepts())


def test_no_phrase_that_is_held_back_was_learnt() -> None:
    learnt = {normalise(phrase.text) for phrase in corpus.learnt()}
    held_back = [normalise(phrase.text) for phrase in corpus.held_back()]

    # Short ones that two languages share, or that differ in nothing but a mark.
    assert sum(text in learnt for text in held_back) <= len(held_back) // 50


def test_the_weights_are_those_of_the_phrases() -> None:
    assert classifier.model().fingerprint == corpus.fingerprint(), "run manage.py train_support"


def test_a_web_process_understands_without_a_library_for_numbers() -> None:
    program = (
        "import sys; from reporting.support.understanding import understand; print(understand('balance').intent,"
        " sorted({'numpy', 'scipy', 'sklearn', 'django'} & set(sys.modules)))"
    )

    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout

    assert said == "balance []\n"


def test_the_command_tells_how_often_it_is_right() -> None:
    told = StringIO()
    call_command("support_accuracy", stdout=told)
    assert f"{len(corpus.held_back())} questions" in told.getvalue()
    assert "lost_phone_or_fraud" in told.getvalue()


def test_the_command_takes_questions_of_others(tmp_path: Path) -> None:
    (tmp_path / "balance.txt").write_text("what is my balance\n\nmy phone was stolen\n")
    (tmp_path / "not_for_us.txt").write_text("left out\n")
    told = StringIO()

    call_command("support_accuracy", questions=tmp_path, json=True, stdout=told)

    found = json.loads(told.getvalue())
    assert (found["questions"], found["accuracy"]) == (2, 0.5)
    assert found["confusions"] == [{"said": "balance", "understood": "lost_phone_or_fraud", "times": 1}]


def test_the_command_refuses_a_folder_without_questions(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="No file"):
        call_command("support_accuracy", questions=tmp_path)


@pytest.mark.slow
def test_training_makes_the_same_model_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    training = pytest.importorskip("reporting.support.training")
    monkeypatch.setattr(training, "WEIGHTS", tmp_path / "weights.json.gz")

    training.train()

    again, kept = classifier.read(tmp_path / "weights.json.gz"), classifier.model()
    assert (again.fingerprint, again.intents, again.rows.keys()) == (kept.fingerprint, kept.intents, kept.rows.keys())
    assert again.sharpness == pytest.approx(kept.sharpness, abs=0.1)
    differing = sum(
        abs(a - b) > 1 for name, (_, row) in again.rows.items() for a, b in zip(row, kept.rows[name][1], strict=True)
    )
    assert differing == 0
