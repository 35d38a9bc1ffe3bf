"""SQL kept in files of its own, run by migrations and selectors."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor


@cache
def read(app: str, name: str) -> str:
    """The text of `<app>/sql/<name>`."""
    return (Path(settings.BASE_DIR) / app / "sql" / name).read_text()


class RunFile(migrations.RunSQL):
    """Run `<app>/sql/<name>` in a migration; `:"app_role"` in it stands for the role the web logs in as.

    The same file runs by `psql -v app_role=… -f`. An applied file is never edited: a change is a new file.
    """

    def __init__(self, app: str, name: str, *, reverse: str | None = None) -> None:
        self.app, self.name, self.reverse = app, name, reverse
        super().__init__(read(app, name), migrations.RunSQL.noop if reverse is None else reverse)

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        return "RunFile", [self.app, self.name], {"reverse": self.reverse}

    def _run_sql(self, schema_editor: BaseDatabaseSchemaEditor, sqls: Any) -> None:
        role = schema_editor.connection.ops.quote_name(settings.DATABASE_APP_ROLE)
        super()._run_sql(schema_editor, sqls.replace(':"app_role"', role))  # type: ignore[misc]
