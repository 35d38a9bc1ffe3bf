"""Identifiers that may leave the bank."""

from __future__ import annotations

import os
import secrets
import time
import uuid


def uuid7(at_ms: int | None = None) -> uuid.UUID:
    """A UUID version 7 (RFC 9562, section 5.7): 48 bits of Unix milliseconds, then random bits."""
    milliseconds = time.time_ns() // 1_000_000 if at_ms is None else at_ms
    value = (milliseconds & (1 << 48) - 1) << 80 | int.from_bytes(os.urandom(10), "big")
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    return uuid.UUID(int=value)


def luhn_digit(digits: str) -> str:
    """The check digit that makes `digits` followed by it pass the Luhn test (ISO/IEC 7812-1, annex B)."""
    total = 0
    for position, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if position % 2 == 0 else 1)
        total += value - 9 if value > 9 else value
    return str(-total % 10)


def wallet_number() -> str:
    """Ten digits: random, the first not 0, the last a Luhn digit."""
    body = str(secrets.randbelow(900_000_000) + 100_000_000)
    return body + luhn_digit(body)
