"""The customers' door to the support assistant, and to the people behind it."""

from __future__ import annotations

import uuid

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import validated
from accounts.authentication import origin_of, principal
from accounts.selectors import get_user_id
from accounts.services import UnknownUser
from mymoolah.common import pagination
from mymoolah.common.clock import now
from mymoolah.common.inputs import StrictView
from mymoolah.common.refusals import refuses
from reporting.support import articles, examples, tickets, transcripts
from reporting.support.articles import ArticleNotFound
from reporting.support.intents import Intent
from reporting.support.serializers import (
    HelpfulInput,
    MessageInput,
    ReplyInput,
    SupportAnswerOutput,
    SupportArticleOutput,
    SupportMessageListOutput,
    SupportReplyOutput,
    SupportTicketListOutput,
    WholeTicketOutput,
)
from reporting.support.tickets import TicketClosed, TicketFull, TicketNotFound
from reporting.support.transcripts import ConversationNotFound, MessageNotFound, Said
from transactions.idempotency import REPLAYED_HEADER, idempotency_key, once_for_each_key

MESSAGES, TICKETS = "support_messages", "support_tickets"  # the lists that a cursor belongs to


@extend_schema(tags=["support"])
class MessagesView(StrictView):
    @property
    def throttle_scope(self) -> str:
        return "support" if self.request.method == "POST" else "reads"

    @extend_schema(
        operation_id="ask_support",
        request=MessageInput,
        responses=SupportAnswerOutput,
        examples=[
            OpenApiExample("Where it is", examples.QUESTION, request_only=True),
            OpenApiExample("Robbed", examples.LOST, request_only=True),
            OpenApiExample("There it is", examples.BALANCE, response_only=True),
            OpenApiExample("Which of two", examples.UNSURE, response_only=True),
        ],
    )
    @refuses(UnknownUser, ConversationNotFound)
    def post(self, request: Request) -> Response:
        """Ask the support assistant, in words: at most a hundred questions an hour.

        It answers from what the bank knows of the customer who asks, and moves nothing: `links` are the calls that do
        what the answer speaks of. Where it is not sure, `clarify` holds two meanings. Where a person has to look, it
        opens a ticket, or adds to the one that is open: asking twice opens one.
        """
        asked = validated(MessageInput(data=request.data))
        said = transcripts.ask(
            user_public_id=principal(request).public_id,
            message=asked.get("message", ""),
            conversation=asked.get("conversation"),
            chosen=Intent(asked["intent"]) if "intent" in asked else None,
            now=now(),
        )
        return Response(_answer(said))

    @extend_schema(
        operation_id="list_support_messages",
        parameters=[*pagination.PARAMETERS],
        responses=SupportMessageListOutput,
        examples=[OpenApiExample("One", examples.MESSAGES, response_only=True)],
    )
    @refuses(UnknownUser)
    def get(self, request: Request) -> Response:
        """List all that one has asked and was answered, newest first, as long as it is kept: the copy of it."""
        asked = pagination.page_request(request, salt=MESSAGES)
        page = transcripts.messages(user_public_id=principal(request).public_id, asked=asked)
        return Response(pagination.answer(request, page, salt=MESSAGES))

    @extend_schema(operation_id="erase_support_messages", responses={204: None})
    @refuses(UnknownUser)
    def delete(self, request: Request) -> Response:
        """Erase all that one has asked and was answered, and what stands on closed tickets. Open ones stay."""
        return _erase(request, None)


@extend_schema(tags=["support"])
class ConversationView(StrictView):
    @extend_schema(operation_id="erase_support_conversation", responses={204: None})
    @refuses(UnknownUser, ConversationNotFound)
    def delete(self, request: Request, conversation_id: uuid.UUID) -> Response:
        """Erase one conversation, and what stands on its closed tickets. Open ones stay."""
        return _erase(request, conversation_id)


