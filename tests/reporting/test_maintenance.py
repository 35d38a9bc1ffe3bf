"""Maintenance: one report of a period, whatever a section does, whoever asks at once; and who is mailed it."""

from __future__ import annotations

import datetime as dt
import json
import time
from collections.abc import Callable, Iterator
from io import StringIO
from typing import Any

import pytest
from django.conf import settings
from django.core import mail
from django.core.management import CommandError, call_command
from django.db import connection, connections

from mymoolah.common.clock import JOHANNESBURG
from mymoolah.common.errors import DomainError
from reporting import tasks
from reporting.maintenance import SECTIONS, Finding, Level, Occasion, Section, reports
from reporting.maintenance.mail import subject, text
from reporting.maintenance.reports import FAILED, LOCK_KEYS, Kind, MaintenanceUnderWay, Outcome, period_of, run
from reporting.models import MaintenanceReport
from tests.conftest import Ledger, Person, Sql, fund, refused
from tests.transactions.legs import beside

pytestmark = [pytest.mark.sql, pytest.mark.usefixtures("ledger")]

NOON = dt.datetime(2031, 5, 7, 12, tzinfo=dt.UTC)  # a Wednesday
DAY = dt.timedelta(days=1)
HERE = "database = (SELECT oid FROM pg_database WHERE datname = current_database())"


def calm(_: Occasion) -> Iterator[Finding]:
    yield Finding(level=Level.OK, title="Sea", found="is calm", facts={"waves": 1})


def storm(_: Occasion) -> Iterator[Finding]:
    yield Finding(level=Level.NOTICE, title="Wind", found="blows", advice="Reef.")
    yield Finding(level=Level.WARNING, title="Mast", found="is broken", advice="Row.")


CALM, STORM = Section(name="calm", title="Calm", look=calm), Section(name="storm", title="Storm", look=storm)


def titles(report: MaintenanceReport) -> list[tuple[str, str]]:
    return [(one["section"], one["title"]) for one in report.findings]


# As a whole ---------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("kind", list(Kind))
def test_every_section_of_a_bank_at_work_looks_and_none_fails(kind: Kind, thandi: Person, sipho: Person) -> None:
    fund(thandi, "100.00")
    report = run(kind, now=NOON).report
    assert report.failed == []
    assert {one["section"] for one in report.findings} == {one.name for one in SECTIONS[kind]} | {"mail"}
    assert all(one["found"] and one["title"] for one in report.findings)
    grave = [one for one in report.findings if one["level"] != Level.OK]
    assert all(one["advice"].endswith(".") for one in grave), "each says what to do"
    assert (report.warnings_count, report.notices_count) == tuple(
        sum(one["level"] == level for one in grave) for level in (Level.WARNING, Level.NOTICE)
    )


@pytest.mark.parametrize("kind", list(Kind))
def test_an_empty_bank_is_looked_at_too(kind: Kind) -> None:
    assert run(kind, now=NOON).report.failed == []


def test_no_customer_is_in_any_report_or_mail(thandi: Person, sipho: Person) -> None:
    fund(thandi, "100.00")
    for kind in Kind:
        told = text(run(kind, now=NOON).report) + json.dumps(MaintenanceReport.objects.latest("pk").findings)
        for who in (thandi, sipho):
            for private in (who.user.email, who.user.phone, who.user.last_name, who.wallet.number, who.user.public_id):
                assert str(private) not in told


# Once a period ------------------------------------------------------------------------------------------------------
def test_a_period_is_a_day_a_week_or_a_month_of_johannesburg() -> None:
    late = dt.datetime(2031, 5, 31, 23, 30, tzinfo=dt.UTC)  # half past one there, on Sunday the first
    assert [period_of(kind, now=late) for kind in Kind] == [
        dt.date(2031, 6, 1),
        dt.date(2031, 5, 26),
        dt.date(2031, 6, 1),
    ]
    assert period_of(Kind.WEEKLY, now=dt.datetime(2031, 6, 2, 0, 1, tzinfo=JOHANNESBURG)) == dt.date(2031, 6, 2)


def test_a_second_run_of_a_period_shows_the_first_report_and_adds_nothing() -> None:
    first = run(Kind.DAILY, now=NOON, sections=[CALM])
    second = run(Kind.DAILY, now=NOON + dt.timedelta(hours=3), sections=[STORM])
    assert (first.is_new, second.is_new, second.report) == (True, False, first.report)
    assert titles(second.report) == [("calm", "Sea"), ("mail", "Nobody")]
    assert run(Kind.DAILY, now=NOON + DAY, sections=[CALM]).is_new
    assert run(Kind.WEEKLY, now=NOON, sections=[CALM]).is_new, "another kind is another report"


