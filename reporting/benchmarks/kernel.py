"""What the posting kernel carries, beside pgbench's TPC-B on the same server, in databases of their own."""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from mymoolah.common import embedded
from reporting.benchmarks import scratch
from reporting.benchmarks.addresses import conninfo
from reporting.benchmarks.series import Options, Series, in_turns, ratio

CUSTOMERS = 20_000
TPCB_SCALE = 50
BATCH = 200
CLIENTS = (1, 8, 32)
LEDGER, TPCB = "mymoolah_benchmark", "mymoolah_benchmark_tpcb"

# One call posts one transfer, with every check a customer's transfer has. Customers' wallets have the ids
# :first to :first + CUSTOMERS - 1; no customer pays itself.
ONE = """\
\\set payer random(0, {last})
\\set distance random(1, {last})
SELECT * FROM post_transfers(
    ARRAY[ROW(
        gen_random_uuid(), 'transfer', {first} + cast(:payer AS bigint), {first} + (cast(:payer AS bigint) + :distance) % {customers}, 1.01, 'ZAR',
        'benchmark', NULL, NULL, NULL, true, 'send', true
    )::transfer_leg],
    'benchmark', gen_random_uuid()::text, '\\x00', NULL, NULL, NULL, NULL
);
"""
# One call posts BATCH transfers, between as many pairs of customers.
MANY = """\
\\set payer random(0, {last})
SELECT count(*) FROM post_transfers(
    ARRAY(
        SELECT ROW(
            gen_random_uuid(), 'transfer', {first} + (cast(:payer AS bigint) + 2 * i) % {customers},
            {first} + (cast(:payer AS bigint) + 2 * i + 1) % {customers}, 1.01, 'ZAR', 'benchmark', NULL, NULL, NULL, true, 'send', true
        )::transfer_leg
        FROM generate_series(1, {batch}) AS i
    ),
    'benchmark', gen_random_uuid()::text, '\\x00', NULL, NULL, NULL, NULL
);
"""
# Every customer pays the same house wallet, through one of its stripes.
HOT = """\
\\set payer random(0, {last})
SELECT * FROM post_transfers(
    ARRAY[ROW(
        gen_random_uuid(), 'voucher_issue', {first} + cast(:payer AS bigint),
        house_wallet('voucher_liability', 'ZAR', {stripe}), 1.01, 'ZAR', 'benchmark', NULL, NULL, NULL, true, 'send', false
    )::transfer_leg],
    'benchmark', gen_random_uuid()::text, '\\x00', NULL, NULL, NULL, NULL
);
"""
# What can be taken away and put back, to see what it costs: a table, and which of its constraints.
RULES = {
    "foreign keys of transfers": ("transfers", "contype = 'f' AND conname NOT LIKE '%reverses%'"),
    "foreign keys of entries": ("transactions", "contype = 'f'"),
    "key that ties heads to entries": ("wallets", "conname = 'wallets_head_is_an_entry'"),
    "CHECKs of entries": ("transactions", "contype = 'c'"),
    "CHECKs of wallets": ("wallets", "contype = 'c'"),
}
Say = Callable[[str], None]


