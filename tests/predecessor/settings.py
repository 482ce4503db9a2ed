"""The smallest Django project with django-notification-system; what differs from run to run comes from variables."""

import os

SECRET_KEY = "only for tests"
USE_TZ = True
TIME_ZONE = "UTC"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    # By its class: Django 4.1 and later do not load it by the name that its documentation gives.
    "django_notification_system.Config",
]
if "PGPORT" in os.environ:
    # The rest comes from libpq's own variables.
    DATABASES = {"default": {"ENGINE": "django.db.backends.postgresql", "NAME": os.environ["PGDATABASE"]}}
else:
    DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": os.environ["SQLITE_FILE"]}}
EMAIL_HOST = "127.0.0.1"
EMAIL_PORT = int(os.environ.get("MAIL_PORT", "25"))
NOTIFICATION_SYSTEM_TARGETS = {
    "email": {"from_email": "news@example.org"},
    "twilio_sms": {"account_sid": "AC0", "auth_token": "none", "sender": "+15005550006"},
}
