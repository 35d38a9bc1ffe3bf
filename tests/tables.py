"""What stands in the tables: to see that nothing changed, and to let time pass."""

from __future__ import annotations

from django.db import connections

from tests.conftest import Sql


def digests(*, but: str = "") -> dict[str, str]:
    """One digest for each table, of all its rows whatever their order; `but` names one to leave out."""
    with connections["owner"].cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename")
        names = [name for (name,) in cursor.fetchall() if name != but]
        cursor.execute(
            " UNION ALL ".join(
                f"SELECT '{name}', count(*) || ' ' || coalesce(sum(hashtextextended(t::text, 0)), 0) FROM {name} AS t"  # noqa: S608 - our own tables
                for name in names
            )
        )
        return dict(cursor.fetchall())


def age(admin_sql: Sql, *, days: int) -> None:
    """Let `days` pass at once: everything that happened, or was promised, moves as far into the past.

    Nobody's clock is faked: services and the database read their own, and find older rows.
    """
    columns = admin_sql(
        """
        SELECT c.table_name, string_agg(format('%%1$I = %%1$I - %%2$L::interval', c.column_name, %s::text), ', ')
        FROM information_schema.columns AS c
        WHERE
            c.table_schema = 'public'
            AND c.data_type IN ('date', 'timestamp with time zone')
            AND c.table_name = ANY(%s)
        GROUP BY c.table_name
        """,
        f"{days} days",
        AGEING,
    )
    admin_sql("BEGIN")
    for table, changes in columns:
        admin_sql(f"UPDATE {table} SET {changes}")  # noqa: S608 - names from the catalogue
    admin_sql("COMMIT")


AGEING = [
    "wallets",
    "holds",
    "transfers",
    "transactions",
    "vouchers",
    "voucher_redemptions",
    "till_events",
    "suspense_items",
    "receivables",
    "receivable_collections",
    "idempotency_keys",
    "audit_events",
]
