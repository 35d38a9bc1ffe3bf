"""What leads on from an answer: calls of the API that do what it speaks of. None is ever made by a message alone."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from reporting.support.facts import Facts
from reporting.support.intents import Intent
from reporting.support.wording import link_title

V1: Final = "/api/v1/"


@dataclass(frozen=True, kw_only=True)
class Link:
    """One call; `each` names the list of the facts that it is offered for row by row, `only` what such a row must say."""

    name: str
    path: str
    method: str = "GET"
    each: str = ""
    only: tuple[str, str | bool] | None = None
    body: Mapping[str, str] | None = None
    is_confirmed: bool = False
    """Whether it has to be asked for again, in words of its own, before it is done."""

    def told(self, row: Mapping[str, Any], *, language: str) -> dict[str, Any]:
        return {
            "title": link_title(self.name, language=language, values=row),
            "method": self.method,
            "href": V1 + self.path.format_map(row),
            "body": dict(self.body or {}),
            "confirm": link_title(f"{self.name}_warns", language=language, values=row) if self.is_confirmed else None,
        }


FREEZE: Final = Link(
    name="freeze",
    path="wallets/{number}/freeze",
    method="POST",
    each="wallets",
    only=("status", "active"),
    is_confirmed=True,
)
HUMAN: Final = Link(name="human", path="support/messages", method="POST", body={"intent": Intent.HUMAN.value})
TICKETS: Final = Link(name="tickets", path="support/tickets")
ALL: Final = Link(name="transactions", path="transactions")
EACH_TRANSFER: Final = Link(name="transfer", path="transfers/{id}", each="transfers")
CANCEL_VOUCHER: Final = Link(
    name="voucher_cancel",
    path="vouchers/{id}/cancel",
    method="POST",
    each="vouchers",
    only=("may_be_cancelled", True),
    is_confirmed=True,
)
ARTICLE: Final = Link(name="article", path="support/articles/{language}/{slug}", each="articles")
EACH_VOUCHER: Final = Link(name="voucher", path="vouchers/{id}", each="vouchers")
VOUCHERS: Final = Link(name="vouchers", path="vouchers")
MAKE_VOUCHER: Final = Link(name="voucher_make", path="vouchers", method="POST")
REDEEM: Final = Link(name="voucher_redeem", path="vouchers/redeem", method="POST")
SEND: Final = Link(name="send", path="transfers", method="POST")
WALLETS: Final = Link(name="wallets", path="wallets")
IDENTITY: Final = Link(name="identity", path="kyc")
SEND_IDENTITY: Final = Link(name="identity_send", path="kyc/submissions", method="POST")
PROFILE: Final = Link(name="profile", path="me")
STATEMENT: Final = Link(name="statement", path="statements")
END_SESSIONS: Final = Link(name="sessions_end", path="auth/sessions", method="DELETE")
PASSWORD: Final = Link(name="password", path="me/password", method="POST")
FORGOT: Final = Link(name="password_forgot", path="auth/password/forgot", method="POST")

LINKS: Final[Mapping[Intent, Sequence[Link]]] = {
    Intent.BALANCE: (WALLETS, ALL),
    Intent.TRANSACTIONS: (ALL, STATEMENT),
    Intent.MONEY_IN: (ALL, STATEMENT),
    Intent.MONEY_OUT: (ALL, STATEMENT),
    Intent.TRANSFER_STATUS: (EACH_TRANSFER, ALL),
    Intent.TRANSFER_FAILED_OR_DECLINED: (EACH_TRANSFER, WALLETS, SEND),
    Intent.WRONG_RECIPIENT: (FREEZE, EACH_TRANSFER, TICKETS),
    Intent.DUPLICATE_CHARGE: (FREEZE, ALL, TICKETS),
    Intent.TOPUP_HOW: (MAKE_VOUCHER, VOUCHERS),
    Intent.TOPUP_PENDING: (EACH_VOUCHER, CANCEL_VOUCHER),
    Intent.TOPUP_FAILED: (EACH_VOUCHER,),
    Intent.VOUCHER_LIST: (EACH_VOUCHER, VOUCHERS),
    Intent.VOUCHER_HOW: (MAKE_VOUCHER, REDEEM),
    Intent.VOUCHER_PROBLEM: (EACH_VOUCHER, REDEEM),
    Intent.CASHOUT: (MAKE_VOUCHER, EACH_VOUCHER, CANCEL_VOUCHER),
    Intent.FEES: (VOUCHERS,),
    Intent.LIMITS: (WALLETS, IDENTITY),
    Intent.KYC_STATUS: (IDENTITY,),
    Intent.KYC_HOW: (SEND_IDENTITY, IDENTITY),
    Intent.KYC_REJECTED: (SEND_IDENTITY, IDENTITY),
    Intent.CHANGE_DETAILS: (PROFILE,),
    Intent.PASSWORD_OR_PIN: (PASSWORD, FORGOT, END_SESSIONS),
    Intent.LOST_PHONE_OR_FRAUD: (FREEZE, CANCEL_VOUCHER, END_SESSIONS, PASSWORD, TICKETS),
    Intent.REFUND: (ALL,),
    Intent.STATEMENT: (STATEMENT,),
    Intent.CLOSE_ACCOUNT: (WALLETS,),
    Intent.RECEIVE_MONEY: (WALLETS, PROFILE),
    Intent.SUPPORTED_COUNTRIES_AND_CURRENCIES: (WALLETS,),
    Intent.HUMAN: (TICKETS,),
    Intent.GREETING: (),
    Intent.OUT_OF_SCOPE: (),
}


def links_for(intent: Intent, facts: Facts, *, language: str, is_article_quoted: bool = False) -> list[dict[str, Any]]:
    """What an answer leads on to: calls, an article that it does not quote, and a person, where none has been told."""
    return [
        *_told(LINKS[intent], facts, language=language),
        *([] if is_article_quoted else _told([ARTICLE], facts, language=language)),
        *([] if TICKETS in LINKS[intent] else [HUMAN.told({}, language=language)]),
    ]


def ways_to_protect(facts: Facts, *, language: str) -> list[dict[str, Any]]:
    """To freeze what can be frozen: offered wherever somebody may have lost a phone."""
    return list(_told([FREEZE], facts, language=language))


def going_on(link: dict[str, Any], *, conversation: uuid.UUID) -> dict[str, Any]:
    """A link that asks the assistant, with the conversation that it goes on with."""
    if "intent" not in link["body"]:
        return link
    return {**link, "body": {**link["body"], "conversation": str(conversation)}}


def _told(links: Sequence[Link], facts: Facts, *, language: str) -> Iterator[dict[str, Any]]:
    for link in links:
        for row in facts.get(link.each, ()) if link.each else [{}]:
            if link.only is None or row[link.only[0]] == link.only[1]:
                yield link.told(row, language=language)
