from django.urls import path, register_converter

from wallets import api, kyc_api


class WalletNumber:
    regex = "[1-9][0-9]{9}"

    def to_python(self, value: str) -> str:
        return value

    to_url = to_python


register_converter(WalletNumber, "wallet_number")

urlpatterns = [
    path("auth/register", api.RegisterView.as_view()),
    path("kyc", kyc_api.KycView.as_view()),
    path("kyc/submissions", kyc_api.SubmissionsView.as_view()),
    path("kyc/submissions/<uuid:submission_id>/documents", kyc_api.DocumentsView.as_view()),
    path("wallets", api.WalletsView.as_view()),
    path("wallets/<wallet_number:number>", api.WalletView.as_view()),
    path("wallets/<wallet_number:number>/freeze", api.FreezeView.as_view()),
]
