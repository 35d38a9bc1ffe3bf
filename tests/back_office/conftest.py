from __future__ import annotations

import pytest

from tests.back_office.house import Furnished, furnish
from tests.conftest import Ledger, Person


@pytest.fixture
def house(ledger: Ledger, thandi: Person, sipho: Person) -> Furnished:
    return furnish(thandi, sipho)