def test_asked_for_again_another_report_is_added_and_the_first_stays() -> None:
    first = run(Kind.DAILY, now=NOON, sections=[STORM]).report
    again = run(Kind.DAILY, now=NOON, sections=[CALM], again=True).report
    assert (first.attempt, again.attempt) == (1, 2)
    assert titles(MaintenanceReport.objects.get(pk=first.pk))[0] == ("storm", "Wind")
    assert run(Kind.DAILY, now=NOON, sections=[STORM]).report == again, "the latest one is shown"


def test_of_four_at_once_one_makes_the_report(race: Callable[..., list[Any]]) -> None:
    answers = race(4, lambda: run(Kind.DAILY, now=NOON, sections=[CALM]))
    assert MaintenanceReport.objects.count() == 1
    assert {type(answer) for answer in answers} <= {Outcome, MaintenanceUnderWay}
    assert sum(isinstance(answer, Outcome) and answer.is_new for answer in answers) == 1


def test_while_somebody_is_at_it_nothing_is_done_and_other_kinds_go_on() -> None:
    with beside() as somebody:
        somebody.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK_KEYS[Kind.DAILY]])
        with pytest.raises(MaintenanceUnderWay):
            run(Kind.DAILY, now=NOON, sections=[CALM])
        tasks.maintenance_daily.apply(throw=True)
        with pytest.raises(CommandError, match="nothing was done"):
            call_command("maintenance", "daily")
        assert run(Kind.WEEKLY, now=NOON, sections=[CALM]).is_new
    assert not MaintenanceReport.objects.filter(kind=Kind.DAILY).exists()
    assert run(Kind.DAILY, now=NOON, sections=[CALM]).is_new


def test_the_lock_is_held_while_a_section_looks_and_given_back_after(app_sql: Sql) -> None:
    locks = f"SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = %s AND {HERE}"  # noqa: S608
    seen = []

    def look(_: Occasion) -> Iterator[Finding]:
        seen.append(app_sql(locks, LOCK_KEYS[Kind.DAILY]))
        yield from ()

    run(Kind.DAILY, now=NOON, sections=[Section(name="look", title="Look", look=look)])
    assert (seen, app_sql(locks, LOCK_KEYS[Kind.DAILY])) == ([[(1,)]], [(0,)])


def test_the_lock_outlasts_a_section_that_takes_longer_than_a_transaction_may_idle(
    admin_sql: Sql, ledger: Ledger
) -> None:
    """A day of it is tried in half a second."""
    limit = "SET idle_in_transaction_session_timeout = '100ms'"
    admin_sql(f"ALTER ROLE {settings.DATABASE_APP_ROLE} IN DATABASE {ledger.name} {limit}")

    def look(_: Occasion) -> Iterator[Finding]:
        time.sleep(0.5)
        with pytest.raises(MaintenanceUnderWay):
            run(Kind.DAILY, now=NOON, sections=[CALM])
        yield Finding(level=Level.OK, title="Depth", found="is known")

    assert run(Kind.DAILY, now=NOON, sections=[Section(name="deep", title="Deep", look=look)]).report.failed == []


def test_a_run_that_was_killed_leaves_no_report_and_no_lock() -> None:
    def is_killed(_: Occasion) -> Iterator[Finding]:
        yield Finding(level=Level.OK, title="Hull", found="was tight")
        raise SystemExit

    with pytest.raises(SystemExit):
        run(Kind.DAILY, now=NOON, sections=[CALM, Section(name="dies", title="Dies", look=is_killed)])
    assert not MaintenanceReport.objects.exists()
    assert run(Kind.DAILY, now=NOON, sections=[CALM]).is_new


def test_a_report_is_kept_although_the_lock_was_lost_on_the_way(admin_sql: Sql) -> None:
    """As when PostgreSQL is restarted meanwhile."""

    def look(_: Occasion) -> Iterator[Finding]:
        lock = f"SELECT pg_terminate_backend(pid) FROM pg_locks WHERE objid = %s AND {HERE}"  # noqa: S608
        admin_sql(lock, LOCK_KEYS[Kind.DAILY])
        yield Finding(level=Level.OK, title="Depth", found="is known")

    assert run(Kind.DAILY, now=NOON, sections=[Section(name="deep", title="Deep", look=look)]).is_new
    assert not run(Kind.DAILY, now=NOON, sections=[CALM]).is_new