@extend_schema(tags=["support"])
class HelpfulView(StrictView):
    @extend_schema(
        operation_id="rate_support_message",
        request=HelpfulInput,
        responses={204: None},
        examples=[OpenApiExample("It did", {"helpful": True}, request_only=True)],
    )
    @refuses(MessageNotFound)
    def post(self, request: Request, message_id: uuid.UUID) -> Response:
        """Say whether an answer helped. Said again, it is changed."""
        asked = validated(HelpfulInput(data=request.data))
        transcripts.vote(user_public_id=principal(request).public_id, message=message_id, is_helpful=asked["helpful"])
        return Response(status=204)


@extend_schema(tags=["support"])
class ArticleView(StrictView):
    @extend_schema(
        operation_id="get_support_article",
        responses=SupportArticleOutput,
        examples=[OpenApiExample("Stolen", examples.ARTICLE, response_only=True)],
    )
    @refuses(ArticleNotFound)
    def get(self, request: Request, language: str, slug: str) -> Response:
        """Show an article of the knowledge base, which an answer leads to."""
        return Response(articles.get_article(slug=slug, language=language))


@extend_schema(tags=["support"])
class TicketsView(StrictView):
    @extend_schema(
        operation_id="list_support_tickets",
        parameters=[*pagination.PARAMETERS],
        responses=SupportTicketListOutput,
        examples=[OpenApiExample("One", examples.TICKETS, response_only=True)],
    )
    def get(self, request: Request) -> Response:
        """List one's tickets, newest first."""
        asked = pagination.page_request(request, salt=TICKETS)
        page = tickets.tickets(user_public_id=principal(request).public_id, asked=asked)
        return Response(pagination.answer(request, page, salt=TICKETS))


@extend_schema(tags=["support"])
class TicketView(StrictView):
    @extend_schema(
        operation_id="get_support_ticket",
        responses=WholeTicketOutput,
        examples=[OpenApiExample("Answered", examples.WHOLE_TICKET, response_only=True)],
    )
    @refuses(TicketNotFound)
    def get(self, request: Request, ticket_id: uuid.UUID) -> Response:
        """Show a ticket, with what was said before it and what was written on it since."""
        return Response(tickets.get_ticket(user_public_id=principal(request).public_id, ticket=ticket_id))


@extend_schema(tags=["support"])
class RepliesView(StrictView):
    throttle_scope = "support_replies"  # of their own: whoever has asked much can still answer us

    @extend_schema(
        operation_id="reply_to_support_ticket",
        request=ReplyInput,
        responses={201: SupportReplyOutput},
        examples=[
            OpenApiExample("Thandi", {"text": examples.REPLY["text"]}, request_only=True),
            OpenApiExample("It is there", examples.REPLY, response_only=True),
        ],
    )
    @once_for_each_key
    @refuses(TicketNotFound, TicketClosed, TicketFull)
    def post(self, request: Request, ticket_id: uuid.UUID) -> Response:
        """Write on a ticket of one's own, once for each key."""
        asked = validated(ReplyInput(data=request.data))
        written, replayed = tickets.reply_as_customer(
            user_public_id=principal(request).public_id,
            ticket=ticket_id,
            text=asked["text"],
            key=idempotency_key(request, {"ticket": str(ticket_id), "text": asked["text"]}),
            now=now(),
        )
        return Response(written, status=201, headers={REPLAYED_HEADER: "true"} if replayed else None)


def _erase(request: Request, conversation: uuid.UUID | None) -> Response:
    public_id = principal(request).public_id
    origin = origin_of(request, actor_id=get_user_id(public_id=public_id))
    transcripts.erase(user_public_id=public_id, conversation=conversation, origin=origin)
    return Response(status=204)


def _answer(said: Said) -> dict[str, object]:
    found = said.answer
    return {
        "id": str(said.id),
        "conversation": str(said.conversation),
        "intent": found.intent.value,
        "confidence": round(found.confidence, 4),
        "language": found.language,
        "answer": said.text,
        "data": found.facts,
        "links": found.links,
        "clarify": found.clarify,
        "ticket": str(said.ticket) if said.ticket else None,
    }
