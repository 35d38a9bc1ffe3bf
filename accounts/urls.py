from django.urls import path

from accounts import api

urlpatterns = [
    path("auth/token", api.TokenView.as_view()),
    path("auth/token/refresh", api.RefreshView.as_view()),
    path("auth/logout", api.LogoutView.as_view()),
    path("me", api.MeView.as_view()),
]
