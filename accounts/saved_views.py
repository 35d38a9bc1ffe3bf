"""Views of lists that officers keep: one's own, and those that colleagues share with one's role."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Mapping
from typing import Final

from django.contrib.auth.models import Group
from django.db import transaction
from django.db.models import Q, QuerySet
from django.http import QueryDict
from django.utils.http import urlencode

from accounts.models import SavedView, User
from mymoolah.common.errors import DomainError, NotFound

MOST_VIEWS: Final = 12
"""Of one officer on one page: as many as are seen at a glance."""
LONGEST_VALUE: Final = 60
# What could stand in a name and not be seen, or turn what follows it around.
UNSEEN: Final = re.compile(r"[^\w .,:;!?&()+/'\u2019-]")

Knows = Callable[[str, str], bool]
"""Whether a page knows this parameter with this value, and may keep it."""


class TooManyViews(DomainError):
    code, status, title = "too_many_views", 409, f"At most {MOST_VIEWS} views of a page can be kept: delete one first"


class ViewNameTaken(DomainError):
    code, status, title = "view_name_taken", 409, "There is a view of this name already"


class ViewWithoutName(DomainError):
    code, status, title = "view_without_name", 400, "A view needs a name of letters and digits"


class ViewOfEverything(DomainError):
    code, status, title = "view_of_everything", 409, "Nothing that can be kept narrows this list"


class UnknownView(NotFound):
    code, title = "view_not_found", "There is no such view of yours"


def kept_query(given: QueryDict | Mapping[str, str], *, knows: Knows) -> str:
    """What of an address a view may keep, always in the same order: known parameters with known values, no others."""
    known = {name: str(given[name]) for name in sorted(given) if len(str(given[name])) <= LONGEST_VALUE}
    return urlencode({name: value for name, value in known.items() if value and knows(name, value)})


def views_of(*, user_id: int, page: str) -> QuerySet[SavedView]:
    """One's own, then those that colleagues share with one's roles. One query."""
    shared = Q(shared_with__in=Group.objects.filter(user=user_id).values("pk"))
    found = SavedView.objects.filter(Q(owner=user_id) | shared, page=page).select_related("owner", "shared_with")
    return found.order_by("name", "pk")


def save_view(
    *, user_id: int, page: str, name: str, query: str, shared_with_id: int | None, now: dt.datetime
) -> SavedView:
    """Keep a view, for oneself or for a role of one's own too.

    :raises ViewWithoutName, ViewNameTaken, ViewOfEverything, TooManyViews: nothing was kept
    """
    if not query:
        raise ViewOfEverything
    name = clean_name(name)
    with transaction.atomic():
        owner = User.objects.select_for_update(no_key=True).get(pk=user_id)  # two windows of one officer
        own = SavedView.objects.filter(owner=owner, page=page)
        if own.filter(name=name).exists():
            raise ViewNameTaken
        if own.count() >= MOST_VIEWS:
            raise TooManyViews
        role = owner.groups.filter(pk=shared_with_id).first() if shared_with_id else None
        return SavedView.objects.create(
            owner=owner, page=page, name=name, query=query, shared_with=role, created_at=now
        )


def rename_view(*, user_id: int, view_id: int, name: str) -> SavedView:
    """Give a view of one's own another name.

    :raises UnknownView, ViewWithoutName, ViewNameTaken: nothing was changed
    """
    name = clean_name(name)
    with transaction.atomic():
        User.objects.select_for_update(no_key=True).get(pk=user_id)
        view = _own(user_id, view_id)
        if SavedView.objects.filter(owner=user_id, page=view.page, name=name).exclude(pk=view_id).exists():
            raise ViewNameTaken
        view.name = name
        view.save(update_fields=["name"])
        return view


def delete_view(*, user_id: int, view_id: int) -> SavedView:
    """Forget a view of one's own, and with it what it is to colleagues.

    :raises UnknownView: it is not there, or somebody else's
    """
    with transaction.atomic():
        view = _own(user_id, view_id)
        SavedView.objects.filter(pk=view_id).delete()
        return view


def clean_name(text: str) -> str:
    """A name as it is kept: what can be seen, single spaces, forty characters at most.

    :raises ViewWithoutName: nothing is left
    """
    name = " ".join(UNSEEN.sub(" ", text).split())[:40].strip()
    if not re.search(r"\w", name):
        raise ViewWithoutName
    return name


def _own(user_id: int, view_id: int) -> SavedView:
    view = SavedView.objects.filter(pk=view_id, owner=user_id).first()
    if view is None:
        raise UnknownView
    return view
