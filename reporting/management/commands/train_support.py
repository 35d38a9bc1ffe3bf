"""`train_support`: what the support assistant has learnt, learnt again."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError


class Command(BaseCommand):
    help = (
        "Learn again from reporting/support/phrases and concepts.txt, after somebody has changed them, and write "
        "reporting/support/weights.json.gz, which belongs to the same commit. Needs requirements-dev.txt; takes seconds."
    )

    def handle(self, **_: Any) -> None:
        try:
            from reporting.support import training
        except ImportError as error:
            raise CommandError("Training needs scikit-learn: install requirements-dev.txt.") from error
        self.stdout.write(f"Learnt from {training.train()[:12]}. See how well: manage.py support_accuracy.")
