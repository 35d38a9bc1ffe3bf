from django.urls import path

from reporting import api

urlpatterns = [path("dashboard", api.DashboardView.as_view())]