# A section that fails -----------------------------------------------------------------------------------------------
def test_a_section_that_fails_keeps_what_it_found_and_none_of_the_others_back(caplog: pytest.LogCaptureFixture) -> None:
    def sinks(_: Occasion) -> Iterator[Finding]:
        yield Finding(level=Level.OK, title="Hull", found="was tight")
        with connection.cursor() as cursor:
            cursor.execute("SELECT 'thandi@example.com'::bigint")

    report = run(Kind.DAILY, now=NOON, sections=[Section(name="sinks", title="Sinks", look=sinks), CALM]).report
    assert report.failed == ["sinks"]
    assert titles(report) == [("sinks", "Hull"), ("sinks", FAILED), ("calm", "Sea"), ("mail", "Nobody")]
    failed = report.findings[1]
    assert (failed["level"], failed["found"].split(";")[0]) == (Level.WARNING, "DataError (22P02)")
    assert "thandi" not in text(report), "an error's own words may hold somebody's values"
    assert "The section sinks of maintenance failed" in caplog.text


def test_a_refusal_is_told_by_its_code() -> None:
    class Away(DomainError):
        code, status, title = "away", 503, "Away"

    def look(_: Occasion) -> Iterator[Finding]:
        raise Away

    report = run(Kind.DAILY, now=NOON, sections=[Section(name="look", title="Look", look=look)]).report
    assert report.findings[0]["found"].startswith("Away (away)")


def test_the_command_exits_1_if_a_section_could_not_look(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(_: Occasion) -> Iterator[Finding]:
        raise ValueError

    sections = [STORM, Section(name="fails", title="Fails", look=fails)]
    monkeypatch.setattr(reports, "SECTIONS", {**SECTIONS, Kind.DAILY: sections})
    output = StringIO()
    with pytest.raises(CommandError, match="Could not look: fails"):
        call_command("maintenance", "daily", stdout=output)
    assert "Mast: is broken" in output.getvalue()


# The command ----------------------------------------------------------------------------------------------------------
def test_the_command_tells_what_was_found_and_warnings_are_no_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reports, "SECTIONS", {**SECTIONS, Kind.DAILY: [STORM]})
    output = StringIO()
    call_command("maintenance", "daily", stdout=output, no_color=True)
    first = output.getvalue()
    assert "  warning  Mast: is broken\n           → Row.\n" in first
    assert "1 warning, 1 notice" in first
    call_command("maintenance", "daily", stdout=output, no_color=True)
    assert "There is a report of" in output.getvalue().removeprefix(first)
    quiet = StringIO()
    call_command("maintenance", "daily", verbosity=0, stdout=quiet)
    assert quiet.getvalue() == ""


def test_the_command_speaks_json(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reports, "SECTIONS", {**SECTIONS, Kind.WEEKLY: [STORM]})

    def answer(*options: str) -> dict[str, Any]:
        output = StringIO()
        call_command("maintenance", "weekly", "--json", *options, stdout=output)
        found: dict[str, Any] = json.loads(output.getvalue())
        return found

    first, second, third = answer(), answer(), answer("--again")
    assert [(one["is_new"], one["attempt"]) for one in (first, second, third)] == [(True, 1), (False, 1), (True, 2)]
    assert (first["warnings"], first["notices"], first["failed"]) == (1, 1, [])
    assert first["findings"][0] == {
        "section": "storm",
        "section_title": "Storm",
        "level": "notice",
        "title": "Wind",
        "found": "blows",
        "advice": "Reef.",
        "facts": {},
    }


# Beat ---------------------------------------------------------------------------------------------------------------
def test_beat_asks_for_each_kind_in_the_morning_and_twice_makes_one() -> None:
    schedule: Any = settings.CELERY_BEAT_SCHEDULE
    for kind, task in (
        (Kind.DAILY, tasks.maintenance_daily),
        (Kind.WEEKLY, tasks.maintenance_weekly),
        (Kind.MONTHLY, tasks.maintenance_monthly),
    ):
        assert schedule[f"maintenance-{kind}"]["task"] == task.name
        assert (task.soft_time_limit or 0) < (task.time_limit or 0)
        task.apply(throw=True)
        task.apply(throw=True)
        assert MaintenanceReport.objects.filter(kind=kind).count() == 1
    daily, weekly, monthly = (schedule[f"maintenance-{kind}"]["schedule"] for kind in Kind)
    assert (daily.hour, daily.minute) == (set(range(5, 12)), {0})
    assert (weekly.day_of_week, weekly.hour, weekly.minute) == ({1}, set(range(5, 12)), {30})
    assert (monthly.day_of_month, monthly.hour, monthly.minute) == ({1}, set(range(6, 12)), {0})


