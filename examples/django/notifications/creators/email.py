"""E-mail."""

from django.template.loader import render_to_string

from . import notify


def create_notification(
    user,
    title,
    body="",
    scheduled_delivery=None,
    retry_time_interval=1440,
    max_retries=3,
    quiet=False,
    extra=None,
):
    """Makes an e-mail for each active address of the user, and returns the notifications' ids.

    Without a `body` it is rendered from the Django template `extra["template_name"]`, with `extra` as its context, which then
    goes no further and so may hold anything. With neither, ValueError. All else is as in `creators.twilio`.
    """
    extra = dict(extra or {})
    # The templates are Django's. The engine is not asked to find one.
    template = extra.pop("template_name", None)
    if not body:
        if not template:
            raise ValueError("An e-mail needs a `body`, or a `template_name` in `extra` to make it from.")
        body = render_to_string(template, {**extra, "template_name": template})
        extra = {"html": not template.endswith(".txt")}
    return notify(
        "email",
        user,
        title=title,
        body=body,
        scheduled_delivery=scheduled_delivery,
        retry_time_interval=retry_time_interval,
        max_retries=max_retries,
        quiet=quiet,
        extra=extra,
    )
