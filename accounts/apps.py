from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "accounts"
    verbose_name = "People and records"

    def ready(self) -> None:
        from django.contrib.auth.signals import user_logged_in

        from accounts import staff_session, staff_trail

        user_logged_in.connect(staff_session.begin, dispatch_uid="accounts.staff_session")
        staff_trail.listen()
