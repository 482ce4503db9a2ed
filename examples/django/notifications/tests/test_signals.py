"""Users, e-mail records and opt-outs of the application and of a real engine, side by side."""

from django.contrib.auth import get_user_model
from django.db import transaction
from django.test import override_settings
from django.utils import timezone

from notifications import engine
from notifications.exceptions import UserIsOptedOut
from notifications.models import NotificationOptOut
from notifications.signals import sync_user

from .support import EngineTestCase


class SignalsTest(EngineTestCase):
    def opted_out(self):
        try:
            engine.run("notify", user="ada", target="email", title="T", body="B")
        except UserIsOptedOut:
            return True
        return False

    def test_a_new_user_is_known_and_reached(self):
        self.ada()
        [user] = self.users()
        told = {"username": "ada", "email": "ada@example.org", "first_name": "Ada", "last_name": "Lovelace"}
        self.assertEqual({key: user[key] for key in told}, told)
        self.assertEqual(user["time_zone"], "Europe/Vienna")
        self.assertEqual(self.addresses(), ["ada@example.org"])

    def test_a_user_without_an_address_is_known_and_not_reached(self):
        self.ada(email="")
        self.assertEqual(len(self.users()), 1)
        self.assertEqual(self.addresses(), [])

    def test_a_change_is_told(self):
        user = self.ada()
        user.first_name, user.email = "Augusta", "augusta@example.org"
        user.save()
        self.assertEqual([user["first_name"] for user in self.users()], ["Augusta"])
        self.assertEqual(self.addresses(), ["augusta@example.org"], "and not at the old one")

    def test_telling_twice_changes_nothing(self):
        user = self.ada()
        before = self.users(), engine.run("record", "list")
        sync_user(user)
        after = self.users(), engine.run("record", "list")
        for was, now in zip(before, after, strict=True):
            self.assertEqual([row["id"] for row in was], [row["id"] for row in now])

    def test_a_rollback_tells_nothing(self):
        try:
            with transaction.atomic():
                self.ada()
                raise KeyError
        except KeyError:
            pass
        self.assertEqual(self.users(), [])

    def test_nothing_is_told_before_the_commit(self):
        with transaction.atomic():
            user = self.ada()
            self.assertEqual(self.users(), [])
            user.email = "never.saved@example.org"
        self.assertEqual(self.addresses(), ["ada@example.org"])

    def test_a_login_is_no_news(self):
        user = self.ada()
        user.last_login = timezone.now()
        with override_settings(ENGINE_BINARY="/nowhere/engine"), self.assertNoLogs("notifications"):
            user.save(update_fields=["last_login"])

    def test_opting_out_and_in_again(self):
        user = self.ada()
        opt_out = NotificationOptOut.objects.create(user=user)
        self.assertFalse(self.opted_out(), "a row alone opts nobody out")
        user.save()
        self.assertFalse(self.opted_out())
        opt_out.active = True
        opt_out.save()
        self.assertTrue(self.opted_out())
        user.save()
        self.assertTrue(self.opted_out())
        opt_out.active = False
        opt_out.save()
        self.assertFalse(self.opted_out())
        opt_out.active = True
        opt_out.save()
        opt_out.delete()
        self.assertFalse(self.opted_out())

    def test_an_opt_out_at_the_engine_stays(self):
        user = self.ada()
        NotificationOptOut.objects.create(user=user)
        engine.run("opt-out", "add", user="ada")
        user.save()
        self.assertTrue(self.opted_out())

    def test_a_deleted_user_is_forgotten(self):
        user = self.ada()
        NotificationOptOut.objects.create(user=user, active=True)
        with self.assertNoLogs("notifications"):
            user.delete()
        self.assertEqual((self.users(), self.addresses()), ([], []))

    def test_an_engine_that_fails_is_told_and_fails_nobody(self):
        with override_settings(ENGINE_BINARY="/nowhere/engine"), self.assertLogs("notifications", "ERROR") as told:
            user = self.ada()
        self.assertIn("/nowhere/engine", told.output[0])
        self.assertTrue(get_user_model().objects.filter(pk=user.pk).exists())
        user.save()
        self.assertEqual(self.addresses(), ["ada@example.org"], "the next save makes up for it")