def run(options: Options) -> dict[str, Any]:
    """Transfers a second: one a call beside TPC-B at 1, 8 and 32 clients; BATCH a call; a hot house wallet."""
    with databases(options.say) as (first, folder):
        scripts = {name: _script(folder, name, text, first) for name, text in (("one", ONE), ("many", MANY))}
        hot = _script(folder, "hot", HOT, first, stripe="cast(:payer AS bigint)")
        single = _script(folder, "single", HOT, first, stripe="0")
        results: dict[str, Any] = {}
        for clients in CLIENTS:
            for protocol in ("simple", "prepared"):
                series = in_turns(
                    {
                        "TPC-B": partial(_pgbench, TPCB, None, clients, options.seconds, protocol),
                        "kernel": partial(_pgbench, LEDGER, scripts["one"], clients, options.seconds, protocol),
                    },
                    options,
                    unit="per second",
                    what=f"{clients} clients, {protocol}: ",
                )
                results[f"{clients} clients, {protocol} protocol"] = _beside(series, "kernel", "TPC-B")
        series = in_turns(
            {
                f"{BATCH} a call": lambda: BATCH * _pgbench(LEDGER, scripts["many"], 1, options.seconds, "simple"),
                "one a call": partial(_pgbench, LEDGER, scripts["one"], 1, options.seconds, "simple"),
            },
            options,
            unit="transfers per second",
        )
        results["calls of many, 1 client"] = _beside(series, f"{BATCH} a call", "one a call")
        series = in_turns(
            {
                "one hot house wallet": partial(_pgbench, LEDGER, hot, 32, options.seconds, "simple"),
                "the same in one stripe": partial(_pgbench, LEDGER, single, 32, options.seconds, "simple"),
                "uniform": partial(_pgbench, LEDGER, scripts["one"], 32, options.seconds, "simple"),
            },
            options,
            unit="per second",
        )
        results["hot house wallet, 32 clients"] = _beside(series, "one hot house wallet", "uniform")
        results["the same without stripes, 32 clients"] = _beside(series, "the same in one stripe", "uniform")
    return results


def run_rules(options: Options) -> dict[str, Any]:
    """What each rule costs at 8 clients: transfers a second without it, beside those with all of them."""
    with databases(options.say) as (first, folder):
        script = _script(folder, "one", ONE, first)
        measure = partial(_pgbench, LEDGER, script, 8, options.seconds, "simple")
        results: dict[str, Any] = {}
        for rule, (table, which) in RULES.items():
            series = in_turns(
                {"without": partial(_without, table, which, measure), "with": measure},
                options,
                unit="per second",
                what=f"{rule}: ",
            )
            results[rule] = _beside(series, "without", "with")
    return results


def _without(table: str, which: str, measure: Callable[[], float]) -> float:
    with scratch.owner(LEDGER) as connection:
        constraints = connection.execute(
            sql.SQL(
                "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = {}::regclass AND {}"
            ).format(sql.Literal(table), sql.SQL(which))
        ).fetchall()
        for name, _ in constraints:
            connection.execute(
                sql.SQL("ALTER TABLE {} DROP CONSTRAINT {}").format(sql.Identifier(table), sql.Identifier(name))
            )
        try:
            return measure()
        finally:
            for name, definition in constraints:
                # NOT VALID: what was posted meanwhile obeys the rule as well; to look is not what is measured.
                text = definition if definition.endswith("NOT VALID") else f"{definition} NOT VALID"
                connection.execute(
                    sql.SQL("ALTER TABLE {} ADD CONSTRAINT {} {}").format(
                        sql.Identifier(table), sql.Identifier(name), sql.SQL(text)
                    )
                )


def _beside(series: dict[str, Series], first: str, second: str) -> dict[str, Any]:
    return {first: series[first], second: series[second], "ratio": ratio(series[first], series[second])}


# Databases ---------------------------------------------------------------------------------------------------------
@contextmanager
def databases(say: Say) -> Iterator[tuple[int, Path]]:
    """A ledger of CUSTOMERS rich customers and a TPC-B of TPCB_SCALE, dropped at the end.

    Yields the id of the first customer's wallet (the others follow it) and a folder for scripts.
    """
    with scratch.database(LEDGER), scratch.database(TPCB), tempfile.TemporaryDirectory() as folder:
        say(f"preparing TPC-B at scale {TPCB_SCALE}")
        _run_pgbench([*_address(TPCB, "owner"), "--initialize", "--quiet", f"--scale={TPCB_SCALE}"], TPCB, "owner")
        say(f"preparing {CUSTOMERS:,} customers")
        yield _prepare_ledger(), Path(folder)


