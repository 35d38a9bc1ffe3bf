"""Row history, kept by triggers of django-pghistory: what a row was before each change, whoever made it, raw SQL too.

A history row holds what stood there *before* an update or a delete; what came after is the next history row, or the
live one. So nothing has to be copied when a row begins, tables of millions cost nothing to fill, and the history of
a row that is older than its table is whole. Where a beginning is a decision (a fee, a role), it is kept as well.

Columns are named one by one: a new column is not kept until somebody says so. Secrets, and what somebody may ask us to
erase (names, contacts, identity numbers), are never named; that they changed is kept as a row with a label of its own.

A history row and an audit event of the same database transaction belong together. That needs no variable of a session,
which a pool would hand to somebody else, and says of raw SQL, too, when it came and under which role.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pghistory
import pgtrigger
from django.db import models
from pghistory.models import Event


class CurrentTransaction(models.Func):
    """The id of this database transaction, which grows for the life of a cluster (64 bits: never used again)."""

    template = "pg_current_xact_id()::text::bigint"
    output_field = models.BigIntegerField()


class SessionRole(models.Func):
    """Who is signed in to the database, also inside functions that run as their owner."""

    template = "session_user::text"
    output_field = models.CharField()


class RowHistory(Event):
    """One change of one row."""

    pgh_id = models.BigAutoField(primary_key=True)
    transaction_id = models.BigIntegerField(db_default=CurrentTransaction(), db_index=True)
    role = models.CharField(max_length=63, db_default=SessionRole())

    seen_with: str
    """The permission that shows these rows."""

    class Meta:
        abstract = True


def inserted(condition: pgtrigger.Condition | None = None) -> pghistory.InsertEvent:
    return pghistory.InsertEvent(condition=condition)


def updated() -> pghistory.UpdateEvent:
    """When one of the columns that are kept has changed."""
    return pghistory.UpdateEvent(row="OLD")


def deleted() -> pghistory.DeleteEvent:
    return pghistory.DeleteEvent()


def changed(label: str, *columns: str) -> pghistory.UpdateEvent:
    """Keep that one of `columns` changed, and not what it was."""
    return pghistory.UpdateEvent(label, row="OLD", condition=pgtrigger.AnyChange(*columns))


def history_of(
    model: type[models.Model],
    *trackers: pghistory.RowEvent,
    name: str,
    table: str,
    columns: Sequence[str],
    seen_with: str,
    app: str,
    indexes: Sequence[models.Index] = (),
    level: pgtrigger.Level = pgtrigger.Statement,
) -> Any:
    """Make the model, and with the next migration the table and triggers, of a table's history.

    :param level: `pgtrigger.Row` costs a statement nothing where its WHEN is false, and a bulk change more
    """
    return pghistory.create_event_model(
        model,
        *trackers,
        fields=list(columns),
        obj_field=pghistory.ObjForeignKey(related_name="+", db_index=True),
        context_field=None,  # type: ignore[arg-type]  # None is documented, and means none
        context_id_field=None,  # type: ignore[arg-type]
        base_model=RowHistory,
        model_name=name,
        app_label=app,
        attrs={"seen_with": seen_with},
        meta={"db_table": table, "default_permissions": (), "indexes": list(indexes)},
        abstract=False,
        level=level,
    )
