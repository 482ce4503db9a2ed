"""Push notifications by Expo."""

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
    """Makes a push notification for each active device of the user, and returns the notifications' ids.

    The arguments are those of `creators.twilio`. `extra` is what Expo understands: `data`, `sound`, `ttl`, …
    """
    return notify(
        "expo",
        user,
        title=title,
        body=body,
        scheduled_delivery=scheduled_delivery,
        retry_time_interval=retry_time_interval,
        max_retries=max_retries,
        quiet=quiet,
        extra=extra,
    )
