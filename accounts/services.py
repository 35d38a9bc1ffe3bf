"""What changes about people."""

from __future__ import annotations

from django.contrib.auth.models import Group
from django.db import IntegrityError, transaction

from accounts import audit
from accounts.audit import Origin
from accounts.models import User
from mymoolah.common.errors import DomainError, NotFound


class AlreadyRegistered(DomainError):
    """One answer for a known e-mail and a known phone: which of them it was is nobody's business."""

    code, status, title = "already_registered", 409, "This e-mail address or phone number is already in use"


class UnknownRole(NotFound):
    code, title = "unknown_role", "There is no such role"


def create_customer(
    *, email: str, phone: str, password: str | None, first_name: str, last_name: str, origin: Origin = audit.SYSTEM
) -> User:
    """Add a customer of tier 0 whose contacts are not verified yet. `phone` is E.164; no password: no sign-in.

    :raises AlreadyRegistered: the e-mail (whatever its case) or the phone is somebody's
    """
    user = User(email=email, phone=phone, first_name=first_name, last_name=last_name)
    user.set_password(password)
    try:
        with transaction.atomic():
            user.save()
    except IntegrityError as error:
        raise AlreadyRegistered from error
    audit.record("user.registered", subject_type="user", subject_id=user.public_id, origin=origin)
    return user


def create_staff(
    *, email: str, password: str, first_name: str, last_name: str, role: str, origin: Origin = audit.SYSTEM
) -> User:
    """Add somebody who works here, in the one `role` (a group, see docs/roles.md) that says what they may see.

    :raises UnknownRole: no migration made this role
    :raises AlreadyRegistered: the e-mail is somebody's, a customer's included
    """
    group = Group.objects.filter(name=role).first()
    if group is None:
        raise UnknownRole(role=role)
    user = User(email=email, first_name=first_name, last_name=last_name, is_staff=True)
    user.set_password(password)
    try:
        with transaction.atomic():
            user.save()
            user.groups.add(group)
            audit.record("staff.created", subject_type="user", subject_id=user.public_id, origin=origin, role=role)
    except IntegrityError as error:
        raise AlreadyRegistered from error
    return user
