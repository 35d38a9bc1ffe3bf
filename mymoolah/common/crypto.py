"""Encryption of single fields and whole files, and blind indexes to find fields by.

AES-256-GCM (NIST SP 800-38D) under the current key of `ENCRYPTION_KEYS`; the stored text is `<key id>.<base64 of nonce,
ciphertext and tag>`, so that keys can be rotated. A blind index is HMAC-SHA256 under `BLIND_INDEX_KEY`.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
from functools import lru_cache

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings


@lru_cache(maxsize=8)
def _ciphers(keys: tuple[str, ...]) -> dict[str, AESGCM]:
    pairs = (key.partition(":") for key in keys)
    return {key_id: AESGCM(base64.urlsafe_b64decode(key)) for key_id, _, key in pairs}


def encrypt(text: str, *, context: str) -> str:
    """Hide `text`; `context` (a column's name, say) is authenticated, so a value cannot be moved elsewhere."""
    key_id, sealed = _seal(text.encode(), context)
    return f"{key_id}.{base64.urlsafe_b64encode(sealed).decode()}"


def decrypt(stored: str, *, context: str) -> str:
    """Undo `encrypt`.

    :raises KeyError: the key was retired
    :raises cryptography.exceptions.InvalidTag: the value was changed, or belongs to another context
    """
    key_id, _, body = stored.partition(".")
    return _open(key_id, base64.urlsafe_b64decode(body), context).decode()


def encrypt_bytes(content: bytes, *, context: str) -> bytes:
    """Hide a whole file, which has to fit into memory; `<key id>.` stands before it, and nothing is base64."""
    key_id, sealed = _seal(content, context)
    return key_id.encode() + b"." + sealed


def decrypt_bytes(stored: bytes, *, context: str) -> bytes:
    """Undo `encrypt_bytes`.

    :raises KeyError: the key was retired
    :raises cryptography.exceptions.InvalidTag: the file was changed, or belongs to another context
    """
    key_id, _, sealed = stored.partition(b".")
    return _open(key_id.decode(), sealed, context)


def _seal(content: bytes, context: str) -> tuple[str, bytes]:
    ciphers = _ciphers(tuple(settings.ENCRYPTION_KEYS))
    key_id = next(iter(ciphers))
    nonce = os.urandom(12)
    return key_id, nonce + ciphers[key_id].encrypt(nonce, content, context.encode())


def _open(key_id: str, sealed: bytes, context: str) -> bytes:
    return _ciphers(tuple(settings.ENCRYPTION_KEYS))[key_id].decrypt(sealed[:12], sealed[12:], context.encode())


def blind_index(text: str, *, context: str) -> bytes:
    """32 bytes by which an encrypted `text` can be looked up, and by nobody without the key."""
    return hmac.digest(base64.urlsafe_b64decode(settings.BLIND_INDEX_KEY), f"{context}:{text}".encode(), hashlib.sha256)
