"""Start a management command, with the embedded servers when no others are named."""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

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
SERVER_VARIABLES = ("DATABASE_URL", "DATABASE_OWNER_URL", "REDIS_URL", "MYMOOLAH_BROKER_URL")


def main(argv: Sequence[str]) -> int:
    """Run `argv` as Django would; 0 on success, a command's own code or 1 on failure."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mymoolah.settings")
    from django.core.exceptions import ImproperlyConfigured
    from django.db import OperationalError

    from mymoolah.common import embedded

    try:
        prepare(argv)
        run(argv)
    except (embedded.EmbeddedError, ImproperlyConfigured) as error:
        return refusal(str(error))
    except OperationalError as error:
        if "--traceback" in argv or not is_unreachable(error):
            raise
        return refusal(f"The database cannot be reached: {str(error).strip().splitlines()[0]}")
    except KeyboardInterrupt:
        return refusal("Interrupted.", code=130)
    return 0


def prepare(argv: Sequence[str]) -> None:
    """Put in place what has to be known before the settings are read.

    :raises ImproperlyConfigured: the demo was asked for where money may be real
    """
    from django.core.exceptions import ImproperlyConfigured

    command = argv[1] if len(argv) > 1 else ""
    if command == "generate_secrets":
        os.environ["MYMOOLAH_ENV"] = "build"  # in production, too, they are made before there are any
    if command != "demo" or asks_for_help(argv):
        return
    if os.environ.get("MYMOOLAH_ENV", "development") != "development":
        raise ImproperlyConfigured(
            "The demo makes accounts with a password that everybody knows, so it does not run on production settings. "
            "Unset MYMOOLAH_ENV to try it on a machine of your own."
        )
    named = [name for name in SERVER_VARIABLES if os.environ.get(name)]
    if named:
        raise ImproperlyConfigured(
            f"The demo runs on servers of its own, and never touches others: unset {', '.join(named)} to start it."
        )
    data_dir = data_dir_option(argv)
    if data_dir:
        os.environ["MYMOOLAH_DATA_DIR"] = str(Path(data_dir).expanduser().resolve())


def run(argv: Sequence[str]) -> None:
    from django.conf import settings
    from django.core.management import execute_from_command_line

    from mymoolah.common import embedded
    from mymoolah.common.query_log import outbox

    command = argv[1] if len(argv) > 1 else "help"
    outbox.label = f"manage.py {command}"
    if not settings.EMBEDDED or command in NEEDS_NO_SERVERS or asks_for_help(argv):
        execute_from_command_line(list(argv))
        return
    with leaving_in_order(), embedded.start(settings.DATA_DIR):
        if command not in {"migrate", "sqlmigrate", "showmigrations"}:
            bring_up_to_date()
        execute_from_command_line(list(argv))


def asks_for_help(argv: Sequence[str]) -> bool:
    return bool({"-h", "--help", "--version"} & set(argv))


def data_dir_option(argv: Sequence[str]) -> str | None:
    """What `--data-dir` says; a malformed one is the command's own parser's to refuse."""
    parser = argparse.ArgumentParser(add_help=False, exit_on_error=False)
    parser.add_argument("--data-dir")
    try:
        known, _ = parser.parse_known_args(list(argv[2:]))
    except argparse.ArgumentError:
        return None
    given: str | None = known.data_dir
    return given


def refusal(sentence: str, *, code: int = 1) -> int:
    print(sentence, file=sys.stderr)
    return code


def is_unreachable(error: Exception) -> bool:
    """Whether there was no connection, or it was lost, rather than a statement refused.

    By SQLSTATE: classes 08 (connection) and 57P (shut down), or none, for the server said nothing.
    """
    state = getattr(error.__cause__, "sqlstate", None)
    return state is None or state.startswith(("08", "57P"))


@contextlib.contextmanager
def leaving_in_order() -> Iterator[None]:
    """Let SIGTERM and a closed terminal unwind what was started, instead of leaving servers behind."""

    def leave(number: int, _: object) -> None:
        sys.exit(128 + number)

    before = {number: signal.signal(number, leave) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


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
