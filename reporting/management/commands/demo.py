"""`demo`: the whole bank on this machine."""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from reporting.demo.claims import DemoError
from reporting.demo.stage import Demo, Load


class Command(BaseCommand):
    help = (
        "Run everything on this machine until Ctrl-C: PostgreSQL and Valkey from packages, the web server, a Celery "
        "worker and beat. The first start makes two customers with R5 000 each, staff for every role, synthetic "
        "customers with history, and work for the KYC and support desks; later ones keep the data and are up in seconds. The password of all accounts is "
        "MYMOOLAH_DEMO_PASSWORD (default moolah-demo); WEB_WORKERS says how many web processes there are."
    )
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--port", type=port, default=8000, help="of the web server, on this machine only (8000)")
        parser.add_argument(
            "--data-dir", type=folder, default=settings.DATA_DIR, help="where all files are (MYMOOLAH_DATA_DIR, .data)"
        )
        first = parser.add_argument_group("synthetic customers, made by the first start")
        first.add_argument("--users", type=count, default=3_000, help="how many; 0 for none (3000)")
        first.add_argument("--vouchers", type=count, default=6_000, help="how many vouchers they have (6000)")
        first.add_argument(
            "--transactions", type=count, default=30_000, help="how many entries, an even number (30000)"
        )

    def handle(self, **options: Any) -> None:
        if not settings.EMBEDDED:
            raise CommandError("The demo runs on servers of its own: neither in production, nor with DATABASE_URL set.")
        if options["data_dir"] != settings.DATA_DIR:
            raise CommandError("Start the demo by manage.py, which reads --data-dir before anything else.")
        load = Load(users=options["users"], vouchers=options["vouchers"], transactions=options["transactions"])
        try:
            Demo(port=options["port"], data_dir=options["data_dir"], load=load, say=self.say).run()
        except DemoError as error:
            raise CommandError(str(error)) from error

    def say(self, line: str) -> None:
        try:
            self.stdout.write(line)
            self.stdout.flush()
        except OSError:
            # The terminal was closed. Everything still has to be stopped, and nobody listens.
            with contextlib.suppress(OSError):
                nowhere = os.open(os.devnull, os.O_WRONLY)
                for stream in (sys.stdout, sys.stderr):
                    os.dup2(nowhere, stream.fileno())


def port(text: str) -> int:
    number = int(text)
    if not 1 <= number <= 65_535:
        raise argparse.ArgumentTypeError("a port is a number from 1 to 65535")
    return number


def folder(text: str) -> Path:
    if not text:
        raise argparse.ArgumentTypeError("name a folder")
    return Path(text).expanduser().resolve()


def count(text: str) -> int:
    number = int(text)
    if number < 0:
        raise argparse.ArgumentTypeError("a number of things is not negative")
    return number
