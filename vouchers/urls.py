from django.urls import path

from vouchers import api

urlpatterns = [
    path("vouchers", api.VouchersView.as_view()),
    path("vouchers/redeem", api.RedeemView.as_view()),
    path("vouchers/<uuid:voucher_id>", api.VoucherView.as_view()),
    path("vouchers/<uuid:voucher_id>/cancel", api.CancelView.as_view()),
]
