"""What changes between migrations: models, as Django sees, and what two libraries declare beside them."""

from __future__ import annotations

from django_pgviews.db.migrations.autodetector import PGViewsAutodetector
from pgtrigger.migrations import MigrationAutodetectorMixin


class Autodetector(MigrationAutodetectorMixin, PGViewsAutodetector):
    """Views and triggers. Each library sets its own for a command, and the last one would win."""
