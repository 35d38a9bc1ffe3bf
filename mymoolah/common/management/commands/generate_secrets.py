"""`generate_secrets`: everything secret that an installation needs, made now."""

from __future__ import annotations

import json
import secrets
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from mymoolah.common.keys import KeyRing

PASSWORDS = ("POSTGRES_PASSWORD", "MYMOOLAH_OWNER_PASSWORD", "MYMOOLAH_APP_PASSWORD", "REDIS_PASSWORD")


class Command(BaseCommand):
    help = (
        "Print a fresh value for every secret of deploy/example.env, as lines of an .env file. Nothing is stored, and "
        "no server is asked. Data that were encrypted or signed with earlier values need those values still."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="print one JSON object instead of lines")

    def handle(self, **options: Any) -> None:
        made = new_secrets()
        lines = json.dumps(made, indent=2) if options["json"] else "\n".join(f"{k}={v}" for k, v in made.items())
        self.stdout.write(lines)


def new_secrets() -> dict[str, str]:
    """A value for each name. Passwords are made of letters, digits, - and _: they stand in addresses."""
    keys = KeyRing.generate()
    return {
        "MYMOOLAH_SECRET_KEY": keys.secret_key,
        "MYMOOLAH_ENCRYPTION_KEYS": keys.encryption_keys,
        "MYMOOLAH_BLIND_INDEX_KEY": keys.blind_index_key,
        "MYMOOLAH_SIGNING_KEYS": keys.signing_keys,
        "EASYPAY_SECRET": keys.easypay_secret,
        "MYMOOLAH_METRICS_TOKEN": secrets.token_urlsafe(32),
        **{name: secrets.token_urlsafe(32) for name in PASSWORDS},
    }
