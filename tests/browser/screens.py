"""Every screen of the back-office, found from its routes, and the role that is shown most of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.test import Client
from django.urls import reverse

from accounts.models import KycDocument, KycSubmission, User
from reporting.roles import ROLES
from tests.back_office.house import REGISTERED, Furnished, colleague, emergency, signed_in
from tests.test_matrix import ADMIN, NAMED, ROUTES
from transactions.proposals.commands import COMMANDS
from wallets.models import Wallet

# What a screen that varies is tried with; a route that needs a row here and has none fails the test.
TRIED_WITH: Final[Mapping[str, Callable[[Furnished], Iterable[str]]]] = {
    "/admin/{app_label}/": lambda _: [f"{ADMIN}{app}/" for app in sorted({one._meta.app_label for one in REGISTERED})],
    "/admin/kyc/cases/{public_id}": lambda _: [reverse("kyc_case", args=[case.public_id]) for case in waiting()],
    "/admin/transactions/proposal/propose/{name}/": lambda house: [
        reverse("admin:transactions_proposal_propose", args=[name]) + f"?wallet={wallet_of(house).number}"
        for name in COMMANDS
    ],
}
# States that have no route of their own.
BESIDES: Final = (
    "/admin/wallets/wallet/?q=nothing",
    "/admin/kyc/?waits_for=customer",
    "/admin/transactions/proposal/?waiting=me",
)
# What answers a GET, and is none of our screens.
NO_SCREEN: Final = {
    "/admin/r/{url}": "leads nowhere",
    "/admin/{url}": "tells that there is nothing",
    "/admin/kyc/documents/{public_id}": "a file",
    "/admin/kyc/documents/{public_id}/pages/{number}": "a picture",
    "/admin/autocomplete/": "JSON",
    "/admin/jsi18n/": "a script",
    "/admin/r/{content_type_id}/{object_id}/": "leads to a page of the customers, and there are none",
}
# Django's own list of what was done through the admin: one stands for all, they differ in a name.
ALIKE: Final = "/{object_id}/history/"


@dataclass(frozen=True)
class Screen:
    address: str
    role: str
    """Whoever is shown most of it, or nobody."""


def waiting() -> list[KycSubmission]:
    """Cases with documents, as the demo has them."""
    found = KycDocument.objects.filter(submission__user__email__endswith="@applicants.example.com")
    return list(KycSubmission.objects.filter(pk__in=found.values("submission")).order_by("pk"))


def wallet_of(house: Furnished) -> Wallet:
    wallet = house.rows[Wallet]
    assert isinstance(wallet, Wallet)
    return wallet


def addresses(house: Furnished) -> Iterator[str]:
    client, unknown = at_the_screen(emergency()), []
    for route in ROUTES:
        if not route.startswith(ADMIN) or route in NO_SCREEN or route.endswith(ALIKE):
            continue
        if route in TRIED_WITH:
            yield from TRIED_WITH[route](house)
        elif model := next((one for one in REGISTERED if route.startswith(f"{ADMIN}{label(one)}/")), None):
            yield route.format_map({**NAMED, "object_id": house.rows[model].pk})
        else:
            address = route.format_map(NAMED)
            if "{" in route and client.get(address).status_code in {200, 404}:
                unknown.append(route)
            yield address
    assert unknown == [], "TRIED_WITH does not say with what these are tried"
    yield from BESIDES
    yield f"{ADMIN}accounts/user/{house.rows[REGISTERED[0]].pk}/history/"


def label(model: type) -> str:
    return f"{model._meta.app_label}/{model._meta.model_name}"  # type: ignore[attr-defined]


@dataclass
class Staff:
    """One colleague of each role, signed in."""

    clients: dict[str, Client]

    def cookie(self, role: str) -> str:
        return self.clients[role].cookies["sessionid"].value

    def screens(self, house: Furnished, *, part: int, parts: int) -> list[Screen]:
        """Every so many of all screens; the start page, which is another for each role, once for each."""
        found = [Screen(f"{ADMIN}login/", ""), *(Screen(ADMIN, role) for role in ROLES)][part::parts]
        for address in sorted({*addresses(house)} - {ADMIN, f"{ADMIN}login/"})[part::parts]:
            shown = {role: text for role, client in self.clients.items() if (text := main_part(client.get(address)))}
            if shown:
                found.append(Screen(address, max(shown, key=lambda role: len(shown[role]))))
        return found


def main_part(answer: Any) -> str:
    """What is shown beside the sidebar, if this is a screen and opens."""
    if answer.status_code != 200 or not answer.get("Content-Type", "").startswith("text/html"):
        return ""
    text: str = answer.content.decode()
    return text.partition('id="main"')[2]


def staff() -> Staff:
    return Staff({role: at_the_screen(colleague(role)) for role in ROLES})


def at_the_screen(user: User) -> Client:
    """Signed in, and asking under the name that the browser will use."""
    client = signed_in(user)
    client.defaults["SERVER_NAME"] = "127.0.0.1"
    return client
