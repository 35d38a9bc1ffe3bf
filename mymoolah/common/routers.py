"""Which database role does what."""

from __future__ import annotations


class OwnerMigrates:
    """Only the `owner` connection changes the schema; everything else goes through the app's role."""

    def allow_migrate(self, db: str, app_label: str, **hints: object) -> bool:
        return db == "owner"

    def allow_relation(self, first: object, second: object, **hints: object) -> bool:
        return True  # both connections speak to the same database
