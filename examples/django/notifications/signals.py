"""Keeps the engine's users, e-mail records and opt-outs in step with the application's.

Each receiver waits for the commit, so that the engine never learns what is rolled back, and then tells what the database
says, not what the saved object says. A failure does not reach whoever saved: their data is safe, and the next save, or
`sync_user` called by hand, makes up for it. It is logged as an error, which the settings send to the administrators.
"""

import logging
from functools import partial

from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import transaction
from django.db.models.signals import post_delete, post_save
from django.dispatch import receiver

from . import engine
from .exceptions import EngineFailed
from .models import NotificationOptOut

logger = logging.getLogger(__name__)

# A save of nothing but other fields, such as `last_login` at each login, is no news for the engine.
TOLD = {"username", "email", "first_name", "last_name", "time_zone"}


def sync_user(user):
    """Tells the engine of a user. May be called for any user at any time: telling twice changes nothing.

    Needed by hand after `bulk_create` and `queryset.update`, which send no signals, and once for users who were there before.
    Raises EngineFailed.
    """
    username = user.get_username()
    engine.run(
        "user",
        "upsert",
        username=username,
        email=user.email,
        first_name=user.first_name,
        last_name=user.last_name,
        # Django's own user has no time zone. One that the application has added is taken.
        time_zone=getattr(user, "time_zone", "") or settings.TIME_ZONE,
    )
    # Before the record, so that nobody who has opted out is reachable for a moment. Only added here: a user may also have opted
    # out at the engine itself, and no save of theirs must undo that.
    if NotificationOptOut.objects.using(user._state.db).filter(user=user, active=True).exists():
        engine.run("opt-out", "add", user=username)
    if user.email:
        engine.run(
            "record",
            "upsert",
            # Another address of theirs is an old one.
            "--replace",
            user=username,
            target="email",
            target_user_id=user.email,
            description=f"{user.get_full_name() or username}'s e-mail",
        )


@receiver(post_save, sender=settings.AUTH_USER_MODEL)
def user_saved(instance, update_fields, using, **_):
    if update_fields is None or TOLD & set(update_fields):
        after_commit(using, sync_saved, instance.pk, using)


@receiver(post_save, sender=NotificationOptOut)
def opt_out_saved(instance, using, **_):
    after_commit(using, sync_opt_out, instance.pk, using)


@receiver(post_delete, sender=NotificationOptOut)
def opt_out_deleted(instance, origin, using, **_):
    # Not where the user is deleted, and this row with them: they must not be opted in for the last moment.
    if getattr(origin, "model", type(origin)) is NotificationOptOut:
        after_commit(using, engine.run, "opt-out", "remove", user=instance.user.get_username())


@receiver(post_delete, sender=settings.AUTH_USER_MODEL)
def user_deleted(instance, using, **_):
    """With their records, notifications and history, as the predecessor's cascade did."""
    after_commit(using, engine.run, "user", "remove", username=instance.get_username())


def sync_saved(pk, using):
    # May have been deleted since.
    if user := get_user_model()._default_manager.using(using).filter(pk=pk).first():
        sync_user(user)


def sync_opt_out(pk, using):
    opt_out = NotificationOptOut.objects.using(using).select_related("user").filter(pk=pk).first()
    if opt_out:
        # Opts out as well, if so; and makes the user known who is not yet.
        sync_user(opt_out.user)
        if not opt_out.active:
            engine.run("opt-out", "remove", user=opt_out.user.get_username())


def after_commit(using, tell, *arguments, **options):
    """At once if there is no transaction."""
    transaction.on_commit(partial(logged, tell, *arguments, **options), using=using)


def logged(tell, *arguments, **options):
    try:
        tell(*arguments, **options)
    except EngineFailed as error:
        logger.error("The engine is out of step; save the user again once this is mended: %s", error)
