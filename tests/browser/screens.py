"""Every screen of the back-office, found from its routes, and the role that is shown most of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

from django.conf import settings
from django.db.models import Model
from django.test import Client
from django.urls import reverse

from accounts.models import KycDocument, KycSubmission, User
from reporting.roles import ROLES
from tests.back_office.house import REGISTERED, Furnished, colleague, emergency, signed_in
from tests.test_matrix import ADMIN, NAMED, ROUTES
from transactions.proposals.commands import COMMANDS
from vouchers.models import Voucher
from wallets.models import Wallet

# What screens are tried with that the house's rows do not open, or not in every way.
TRIED_WITH: Final[Mapping[str, Callable[[Furnished], Iterable[str]]]] = {
    "/admin/{app_label}/": lambda _: [f"{ADMIN}{app}/" for app in sorted({one._meta.app_label for one in REGISTERED})],
    **{
        f"/admin/customers/{{public_id}}/{deed}": lambda house, deed=deed: [  # type: ignore[misc]
            reverse(f"customer_{deed}", args=[public_id_of(house)]) + f"?wallet={wallet_of(house).number}"
        ]
        for deed in ("freeze", "take-over", "unfreeze")
    },
    "/admin/customers/{public_id}/cancel-voucher": lambda house: [
        reverse("customer_cancel-voucher", args=[public_id_of(house)]) + f"?voucher={voucher.public_id}"
        for voucher in Voucher.objects.filter(user_id=house.rows[User].pk)
    ],
    "/admin/kyc/cases/{public_id}": lambda _: [reverse("kyc_case", args=[case.public_id]) for case in waiting()],
    "/admin/transactions/proposal/propose/{name}/": lambda house: [
        reverse("admin:transactions_proposal_propose", args=[name]) + f"?wallet={wallet_of(house).number}"
        for name in COMMANDS
    ],
    "/admin/second-factor/colleagues/{public_id}/reset": lambda _: [
        reverse("second_factor_reset", args=[User.objects.get(email="support@example.com").public_id])
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


def public_id_of(house: Furnished) -> object:
    customer = house.rows[User]
    assert isinstance(customer, User)
    return customer.public_id


def addresses(house: Furnished) -> Iterator[str]:
    client, closed = at_the_screen(emergency()), []
    for route in ROUTES:
        if not route.startswith(ADMIN) or route in NO_SCREEN or route.endswith(ALIKE):
            continue
        if route in TRIED_WITH:
            yield from TRIED_WITH[route](house)
            continue
        tried = [route.format_map(names) for names in names_for(route, house)]
        answers = {address: client.get(address).status_code for address in tried}
        opened = [address for address, status in answers.items() if status == HTTPStatus.OK]
        yield from opened[:1]
        # A deed answers no GET: to a row whose key fits its address it says so.
        is_deed = HTTPStatus.METHOD_NOT_ALLOWED in answers.values()
        if not opened and not is_deed and HTTPStatus.NOT_FOUND in answers.values():
            closed.append(route)
    assert closed == [], f"nothing of the house opens these: say in TRIED_WITH what does: {closed}"
    yield from BESIDES
    yield f"{ADMIN}accounts/user/{house.rows[User].pk}/history/"


def names_for(route: str, house: Furnished) -> Iterator[dict[str, object]]:
    """What may stand in an address: the row of the model it names, or of any, or a colleague."""
    own = next((row for row in house.rows.values() if route.startswith(f"{ADMIN}{label(row)}/")), None)
    if "{" not in route or own:
        pk = own and own.pk
        yield {**NAMED, "object_id": pk, "pk": pk}
        return
    for row in (*house.rows.values(), User.objects.get(email="kyc@example.com")):
        of_row = {"public_id": getattr(row, "public_id", None), "number": getattr(row, "number", None), "pk": row.pk}
        yield {**NAMED, **{name: value for name, value in of_row.items() if value is not None}}


def label(row: Model) -> str:
    return f"{row._meta.app_label}/{row._meta.model_name}"


@dataclass
class Staff:
    """One colleague of each role, signed in."""

    clients: dict[str, Client]

    def cookie(self, role: str) -> str:
        return self.clients[role].cookies[settings.SESSION_COOKIE_NAME].value

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
    if answer.status_code != HTTPStatus.OK or not answer.get("Content-Type", "").startswith("text/html"):
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
