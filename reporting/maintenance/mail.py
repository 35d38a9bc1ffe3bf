"""The report as a mail to the operators.

A mail lies in boxes that the bank does not keep, so it holds what every finding holds and no more: figures, names of
tables, routes and checks, and of people the user names of colleagues, without which nobody could act on the security
review. No customer is in a report: sections count them, and the errors of sections are told by their kind alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from mymoolah.common import dispatch
from mymoolah.common.messages import Message
from reporting.database_health.words import counted
from reporting.maintenance.findings import Finding, Level
from reporting.models import MaintenanceReport


def told(to: Sequence[str]) -> Finding:
    """What a report says of its own mail, as it is written before that goes."""
    if not to:
        return Finding(
            level=Level.OK, title="Nobody", found="is mailed this report: MYMOOLAH_OPERATORS_MAIL names nobody"
        )
    return Finding(level=Level.OK, title="Handed over", found=f"for {counted(len(to), 'address', 'addresses')}")


def send(report: MaintenanceReport, *, to: Sequence[str]) -> None:
    """Have it sent by a worker to each of them, once the present transaction has committed."""
    for address in to:
        dispatch.send_notice("email", Message(to=address, subject=subject(report), text=text(report)))


def subject(report: MaintenanceReport) -> str:
    return f"MyMoolah: {report}: {verdict(report)}"


def verdict(report: MaintenanceReport) -> str:
    if not report.warnings_count and not report.notices_count:
        return "nothing to do"
    return f"{counted(report.warnings_count, 'warning')}, {counted(report.notices_count, 'notice')}"


def text(report: MaintenanceReport) -> str:
    """Whatever asks for something first, each with what to do; then all sections."""
    lines = []
    for level in (Level.WARNING, Level.NOTICE):
        for one in report.findings:
            if one["level"] == level:
                lines += [f"{level.upper()}  {one['section_title']}: {one['title']}: {one['found']}"]
                lines += [f"         {one['advice']}"] if one["advice"] else []
    for title, findings in groupby(report.findings, key=lambda one: one["section_title"]):
        lines += ["", title] + [f"  {one['level']:<7}  {one['title']}: {one['found']}" for one in findings]
    return "\n".join(lines).strip() + "\n"
