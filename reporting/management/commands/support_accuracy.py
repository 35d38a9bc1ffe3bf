"""`support_accuracy`: how often the support assistant understands."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from reporting.support import accuracy, corpus

MOST_CONFUSIONS = 25


class Command(BaseCommand):
    help = (
        "Ask the support assistant every phrase that it has not learnt from, or the questions of a folder with one file "
        "for each meaning (balance.txt, one question a line), and tell how often it was right: as a whole, for each "
        "meaning, and what was taken for what. Reads files only."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--questions", type=Path, metavar="FOLDER", help="<meaning>.txt files, instead of ours")
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, **options: Any) -> None:
        folder: Path | None = options["questions"]
        asked = corpus.held_back() if folder is None else list(corpus.questions(folder))
        if not asked:
            raise CommandError(f"No file in {folder} is named for a meaning.")
        found = accuracy.summary(accuracy.answers(asked))
        if options["json"]:
            self.stdout.write(json.dumps(found, indent=2))
        else:
            self._print(found)

    def _print(self, found: Mapping[str, Any]) -> None:
        self.stdout.write(f"{found['questions']} questions, {_percent(found['accuracy'])} understood.")
        self.stdout.write(
            f"Answered at once: {_percent(found['answered_at_once'])}, {_percent(found['right_at_once'])} of them right. "
            f"Of those asked about, the right meaning was one of the two in "
            f"{_percent(found['right_meaning_among_the_two_asked'])}."
        )
        self.stdout.write(
            f"Right at once or among the two: {_percent(found['right_at_once_or_among_the_two_asked'])}. "
            f"{found['milliseconds_p50']} ms in the middle, {found['milliseconds_p99']} ms p99."
        )
        if found["languages"]:
            shares = ", ".join(f"{language} {_percent(share)}" for language, share in found["languages"].items())
            self.stdout.write(f"By language: {shares}; language guessed {_percent(found['language_guessed'])}.")
        self.stdout.write("\nconfidence  questions  said    right")
        for step in found["calibration"]:
            self.stdout.write(
                f"from {step['from']:<6} {step['questions']:>9}  {_percent(step['said']):<6}  {_percent(step['right'])}"
            )
        self.stdout.write(f"\n{'meaning':<36}questions  precision  recall  with the question")
        for intent, of in found["intents"].items():
            self.stdout.write(
                f"{intent:<36}{of['questions']:>9}  {_percent(of['precision']):>9}  {_percent(of['recall']):>6}  "
                f"{_percent(of['recall_with_the_question']):>17}"
            )
        self.stdout.write(f"\n{'said':<36}{'understood':<36}times")
        for confusion in found["confusions"][:MOST_CONFUSIONS]:
            self.stdout.write(f"{confusion['said']:<36}{confusion['understood']:<36}{confusion['times']:>5}")


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{share:.1%}"
