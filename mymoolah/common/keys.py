"""Secrets: their form, and how development gets its own."""

from __future__ import annotations

import base64
import json
import os
import secrets
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured


def random_key() -> str:
    """32 random bytes, URL-safe base64."""
    return base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()


@dataclass(frozen=True, kw_only=True)
class KeyRing:
    """Every secret of one installation. Where several stand, comma-separated, the first is current."""

    secret_key: str
    encryption_keys: str  # <id>:<32 bytes, base64>
    blind_index_key: str
    signing_keys: str  # <key id>:<Ed25519 private seed, base64>
    easypay_secret: str

    @classmethod
    def generate(cls) -> KeyRing:
        return cls(
            secret_key=secrets.token_urlsafe(50),
            encryption_keys=f"1:{random_key()}",
            blind_index_key=random_key(),
            signing_keys=f"k{secrets.token_hex(4)}:{random_key()}",
            easypay_secret=secrets.token_urlsafe(32),
        )


KEY_BYTES = 32
SHORTEST_SECRET = 16  # characters: no machine guesses 96 random bits


def require_key(name: str, written: str, *, has_id: bool) -> None:
    """Refuse what is no key, before the first customer is refused for it.

    :raises ImproperlyConfigured: not 32 bytes in URL-safe base64, or without the id that it needs; never with the key
    """
    key_id, separator, body = written.partition(":") if has_id else ("-", ":", written)
    try:
        key = base64.b64decode(body, altchars=b"-_", validate=True)
    except ValueError:
        key = b""
    if len(key) != KEY_BYTES or not key_id or not separator:
        form = "<id>:<32 bytes in URL-safe base64>" if has_id else "32 bytes in URL-safe base64"
        raise ImproperlyConfigured(f"{name} must be {form}: `manage.py generate_secrets` makes one.")


def require_secret(name: str, written: str) -> None:
    """:raises ImproperlyConfigured: it is too short to be one"""
    if len(written) < SHORTEST_SECRET:
        raise ImproperlyConfigured(f"{name} must have {SHORTEST_SECRET} characters at least.")


def development_keys(data_dir: Path) -> KeyRing:
    """The keys of this data folder, made at the first call; the file is readable by its owner only.

    :raises ImproperlyConfigured: the folder cannot be used, or the file is damaged
    """
    path = data_dir / "secrets.json"
    try:
        return _read_or_make(path)
    except OSError as error:
        raise ImproperlyConfigured(f"The data folder {data_dir} cannot be used: {error}.") from error
    except (ValueError, TypeError) as error:
        what_is_lost = "What was encrypted with its keys is lost, should you remove it"
        raise ImproperlyConfigured(f"{path} is damaged. {what_is_lost}.") from error


def _read_or_make(path: Path) -> KeyRing:
    data_dir = path.parent
    if not path.exists():
        data_dir.mkdir(parents=True, exist_ok=True)
        descriptor, draft = tempfile.mkstemp(dir=data_dir)  # mode 0600
        with os.fdopen(descriptor, "w") as file:
            json.dump(asdict(KeyRing.generate()), file)
        try:
            os.link(draft, path)  # atomic: of two processes that start at once, the second keeps the first one's keys
        except FileExistsError:
            pass
        finally:
            Path(draft).unlink()
    return KeyRing(**json.loads(path.read_text()))
