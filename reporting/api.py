"""The customers' door to what is read at a glance."""

from __future__ import annotations

from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request

from accounts.authentication import principal
from mymoolah.common.inputs import StrictView
from reporting import selectors
from reporting.serializers import DashboardOutput


@extend_schema(tags=["wallets"])
class DashboardView(StrictView):
    @extend_schema(operation_id="get_dashboard", responses=DashboardOutput)
    def get(self, request: Request) -> HttpResponse:
        """Show wallets, lifetime totals, vouchers and the five newest transactions."""
        text = selectors.get_dashboard(user_public_id=principal(request).public_id)
        return HttpResponse(text, content_type="application/json")
