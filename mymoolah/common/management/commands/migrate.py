"""`migrate`, as the role that owns the schema."""

from __future__ import annotations

from django.core.management.base import CommandParser
from django_pgviews.management.commands.migrate import Command as PgViewsMigrate

from mymoolah.common.migrating import Autodetector


class Command(PgViewsMigrate):
    """Migrate over the owner's connection unless told otherwise, then build the views."""

    autodetector = Autodetector

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.set_defaults(database="owner")
