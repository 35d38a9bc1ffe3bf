from django.apps import AppConfig


class VouchersConfig(AppConfig):
    name = "vouchers"

    def ready(self) -> None:
        from transactions.proposals import commands
        from vouchers import proposals

        commands.register(proposals.COMMANDS)
