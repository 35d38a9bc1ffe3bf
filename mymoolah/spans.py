"""What OpenTelemetry is told: requests by route and statements by text, without values, paths, addresses or words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from django.conf import settings
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.django import DjangoInstrumentor
from opentelemetry.instrumentation.psycopg import PsycopgInstrumentor
from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExportResult
from opentelemetry.trace import Status

# By their older and their newer names. Of statements it is the text with its placeholders.
TOLD: Final = {
    "http.method",
    "http.request.method",
    "http.route",
    "http.status_code",
    "http.response.status_code",
    "db.system",
    "db.system.name",
    "db.statement",
    "db.query.text",
}


class DiscreetExporter(OTLPSpanExporter):
    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        return super().export([discreet(span) for span in spans])


def discreet(span: ReadableSpan) -> ReadableSpan:
    """The span without what could name somebody: paths, queries, addresses, and the words of errors."""
    return ReadableSpan(
        name=span.name,
        context=span.context,
        parent=span.parent,
        resource=span.resource,
        attributes={name: value for name, value in (span.attributes or {}).items() if name in TOLD},
        kind=span.kind,
        status=Status(span.status.status_code),
        start_time=span.start_time,
        end_time=span.end_time,
        instrumentation_scope=span.instrumentation_scope,
    )


def start() -> None:
    provider = TracerProvider(resource=Resource.create({SERVICE_NAME: "mymoolah"}))
    provider.add_span_processor(BatchSpanProcessor(DiscreetExporter()))
    # Behind our own first two: a request has its id, and is counted, whatever becomes of its trace.
    behind = settings.MIDDLEWARE.index("mymoolah.common.access_log.AccessLog") + 1
    DjangoInstrumentor().instrument(tracer_provider=provider, middleware_position=behind)
    PsycopgInstrumentor().instrument(tracer_provider=provider)
