from django.apps import AppConfig


class CommonConfig(AppConfig):
    name = "mymoolah.common"
    label = "common"

    def ready(self) -> None:
        from django.conf import settings

        # The schema learns how to sign in by importing the one, tasks are logged by importing the other.
        from mymoolah.common import openapi, query_log, task_log  # noqa: F401

        if settings.QUERY_LOG_ENABLE:
            query_log.listen()
