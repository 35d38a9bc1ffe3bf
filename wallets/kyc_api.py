"""The customers' door to their tier: what it allows, and how to prove one's identity for the next."""

from __future__ import annotations

import uuid

from drf_spectacular.utils import OpenApiExample, OpenApiRequest, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import kyc
from accounts.api import validated
from accounts.authentication import origin_of, principal
from accounts.kyc import (
    DocumentNotAskedFor,
    DocumentNotFound,
    DocumentSentBefore,
    HighestTierReached,
    SubmissionDecided,
    SubmissionNotFound,
    SubmissionPending,
)
from accounts.kyc_documents import DocumentRefused
from accounts.kyc_selectors import get_latest_submission
from accounts.services import NotActive, UnknownUser
from mymoolah.common.clock import now
from mymoolah.common.inputs import StrictView
from mymoolah.common.parsers import MultipartParser
from mymoolah.common.problems import invalid
from mymoolah.common.refusals import refuses
from mymoolah.common.throttling import AddressThrottle
from wallets import examples
from wallets.kyc_selectors import get_kyc
from wallets.kyc_serializers import DocumentAgainInput, KycOutput, KycSubmissionInput, KycSubmissionOutput

MULTIPART = MultipartParser.media_type


class SubmissionParser(MultipartParser):
    lists = frozenset({"documents", "kinds"})


@extend_schema(tags=["kyc"])
class KycView(StrictView):
    @extend_schema(
        operation_id="get_kyc",
        responses=KycOutput,
        examples=[
            OpenApiExample("Tier 2", examples.KYC, response_only=True),
            OpenApiExample("A newcomer", examples.KYC_OF_NEWCOMER, response_only=True),
        ],
    )
    @refuses(UnknownUser)
    def get(self, request: Request) -> Response:
        """Show one's tier, what it allows and what is left of it, and what the next one needs.

        A verified customer stays `verified` while a submission for the next tier is `pending`.
        """
        return Response(get_kyc(user_public_id=principal(request).public_id))


@extend_schema(tags=["kyc"])
class SubmissionsView(StrictView):
    parser_classes = (SubmissionParser,)
    throttle_classes = (AddressThrottle,)
    throttle_scope = "documents"

    @extend_schema(
        operation_id="submit_kyc",
        request={MULTIPART: OpenApiRequest(KycSubmissionInput, encoding={"kinds": {"explode": True}})},
        responses={201: KycSubmissionOutput},
        examples=[
            OpenApiExample(
                "An identity card and a bank statement",
                {
                    "id_type": "sa_id",
                    "id_number": "7503305044089",
                    "documents": ["(card.jpg)", "(statement.pdf)"],
                    "kinds": ["identity", "proof_of_address"],
                },
                request_only=True,
                media_type=MULTIPART,
            ),
            OpenApiExample(
                "A passport",
                {
                    "id_type": "passport",
                    "id_number": "A01234567",
                    "passport_expires_on": "2031-03-01",
                    "documents": ["(passport.png)"],
                },
                request_only=True,
                media_type=MULTIPART,
            ),
            OpenApiExample("We look at it", examples.SUBMISSION, response_only=True),
        ],
    )
    @refuses(UnknownUser, NotActive, HighestTierReached, SubmissionPending)
    def post(self, request: Request) -> Response:
        """Send an identity number and one to five documents, for the next tier. Five times a minute at most.

        What is in a file decides what it is, not its name. Of pictures only what can be seen is kept: no place or time.
        Only one submission waits at a time (409 `submission_pending`); after a rejection another one may be sent. With
        the highest tier there is nothing to send (409 `highest_tier_reached`). More than 15 MiB, or a file of more than
        5 MiB, is 413 `body_too_large`. From one address ten a minute are taken, whoever signs in there.
        """
        moment, public_id = now(), principal(request).public_id
        asked = validated(KycSubmissionInput(data=request.data, context={"now": moment}))
        try:
            kyc.submit(user_public_id=public_id, **asked, now=moment, origin=origin_of(request))
        except DocumentRefused as error:
            raise invalid("documents", error.code, f"{error.title}.") from error
        return Response(get_latest_submission(user_public_id=public_id), status=201)


@extend_schema(tags=["kyc"])
class DocumentsView(StrictView):
    parser_classes = (MultipartParser,)
    throttle_classes = (AddressThrottle,)
    throttle_scope = "documents"

    @extend_schema(
        operation_id="send_kyc_document_again",
        request={MULTIPART: DocumentAgainInput},
        responses={201: KycSubmissionOutput},
        examples=[
            OpenApiExample(
                "A sharper photograph",
                {"replaces": "5f0c7a52-3c53-4a3e-9a43-6a1b7f5d2c11", "document": "(card.jpg)"},
                request_only=True,
                media_type=MULTIPART,
            ),
            OpenApiExample("We look at it", examples.SUBMISSION, response_only=True),
        ],
    )
    @refuses(UnknownUser, NotActive, SubmissionNotFound, SubmissionDecided)
    @refuses(DocumentNotFound, DocumentNotAskedFor, DocumentSentBefore)
    def post(self, request: Request, submission_id: uuid.UUID) -> Response:
        """Send again the one document that was not good enough; the rest of the submission stays as it is.

        `GET kyc` shows which it is and why: `asked_again` of a document in `latest_submission`. The new one takes its
        place and its kind. A document that was fine, or has been sent again already, is 409 `document_not_asked_for`,
        the very same file 409 `document_sent_before`, and after a decision it is 409 `submission_decided`.
        """
        moment, public_id = now(), principal(request).public_id
        asked = validated(DocumentAgainInput(data=request.data))
        try:
            kyc.send_again(
                user_public_id=public_id,
                submission_public_id=submission_id,
                **asked,
                now=moment,
                origin=origin_of(request),
            )
        except DocumentRefused as error:
            raise invalid("document", error.code, f"{error.title}.") from error
        return Response(get_latest_submission(user_public_id=public_id), status=201)
