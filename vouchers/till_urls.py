from django.urls import path

from vouchers import till_api

urlpatterns = [path("callbacks/easypay/payments", till_api.EasyPayPaymentsView.as_view())]
