"""The customers' door to wallets, and to the bank: an account opens with its first wallet."""

from __future__ import annotations

from django.http import HttpResponse
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import validated
from accounts.authentication import origin_of, principal
from accounts.examples import REGISTRATION
from accounts.selectors import get_profile, get_user_id
from accounts.serializers import RegisterInput
from accounts.services import AlreadyRegistered, UnknownUser
from mymoolah.common import conditional
from mymoolah.common.inputs import StrictView
from mymoolah.common.refusals import refuses
from wallets import examples, selectors, services
from wallets.serializers import RegisteredOutput, WalletListOutput, WalletOutput
from wallets.services import CannotFreeze, WalletNotFound


@extend_schema(tags=["accounts"])
class RegisterView(StrictView):
    authentication_classes = ()
    permission_classes = (AllowAny,)
    throttle_scope = "registrations"

    @extend_schema(
        operation_id="register",
        request=RegisterInput,
        responses={201: RegisteredOutput},
        examples=[
            OpenApiExample("Thandi", REGISTRATION, request_only=True),
            OpenApiExample("A customer of tier 0", examples.REGISTERED, response_only=True),
        ],
    )
    @refuses(AlreadyRegistered)
    def post(self, request: Request) -> Response:
        """Open an account with a rand wallet."""
        asked = validated(RegisterInput(data=request.data))
        user, wallet = services.open_account(**asked, origin=origin_of(request))
        body = {
            "user": get_profile(public_id=user.public_id),
            "wallet": selectors.get_wallet(user_public_id=user.public_id, number=wallet.number),
        }
        return Response(body, status=201)


@extend_schema(tags=["wallets"])
class WalletsView(StrictView):
    @extend_schema(
        operation_id="list_wallets",
        responses={200: WalletListOutput, **conditional.NOT_MODIFIED},
        parameters=conditional.PARAMETERS,
        examples=[OpenApiExample("One", examples.WALLETS, response_only=True)],
    )
    @refuses(conditional.PreconditionFailed)
    def get(self, request: Request) -> HttpResponse:
        """List one's wallets."""
        owner = principal(request).public_id
        text = selectors.kept_wallets(user_public_id=owner)
        return conditional.answer_text(request, text, tagged=text, owner=owner)


@extend_schema(tags=["wallets"])
class WalletView(StrictView):
    @extend_schema(
        operation_id="get_wallet",
        responses={200: WalletOutput, **conditional.NOT_MODIFIED},
        parameters=conditional.PARAMETERS,
        examples=[OpenApiExample("Tier 2", examples.WALLET, response_only=True)],
    )
    @refuses(WalletNotFound, conditional.PreconditionFailed)
    def get(self, request: Request, number: str) -> HttpResponse:
        """Show one wallet."""
        owner = principal(request).public_id
        text = selectors.kept_wallet(user_public_id=owner, number=number)
        return conditional.answer_text(request, text, tagged=text, owner=owner)


@extend_schema(tags=["wallets"])
class FreezeView(StrictView):
    @extend_schema(
        operation_id="freeze_wallet",
        request=None,
        responses=WalletOutput,
        examples=[OpenApiExample("It is frozen", examples.FROZEN, response_only=True)],
    )
    @refuses(UnknownUser, WalletNotFound, CannotFreeze)
    def post(self, request: Request, number: str) -> Response:
        """Stop a wallet from sending and receiving, and vouchers from being made from it or redeemed into it.

        Only staff can undo this. Vouchers and cash-outs made before can still be used at a till, or by whoever has the
        code: list them (`list_vouchers`) and cancel what somebody else made (`cancel_voucher`), which a freeze does not
        stop. Standard vouchers cannot be cancelled here: call us.
        """
        public_id = principal(request).public_id
        origin = origin_of(request, actor_id=get_user_id(public_id=public_id))
        services.freeze_wallet(number=number, user_public_id=public_id, origin=origin)
        return Response(selectors.get_wallet(user_public_id=public_id, number=number))
