"""The customers' door to what is read at a glance."""

from __future__ import annotations

from django.http import HttpResponse
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.request import Request

from accounts.authentication import principal
from mymoolah.common import conditional
from mymoolah.common.inputs import StrictView
from mymoolah.common.refusals import refuses
from reporting import selectors
from reporting.examples import DASHBOARD
from reporting.selectors import UnknownCustomer
from reporting.serializers import DashboardOutput


@extend_schema(tags=["wallets"])
class DashboardView(StrictView):
    @extend_schema(
        operation_id="get_dashboard",
        responses={200: DashboardOutput, **conditional.NOT_MODIFIED},
        parameters=conditional.PARAMETERS,
        examples=[OpenApiExample("Thandi's day", DASHBOARD, response_only=True)],
    )
    @refuses(UnknownCustomer, conditional.PreconditionFailed)
    def get(self, request: Request) -> HttpResponse:
        """Show wallets, lifetime totals, vouchers and the five newest transactions."""
        owner = principal(request).public_id
        text = selectors.kept_dashboard(user_public_id=owner)
        all_but_the_time, _, _ = text.rpartition(b'"as_of"')  # which stands last
        return conditional.answer_text(request, text, tagged=all_but_the_time, owner=owner)
