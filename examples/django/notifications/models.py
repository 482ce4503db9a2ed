from django.conf import settings
from django.db import models


class NotificationOptOut(models.Model):
    """A user's wish to get nothing. As in the predecessor a row alone opts nobody out: `active` does."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE, related_name="notification_opt_out")
    active = models.BooleanField(default=False)

    def __str__(self):
        return self.user.get_username()
