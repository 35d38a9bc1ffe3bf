from __future__ import annotations

import pytest

from accounts.models import User


@pytest.fixture
def clerk(db: None) -> User:
    """Somebody who works here."""
    user = User(email="clerk@example.com", first_name="Kagiso", last_name="Dube", is_staff=True)
    user.set_password("a-good-long-passphrase")
    user.save()
    return user
