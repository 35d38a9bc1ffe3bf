"""What somebody has to go through once a month: who may do what, and with which keys.

Of people colleagues alone are named, by their user names: whoever reads this has to know whose account to close.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Final

from django.conf import settings
from django.contrib.auth.hashers import check_password
from django.contrib.auth.models import Group
from django.db.models import Q

from accounts.models import SecondFactor, User, UserPermission, UserRole, UserRoleHistory
from mymoolah.common.clock import business_day
from reporting.database_health.words import counted
from reporting.demo.people import CUSTOMERS, STAFF
from reporting.maintenance.findings import Finding, Level, Occasion
from reporting.maintenance.thresholds import COLLEAGUES_TRIED, IDLE_ACCOUNT, KEY_AGE_NOTICE, PEOPLE_NAMED
from reporting.roles import ROLES

MONTH: Final = dt.timedelta(days=31)
KEYS: Final = "Keys"


def look(occasion: Occasion) -> Iterator[Finding]:
    staff = list(
        User.objects.filter(Q(is_staff=True) | Q(is_superuser=True), status=User.Status.ACTIVE).order_by("email")
    )
    yield second_factors(staff)
    yield idle(staff, now=occasion.now)
    yield superusers(staff)
    yield from powers(staff, now=occasion.now)
    yield roles_as_written()
    yield from demo(staff)
    yield keys(occasion)


def second_factors(staff: list[User]) -> Finding:
    has_one = set(SecondFactor.objects.values_list("user_id", flat=True))
    without = [one.email for one in staff if one.pk not in has_one]
    return Finding(
        level=Level.WARNING if without and settings.STAFF_SECOND_FACTOR else Level.NOTICE if without else Level.OK,
        title="Without a second factor",
        found=named(without) or f"none of {counted(len(staff), 'colleague')}",
        advice="Have them sign in and set one up, or suspend the account: the next sign-in sets one up for whoever comes."
        if without
        else "",
    )


def idle(staff: list[User], *, now: dt.datetime) -> Finding:
    """Colleagues alone: a customer who has not come for a while is no fault of his."""
    since = now - IDLE_ACCOUNT
    names = [one.email for one in staff if (one.last_login or one.created_at) < since]
    return Finding(
        level=Level.NOTICE if names else Level.OK,
        title=f"Idle for {IDLE_ACCOUNT.days} days",
        found=named(names) or "no colleague's account",
        advice="Suspend those that nobody needs (the colleague's page in People)." if names else "",
    )


def superusers(staff: list[User]) -> Finding:
    names = [one.email for one in staff if one.is_superuser]
    return Finding(
        level=Level.NOTICE if names else Level.OK,
        title="Superusers",
        found=named(names) or "none",
        advice="They are for emergencies: see superuser.acted in the audit trail, and suspend them until the next one."
        if names
        else "",
    )


def powers(staff: list[User], *, now: dt.datetime) -> Iterator[Finding]:
    """Who has which role, who was given one lately, and who may do something that no role gives."""
    emails = {one.pk: one.email for one in staff}
    by_role: dict[str, list[str]] = defaultdict(list)
    for user_id, role in UserRole.objects.filter(user__in=emails).values_list("user_id", "group__name"):
        by_role[role].append(emails[user_id])
    told = "; ".join(f"{role}: {named(sorted(names))}" for role, names in sorted(by_role.items()))
    yield Finding(level=Level.OK, title="Roles", found=told or "nobody has one")
    given = UserRoleHistory.objects.filter(pgh_label="insert", pgh_created_at__gte=now - MONTH).order_by("pk")
    lately = [f"{role} to {email}" for email, role in given.values_list("user__email", "group__name")]
    yield Finding(
        level=Level.NOTICE if lately else Level.OK,
        title="Roles given in the last month",
        found=named(lately) or "none",
        advice="See that each was asked for; the audit trail has who gave it." if lately else "",
    )
    single = UserPermission.objects.order_by("user__email", "permission__codename")
    beside = [f"{code} to {email}" for email, code in single.values_list("user__email", "permission__codename")]
    yield Finding(
        level=Level.WARNING if beside else Level.OK,
        title="Permissions given beside roles",
        found=named(beside) or "none",
        advice="Take them back: what somebody may do is a role, which docs/roles.md shows." if beside else "",
    )


def roles_as_written() -> Finding:
    """Whether the groups of the database are what reporting/roles.py says."""
    found: dict[str, set[str]] = defaultdict(set)
    given = Group.objects.values_list("name", "permissions__content_type__app_label", "permissions__codename")
    for name, app, code in given:
        found[name] |= {f"{app}.{code}"} if code else set()
    written = {name: set(permissions) for name, permissions in ROLES.items()}
    off = sorted(name for name in {*found, *written} if found.get(name) != written.get(name))
    return Finding(
        level=Level.WARNING if off else Level.OK,
        title="Roles as they are written",
        found=f"not so: {', '.join(off)}" if off else f"all {len(ROLES)} are what docs/roles.md says",
        advice="Somebody changed them in the database: see auth_group_permissions_history, and migrate SyncRoles again."
        if off
        else "",
    )


def demo(staff: list[User]) -> Iterator[Finding]:
    """What the demo makes must not be in production."""
    emails = [*(one.email for one in STAFF), *(one.email for one in CUSTOMERS)]
    accounts = User.objects.filter(email__in=emails, status=User.Status.ACTIVE).count()
    tried = staff[:COLLEAGUES_TRIED]
    with_its_password = [one.email for one in tried if check_password(settings.DEMO_PASSWORD, one.password)]
    for title, count, found in (
        ("Accounts of the demo", accounts, f"{accounts} are active" if accounts else "none is active"),
        (
            "The demo's password",
            len(with_its_password),
            f"opens {named(with_its_password)}"
            if with_its_password
            else f"opens none of {counted(len(tried), 'colleague')}'s accounts that were tried",
        ),
    ):
        is_wrong = bool(count) and settings.PRODUCTION
        yield Finding(
            level=Level.WARNING if is_wrong else Level.OK,
            title=title,
            found=found if settings.PRODUCTION else f"{found}; this is no production",
            advice="Suspend them at once, and see in the audit trail what they did." if is_wrong else "",
        )


def keys(occasion: Occasion) -> Finding:
    """No key has a date; how long one is known by its id is told by these reports, each handing on what it knew."""
    today = business_day(occasion.now)
    known = occasion.before(KEYS).get("first_seen", {})
    ids = [f"encryption key {key.partition(':')[0]}" for key in settings.ENCRYPTION_KEYS]
    ids += [f"signing key {key.partition(':')[0]}" for key in settings.SIGNING_KEYS]
    first_seen = {name: known.get(name, today.isoformat()) for name in ids}
    ages = {name: (today - dt.date.fromisoformat(day)).days for name, day in first_seen.items()}
    old = [name for name, days in ages.items() if days >= KEY_AGE_NOTICE.days]
    told = ", ".join(f"{name} for {counted(days, 'day')} at least" for name, days in ages.items())
    return Finding(
        level=Level.NOTICE if old else Level.OK,
        title=KEYS,
        found=f"{told}; {counted(len(settings.EASYPAY_SECRETS), 'EasyPay secret')}; of the blind index, the secret key and "
        "secrets without an id no age is known",
        advice="Rotate as docs/runbook.md says, and remove what nothing uses any more." if old else "",
        facts={"first_seen": first_seen},
    )


def named(names: Iterable[str]) -> str:
    """Some of them, and how many more there are."""
    every = list(names)
    more = f" and {len(every) - PEOPLE_NAMED:,} more" if len(every) > PEOPLE_NAMED else ""
    return ", ".join(every[:PEOPLE_NAMED]) + more
