"""Start a management command, with the embedded servers when no others are named."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

# These neither read nor write a database, or (demo) look after the servers themselves.
NEEDS_NO_SERVERS = {
    "check",
    "collectstatic",
    "compilemessages",
    "demo",
    "generate_secrets",
    "help",
    "makemessages",
    "makemigrations",
    "spectacular",
    "version",
}


def main(argv: Sequence[str]) -> int:
    """Run `argv` as Django would; 0 on success, a command's own code or 1 on failure."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mymoolah.settings")
    from django.conf import settings
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line

    from mymoolah.common import embedded

    command = argv[1] if len(argv) > 1 else "help"
    try:
        if not settings.EMBEDDED or command in NEEDS_NO_SERVERS or {"-h", "--help", "--version"} & set(argv):
            execute_from_command_line(list(argv))
            return 0
        with embedded.start(settings.DATA_DIR):
            if command not in {"migrate", "sqlmigrate", "showmigrations"}:
                bring_up_to_date()
            execute_from_command_line(list(argv))
    except (embedded.EmbeddedError, ImproperlyConfigured) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def bring_up_to_date() -> None:
    """Migrate a database of our own: a new user types one command, not two."""
    import django
    from django.core.management import call_command
    from django.db import connections
    from django.db.migrations.executor import MigrationExecutor

    django.setup()
    executor = MigrationExecutor(connections["owner"])
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        call_command("migrate", verbosity=0)
