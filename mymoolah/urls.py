"""Where every address leads."""

from csp.decorators import csp_update
from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path
from django.views.generic import RedirectView
from drf_spectacular.views import SpectacularSwaggerSplitView

import accounts.kyc_desk_admin
import accounts.password_admin
import accounts.saved_views_admin
import accounts.second_factor_admin
import accounts.urls
import reporting.books_admin
import reporting.cache_admin
import reporting.customer_actions
import reporting.customer_page
import reporting.database_health_admin
import reporting.metrics
import reporting.support.customer_desk
import reporting.support.desk
import reporting.urls
import transactions.urls
import vouchers.till_urls
import vouchers.urls
import wallets.urls
from mymoolah import health
from mymoolah.schema import RedocView, SchemaView, redoc_script

api_v1: list[URLPattern | URLResolver] = [
    *accounts.urls.urlpatterns,
    *wallets.urls.urlpatterns,
    *transactions.urls.urlpatterns,
    *vouchers.urls.urlpatterns,
    *vouchers.till_urls.urlpatterns,
    *reporting.urls.urlpatterns,
]

urlpatterns: list[URLPattern | URLResolver] = [
    path("", RedirectView.as_view(url="/api/docs")),
    path("admin", RedirectView.as_view(url="/admin/")),
    path("healthz", health.healthz),
    path("readyz", health.readyz),
    path("metrics", reporting.metrics.metrics),
    path("api/v1/", include(api_v1)),
    path("api/schema", SchemaView.as_view(), name="schema"),
    path("api/docs", SpectacularSwaggerSplitView.as_view(url_name="schema", throttle_classes=()), name="docs"),
    # ReDoc searches in a worker that it makes itself.
    path("api/redoc", csp_update({"worker-src": ["'self'", "blob:"]})(RedocView.as_view()), name="redoc"),
    path("api/redoc.js", redoc_script, name="redoc_script"),
    path("admin/kyc/", include(accounts.kyc_desk_admin.urlpatterns)),
    path("admin/", include(accounts.password_admin.urlpatterns)),
    path("admin/second-factor/", include(accounts.second_factor_admin.urlpatterns)),
    path("admin/views/", include(accounts.saved_views_admin.urlpatterns)),
    # No model of ours has a page outside of the back-office, and Django's way there fails for tables that are not there.
    path("admin/r/<path:url>", admin.site.admin_view(admin.site.catch_all_view)),
    path("admin/books/", include(reporting.books_admin.urlpatterns)),
    path("admin/", include(reporting.customer_page.urlpatterns)),
    path("admin/", include(reporting.database_health_admin.urlpatterns)),
    path("admin/", include(reporting.cache_admin.urlpatterns)),
    path("admin/customers/", include(reporting.customer_actions.urlpatterns)),
    path("admin/customers/", include(reporting.support.customer_desk.urlpatterns)),
    path("admin/support/", include(reporting.support.desk.urlpatterns)),
    path("admin/", admin.site.urls),
]

handler400 = "accounts.refusal_pages.handle_400"
handler403 = "accounts.refusal_pages.handle_403"
handler404 = "accounts.refusal_pages.handle_404"
handler500 = "accounts.refusal_pages.handle_500"
