from django.apps import AppConfig


class TransactionsConfig(AppConfig):
    name = "transactions"
    verbose_name = "Money"

    def ready(self) -> None:
        from transactions.proposals import catalogue, commands

        commands.register(catalogue.LEDGER)
