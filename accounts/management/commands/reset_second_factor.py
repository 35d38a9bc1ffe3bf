"""`reset_second_factor`: for when the last administrator has lost his telephone."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts import audit, second_factor
from accounts.decisions import ReasonNeeded
from accounts.models import User


class Command(BaseCommand):
    help = (
        "Take somebody's second factor away, and end all sessions of this colleague. Where staff need one, the next "
        "sign-in sets another telephone up. Meant for when no administrator can do it on the page of colleagues. It stands in the audit "
        "trail, as done by the system. Be sure who asks: call back on a number that you know."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email", help="of the colleague, in any case")
        parser.add_argument("--reason", required=True, help="why, which stands in the audit trail: nothing personal")

    def handle(self, **options: Any) -> None:
        email: str = options["email"].strip()
        user = User.objects.with_email(email).first()
        if user is None or user.is_customer:
            raise CommandError(f"Nobody of the staff has the e-mail address {email}.")
        try:
            second_factor.reset(user=user, reason=options["reason"], origin=audit.SYSTEM)
        except ReasonNeeded as error:
            raise CommandError("Say why, in words: --reason.") from error
        except second_factor.NoSecondFactor:
            self.stdout.write(f"{user.email} has no second factor. Nothing was done.")
            return
        self.stdout.write(f"The second factor of {user.email} was reset, and all sessions ended.")
