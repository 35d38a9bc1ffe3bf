from django.urls import path

from accounts import api

urlpatterns = [
    path("auth/token", api.TokenView.as_view()),
    path("auth/token/refresh", api.RefreshView.as_view()),
    path("auth/logout", api.LogoutView.as_view()),
    path("auth/password/forgot", api.ForgotPasswordView.as_view()),
    path("auth/password/reset", api.ResetPasswordView.as_view()),
    path("auth/sessions", api.SessionsView.as_view()),
    path("auth/sessions/<uuid:session_id>", api.SessionView.as_view()),
    path("me", api.MeView.as_view()),
    path("me/contacts/verify", api.VerifyContactView.as_view()),
    path("me/contacts/confirm", api.ConfirmContactView.as_view()),
    path("me/password", api.PasswordView.as_view()),
]
