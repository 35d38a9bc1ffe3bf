"""`issue_token`: sign in as somebody without their password, to try the API."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts import audit, sessions
from accounts.models import User
from mymoolah.common.clock import now


class Command(BaseCommand):
    help = (
        "Start a session of somebody's and print its access token, alone, so that this works: "
        'curl -H "Authorization: Bearer $(manage.py issue_token customer1@example.com)" … '
        "The token is good for fifteen minutes; the session stands in the audit trail and among the person's devices."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email", help="of the account, in any case")
        parser.add_argument("--json", action="store_true", help="print an object with the refresh token as well")

    def handle(self, **options: Any) -> None:
        email: str = options["email"].strip()
        user = User.objects.with_email(email).first()
        if user is None:
            raise CommandError(f"There is no account with the e-mail address {email}.")
        if not user.is_active:
            raise CommandError(f"The account {user.email} is {user.status}; it may not sign in.")
        given = sessions.start_session(user=user, device="manage.py issue_token", now=now(), origin=audit.SYSTEM)
        if options["json"]:
            body = {
                "access": given.access,
                "refresh": given.refresh,
                "token_type": "Bearer",
                "expires_in_seconds": given.expires_in_seconds,
            }
            self.stdout.write(json.dumps(body))
        else:
            self.stdout.write(given.access)
