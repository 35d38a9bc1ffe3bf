from django.apps import AppConfig


class CommonConfig(AppConfig):
    name = "mymoolah.common"
    label = "common"
