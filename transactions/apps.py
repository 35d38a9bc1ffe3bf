from django.apps import AppConfig


class TransactionsConfig(AppConfig):
    name = "transactions"

    def ready(self) -> None:
        from transactions.proposals import catalogue, commands

        commands.register(catalogue.LEDGER)
