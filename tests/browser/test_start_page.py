"""The first page on a screen: charts that are drawn, and figures for who cannot see them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Literal

import pytest
from playwright.sync_api import expect

from mymoolah.common.clock import business_day, now
from reporting.days import take_days
from tests.back_office.house import PASSWORD, Furnished, colleague
from tests.browser.chromium import what_sticks_out
from tests.browser.conftest import Visitor

# Whether anything but nothing was painted on each chart.
PAINTED = """
[...document.querySelectorAll('canvas')].map(one =>
    one.getContext('2d').getImageData(0, 0, one.width, one.height).data.some(value => value > 0))
"""


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
def test_an_auditor_looks_at_charts_and_reads_their_figures(
    house: Furnished, visit: Callable[..., Visitor], width: int, scheme: Literal["light", "dark"]
) -> None:
    take_days(now=now(), again_from=business_day(now()) - dt.timedelta(days=3))
    colleague("auditor")
    visitor = visit(width=width, scheme=scheme)
    visitor.signs_in("auditor@example.com", PASSWORD)
    page = visitor.page
    assert page.evaluate(PAINTED) == [True, True, True, True]  # vouchers are worth nothing yet
    assert what_sticks_out(page) == []

    money = page.get_by_role("region", name="Into and out of customers' wallets, ZAR", exact=True)
    expect(money).to_contain_text("so far: 552.50 ZAR came in")
    money.get_by_text("The figures").click()
    expect(money.get_by_role("row").nth(1)).to_contain_text("552.50 ZAR")
    expect(page.get_by_role("region", name="Health")).to_contain_text("holds, verified")
