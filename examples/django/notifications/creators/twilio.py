"""SMS by Twilio."""

from . import notify


def create_notification(
    user,
    title,
    body,
    scheduled_delivery=None,
    retry_time_interval=60,
    max_retries=3,
    quiet=False,
    extra=None,
):
    """Makes an SMS for each active telephone of the user, and returns the notifications' ids.

    `scheduled_delivery` is a datetime, None for now; `retry_time_interval` is in seconds; `max_retries` counts what follows the
    first attempt. `quiet` makes nothing of UserIsOptedOut, UserHasNoTargetRecords and NotificationsNotCreated, and of no other.
    """
    return notify(
        "twilio",
        user,
        title=title,
        body=body,
        scheduled_delivery=scheduled_delivery,
        retry_time_interval=retry_time_interval,
        max_retries=max_retries,
        quiet=quiet,
        extra=extra,
    )
