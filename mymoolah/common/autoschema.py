"""How the schema names what is sent and answered: as whoever generates a client from it would."""

from __future__ import annotations

from typing import Any

from drf_spectacular.openapi import AutoSchema


class PlainNames(AutoSchema):
    """`WalletOutput` is a `Wallet` out there, and `TransferInput` a `TransferRequest`."""

    def get_serializer_name(self, serializer: Any, direction: Any) -> str:
        name: str = super().get_serializer_name(serializer, direction)
        return name.removesuffix("Output").removesuffix("Input")


def component(name: str) -> dict[str, str]:
    """The type of a parameter whose values have a name in the schema already, as in an answer."""
    return {"$ref": f"#/components/schemas/{name}"}
