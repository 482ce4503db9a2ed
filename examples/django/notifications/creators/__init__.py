"""One module for each target, each with a `create_notification` of the predecessor's signature."""

import json
import logging
from datetime import UTC
from functools import partial

from django.db import transaction
from django.utils import timezone

from .. import engine
from ..exceptions import NotificationSystemError

logger = logging.getLogger(__name__)


def notify(target, user, *, title, body, scheduled_delivery, retry_time_interval, max_retries, quiet, extra):
    """Has the engine make the notifications, and returns their ids.

    Outside of a transaction that happens at once, and refusals are raised. Inside of one it waits for the commit, as the user
    may be new and the engine has to learn of them first; then nobody is left to raise to, so a refusal is logged and told, the
    list is empty, and what else waits for the commit goes on.
    """
    ask = partial(
        engine.run,
        "notify",
        user=user.get_username(),
        target=target,
        title=title,
        body=body,
        at=None if scheduled_delivery is None else instant(scheduled_delivery),
        retry_interval=retry_time_interval,
        max_retries=max_retries,
        quiet=quiet or None,
        # Here, not after the commit: what cannot be written as JSON is the caller's mistake and is raised to the caller.
        extra=json.dumps(extra or {}, allow_nan=False),
    )
    database = user._state.db
    if transaction.get_connection(database).in_atomic_block:
        transaction.on_commit(partial(logged, ask, target, user.pk), using=database)
        return []
    return ids(ask())


def ids(made):
    """Of what `engine notify` prints: an array with the notifications of each target; nothing if it was quiet."""
    return [notification for target in made or [] for notification in target["notifications"]]


def logged(ask, target, pk):
    try:
        ask()
    except NotificationSystemError as error:
        logger.error("No notification was made in %s for the user with the key %s: %s", target, pk, error)


def instant(time):
    """A time as the engine reads it. One without an offset is meant in Django's current time zone, as everywhere in Django."""
    if timezone.is_naive(time):
        time = timezone.make_aware(time)
    return time.astimezone(UTC).isoformat()
