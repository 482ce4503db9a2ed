from django.apps import AppConfig


class NotificationsConfig(AppConfig):
    name = "notifications"

    def ready(self):
        # Connects the receivers.
        from . import signals  # noqa: F401
