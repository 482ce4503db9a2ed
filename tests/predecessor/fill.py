"""Fills the database through the predecessor's own code, or shows what is in it.

fill.py fill: makes users, records, an opt-out and notifications, some of which it delivers or fails to deliver to the mail server.
fill.py show: prints all notifications and records as JSON.
"""

import json
import os
import sys
from datetime import timedelta

os.environ["DJANGO_SETTINGS_MODULE"] = "settings"
import django

django.setup()

from django.contrib.auth.models import User
from django.core.management import call_command
from django.utils import timezone
from django_notification_system.models import (
    Notification,
    NotificationOptOut,
    NotificationTarget,
    TargetUserRecord,
)
from django_notification_system.notification_creators import email, expo, twilio

NOW = timezone.now()
LONG_AGO = NOW - timedelta(days=400)
IN_A_YEAR = NOW + timedelta(days=365)


def user(name):
    return User.objects.create_user(name, f"{name}@example.org", first_name=name.title(), last_name="Ångström")


def fill():
    ada, bob, cleo, dee, eve = (user(name) for name in ["ada", "bob", "cleo", "dee", "eve"])
    call_command("create_email_target_user_records")
    User.objects.create_user("without an address")

    # What the predecessor delivers itself, and what it fails to: the mail server does not take Cleo's.
    email.create_notification(dee, "Delivered there", "It was.", scheduled_delivery=LONG_AGO)
    email.create_notification(cleo, "Refused there", "Once more.", retry_time_interval=0)
    email.create_notification(cleo, "Refused for good", "No.", max_retries=1, retry_time_interval=7)
    call_command("process_notifications")

    # What is due, in each way in which its code lets it be.
    email.create_notification(ada, "Due", "1. Tea\n2. Cake", scheduled_delivery=NOW)
    email.create_notification(ada, "Due in HTML", "<html><p>Grüße</p></html>", scheduled_delivery=NOW)
    of_ada = TargetUserRecord.objects.get(user=ada)

    def directly(record, title, **more):
        values = {"body": "Directly.", "status": "SCHEDULED", "scheduled_delivery": NOW} | more
        return Notification.objects.create(target_user_record=record, title=title, **values)

    directly(of_ada, "Without extra", extra=None)
    directly(of_ada, "Without extra", extra=None)
    directly(of_ada, "For ever", max_retries=0)
    directly(of_ada, "Scheduled and attempted", attempted_delivery=LONG_AGO)
    directly(of_ada, "Delivered at no time", status="DELIVERED")
    email.create_notification(ada, "In a year", "Wait.", scheduled_delivery=IN_A_YEAR, retry_time_interval=90)

    # Opting out ends what waits, and does not keep what is made directly from waiting.
    email.create_notification(bob, "Before he opted out", "Never.", scheduled_delivery=NOW)
    NotificationOptOut.objects.create(user=bob, active=True)
    directly(TargetUserRecord.objects.get(user=bob), "After he opted out")

    for name, address in [("Twilio", "+15550100123"), ("Expo", "ExponentPushToken[0123456789abcdefghijkl]")]:
        target = NotificationTarget.objects.get(name=name)
        TargetUserRecord.objects.create(user=eve, target=target, target_user_id=address, description=name)
    twilio.create_notification(eve, "Text", "In a year.", scheduled_delivery=IN_A_YEAR)
    extra = {"data": {"of": ["eve", 1.5, None]}, "sound": "default"}
    expo.create_notification(eve, "Push", "In a year.", scheduled_delivery=IN_A_YEAR, extra=extra)
    pigeon = NotificationTarget.objects.create(name="Carrier Pigeon", notification_module_name="carrier_pigeon")
    loft = TargetUserRecord.objects.create(user=eve, target=pigeon, target_user_id="the blue loft", description="")
    directly(loft, "Pigeon", scheduled_delivery=IN_A_YEAR)

    # Switched off: nothing is sent to it, and the next run says so.
    of_dee = TargetUserRecord.objects.get(user=dee)
    of_dee.active = False
    of_dee.save()
    directly(of_dee, "To a record that is off")


def show():
    def time(value):
        return value and value.isoformat()

    notifications = {
        str(n.id): {
            "username": n.target_user_record.user.username,
            "target_name": n.target_user_record.target.name,
            "target_user_id": n.target_user_record.target_user_id,
            "title": n.title,
            "body": n.body,
            "extra": n.extra,
            "status": n.status,
            "scheduled_delivery": time(n.scheduled_delivery),
            "attempted_delivery": time(n.attempted_delivery),
            "retry_time_interval": n.retry_time_interval,
            "retry_attempts": n.retry_attempts,
            "max_retries": n.max_retries,
            "created_date": time(n.created_date),
            "modified_date": time(n.modified_date),
        }
        for n in Notification.objects.all()
    }
    records = {
        str(r.id): {
            "username": r.user.username,
            "target_name": r.target.name,
            "target_user_id": r.target_user_id,
            "description": r.description,
            "active": r.active,
        }
        for r in TargetUserRecord.objects.all()
    }
    print(json.dumps({"notifications": notifications, "records": records, "users": User.objects.count()}))


{"fill": fill, "show": show}[sys.argv[1]]()
