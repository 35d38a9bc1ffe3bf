from django.apps import AppConfig


class CommonConfig(AppConfig):
    name = "mymoolah.common"
    label = "common"

    def ready(self) -> None:
        # The schema learns how to sign in by importing the one, tasks are logged by importing the other.
        from mymoolah.common import openapi, task_log  # noqa: F401
