"""What changes about people."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping
from dataclasses import replace

from django.contrib.auth.models import Group
from django.db import IntegrityError, transaction

from accounts import audit, codes
from accounts.audit import Origin
from accounts.models import User, plain_email
from mymoolah.common import read_cache
from mymoolah.common.errors import DomainError, NotFound


class AlreadyRegistered(DomainError):
    """One answer for a known e-mail and a known phone: which of them it was is nobody's business."""

    code, status, title = "already_registered", 409, "This e-mail address or phone number is already in use"


class UnknownUser(NotFound):
    code, title = "unknown_user", "There is no such account"


class NotActive(DomainError):
    code, status, title = "account_suspended", 403, "This account is suspended or closed"


class UnknownRole(NotFound):
    code, title = "unknown_role", "There is no such role"


def create_customer(
    *, email: str, phone: str, password: str | None, first_name: str, last_name: str, origin: Origin = audit.SYSTEM
) -> User:
    """Add a customer of tier 0 whose contacts are not verified yet. `phone` is E.164; no password: no sign-in.

    :raises AlreadyRegistered: the e-mail (whatever its case) or the phone is somebody's
    """
    user = User(email=plain_email(email), phone=phone, first_name=first_name, last_name=last_name)
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
    :raises ValidationError: the e-mail is not in plain letters
    :raises AlreadyRegistered: the e-mail is somebody's, a customer's included
    """
    group = Group.objects.filter(name=role).first()
    if group is None:
        raise UnknownRole(role=role)
    user = User(email=plain_email(email), first_name=first_name, last_name=last_name, is_staff=True)
    user.set_password(password)
    try:
        with transaction.atomic():
            user.save()
            user.groups.add(group)
            audit.record("staff.created", subject_type="user", subject_id=user.public_id, origin=origin, role=role)
    except IntegrityError as error:
        raise AlreadyRegistered from error
    user.refresh_from_db(fields=["session_epoch"])  # which the role has ended
    return user


def get_active_user(*, public_id: uuid.UUID, locked: bool = False) -> User:
    """Whoever is about to change something of his own; `locked` until the transaction ends.

    :raises UnknownUser: nobody has this id
    :raises NotActive: his access token is from before he was suspended
    """
    users = User.objects.select_for_update(no_key=True) if locked else User.objects.all()
    user = users.filter(public_id=public_id).first()
    if user is None:
        raise UnknownUser
    if not user.is_active:
        raise NotActive
    return user


class NameVerified(DomainError):
    code, status, title = "name_verified", 409, "Your names were verified with your identity document"


def rename(
    *, public_id: uuid.UUID, first_name: str | None = None, last_name: str | None = None, origin: Origin
) -> None:
    """Change the names that somebody goes by; None keeps one.

    :raises UnknownUser: nobody has this id
    :raises NameVerified: an identity document has confirmed the names; payers are shown them
    """
    with transaction.atomic():
        user = User.objects.select_for_update(no_key=True).filter(public_id=public_id).first()
        if user is None:
            raise UnknownUser
        given = {"first_name": first_name, "last_name": last_name}
        changed = {name: value for name, value in given.items() if value not in {None, getattr(user, name)}}
        if not changed:
            read_cache.changed(public_id, names=True)  # who changed it may have died before he told
            return
        if user.id_verified:
            raise NameVerified
        for name, value in changed.items():
            setattr(user, name, value)
        user.save(update_fields=list(changed))
        # Which names, not what they were: the trail is kept for good, and a name may have to be forgotten.
        by_himself = replace(origin, actor_id=origin.actor_id or user.id)
        audit.record(
            "user.renamed", subject_type="user", subject_id=public_id, origin=by_himself, changed=sorted(changed)
        )


def correct_profile(*, user_id: int, values: Mapping[str, str | None], origin: Origin) -> None:
    """Save what staff corrected of somebody's names and contacts. A contact that changed is no longer verified.

    Codes that were sent to it are worth nothing, and neither is what a password could be reset with.

    :raises AlreadyRegistered: the e-mail or the phone is somebody else's
    """
    assert values.keys() <= {"first_name", "last_name", "email", "phone"}
    if not values:
        return
    try:
        with transaction.atomic():
            user = User.objects.select_for_update(no_key=True).get(pk=user_id)
            for name, value in values.items():
                setattr(user, name, value)
            unverified = [f"{name}_verified_at" for name in ("email", "phone") if name in values]
            for name in unverified:
                setattr(user, name, None)
            user.save(update_fields=[*values, *unverified])
            contacts = values.keys() & {"email", "phone"}
            if contacts:
                codes.forget(user=user, purposes=[*contacts, codes.Purpose.PASSWORD])
            audit.record(
                "user.corrected", subject_type="user", subject_id=user.public_id, origin=origin, changed=sorted(values)
            )
    except IntegrityError as error:
        raise AlreadyRegistered from error


def set_roles(*, user_id: int, roles: Collection[str], origin: Origin) -> None:
    """Give a colleague these roles and no others.

    :raises UnknownRole: no migration made one of them
    """
    groups = list(Group.objects.filter(name__in=roles))
    if len(groups) != len(set(roles)):
        raise UnknownRole(roles=sorted(set(roles) - {group.name for group in groups}))
    with transaction.atomic():
        user = User.objects.select_for_update(no_key=True).get(pk=user_id, is_staff=True)
        before = sorted(user.groups.values_list("name", flat=True))
        user.groups.set(groups)
        audit.record(
            "staff.roles_set",
            subject_type="user",
            subject_id=user.public_id,
            origin=origin,
            before=before,
            after=sorted(roles),
        )
