"""What customers send to the support assistant, and what they get."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from mymoolah.common.fields import TextField
from mymoolah.common.inputs import Input
from reporting.support.intents import Intent
from reporting.support.models import LANGUAGES, SupportTicket
from reporting.support.references import printable
from reporting.support.tickets import LONGEST_REPLY
from reporting.support.transcripts import LONGEST_MESSAGE

METHODS = ("GET", "POST", "DELETE")
INTENTS = [(intent.value, intent.value) for intent in Intent]
SPEAKERS = ("customer", "assistant", "staff")


class WordsField(TextField):
    """What somebody says, in any number of lines; what is neither printed nor a space is left out."""

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("not_a_string")
        text: str = serializers.CharField.to_internal_value(self, printable(data)).strip()
        if not text:
            self.fail("blank")
        return text


class MessageInput(Input):
    message = WordsField(
        max_length=LONGEST_MESSAGE,
        required=False,
        help_text="In any language; the five of the assistant are answered. Not needed beside an `intent`",
    )
    conversation = serializers.UUIDField(required=False, help_text="The one that goes on; a new one begins without")
    intent = serializers.ChoiceField(
        choices=INTENTS, required=False, help_text="What is meant, where `clarify` asked or a link says so"
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if not attrs.keys() & {"message", "intent"}:
            required = self.fields["message"].error_messages["required"]
            raise serializers.ValidationError({"message": required}, code="required")
        return attrs


class YesOrNoField(serializers.BooleanField):
    """True or false, and nothing that merely looks like one."""

    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            self.fail("invalid", input=data)
        return data


class HelpfulInput(Input):
    helpful = YesOrNoField()


class ReplyInput(Input):
    text = WordsField(max_length=LONGEST_REPLY)


# What the answers look like, for the API's documentation -----------------------------------------------------------
class SupportLinkOutput(serializers.Serializer[Any]):
    title = serializers.CharField()
    method = serializers.ChoiceField(choices=METHODS)
    href = serializers.CharField(help_text="The call that does it; nothing is done by a message alone")
    body = serializers.DictField(
        child=serializers.CharField(), help_text="A part of what it is sent; empty where nothing is"
    )
    confirm = serializers.CharField(allow_null=True, help_text="What to ask the customer before it is done")


class MeaningOutput(serializers.Serializer[Any]):
    intent = serializers.ChoiceField(choices=INTENTS)
    label = serializers.CharField()  # type: ignore[assignment]  # a field of this name


class SupportAnswerOutput(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    conversation = serializers.UUIDField()
    intent = serializers.ChoiceField(choices=INTENTS)
    confidence = serializers.FloatField(min_value=0, max_value=1)
    language = serializers.ChoiceField(choices=LANGUAGES)
    answer = serializers.CharField()
    data = serializers.DictField(  # type: ignore[assignment]  # a field of this name
        help_text="What the answer is made of, as the database said it; it depends on `intent`"
    )
    links = SupportLinkOutput(many=True)
    clarify = MeaningOutput(many=True, allow_null=True, help_text="Send one of these as `intent`, where not null")
    ticket = serializers.UUIDField(allow_null=True, help_text="Which a person looks at, where there is one")


class SupportArticleOutput(serializers.Serializer[Any]):
    slug = serializers.SlugField()
    language = serializers.ChoiceField(choices=LANGUAGES)
    version = serializers.IntegerField(min_value=1)
    title = serializers.CharField()
    body = serializers.CharField()


class SupportMessageOutput(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    conversation = serializers.UUIDField()
    message = serializers.CharField()
    answer = serializers.CharField()
    intent = serializers.ChoiceField(choices=INTENTS)
    confidence = serializers.FloatField(min_value=0, max_value=1)
    helpful = serializers.BooleanField(allow_null=True)
    created_at = serializers.DateTimeField()


class SupportTicketOutput(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    conversation = serializers.UUIDField()
    intent = serializers.ChoiceField(choices=INTENTS)
    status = serializers.ChoiceField(choices=SupportTicket.Status.choices)
    created_at = serializers.DateTimeField()
    first_replied_at = serializers.DateTimeField(allow_null=True)
    closed_at = serializers.DateTimeField(allow_null=True)


class SpokenOutput(serializers.Serializer[Any]):
    by = serializers.ChoiceField(choices=SPEAKERS)
    text = serializers.CharField()


class SupportReplyOutput(SpokenOutput):
    id = serializers.UUIDField()
    created_at = serializers.DateTimeField()


class WholeTicketOutput(SupportTicketOutput):
    transcript = SpokenOutput(many=True, help_text="What was said before; empty once it was forgotten")
    replies = SupportReplyOutput(many=True, help_text="The oldest first")


class _PageOutput(serializers.Serializer[Any]):
    next = serializers.URLField(allow_null=True)
    previous = serializers.URLField(allow_null=True)


class SupportMessageListOutput(_PageOutput):
    results = SupportMessageOutput(many=True)


class SupportTicketListOutput(_PageOutput):
    results = SupportTicketOutput(many=True)
