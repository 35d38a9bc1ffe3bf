from django.urls import path, register_converter

from transactions import api, statement_api


class EntryId:
    """`<wallet number>-<sequence>`, a sequence that fits a bigint."""

    regex = "[1-9][0-9]{9}-[1-9][0-9]{0,17}"

    def to_python(self, value: str) -> str:
        return value

    to_url = to_python


register_converter(EntryId, "entry_id")

urlpatterns = [
    path("statements", statement_api.StatementView.as_view()),
    path("transactions", api.TransactionsView.as_view()),
    path("transactions/<entry_id:entry_id>", api.TransactionView.as_view()),
    path("transfers", api.TransfersView.as_view()),
    path("transfers/preview", api.PreviewView.as_view()),
    path("transfers/<uuid:transfer_id>", api.TransferView.as_view()),
]
