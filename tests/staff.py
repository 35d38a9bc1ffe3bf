"""Staff who do something for customers, and how the tests say it."""

from __future__ import annotations

from accounts.audit import Origin
from accounts.models import AuditEvent, User
from accounts.staff_deeds import Why
from tests.back_office.house import colleague


def officer(role: str) -> User:
    """The one of `role`, who is made where there is none."""
    return User.objects.filter(email=f"{role}@example.com").first() or colleague(role)


def by(role: str) -> Origin:
    """What the one of `role` does, from a desk."""
    return Origin(actor_id=officer(role).pk, address="192.0.2.7", request_id="r")


def why(reason: str = "other", words: str = "Case 17") -> Why:
    return Why(reason=reason, words=words)


def told_of(verb: str) -> AuditEvent:
    """The one event of this verb."""
    return AuditEvent.objects.get(verb=verb)
