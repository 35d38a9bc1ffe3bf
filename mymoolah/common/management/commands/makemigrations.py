"""`makemigrations`, which sees views and triggers too."""

from __future__ import annotations

from django.core.management.commands.makemigrations import Command as MakeMigrations

from mymoolah.common.migrating import Autodetector


class Command(MakeMigrations):
    autodetector = Autodetector
