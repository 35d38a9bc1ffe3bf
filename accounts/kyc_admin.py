"""What staff see of a customer's documents: one at a time, each look written down."""

from __future__ import annotations

import uuid

from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from accounts import kyc
from accounts.kyc_documents import JPEG, PDF
from accounts.staff_session import staff_origin
from mymoolah.common.admin import require
from mymoolah.common.errors import DomainError

# Nothing in it runs, loads or sends anything, should a browser take it for more than a picture.
SANDBOX = "sandbox; default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'"
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": SANDBOX,
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}


@require_GET
def document(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    """Show a picture, or hand out a PDF, which is a program of its own to whatever shows it."""
    require(request, "accounts.view_kycdocument")
    try:
        shown = kyc.show_document(public_id=public_id, origin=staff_origin(request))
    except kyc.DocumentNotFound as error:
        raise Http404 from error
    placing = f'attachment; filename="{public_id}.pdf"' if shown.content_type == PDF else "inline"
    return HttpResponse(
        shown.content,
        content_type=shown.content_type,
        headers={**HEADERS, "Content-Disposition": placing},
    )


@require_GET
def page(request: HttpRequest, public_id: uuid.UUID, number: int) -> HttpResponse:
    """Show a page of a PDF as a picture, and say how many pages there are."""
    require(request, "accounts.view_kycdocument")
    try:
        drawn = kyc.show_page(public_id=public_id, number=number, origin=staff_origin(request))
    except kyc.DocumentNotFound as error:
        raise Http404 from error
    except DomainError as refusal:
        return HttpResponse(f"{refusal.title}.", status=refusal.status, content_type="text/plain; charset=utf-8")
    return HttpResponse(
        drawn.content,
        content_type=JPEG,
        headers={**HEADERS, "X-Pages-Shown": str(drawn.shown_count), "X-Pages": str(drawn.total_count)},
    )
