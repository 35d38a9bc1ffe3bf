"""What each call may refuse: its own refusals, declared beside it, and those that follow from how it is built.

Whatever asks before a call does (authentication, permissions) names in `refusals` what it raises.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

from django.http import Http404
from rest_framework import exceptions
from rest_framework.views import APIView

from mymoolah.common.errors import DomainError, Unavailable
from mymoolah.common.parsers import BodyTooLarge
from mymoolah.common.problems import BAD_REQUEST, INTERNAL_ERROR, LENGTH_REQUIRED, Problem, problem_of

Handler = TypeVar("Handler", bound=Callable[..., Any])
Refusal = type[DomainError] | Exception
WAIT_SECONDS = 17  # of an example


@dataclass(frozen=True, kw_only=True)
class Refusals:
    """The problems that a call may answer: those from before its request is counted, and those from after it."""

    uncounted: list[Problem]
    counted: list[Problem]

    @property
    def all(self) -> list[Problem]:
        return [*self.uncounted, *self.counted]


def refuses(*refusals: Refusal) -> Callable[[Handler], Handler]:
    """Declare what the service that a view's method calls may refuse."""

    def declare(handler: Handler) -> Handler:
        handler.refusals = (*declared(handler), *refusals)  # type: ignore[attr-defined]
        return handler

    return declare


def declared(what: object) -> tuple[Refusal, ...]:
    """What a handler, or whatever asks before it, names as its refusals."""
    found: tuple[Refusal, ...] = getattr(what, "refusals", ())
    return found


def refusals_of(
    view: APIView, method: str, *, has_path_parameters: bool, invalid: exceptions.ValidationError
) -> Refusals:
    """Everything that `method` of `view` may refuse; `invalid` is an example of what its values may be refused with."""
    before = [*view.authentication_classes, *view.permission_classes]
    uncounted: list[Refusal] = [refusal for asked in before for refusal in declared(asked)]
    if view.content_negotiation_class is APIView.content_negotiation_class:
        uncounted.append(exceptions.NotAcceptable())
    if has_path_parameters:
        uncounted.append(Http404())
    # A call that takes no body reads it too: see mymoolah/common/inputs.py.
    counted: list[Refusal] = [invalid, exceptions.UnsupportedMediaType("text/plain"), BodyTooLarge(), Unavailable]
    if view.throttle_classes:
        counted.append(exceptions.Throttled(wait=WAIT_SECONDS))
    counted += declared(getattr(view, method.lower()))
    return Refusals(uncounted=problems(uncounted), counted=problems(counted))


def anywhere() -> list[Problem]:
    """What any address may answer, be it a call or not."""
    return [*problems([Http404(), exceptions.MethodNotAllowed("PUT")]), BAD_REQUEST, LENGTH_REQUIRED, INTERNAL_ERROR]


def problems(refusals: Iterable[Refusal]) -> list[Problem]:
    """The problem that each refusal is told as; an error's class stands for an example of it."""
    found = [problem_of(one(**one.example) if isinstance(one, type) else one) for one in refusals]
    assert None not in found
    return [one for one in found if one is not None]
