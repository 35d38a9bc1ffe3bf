"""What customers may send: what a call declares, and nothing else. What is mistyped is refused, not left out.

A call declares to `@extend_schema` what it takes, so the API's description and its checks cannot differ.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, cast

from django.http import QueryDict
from drf_spectacular.extensions import OpenApiSerializerExtension
from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.views import APIView

# Names that nobody knows are told back, as far as they help: they are as long and as many as somebody likes.
TOLD_NAMES_MAX = 10
TOLD_NAME_CHARACTERS = 64


# A comment and no docstring, which the API's description would show of every body.
# A body in which a field that is not known is refused: `amuont` would else redeem all of a voucher.
class Input(serializers.Serializer[Any]):
    def to_internal_value(self, data: Any) -> Any:
        errors: dict[str, Any] = _told(
            data.keys() - self.fields.keys(), "unknown_field", "This call has no such field."
        )
        values = None
        try:
            values = super().to_internal_value(data)
        except serializers.ValidationError as error:
            errors |= cast("dict[str, Any]", error.detail)
        if errors:
            raise serializers.ValidationError(errors)
        return values


class InputExtension(OpenApiSerializerExtension):  # type: ignore[no-untyped-call]
    target_class = Input
    match_subclasses = True

    def map_serializer(self, auto_schema: Any, direction: Any) -> Any:
        return {
            **auto_schema._map_serializer(self.target, direction, bypass_extensions=True),  # noqa: SLF001 - as its own do
            "additionalProperties": False,
        }


class StrictView(APIView):
    """A call that refuses parameters and fields it has not declared, once it is clear that its caller may call it."""

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        declared = self._declared()
        if declared is None:
            return
        parameters = {one.name for one in declared.get_override_parameters() if one.location == OpenApiParameter.QUERY}
        wrong = wrong_parameters(request.query_params, known=parameters)
        if wrong:
            raise serializers.ValidationError(wrong)
        takes_body = request.method in {"POST", "PUT", "PATCH"} and declared.get_request_serializer() is not None
        if not takes_body:
            Input(data=request.data).is_valid(raise_exception=True)

    def _declared(self) -> Any:
        """What `@extend_schema` was told of this call; None of one that nobody wrote, such as OPTIONS."""
        handler = getattr(self, str(self.request.method).lower(), None)
        schema_class = getattr(handler, "kwargs", {}).get("schema")
        if schema_class is None:
            return None
        schema = schema_class()
        schema.view, schema.method = self, self.request.method
        return schema


def wrong_parameters(given: QueryDict, *, known: set[str]) -> dict[str, list[serializers.ErrorDetail]]:
    """What is wrong with the parameters of a request: those not `known`, and those that stand there twice."""
    unknown = _told(given.keys() - known, "unknown_parameter", "This call has no such parameter.")
    twice = {name for name, values in given.lists() if len(values) > 1 and name in known}
    return {**unknown, **_told(twice, "given_twice", "Give this once.")}


def _told(names: Iterable[str], code: str, detail: str) -> dict[str, list[serializers.ErrorDetail]]:
    return {
        name[:TOLD_NAME_CHARACTERS]: [serializers.ErrorDetail(detail, code)] for name in sorted(names)[:TOLD_NAMES_MAX]
    }
