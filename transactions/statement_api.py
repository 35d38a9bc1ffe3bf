"""The customers' door to statements."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from django.db import close_old_connections
from django.http import HttpResponse, StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

from accounts.authentication import principal
from mymoolah.common.clock import now
from mymoolah.common.inputs import StrictView
from mymoolah.common.problems import invalid
from mymoolah.common.refusals import refuses
from transactions.examples import STATEMENT
from transactions.filters import WALLET_SCHEMA, wallet_number, whole_period
from transactions.serializers import StatementOutput
from transactions.statement_files.as_csv import csv_chunks
from transactions.statement_files.as_json import json_chunks
from transactions.statement_files.as_pdf import StatementTooLong, pdf
from transactions.statements import SeveralWallets, Statement, get_statement
from wallets.services import WalletNotFound

Answer = HttpResponse | StreamingHttpResponse


class FormatDecides(DefaultContentNegotiation):
    """What is answered depends on `?format`; whatever `Accept` says is fine."""

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        first = next(iter(renderers))
        return first, first.media_type


@extend_schema(tags=["statements"])
class StatementView(StrictView):
    throttle_scope = "statements"  # a long one keeps a process busy for a second

    content_negotiation_class = FormatDecides

    @extend_schema(
        operation_id="get_statement",
        responses={
            (200, "application/json"): StatementOutput,
            (200, "text/csv"): OpenApiTypes.STR,
            (200, "application/pdf"): OpenApiTypes.BINARY,
        },
        examples=[OpenApiExample("March", STATEMENT, response_only=True, media_type="application/json")],
        parameters=[
            OpenApiParameter("from", OpenApiTypes.DATE, required=True, description="A Johannesburg date, included"),
            OpenApiParameter("to", OpenApiTypes.DATE, required=True, description="A Johannesburg date, included"),
            OpenApiParameter(
                "format", enum=["json", "csv", "pdf"], default="json", description="A PDF holds at most 3,000 entries"
            ),
            OpenApiParameter(
                "wallet",
                WALLET_SCHEMA,
                description="The number of one of one's wallets; may be left out by who has one",
            ),
        ],
    )
    @refuses(WalletNotFound, StatementTooLong)
    def get(self, request: Request) -> Answer:
        """Show what a wallet had, got and gave in a period."""
        file_format = request.query_params.get("format", "json")
        if file_format not in ANSWERS:
            raise invalid("format", "unknown_format", f"One of {', '.join(ANSWERS)}.")
        number, (from_day, to_day) = wallet_number(request), whole_period(request)
        try:
            statement = get_statement(
                user_public_id=principal(request).public_id, wallet_number=number, from_day=from_day, to_day=to_day
            )
        except SeveralWallets as error:
            raise invalid("wallet", error.code, f"{error.title}.") from error
        return ANSWERS[file_format](statement)


def _json(statement: Statement) -> Answer:
    return _whole_or_streamed(statement, json_chunks(statement), {"Content-Type": "application/json"})


def _csv(statement: Statement) -> Answer:
    headers = {"Content-Type": "text/csv; charset=utf-8", **_attached(statement, "csv")}
    return _whole_or_streamed(statement, csv_chunks(statement), headers)


def _pdf(statement: Statement) -> Answer:
    headers = {"Content-Type": "application/pdf", **_attached(statement, "pdf")}
    return HttpResponse(pdf(statement, made_at=now()), headers=headers)


def _attached(statement: Statement, extension: str) -> dict[str, str]:
    name = f"mymoolah-{statement.number}-{statement.from_day}-to-{statement.to_day}.{extension}"
    return {"Content-Disposition": f'attachment; filename="{name}"'}


def _whole_or_streamed(statement: Statement, chunks: Iterator[bytes], headers: Mapping[str, str]) -> Answer:
    """Most statements fit one page: those are whole, or a problem. A longer one never lies in memory as a whole."""
    if statement.is_one_page:
        return HttpResponse(b"".join(chunks), headers=headers)
    return StreamingHttpResponse(_between_pages(chunks), headers=headers)


def _between_pages(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Hold no connection of the database while a slow reader takes his time."""
    for chunk in chunks:
        close_old_connections()
        yield chunk


ANSWERS: Mapping[str, Callable[[Statement], Answer]] = {"json": _json, "csv": _csv, "pdf": _pdf}
