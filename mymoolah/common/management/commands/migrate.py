"""`migrate`, as the role that owns the schema."""

from __future__ import annotations

import contextlib
from typing import Any

from django.core.management.base import CommandParser
from django.db import DEFAULT_DB_ALIAS, ProgrammingError, connections
from django_pgviews.management.commands.migrate import Command as PgViewsMigrate

from mymoolah.common import read_cache
from mymoolah.common.migrating import Autodetector


class Command(PgViewsMigrate):
    """Migrate over the owner's connection unless told otherwise, then build the views."""

    autodetector = Autodetector

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.set_defaults(database="owner")

    def handle(self, *args: Any, **options: Any) -> None:
        """Migrate, and have every answer to a customer be read anew: a migration may have changed what is in any."""
        super().handle(*args, **options)
        is_planned_only = options.get("plan") or options.get("check_unapplied")
        if is_planned_only or connections[DEFAULT_DB_ALIAS].in_atomic_block:
            return
        with contextlib.suppress(ProgrammingError):  # of who went back to before there was a cache
            read_cache.forget()
