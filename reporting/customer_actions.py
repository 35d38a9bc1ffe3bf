"""One form for each deed that staff do for a customer (customer_deeds.py), and what is offered of them."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Callable
from typing import Any, Final

from django.conf import settings
from django.contrib import admin, messages
from django.core.cache import cache
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.http import urlencode
from django.views.decorators.http import require_http_methods

from accounts import contacts
from accounts.admin import UserAdmin
from accounts.confirmation import ask_confirmation
from accounts.models import LoginSession, User
from accounts.staff_deeds import MAY_ACT_ON_STAFF, StalePage
from accounts.staff_session import staff_origin
from mymoolah.common.admin import Panel
from mymoolah.common.clock import now
from mymoolah.common.errors import DomainError
from reporting.customer_deeds import DEEDS, MATTERS, SHOWN_SECONDS, About, Asked, Deed
from reporting.customer_forms import ContactForm, SessionForm, WhyForm
from transactions.proposal_admin import told
from vouchers.models import Voucher
from wallets.models import Wallet

SHOW_ONCE: Final = "customer_reveal"


# The page of a deed -----------------------------------------------------------------------------------------------------
def page_of(name: str) -> Callable[..., HttpResponse]:
    """GET asks, POST does: the customer's page again, or the form with what stands in the way."""
    deed = DEEDS[name]

    @require_http_methods(["GET", "HEAD", "POST"])
    def page(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
        if not _may(request.user, deed):
            raise PermissionDenied
        customer = get_object_or_404(User.objects.defer("password"), public_id=public_id)
        about = About(
            customer,
            _wallet_of(customer, request) if deed.fits_wallet else None,
            _voucher_of(customer, request) if deed.check_voucher else None,
        )
        if name in MATTERS and (question := ask_confirmation(request)) is not None:
            return question
        form = _form(deed, about, request.POST if request.method == "POST" else None)
        if not form.is_valid():
            return _form_page(request, name, about, form)
        if name == "reveal" and not _is_first_time(request):
            messages.error(request, "The number was shown once. Say why you need it again.")
            return HttpResponseRedirect(request.get_full_path())
        return _done(request, name, Asked(about, form, staff_origin(request), now()))

    return page


def _done(request: HttpRequest, name: str, asked: Asked) -> HttpResponse:
    try:
        done = DEEDS[name].do(asked)
    except StalePage as refusal:
        messages.error(request, f"{told(refusal)} Nothing was done.")
        return HttpResponseRedirect(request.get_full_path())
    except DomainError as refusal:
        return _form_page(request, name, asked.about, asked.form, refusal=refusal)
    if name == "reveal":
        return _number_page(request, asked.customer, done)
    messages.success(request, done)
    return HttpResponseRedirect(_page_of_person(asked.customer))


def _form_page(
    request: HttpRequest, name: str, about: About, form: WhyForm, *, refusal: DomainError | None = None
) -> HttpResponse:
    if name == "reveal":
        request.session[SHOW_ONCE] = once = secrets.token_urlsafe(16)
    else:
        once = ""
    deed = DEEDS[name]
    context = {
        **admin.site.each_context(request),
        "title": f"{deed.title}{about.name}",
        "customer": about.customer,
        "wallet": about.wallet,
        "voucher": about.voucher,
        "deed": deed,
        "form": form,
        "once": once,
        "refusal": told(refusal) if refusal else "",
        "back": _page_of_person(about.customer),
        "stops": _what_stops(deed, about),
    }
    return TemplateResponse(request, "admin/customer/deed.html", context)


def _what_stops(deed: Deed, about: About) -> str:
    """Why it cannot be done as things stand; nothing where it can."""
    if deed.check_voucher and about.voucher:
        try:
            deed.check_voucher(about.voucher)
        except DomainError as refusal:
            return told(refusal)
        return ""
    if deed.fits_wallet and about.wallet:
        return "" if deed.fits_wallet(about.wallet) else f"The wallet is {about.wallet.standing}."
    return "" if deed.fits(about.customer) else f"The account is {about.customer.status}."


def _number_page(request: HttpRequest, customer: User, number: str) -> HttpResponse:
    """The one answer that holds the number; it leaves by itself, and is in no cache."""
    context = {
        **admin.site.each_context(request),
        "title": "ID number",
        "customer": customer,
        "number": number,
        "seconds": SHOWN_SECONDS,
        "back": _page_of_person(customer),
    }
    headers = {"Refresh": f"{SHOWN_SECONDS}; url={_page_of_person(customer)}", "Cache-Control": "no-store"}
    return TemplateResponse(request, "admin/customer/number.html", context, headers=headers)


def _form(deed: Deed, about: About, given: Any = None) -> WhyForm:
    customer, wallet = about.customer, about.wallet
    more: dict[str, Any] = {"reasons": deed.reasons, "in_words": deed.in_words}
    if deed.form is SessionForm:
        more["live"] = LoginSession.objects.filter(user=customer, revoked_at=None, expires_at__gt=now()).order_by("-pk")
    if deed.form is ContactForm:
        more["waiting"] = contacts.contacts_to_confirm(customer)
    carried = {"seen": wallet.standing if wallet else customer.status, "once": secrets.token_urlsafe(16)}
    form = deed.form(given, initial=carried, **more)
    if wallet is not None and wallet.frozen_by != Wallet.FrozenBy.CUSTOMER:
        form.fields.pop("answered", None)
    return form


def _is_first_time(request: HttpRequest) -> bool:
    expected = request.session.pop(SHOW_ONCE, None)
    if expected is None or not secrets.compare_digest(expected, request.POST.get("once", "")):
        return False
    # Requests at the same moment have all read the same session: one of them is the first to say so here.
    lifetime_seconds = settings.STAFF_SESSION_LIFETIME.total_seconds()
    return bool(cache.add(f"{SHOW_ONCE}:{expected}", "used", timeout=lifetime_seconds))


def _wallet_of(customer: User, request: HttpRequest) -> Wallet:
    found = Wallet.objects.filter(user=customer, number=request.GET.get("wallet", "").replace("\0", "")).first()
    if found is None:
        raise Http404
    return found


def _voucher_of(customer: User, request: HttpRequest) -> Voucher:
    try:
        public_id = uuid.UUID(request.GET.get("voucher", ""))
    except ValueError:
        raise Http404 from None
    return get_object_or_404(Voucher, user=customer, public_id=public_id)


def _may(user: Any, deed: Deed) -> bool:
    return any(user.has_perm(permission) for permission in deed.permissions)


def _page_of_person(person: User) -> str:
    if person.is_customer:
        return reverse("customer_page", args=[person.public_id])
    return reverse("admin:accounts_user_change", args=[person.pk])


# What is offered --------------------------------------------------------------------------------------------------------
def address_of(name: str, person: User, **query: str) -> str:
    address = reverse(f"customer_{name}", args=[person.public_id])
    return f"{address}?{urlencode(query)}" if query else address


def offers_to(officer: Any, person: User) -> list[dict[str, object]]:
    """What this officer can do for somebody as things stand: titles and addresses. Three queries at most.

    What is done to a voucher is offered beside it.
    """
    if person.pk == officer.pk:
        return []
    allowed = {name: deed for name, deed in DEEDS.items() if deed.check_voucher is None and _may(officer, deed)}
    of_wallets = {name: deed for name, deed in allowed.items() if deed.fits_wallet}
    found: list[dict[str, object]] = []
    wallets = Wallet.objects.filter(user=person).order_by("currency") if of_wallets and person.is_customer else ()
    for wallet in wallets:
        found += [
            {
                "title": f"{deed.title} {wallet.number}",
                "address": address_of(name, person, wallet=wallet.number),
                "is_danger": deed.is_danger,
            }
            for name, deed in of_wallets.items()
            if deed.fits_wallet and deed.fits_wallet(wallet)
        ]
    found += [
        {"title": deed.title, "address": address_of(name, person), "is_danger": deed.is_danger}
        for name, deed in allowed.items()
        if name not in of_wallets and deed.fits(person)
    ]
    return found


urlpatterns: list[URLPattern] = [
    path(f"<uuid:public_id>/{name}", admin.site.admin_view(page_of(name)), name=f"customer_{name}") for name in DEEDS
]

# A colleague has no customer's page: on his own, administrators find what can be done.
UserAdmin.panels.insert(
    0,
    Panel(
        "What can be done",
        MAY_ACT_ON_STAFF,
        ("Each asks why",),
        lambda person: [
            (format_html('<a href="{}" class="text-link">{}</a>', address_of(name, person), deed.title),)
            for name, deed in DEEDS.items()
            if deed.fits_wallet is None and deed.check_voucher is None and deed.fits(person)
        ],
    ),
)
