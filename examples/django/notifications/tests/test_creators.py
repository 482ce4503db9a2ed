"""The predecessor's functions, on a real engine."""

import inspect
from datetime import UTC, datetime, timedelta
from unittest import mock

from django.db import transaction
from django.test import SimpleTestCase
from django.utils import timezone

from notifications import engine
from notifications.creators import email, expo, instant, twilio
from notifications.exceptions import EngineFailed, NotificationsNotCreated, UserHasNoTargetRecords, UserIsOptedOut
from notifications.models import NotificationOptOut

from .support import EngineTestCase


class EmailTest(EngineTestCase):
    def test_what_was_asked_for_is_made(self):
        when = datetime(2030, 12, 31, 18, 0, tzinfo=UTC)
        made = email.create_notification(self.ada(), "--Tea", "-It is\nready.", when, 90, 5, extra={"reply_to": "tea@example.org"})
        [notification] = self.notifications()
        self.assertEqual([notification["id"]], made)
        expected = {
            "title": "--Tea",
            "body": "-It is\nready.",
            "extra": {"reply_to": "tea@example.org"},
            "status": "SCHEDULED",
            "retry_time_interval": 90,
            "max_retries": 5,
        }
        self.assertEqual({key: notification[key] for key in expected}, expected)
        self.assertEqual(datetime.fromisoformat(notification["scheduled_delivery"]), when)

    def test_what_was_not_asked_for_is_as_the_predecessor_had_it(self):
        email.create_notification(self.ada(), "Tea", "It is ready.")
        [notification] = self.notifications()
        self.assertEqual((notification["retry_time_interval"], notification["max_retries"]), (1440, 3))
        self.assertEqual(notification["extra"], {})
        age = timezone.now() - datetime.fromisoformat(notification["scheduled_delivery"])
        self.assertLess(abs(age), timedelta(minutes=5))

    def test_a_body_is_made_from_a_template(self):
        # Not JSON, and need not be: it is the context of the template and goes no further.
        anything = object()
        extra = {"template_name": "tea.html", "name": "Ada & Co", "anything": anything}
        email.create_notification(self.ada(), "Tea", extra=extra)
        [notification] = self.notifications()
        self.assertEqual(notification["body"], "<html><p>Ada &amp; Co, the tea is ready.</p></html>\n")
        self.assertEqual(notification["extra"], {"html": True})
        self.assertEqual(extra, {"template_name": "tea.html", "name": "Ada & Co", "anything": anything})

    def test_a_body_wins_over_a_template(self):
        email.create_notification(self.ada(), "Tea", "Plain", extra={"template_name": "nowhere.html"})
        self.assertEqual(self.notifications()[0]["body"], "Plain")

    def test_neither_body_nor_template_is_the_callers_mistake(self):
        for quiet in (False, True):
            with self.assertRaises(ValueError):
                email.create_notification(self.ada(username=f"ada{quiet}"), "Tea", quiet=quiet)

    def test_who_has_opted_out_gets_nothing(self):
        user = self.ada()
        NotificationOptOut.objects.create(user=user, active=True)
        with self.assertRaises(UserIsOptedOut):
            email.create_notification(user, "Tea", "It is ready.")
        self.assertEqual(email.create_notification(user, "Tea", "It is ready.", quiet=True), [])
        self.assertEqual(self.notifications(), [])

    def test_who_has_no_address_gets_nothing(self):
        user = self.ada(email="")
        with self.assertRaises(UserHasNoTargetRecords):
            email.create_notification(user, "Tea", "It is ready.")
        self.assertEqual(email.create_notification(user, "Tea", "It is ready.", quiet=True), [])

    def test_other_failures_are_never_quiet(self):
        with self.assertRaisesMessage(EngineFailed, "title"):
            email.create_notification(self.ada(), "x" * 101, "It is ready.", quiet=True)

    def test_inside_of_a_transaction_it_waits_for_the_commit(self):
        with transaction.atomic():
            # The engine does not know this user yet.
            self.assertEqual(email.create_notification(self.ada(), "Tea", "It is ready."), [])
            self.assertEqual(self.notifications(), [])
        self.assertEqual([notification["title"] for notification in self.notifications()], ["Tea"])

    def test_a_rollback_makes_nothing(self):
        user = self.ada()
        with transaction.atomic():
            email.create_notification(user, "Tea", "It is ready.")
            transaction.set_rollback(True)
        self.assertEqual(self.notifications(), [])

    def test_a_refusal_after_the_commit_is_told_and_stops_nothing_else(self):
        with self.assertLogs("notifications", "ERROR") as told, transaction.atomic():
            email.create_notification(self.ada(email=""), "Tea", "It is ready.")
            self.ada(username="bob")
        self.assertIn("No notification was made in email", told.output[0])
        self.assertEqual({user["username"] for user in self.users()}, {"ada", "bob"})


class TargetsTest(EngineTestCase):
    def test_all_targets_refuse_who_is_not_reached_there(self):
        user, there = self.ada(), {target["notification_module_name"] for target in engine.run("target", "list")}
        for name, creator in {"twilio": twilio, "expo": expo}.items():
            with self.subTest(name):
                if name not in there:
                    self.skipTest(f"this engine has no target {name}")
                with self.assertRaises(UserHasNoTargetRecords):
                    creator.create_notification(user, "Tea", "It is ready.")


class SignatureTest(SimpleTestCase):
    def test_it_is_the_predecessors(self):
        names = ["user", "title", "body", "scheduled_delivery", "retry_time_interval", "max_retries", "quiet", "extra"]
        for creator, body, interval in [(email, "", 1440), (twilio, inspect.Parameter.empty, 60), (expo, inspect.Parameter.empty, 60)]:
            with self.subTest(creator.__name__):
                parameters = inspect.signature(creator.create_notification).parameters
                self.assertEqual(list(parameters), names)
                defaults = [parameter.default for parameter in parameters.values()][2:]
                self.assertEqual(defaults, [body, None, interval, 3, False, None])

    def test_each_creator_asks_its_own_target(self):
        for name, creator in {"email": email, "twilio": twilio, "expo": expo}.items():
            user = mock.Mock()
            user._state.db = None
            with mock.patch("notifications.creators.engine.run", return_value=None) as run, self.subTest(name):
                with mock.patch("notifications.creators.transaction.get_connection") as connection:
                    connection.return_value.in_atomic_block = False
                    creator.create_notification(user, "Tea", "B", extra={"a": 1})
                self.assertEqual((run.call_args.args, run.call_args.kwargs["target"]), (("notify",), name))
                self.assertEqual(run.call_args.kwargs["extra"], '{"a": 1}')

    def test_nothing_to_send_is_an_exception_unless_quiet(self):
        # No bundled target makes an empty list, so this is said of the exit code alone; see `test_engine.py`.
        self.assertIs(engine.REFUSALS[6], NotificationsNotCreated)

    def test_times_are_instants(self):
        self.assertEqual(instant(datetime(2030, 7, 1, 12, tzinfo=UTC)), "2030-07-01T12:00:00+00:00")
        self.assertEqual(instant(datetime(2030, 7, 1, 12)), "2030-07-01T10:00:00+00:00", "Vienna's summer")
