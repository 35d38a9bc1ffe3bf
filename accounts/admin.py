"""What staff see of people: customers and colleagues, devices, identity checks, the audit trail, roles."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin
from django.contrib.auth.models import Group
from django.db import connection
from django.db.models import Model, Q, QuerySet
from django.db.models.functions import Lower
from django.http import HttpRequest, HttpResponse
from django.utils.formats import date_format
from django.utils.timezone import localtime
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from accounts import services
from accounts.audit_words import verb_in_words
from accounts.confirmation import ask_confirmation
from accounts.forms import ProfileForm
from accounts.models import AuditEvent, KycDocument, KycNote, KycSubmission, LoginSession, SavedView, User
from accounts.staff_session import staff_origin
from mymoolah.common.admin import (
    COUNTED_ROWS_MAX,
    EMAIL,
    NOBODY,
    UUID,
    LargeTableAdmin,
    Panel,
    Search,
    badge,
    link,
    list_of,
)
from mymoolah.common.sql.queries import rows

PROFILE = ("first_name", "last_name", "email", "phone")
SOUTH_AFRICAN = r"0[0-9]{9}"
BY_TIME = ("-created_at", "-pk")


def international(phone: str) -> str:
    return f"+27{phone[1:]}" if phone.startswith("0") else phone


def by_owner(column: str = "user", *, ordering: tuple[str, ...] = ()) -> list[Search]:
    """Find what belongs to somebody: the person is looked up first, so that the list asks its own index."""

    def owned_by(person: Q) -> Q:
        user_id = User.objects.alias(lower_email=Lower("email")).filter(person).values_list("pk", flat=True).first()
        return NOBODY if user_id is None else Q(**{column: user_id})

    return [
        Search("whole e-mail", EMAIL, lambda text: owned_by(Q(lower_email=text.lower())), ordering),
        Search("phone", rf"\+[0-9]+|{SOUTH_AFRICAN}", lambda text: owned_by(Q(phone=international(text))), ordering),
    ]


def beginning_with(text: str, *queries: str) -> Q:
    """The first thousand people whose e-mail or last name begins so, read along its index.

    Asked in one statement with the list's own order, a common beginning would be sought through the whole table.
    """
    pattern = f"{connection.ops.prep_for_like_query(text.lower())}%"
    found = [rows("accounts", f"{query}.sql", pattern=pattern, most=COUNTED_ROWS_MAX + 1) for query in queries]
    return Q(pk__in=[row["id"] for people in found for row in people])


class StandingFilter(admin.SimpleListFilter):
    """Whoever is not active: few, along an index of their own. Active is what nearly everybody is."""

    title = "standing"
    parameter_name = "standing"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(status.value, status.label) for status in User.Status if status != User.Status.ACTIVE]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Model]) -> QuerySet[Model]:
        return queryset.filter(status=self.value()) if self.value() else queryset


class RoleFilter(admin.SimpleListFilter):
    """Colleagues by role: few people, found from the small side."""

    title = "role"
    parameter_name = "role"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(name, name) for name in Group.objects.order_by("name").values_list("name", flat=True)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Model]) -> QuerySet[Model]:
        if not self.value():
            return queryset
        return queryset.filter(pk__in=User.groups.through.objects.filter(group__name=self.value()).values("user_id"))


@admin.register(User)
class UserAdmin(LargeTableAdmin):
    """Customers and colleagues. Apps above add their searches, and show customers on a page of their own."""

    form = ProfileForm
    change_form_before_template = "admin/seen.html"
    list_display = ("email", "name", "phone", "state", "kyc", "kyc_tier", "colleague", "since")
    list_filter = (StandingFilter, "kyc_status", RoleFilter)
    linked: ClassVar = {"kyc_status__exact": ("-id_verified", "-pk")}
    searches: ClassVar[list[Search]] = [
        Search("public id", UUID, lambda text: Q(public_id=text)),
        Search("phone", rf"\+[0-9]+|{SOUTH_AFRICAN}", lambda text: Q(phone=international(text))),
        Search("beginning of an e-mail", r"\S*[@0-9]\S*", lambda text: beginning_with(text, "people_by_email")),
        Search(
            "or of a last name", r"[^\d@]+", lambda text: beginning_with(text, "people_by_email", "people_by_last_name")
        ),
    ]
    panels: ClassVar[list[Panel]] = []
    fieldsets = (
        ("Profile", {"fields": (("first_name", "last_name"), ("email", "phone"))}),
        ("Standing", {"fields": (("status", "kyc_status"), ("id_verified", "kyc_tier"))}),
        (
            "Account",
            {
                "fields": (
                    ("public_id", "created_at"),
                    ("email_verified_at", "phone_verified_at"),
                    ("is_staff", "is_superuser"),
                    ("last_login", "groups"),
                )
            },
        ),
    )
    secret = ("password",)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Names and contacts only. Nobody but a superuser touches a superuser."""
        allowed = request.user.has_perm("accounts.change_user")
        return allowed and (request.user.is_superuser or not (obj and obj.is_superuser))

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Names, contacts and roles say who somebody is: what changes them asks for the password."""
        may_save = request.user.has_perm("accounts.change_user")
        question = ask_confirmation(request) if may_save else None
        return question or super().change_view(request, object_id, form_url, extra_context)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        fields = [name for _, options in self.fieldsets for pair in options["fields"] for name in pair]
        editable = {*PROFILE, "groups"} if self.may_give_roles(request, obj) else set(PROFILE)
        return [name for name in fields if name not in editable]

    def may_give_roles(self, request: HttpRequest, obj: User | None) -> bool:
        """Roles are for colleagues, and given by somebody else."""
        return bool(obj and obj.is_staff and obj.pk != request.user.pk and request.user.has_perm("auth.change_group"))

    def formfield_for_manytomany(self, db_field: Any, request: Any, **kwargs: Any) -> Any:
        return super().formfield_for_manytomany(
            db_field, request, **{**kwargs, "widget": UnfoldAdminCheckboxSelectMultipleWidget()}
        )

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        values = {name: form.cleaned_data[name] for name in form.changed_data if name in PROFILE}
        services.correct_profile(user_id=obj.pk, values=values, origin=staff_origin(request))

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        if "groups" in form.changed_data:
            roles = [group.name for group in form.cleaned_data["groups"]]
            services.set_roles(user_id=form.instance.pk, roles=roles, origin=staff_origin(request))

    @admin.display(description="Name")
    def name(self, user: User) -> str:
        return f"{user.first_name} {user.last_name}"

    @admin.display(description="Since")
    def since(self, user: User) -> str:
        """The day: the moment stands on his page, and the list would be wider than a screen."""
        return date_format(localtime(user.created_at), "DATE_FORMAT")

    @badge("Status", active="success", suspended="danger", closed="warning")
    def state(self, user: User) -> str:
        return user.status

    @badge("KYC", verified="success", pending="info", rejected="danger", not_started="")
    def kyc(self, user: User) -> tuple[str, str]:
        return user.kyc_status, user.get_kyc_status_display()

    @badge("Colleague", colleague="info")
    def colleague(self, user: User) -> str | None:
        return "colleague" if user.is_staff else None


@admin.register(LoginSession)
class LoginSessionAdmin(LargeTableAdmin):
    list_display = ("user", "device", "address", "created_at", "last_used_at", "expires_at", "revoked_at")
    list_select_related = ("user",)
    searches: ClassVar[list[Search]] = [
        Search("public id", UUID, lambda text: Q(public_id=text)),
        *by_owner(ordering=BY_TIME),
    ]
    linked: ClassVar = {"user": BY_TIME}  # by key it would walk over everybody's later devices
    secret = ("token_digest", "previous_digest")


@admin.register(KycSubmission)
class KycSubmissionAdmin(LargeTableAdmin):
    list_display = ("public_id", "user", "id_type", "state", "created_at", "decided_at", "reviewer")
    list_filter = ("status",)
    list_select_related = ("user", "reviewer", "second_reviewer")
    searches: ClassVar[list[Search]] = [
        Search("public id", UUID, lambda text: Q(public_id=text)),
        *by_owner(),
    ]
    linked: ClassVar = {"user": (), "status__exact": ("-created_at", "-pk")}
    secret = ("id_number_encrypted", "id_number_index")
    panels: ClassVar[list[Panel]] = [
        Panel(
            "Documents",
            "accounts.view_kycdocument",
            ("Document", "Type", "Bytes", "Received"),
            lambda case: [
                (link(document, document.public_id), document.content_type, document.size_bytes, document.created_at)
                for document in case.documents.order_by("pk")
            ],
        )
    ]

    @badge("Status", approved="success", pending="info", rejected="danger")
    def state(self, case: KycSubmission) -> str:
        return case.status


@admin.register(KycDocument)
class KycDocumentAdmin(LargeTableAdmin):
    list_display = ("public_id", "submission", "content_type", "size_bytes", "created_at")
    list_select_related = ("submission",)
    searches: ClassVar[list[Search]] = [Search("public id", UUID, lambda text: Q(public_id=text))]
    linked: ClassVar = {"submission": ()}
    secret = ("path", "sha256")


@admin.register(KycNote)
class KycNoteAdmin(LargeTableAdmin):
    list_display = ("created_at", "submission", "author", "text")
    list_select_related = ("submission", "author")
    linked: ClassVar = {"submission": ()}


admin.site.unregister(Group)


@admin.register(Group)
class RoleAdmin(LargeTableAdmin):
    """Roles stand in reporting/roles.py; here they can be read. People get them on their own page."""

    list_display = ("name",)
    ordering = ("-name",)
    list_filter = ()

    def get_queryset(self, request: HttpRequest) -> QuerySet[Model]:
        return super().get_queryset(request).prefetch_related("permissions__content_type")


def sessions_of(user: User) -> list[tuple[object, ...]]:
    return [
        (link(session, session.device or "unknown device"), session.address, session.last_used_at, session.revoked_at)
        for session in user.login_sessions.order_by("-pk")[:5]
    ]


def events_about(user: User) -> list[tuple[object, ...]]:
    events = AuditEvent.objects.filter(subject_type="user", subject_id=str(user.public_id)).select_related("actor")
    return [
        (link(event, event.at), verb_in_words(event.verb), event.actor or "the system")
        for event in events.order_by("-at")[:10]
    ]


UserAdmin.panels += [
    Panel(
        "Identity checks",
        "accounts.view_kycsubmission",
        ("Case", "Identity document", "Status", "Received", "Decided"),
        lambda user: [
            (link(case, case.public_id), case.get_id_type_display(), case.status, case.created_at, case.decided_at)
            for case in user.kyc_submissions.order_by("-pk")[:5]
        ],
    ),
    Panel(
        "Devices",
        "accounts.view_loginsession",
        ("Device", "Address", "Last used", "Ended"),
        sessions_of,
        lambda user: list_of(LoginSession, user=user.pk),
    ),
    Panel("What happened", "accounts.view_auditevent", ("At", "Deed", "By"), events_about),
]


@admin.register(SavedView)
class SavedViewAdmin(LargeTableAdmin):
    list_display = ("name", "page", "owner", "shared_with", "query", "created_at")
    list_select_related: ClassVar[Any] = ("owner", "shared_with")
