from django.apps import AppConfig


class VouchersConfig(AppConfig):
    name = "vouchers"
    verbose_name = "Vouchers and tills"

    def ready(self) -> None:
        from transactions.proposals import commands
        from vouchers import proposals

        commands.register(proposals.COMMANDS)