# Kept ---------------------------------------------------------------------------------------------------------------
def test_the_app_adds_reports_and_changes_none(app_sql: Sql) -> None:
    run(Kind.DAILY, now=NOON, sections=[CALM])
    for statement in ("UPDATE maintenance_reports SET attempt = 9", "DELETE FROM maintenance_reports"):
        with refused("42501"):
            app_sql(statement)


def test_the_database_knows_one_first_report_of_a_period() -> None:
    first = run(Kind.DAILY, now=NOON, sections=[CALM]).report
    first.pk = None
    with refused("23505"):
        first.save(force_insert=True)


def test_a_section_reads_the_facts_of_its_last_report_and_of_no_other() -> None:
    seen: list[Occasion] = []

    def look(occasion: Occasion) -> Iterator[Finding]:
        seen.append(occasion)
        yield Finding(level=Level.OK, title="Depth", found="is known", facts={"metres": len(seen)})

    deep = Section(name="deep", title="Deep", look=look)
    run(Kind.DAILY, now=NOON, sections=[deep, CALM])
    run(Kind.WEEKLY, now=NOON, sections=[deep])
    run(Kind.DAILY, now=NOON + DAY, sections=[deep])
    assert [(one.before("Depth"), one.before("Sea"), one.earlier_at) for one in seen] == [
        ({}, {}, None),
        ({}, {}, None),
        ({"metres": 1}, {}, NOON),
    ]


def test_a_section_that_failed_last_time_goes_on_from_the_time_before() -> None:
    seen: list[Occasion] = []

    def look(occasion: Occasion) -> Iterator[Finding]:
        seen.append(occasion)
        if len(seen) == 2:
            raise ValueError
        yield Finding(level=Level.OK, title="Depth", found="is known", facts={"metres": len(seen)})

    for day in range(3):
        run(Kind.DAILY, now=NOON + day * DAY, sections=[Section(name="deep", title="Deep", look=look)])
    assert (seen[2].before("Depth"), seen[2].earlier_at) == ({"metres": 1}, NOON)


# Mailed -------------------------------------------------------------------------------------------------------------
def test_operators_are_mailed_what_asks_for_something_first(worker_at_hand: None, settings: Any) -> None:
    settings.OPERATORS_MAIL = ["ofentse@example.com", "night@example.com"]
    report = run(Kind.DAILY, now=NOON, sections=[CALM, STORM]).report
    assert [message.to for message in mail.outbox] == [["ofentse@example.com"], ["night@example.com"]]
    body = str(mail.outbox[0].body)
    assert mail.outbox[0].subject == subject(report) == "MyMoolah: daily maintenance of 2031-05-07: 1 warning, 1 notice"
    assert body.startswith("WARNING  Storm: Mast: is broken\n         Row.\nNOTICE  Storm: Wind: blows\n")
    assert body.index("Wind: blows") < body.index("\nCalm\n") < body.index("Sea: is calm")
    assert report.findings[-1]["found"] == "for 2 addresses"
    run(Kind.DAILY, now=NOON, sections=[CALM])
    assert len(mail.outbox) == 2, "what is there already is not mailed again"


def test_where_nobody_is_named_nothing_is_sent_and_the_report_says_so(worker_at_hand: None) -> None:
    report = run(Kind.DAILY, now=NOON, sections=[CALM]).report
    assert mail.outbox == []
    assert "MYMOOLAH_OPERATORS_MAIL names nobody" in text(report)
    assert subject(report).endswith("nothing to do")


def test_a_report_is_kept_although_the_broker_is_away(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from celery import current_app

    settings.OPERATORS_MAIL = ["ofentse@example.com"]
    monkeypatch.setattr(current_app.conf, "broker_url", "redis+socket:///nowhere")
    monkeypatch.setattr(current_app.conf, "broker_write_url", "redis+socket:///nowhere", raising=False)
    assert run(Kind.DAILY, now=NOON, sections=[CALM]).is_new
    assert MaintenanceReport.objects.count() == 1


# ANALYZE ------------------------------------------------------------------------------------------------------------
def test_the_app_may_analyze_tables_of_the_bank_and_nothing_else(app_sql: Sql) -> None:
    app_sql("SELECT analyze_table('wallets')")
    for other in ("pg_authid", "nothing", "wallets; DROP TABLE users", "ix_wallets_user_status", "pg_catalog.pg_class"):
        with refused("42P01"):
            app_sql("SELECT analyze_table(%s)", other)
    assert connections["default"].settings_dict["USER"] == settings.DATABASE_APP_ROLE