def _prepare_ledger() -> int:
    with scratch.migrated(LEDGER), scratch.owner(LEDGER) as connection:
        connection.execute(
            """
            INSERT INTO users (
                password, email, first_name, last_name, public_id, kyc_status, id_verified, kyc_tier, is_superuser
            )
            SELECT '!', format('bench%%s@example.com', i), 'Bench', 'Mark', gen_random_uuid(), 'verified', true, 2, false
            FROM generate_series(1, %s) AS i
            """,
            [CUSTOMERS],
        )
        connection.execute(
            """
            INSERT INTO wallets (number, user_id, kind, stripe, currency, status)
            SELECT (2000000000 + u.id)::text, u.id, 'customer', 0, 'ZAR', 'active' FROM users AS u ORDER BY u.id
            """
        )
        # The limits are checked but never reached: what is measured is a posting, not a refusal.
        connection.execute(
            """
            UPDATE tier_limits
            SET per_day_amount = 99999999, per_month_amount = 99999999, highest_balance = 99999999 WHERE tier = 2
            """
        )
        connection.execute(
            """
            SELECT count(*)
            FROM wallets AS w,
                LATERAL post_transfers(
                    ARRAY[ROW(
                        gen_random_uuid(), 'demo_money', house_wallet('adjustments', 'ZAR', w.id), w.id, 100000, 'ZAR',
                        '', NULL, NULL, NULL, false, NULL, false
                    )::transfer_leg],
                    NULL, NULL, NULL, NULL, NULL, NULL, NULL
                ) AS p
            WHERE w.kind = 'customer'
            """
        )
        connection.execute("VACUUM ANALYZE")
        row = connection.execute(
            "SELECT min(w.id), max(w.id) - min(w.id) + 1 FROM wallets AS w WHERE w.kind = 'customer'"
        ).fetchone()
    if row is None or row[1] != CUSTOMERS:
        raise RuntimeError("The customers' wallets must have ids in a row.")
    return int(row[0])


# pgbench -----------------------------------------------------------------------------------------------------------
def _script(folder: Path, name: str, text: str, first: int, stripe: str = "0") -> Path:
    path = folder / f"{name}.sql"
    script = text.format(first=first, last=CUSTOMERS - 1, customers=CUSTOMERS, batch=BATCH, stripe=stripe)
    # pgbench takes a command as a line.
    path.write_text(re.sub(r"\n(?!\\set|SELECT)", " ", script).strip() + "\n")
    return path


def _pgbench(database: str, script: Path | None, clients: int, seconds: int, protocol: str) -> float:
    """Calls a second, as the app for the ledger and as the owner for TPC-B."""
    alias = "owner" if script is None else "default"
    options = ["--no-vacuum", f"--client={clients}", "--jobs=2", f"--time={seconds}", f"--protocol={protocol}"]
    if script is not None:
        options.append(f"--file={script}")
    output = _run_pgbench([*_address(database, alias), *options], database, alias)
    found = re.search(r"tps = ([0-9.]+)", output)
    failed = re.search(r"number of failed transactions: ([0-9]+)", output)
    if found is None or (failed is not None and failed[1] != "0"):
        raise RuntimeError(f"pgbench failed:\n{output}")
    return float(found[1])


def _address(database: str, alias: str) -> list[str]:
    parts = conninfo_to_dict(conninfo(alias, database=database))
    options = [("host", "--host"), ("port", "--port"), ("user", "--username")]
    return [f"{option}={parts[key]}" for key, option in options if parts.get(key)]


def _run_pgbench(options: list[str], database: str, alias: str) -> str:
    password = conninfo_to_dict(conninfo(alias, database=database)).get("password") or ""
    done = subprocess.run(
        [embedded.pg_bin("pgbench"), *options, database],
        env={**os.environ, "PGPASSWORD": str(password)},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise RuntimeError(f"pgbench failed:\n{done.stdout}{done.stderr}")
    return done.stdout
