from django.apps import AppConfig


class CommonConfig(AppConfig):
    name = "mymoolah.common"
    label = "common"

    def ready(self) -> None:
        from mymoolah.common import openapi  # noqa: F401 - the schema learns how to sign in by importing this
